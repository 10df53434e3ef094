"""The physicians, as far as blocks and departures need them."""

from datetime import date
from typing import Any

from gamf.domain.draw import Applicant
from gamf.storage.connection import Connection


async def applicant(conn: Connection, licence: str) -> Applicant | None:
    """Return what R3 asks of a physician, or None for an unknown licence.

    The row is held: a departure that is announced meanwhile waits, and then sees the list that was drawn (A16).
    """
    row = await conn.fetchrow(
        "SELECT licence, rls, status, leaves_on FROM physicians WHERE licence = $1 FOR SHARE", licence
    )
    return Applicant(**row) if row else None


async def departs(conn: Connection, licence: str, on: date, cause: str) -> None:
    """Note a departure: no new block from the notice on (A16). The earliest date stands."""
    await conn.execute(
        """
        UPDATE physicians SET leaves_on = $2, leaves_cause = $3
        WHERE licence = $1 AND (leaves_on IS NULL OR leaves_on > $2)
        """,
        licence,
        on,
        cause,
    )


async def blocks_of(conn: Connection, licence: str, limit: int) -> list[dict[str, Any]]:
    """Return a physician's blocks, the latest first, each with how many of its attributions are in each state."""
    rows = await conn.fetch(
        """
        SELECT b.block_id, b.state, b.size, b.requested_at, coalesce((
            SELECT jsonb_object_agg(c.state, c.number) FROM (
                SELECT state, count(*) AS number FROM attributions a WHERE a.block_id = b.block_id GROUP BY state) c
            ), '{}') AS counts
        FROM blocks b WHERE b.physician = $1 ORDER BY b.requested_at DESC, b.block_id DESC LIMIT $2
        """,
        licence,
        limit,
    )
    return [dict(row) for row in rows]
