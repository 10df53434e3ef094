"""What comes in by file: copied into a table of the transaction's own, then compared and written as sets.

The caller holds one transaction from `stage` to the last `write`: all of a file is taken, or nothing of it.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from gamf.storage.connection import Connection

_ROWS_SENT_AT_ONCE: Final = 500
# Below this, a table that has grown is still planned for well enough.
_WORTH_ANALYZING: Final = 1000


@dataclass(frozen=True)
class Target:
    """A table that files fill: its columns in the order of the file's, and what no file changes in it."""

    table: str
    subject: str
    identity: str
    """The column that the record names."""
    key: str
    """The column by which a row of a file is known again."""
    columns: tuple[str, ...]
    order: str
    """By which rows (`t`) are held: that of whoever else holds several of them."""
    kept: tuple[str, ...] = ()
    """Columns of a row already there that no file changes."""
    kept_unless_waiting: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """Return the columns that a file may change in a row already there."""
        return tuple(column for column in self.columns if column not in (self.key, *self.kept))

    @property
    def differs(self) -> str:
        """Return the condition that the file's values (`i`) change a row already there (`t`)."""
        given = (f"t.{column} IS DISTINCT FROM {self.new(column)}" for column in self.given)
        return f"t.{self.key} = i.{self.key} AND ({' OR '.join(given)})"

    def new(self, column: str) -> str:
        """Return the expression of the value that a row already there (`t`) gets from the file's (`i`)."""
        if column in self.kept_unless_waiting:
            return f"CASE WHEN t.place = 'waiting' THEN i.{column} ELSE t.{column} END"
        return f"i.{column}"


PATIENTS: Final = Target(
    table="patients",
    subject="patient",
    identity="patient_id",
    key="nam",
    columns=(
        *(
            "nam",
            "last_name",
            "first_name",
            "birth_date",
            "sex",
            "address",
            "city",
            "postal_code",
            "language",
        ),
        *("english_attested", "email", "phone", "rls", "registered_on", "priority", "vulnerable"),
        "representative",
    ),
    order="t.priority, t.registered_on, t.number",
    kept=("registered_on",),
    kept_unless_waiting=("priority", "vulnerable"),
)
"""The initial date is never touched (A18); what a draw looks at stays unless the patient waits (A9)."""
PHYSICIANS: Final = Target(
    table="physicians",
    subject="physician",
    identity="licence",
    key="licence",
    order="t.licence",
    columns=(
        *("licence", "last_name", "first_name", "rls", "status", "place", "address", "city", "postal_code"),
        "email",
    ),
)
NETWORKS: Final = Target(
    table="networks",
    subject="network",
    identity="rls",
    key="rls",
    order="t.rls",
    columns=("rls", "name", "region", "time_zone", "gaco_name", "gaco_phone", "coordinator"),
)


class Row(NamedTuple):
    """A line to take: its number in the file, and its values in the order of the target's columns."""

    line: int
    values: Sequence[str]


class Repeat(NamedTuple):
    """A line whose key an earlier one has too."""

    line: int
    first_line: int
    identical: bool


class Stamp(NamedTuple):
    """What each record says: when (an instant), by whom, under which policy version (invariant 5)."""

    at: datetime
    by: str
    policy: str


class Written(NamedTuple):
    """How many rows were not there before, and how many were there with other values."""

    added: int
    changed: int


async def zones(conn: Connection) -> dict[str, str]:
    """Return the time zone of each RLS (A23)."""
    rows = await conn.fetch("SELECT rls, time_zone FROM networks")
    return {row["rls"]: row["time_zone"] for row in rows}


async def begin(conn: Connection, target: Target) -> None:
    """Wait for other files of that kind to be taken, and make room for the lines of this one."""
    # A million lines take longer than any statement of a person's may.
    await conn.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('import ' || $1, 0))", target.table)
    await conn.execute("DROP TABLE IF EXISTS pg_temp.incoming")
    columns = ", ".join(target.columns)
    await conn.execute(
        f"""
        CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS
        SELECT 0::bigint AS line, {columns} FROM {target.table} WITH NO DATA
        """  # noqa: S608 - the names are those of the constants above
    )


async def stage(conn: Connection, target: Target, rows: Iterable[Row]) -> None:
    """Copy the lines in; an empty value is an absent one. The values hold no control character."""
    await conn.copy_to_table(
        "incoming",
        source=_as_text(rows),
        columns=("line", *target.columns),
        format="text",
        null="",
    )
    await conn.execute("CREATE INDEX ON pg_temp.incoming (line)")
    await conn.execute("ANALYZE pg_temp.incoming")


async def _as_text(rows: Iterable[Row]) -> AsyncIterator[bytes]:
    lines = ("\t".join((str(row.line), *row.values)).replace("\\", "\\\\") for row in rows)
    while batch := list(islice(lines, _ROWS_SENT_AT_ONCE)):
        yield ("\n".join(batch) + "\n").encode()


