import asyncio
import tempfile
import uuid
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
import pytest

from gamf.runtime.embedded import EmbeddedPostgres
from gamf.storage.migrate import MIGRATIONS, MigrationError, migrate, read_migrations

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]


@pytest.fixture(scope="module")
async def server() -> AsyncGenerator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with EmbeddedPostgres(Path(name), durable=False) as postgres:
            yield postgres


@pytest.fixture
async def url(server: EmbeddedPostgres) -> AsyncGenerator[str]:
    name = uuid.uuid4().hex
    yield await server.create_database(name)
    await server.drop_database(name)


@pytest.fixture
async def connection(url: str) -> "AsyncGenerator[Connection]":
    opened = await asyncpg.connect(url)
    yield opened
    await opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE one (n int); INSERT INTO one VALUES (1);")
    (tmp_path / "0002_second.sql").write_text("ALTER TABLE one ADD COLUMN é text;")
    (tmp_path / "notes.txt").write_text("not SQL")
    return tmp_path


async def columns(connection: "Connection") -> list[str]:
    rows = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('one') AND attnum > 0 ORDER BY attnum"
    )
    return [row["attname"] for row in rows]


async def test_they_are_applied_in_order_and_once(connection: "Connection", folder: Path) -> None:
    assert await migrate(connection, folder) == ["0001_first", "0002_second"]
    assert await migrate(connection, folder) == []
    assert await columns(connection) == ["n", "é"]
    assert await connection.fetchval("SELECT count(*) FROM one") == 1


async def test_what_was_applied_is_recorded_with_its_fingerprint(
    connection: "Connection", folder: Path
) -> None:
    await migrate(connection, folder)
    rows = await connection.fetch("SELECT name, sha256 FROM schema_migration ORDER BY name")
    assert [tuple(row) for row in rows] == [(each.name, each.sha256) for each in read_migrations(folder)]


async def test_a_new_one_is_applied_later(connection: "Connection", folder: Path) -> None:
    await migrate(connection, folder)
    (folder / "0003_third.sql").write_text("DROP TABLE one;")
    assert await migrate(connection, folder) == ["0003_third"]
    assert await columns(connection) == []


async def test_four_at_once_apply_each_once(url: str, folder: Path) -> None:
    connections = [await asyncpg.connect(url) for _ in range(4)]
    applied = await asyncio.gather(*(migrate(each, folder) for each in connections))
    assert sorted(name for names in applied for name in names) == ["0001_first", "0002_second"]
    assert await connections[0].fetchval("SELECT count(*) FROM one") == 1
    for each in connections:
        await each.close()


async def test_a_changed_one_is_told_and_nothing_is_applied(connection: "Connection", folder: Path) -> None:
    await migrate(connection, folder)
    (folder / "0002_second.sql").write_text("ALTER TABLE one ADD COLUMN other text;")
    (folder / "0003_third.sql").write_text("DROP TABLE one;")
    with pytest.raises(MigrationError, match="0002_second a changé") as caught:
        await migrate(connection, folder)
    assert "0002_second has changed" in caught.value.en
    assert await columns(connection) == ["n", "é"]


async def test_a_missing_one_is_told(connection: "Connection", folder: Path) -> None:
    await migrate(connection, folder)
    (folder / "0002_second.sql").unlink()
    with pytest.raises(MigrationError, match="0002_second manque"):
        await migrate(connection, folder)


async def test_one_that_comes_before_an_applied_one_is_told(connection: "Connection", folder: Path) -> None:
    second = (folder / "0002_second.sql").rename(folder / "0003_third.sql")
    await migrate(connection, folder)
    (folder / "0002_late.sql").write_text("DROP TABLE one;")
    with pytest.raises(MigrationError, match="0002_late manque"):
        await migrate(connection, folder)
    assert second.exists()
    assert await columns(connection) == ["n", "é"]


async def test_one_that_fails_changes_nothing_and_those_before_it_stay(
    connection: "Connection", folder: Path
) -> None:
    (folder / "0002_second.sql").write_text("CREATE TABLE two (); SELECT no_such_column FROM one;")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrate(connection, folder)
    assert await connection.fetchval("SELECT to_regclass('two')") is None
    assert await columns(connection) == ["n"]
    (folder / "0002_second.sql").write_text("CREATE TABLE two ();")
    assert await migrate(connection, folder) == ["0002_second"]


async def test_a_long_one_is_not_cut_by_the_bound_of_a_query(connection: "Connection", folder: Path) -> None:
    await connection.execute("SET statement_timeout = '100ms'")
    (folder / "0002_second.sql").write_text("SELECT pg_sleep(0.3);")
    assert await migrate(connection, folder) == ["0001_first", "0002_second"]
    assert await connection.fetchval("SHOW statement_timeout") == "100ms"


async def test_the_projects_own_apply_to_an_empty_database(connection: "Connection") -> None:
    assert await migrate(connection) == [path.stem for path in sorted(MIGRATIONS.glob("*.sql"))]
