"""What became of attributions, in an order to which nothing is added behind: by transaction, then by number.

Only what was written by transactions older than the oldest one under way is given out. A later one has a greater
number, so whatever is yet to come comes after.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple

from gamf.domain.roles import Scope
from gamf.storage.connection import Connection
from gamf.storage.lists import Rows


class Place(NamedTuple):
    """A record's place in that order, and when it was written."""

    transaction: int
    record_id: int
    recorded_at: datetime


_PLACE: Final = "transaction::text::bigint AS transaction, record_id, recorded_at"
_SETTLED: Final = "transaction < pg_snapshot_xmin(pg_current_snapshot())"


async def cluster(conn: Connection) -> int:
    """Return which PostgreSQL this is: transactions are numbered anew in another one."""
    number: int = await conn.fetchval("SELECT system_identifier FROM pg_control_system()")
    return number


async def horizon(conn: Connection) -> int:
    """Return a transaction such that whatever is read from now on has all that older ones wrote."""
    number: int = await conn.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    return number


class Touched(NamedTuple):
    """What a record is of: references, and whose they are."""

    transaction: int
    attribution_id: str | None
    block_id: str | None
    rls: str | None
    physician: str | None


async def touched(conn: Connection, since: int, until: int, limit: int) -> list[Touched]:
    """Return what was written of by transactions from one on and before another, so many records at most."""
    rows = await conn.fetch(
        """
        WITH written AS (
            SELECT transaction, subject, subject_id FROM records
            WHERE transaction >= $1::text::xid8 AND transaction < $2::text::xid8
              AND subject IN ('attribution', 'block', 'task', 'patient')
            ORDER BY transaction, record_id LIMIT $3
        )
        SELECT r.transaction::text::bigint AS transaction,
               coalesce(a.attribution_id, t.attribution_id) AS attribution_id,
               coalesce(a.block_id, b.block_id, t.block_id) AS block_id, coalesce(a.rls, b.rls, t.rls, p.rls) AS rls,
               coalesce(a.physician, b.physician, t.physician) AS physician
        FROM written r
        LEFT JOIN attributions a ON r.subject = 'attribution' AND a.attribution_id = r.subject_id
        LEFT JOIN blocks b ON r.subject = 'block' AND b.block_id = r.subject_id
        LEFT JOIN tasks t ON t.task_id = CASE WHEN r.subject = 'task' THEN r.subject_id::bigint END
        LEFT JOIN patients p ON r.subject = 'patient' AND p.patient_id = r.subject_id
        """,
        str(since),
        str(until),
        limit,
    )
    return [Touched(**row) for row in rows]


async def find(conn: Connection, record_id: int) -> Place | None:
    """Return the place of a record, or None when there is no such record."""
    row = await conn.fetchrow(f"SELECT {_PLACE} FROM records WHERE record_id = $1", record_id)  # noqa: S608 - constants
    return Place(**row) if row else None


async def latest(conn: Connection) -> Place | None:
    """Return the last place that nothing is added before any more, or None when there is none."""
    row = await conn.fetchrow(
        f"SELECT {_PLACE} FROM records r WHERE {_SETTLED} ORDER BY r.transaction DESC, record_id DESC LIMIT 1"  # noqa: S608 - constants
    )
    return Place(**row) if row else None


async def changes(conn: Connection, scope: Scope, after: Place | None, until: Place, limit: int) -> Rows:
    """Return what became of the attributions of that scope, after one place and until another, in order."""
    rows = await conn.fetch(
        """
        SELECT r.transaction::text::bigint AS transaction, r.record_id, r.recorded_at, r.subject_id AS attribution_id,
               a.patient_id, r.event, r.at, r.by, r.before, r.after, r.refused, r.rules
        FROM records r JOIN attributions a ON a.attribution_id = r.subject_id
        WHERE r.subject = 'attribution'
          AND (r.transaction, r.record_id) > ($1::text::xid8, $2::bigint)
          AND (r.transaction, r.record_id) <= ($3::text::xid8, $4::bigint)
          AND ($5 OR a.rls = ANY ($6::text[]) OR a.physician = ANY ($7::text[]))
        ORDER BY r.transaction, r.record_id LIMIT $8
        """,
        *_key(after),
        *_key(until),
        scope.everything,
        list(scope.rls),
        list(scope.physicians),
        limit,
    )
    return [dict(row) for row in rows]


def _key(place: Place | None) -> tuple[str, int]:
    return (str(place.transaction), place.record_id) if place else ("0", 0)


def place_of(row: dict[str, Any]) -> Place:
    """Return the place of a row of `changes`."""
    return Place(row["transaction"], row["record_id"], row["recorded_at"])
