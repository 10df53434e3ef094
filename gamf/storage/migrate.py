"""The database's form, brought up to date: each file of `migrations/` applied once, whole, in order."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from gamf.storage.connection import Connection

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 3_212_026
_TABLE = """
    CREATE TABLE IF NOT EXISTS schema_migration (
        name text PRIMARY KEY,
        sha256 text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class MigrationError(Exception):
    """The database and the files do not agree, and nobody but a person may say which is right."""

    def __init__(self, *, fr: str, en: str) -> None:
        """Keep the message in both languages; `str()` is the French one."""
        super().__init__(fr)
        self.fr: str = fr
        self.en: str = en


@dataclass(frozen=True)
class Migration:
    """One file: its name, its SQL and the fingerprint by which a change is seen."""

    name: str
    sql: str
    sha256: str

    @classmethod
    def read(cls, path: Path) -> "Migration":
        """Read a file in UTF-8."""
        content = path.read_bytes()
        return cls(path.stem, content.decode(), hashlib.sha256(content).hexdigest())


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """Return the files `NNNN_name.sql` in the order of their names."""
    return [Migration.read(path) for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))]


async def migrate(connection: Connection, folder: Path = MIGRATIONS) -> list[str]:
    """Apply what is missing and return its names; two at once apply it once.

    A file that fails changes nothing, and those before it stay.

    Raises:
        MigrationError: an applied file was changed, is missing here, or would come after a later one.
        asyncpg.PostgresError: what PostgreSQL said of the SQL.
    """
    migrations = read_migrations(folder)
    return [
        migration.name for migration in migrations if await _applied_now(connection, migration, migrations)
    ]


async def _applied_now(connection: Connection, migration: Migration, all_of_them: list[Migration]) -> bool:
    """Apply one file in one transaction, alone among all processes, unless it was applied before."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        # A table is rewritten in the time it takes, whatever the session's bound for a query.
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute(_TABLE)
        done = await _applied(connection)
        _agree(done, all_of_them)
        if migration.name in done:
            return False
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migration (name, sha256) VALUES ($1, $2)", migration.name, migration.sha256
        )
        return True


async def _applied(connection: Connection) -> dict[str, str]:
    rows = await connection.fetch("SELECT name, sha256 FROM schema_migration ORDER BY name")
    return {row["name"]: row["sha256"] for row in rows}


def _agree(done: dict[str, str], migrations: list[Migration]) -> None:
    """Hold the applied files, in order, against the first of those here."""
    for name, migration in zip(done, migrations, strict=False):
        if name != migration.name:
            raise _out_of_step(min(name, migration.name))
        if done[name] != migration.sha256:
            raise _changed(name)
    if len(done) > len(migrations):
        raise _out_of_step(list(done)[len(migrations)])


def _changed(name: str) -> MigrationError:
    return MigrationError(
        fr=f"La migration {name} a changé depuis son application; écrivez-en une nouvelle.",
        en=f"Migration {name} has changed since it was applied; write a new one.",
    )


def _out_of_step(name: str) -> MigrationError:
    return MigrationError(
        fr=f"La migration {name} manque ici ou dans la base; la base vient d’une autre version.",
        en=f"Migration {name} is missing here or in the database, which another version made.",
    )