async def repeats(conn: Connection, target: Target) -> list[Repeat]:
    """Return the lines whose key is that of an earlier line, in the order of the file."""
    values = ", ".join(f"i.{column}" for column in target.columns)
    firsts = ", ".join(f"f.{column}" for column in target.columns)
    rows = await conn.fetch(
        f"""
        WITH firsts AS (SELECT {target.key}, min(line) AS line FROM incoming GROUP BY 1 HAVING count(*) > 1)
        SELECT i.line, f.line AS first_line, ({values}) IS NOT DISTINCT FROM ({firsts}) AS identical
        FROM incoming i JOIN firsts ON firsts.{target.key} = i.{target.key}
        JOIN incoming f ON f.line = firsts.line
        WHERE i.line > f.line ORDER BY i.line
        """  # noqa: S608 - the names are those of the constants above
    )
    return [Repeat(**row) for row in rows]


async def put_aside(conn: Connection, lines: Iterable[int]) -> None:
    """Do not take these lines."""
    await conn.execute("DELETE FROM incoming WHERE line = ANY ($1::bigint[])", list(lines))


async def other_dates(conn: Connection) -> list[int]:
    """Return the lines of patients already there whose registration date is not the one kept (A18)."""
    rows = await conn.fetch(
        """
        SELECT i.line FROM incoming i JOIN patients t ON t.nam = i.nam
        WHERE i.registered_on <> t.registered_on ORDER BY i.line
        """
    )
    return [row["line"] for row in rows]


async def last_line(conn: Connection) -> int:
    """Return the number of the last line to take, or 0."""
    return int(await conn.fetchval("SELECT coalesce(max(line), 0) FROM incoming"))


async def hold(conn: Connection, target: Target) -> None:
    """Hold every row that will change, in the order of a draw: neither waits for the other in a circle."""
    await conn.execute(
        f"""
        SELECT FROM {target.table} t JOIN incoming i ON {target.differs}
        ORDER BY {target.order} FOR UPDATE OF t
        """
    )


async def write(conn: Connection, target: Target, after: int, until: int, stamp: Stamp) -> Written:
    """Write the lines after the first number, up to the second included, with a record of each change."""
    changed = await _change(conn, target, after, until, stamp)
    return Written(await _add(conn, target, after, until, stamp), changed)


async def _change(conn: Connection, target: Target, after: int, until: int, stamp: Stamp) -> int:
    given = target.given
    values = ", ".join(f"{column} = {target.new(column)}" for column in given)
    named = ", ".join(f"CASE WHEN old.{c} IS DISTINCT FROM new.{c} THEN '{c}' END" for c in given)
    # Of what changed, the record has the names of the columns alone: it is kept for ever.
    return await _count(
        conn,
        f"""
        WITH changed AS (
            UPDATE {target.table} t SET {values} FROM incoming i
            WHERE i.line > $1 AND i.line <= $2 AND {target.differs}
            RETURNING t.{target.identity} AS id, array_remove(ARRAY[{named}], NULL) AS columns
        ), noted AS (
            INSERT INTO records (subject, subject_id, event, at, by, policy, argument)
            SELECT '{target.subject}', id, 'changed', $3, $4, $5, jsonb_build_object('columns', columns)
            FROM changed
            RETURNING record_id
        )
        SELECT count(*) FROM noted
        """,  # noqa: S608 - the names are those of the constants above
        after,
        until,
        stamp,
    )


async def _add(conn: Connection, target: Target, after: int, until: int, stamp: Stamp) -> int:
    columns = ", ".join(target.columns)
    # In the order of the file, since equals are ordered by their number (A18).
    return await _count(
        conn,
        f"""
        WITH added AS (
            INSERT INTO {target.table} ({columns})
            SELECT {columns} FROM incoming i
            WHERE i.line > $1 AND i.line <= $2
              AND NOT EXISTS (SELECT FROM {target.table} t WHERE t.{target.key} = i.{target.key})
            ORDER BY i.line
            RETURNING {target.identity} AS id
        ), noted AS (
            INSERT INTO records (subject, subject_id, event, at, by, policy)
            SELECT '{target.subject}', id, 'registered', $3, $4, $5 FROM added
            RETURNING record_id
        )
        SELECT count(*) FROM noted
        """,  # noqa: S608 - the names are those of the constants above
        after,
        until,
        stamp,
    )


async def _count(conn: Connection, query: str, after: int, until: int, stamp: Stamp) -> int:
    return int(await conn.fetchval(query, after, until, *stamp))


async def end(conn: Connection, target: Target, written: Written) -> None:
    """Drop the lines, and let the planner know of a table that has grown much."""
    await conn.execute("DROP TABLE pg_temp.incoming")
    if sum(written) >= _WORTH_ANALYZING:
        await conn.execute(f"ANALYZE {target.table}")
        await conn.execute("ANALYZE records")
