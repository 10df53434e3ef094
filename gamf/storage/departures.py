"""The departures of physicians, and which attributions each has reached, once (A16)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from gamf.domain.departure import DepartureRequest, DepartureState, Latest, Leaver
from gamf.storage.connection import Connection

_DEPARTURES: Final = """
    SELECT d.departure_id, d.physician, d.rls, d.leaves_on AS on, d.cause, d.state, d.announced_by, d.announced_at,
           d.reason, d.ended_at, d.policy, d.leaves_on, d.time_zone,
           (SELECT count(*) FROM departure_reached r WHERE r.departure_id = d.departure_id) AS reached,
           CASE WHEN d.state IN ('done', 'withdrawn') THEN 0 ELSE (
               SELECT count(*) FROM attributions a
               WHERE a.physician = d.physician AND a.ended_on IS NULL AND NOT EXISTS (
                   SELECT FROM departure_reached r
                   WHERE r.departure_id = d.departure_id AND r.attribution_id = a.attribution_id)
           ) END AS remaining
    FROM departures d
"""


async def leaver(conn: Connection, licence: str) -> Leaver | None:
    """Hold the physician's row against draws and other departures, and return it; None for an unknown licence."""
    row = await conn.fetchrow(
        """
        SELECT d.rls, n.time_zone, d.leaves_on FROM physicians d JOIN networks n USING (rls)
        WHERE d.licence = $1 FOR NO KEY UPDATE OF d
        """,
        licence,
    )
    return Leaver(**row) if row else None


async def latest(conn: Connection, licence: str) -> Latest | None:
    """Return the physician's latest departure, or None when there was none."""
    row = await conn.fetchrow(
        """
        SELECT departure_id, leaves_on, cause, state, reason FROM departures
        WHERE physician = $1 ORDER BY split_part(departure_id, '-', 2)::bigint DESC LIMIT 1
        """,
        licence,
    )
    return Latest(**row) if row else None


async def announce(conn: Connection, request: DepartureRequest, leaver: Leaver, at: datetime) -> None:
    """Write a departure that was announced."""
    await conn.execute(
        """
        INSERT INTO departures (departure_id, physician, rls, time_zone, leaves_on, cause, state, announced_by,
                                announced_at, policy)
        VALUES ($1, $2, $3, $4, $5, $6, 'announced', $7, $8, $9)
        """,
        request.departure_id,
        request.physician,
        leaver.rls,
        leaver.time_zone,
        request.on,
        request.cause,
        request.by,
        at,
        request.policy.version,
    )


async def lock(conn: Connection, departure_id: str) -> DepartureState | None:
    """Hold a departure until the end of the transaction; return its state."""
    state: str | None = await conn.fetchval(
        "SELECT state FROM departures WHERE departure_id = $1 FOR UPDATE", departure_id
    )
    return DepartureState(state) if state else None


async def become(
    conn: Connection,
    departure_id: str,
    state: DepartureState,
    ended_at: datetime | None = None,
    reason: str | None = None,
) -> None:
    """Write where the departure is now."""
    await conn.execute(
        "UPDATE departures SET state = $2, ended_at = $3, reason = $4 WHERE departure_id = $1",
        departure_id,
        state,
        ended_at,
        reason,
    )


async def stays(conn: Connection, licence: str) -> None:
    """Let the physician have blocks again: a departure was withdrawn, or they have come back."""
    await conn.execute(
        "UPDATE physicians SET leaves_on = NULL, leaves_cause = NULL WHERE licence = $1", licence
    )


async def drawn_lists(conn: Connection, licence: str) -> list[str]:
    """Return the physician's blocks whose list nobody has approved."""
    rows = await conn.fetch(
        "SELECT block_id FROM blocks WHERE physician = $1 AND state = 'drawn' ORDER BY block_id", licence
    )
    return [row["block_id"] for row in rows]


async def by_state(conn: Connection, licence: str, *, still_open: bool = False) -> dict[str, int]:
    """Return how many attributions of a physician are in each state: all of them, or those not ended."""
    rows = await conn.fetch(
        """
        SELECT state, count(*) AS number FROM attributions
        WHERE physician = $1 AND (ended_on IS NULL OR NOT $2) GROUP BY state ORDER BY state
        """,
        licence,
        still_open,
    )
    return {row["state"]: row["number"] for row in rows}


async def open_blocks(conn: Connection, licence: str) -> int:
    """Return how many blocks have an attribution of that physician which has not ended."""
    number: int = await conn.fetchval(
        "SELECT count(DISTINCT block_id) FROM attributions WHERE physician = $1 AND ended_on IS NULL", licence
    )
    return number


async def unreached(
    conn: Connection, departure_id: str, licence: str, after: str | None, limit: int
) -> list[str]:
    """Return the physician's next attributions that are open and were not told, those after that one."""
    rows = await conn.fetch(
        """
        SELECT a.attribution_id FROM attributions a
        WHERE a.physician = $2 AND a.ended_on IS NULL AND a.attribution_id > coalesce($3, '') AND NOT EXISTS (
            SELECT FROM departure_reached r
            WHERE r.departure_id = $1 AND r.attribution_id = a.attribution_id)
        ORDER BY a.attribution_id LIMIT $4
        """,
        departure_id,
        licence,
        after,
        limit,
    )
    return [row["attribution_id"] for row in rows]


async def mark_ended(conn: Connection, departure_id: str, fact: Mapping[str, Any], at: datetime) -> None:
    """Note as told whomever the departure's fact has ended already: the worker that told them was killed in between."""
    await conn.execute(
        """
        INSERT INTO departure_reached (departure_id, attribution_id, at)
        SELECT d.departure_id, a.attribution_id, $3 FROM departures d JOIN attributions a USING (physician)
        WHERE d.departure_id = $1 AND a.state = 'physician_left' AND EXISTS (
            SELECT FROM records r
            WHERE r.subject = 'attribution' AND r.subject_id = a.attribution_id AND r.event = 'physician_left'
              AND NOT r.refused AND r.argument = $2 AND r.at >= d.announced_at)
        ON CONFLICT DO NOTHING
        """,
        departure_id,
        dict(fact),
        at,
    )


async def mark_reached(conn: Connection, departure_id: str, ids: Sequence[str], at: datetime) -> None:
    """Remember that these attributions were told, each once."""
    await conn.execute(
        """
        INSERT INTO departure_reached (departure_id, attribution_id, at)
        SELECT $1, id, $3 FROM unnest($2::text[]) AS told (id) ON CONFLICT DO NOTHING
        """,
        departure_id,
        list(ids),
        at,
    )


async def counts(conn: Connection, departure_id: str) -> tuple[int, int]:
    """Return how many attributions were told, and how many open ones were not."""
    row = await conn.fetchrow(f"{_DEPARTURES} WHERE d.departure_id = $1", departure_id)
    return (row["reached"], row["remaining"]) if row else (0, 0)


async def of_physician(conn: Connection, licence: str) -> list[dict[str, Any]]:
    """Return every departure of a physician, the latest first."""
    rows = await conn.fetch(
        f"{_DEPARTURES} WHERE d.physician = $1 ORDER BY d.announced_at DESC, d.departure_id DESC", licence
    )
    return [dict(row) for row in rows]


async def reached(conn: Connection, departure_id: str, after: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the attributions that a departure told, as they are now, those after that one."""
    rows = await conn.fetch(
        """
        SELECT r.attribution_id, a.block_id, a.patient_id, r.at, a.state, a.ended_on
        FROM departure_reached r JOIN attributions a USING (attribution_id)
        WHERE r.departure_id = $1 AND r.attribution_id > coalesce($2, '') ORDER BY r.attribution_id LIMIT $3
        """,
        departure_id,
        after,
        limit,
    )
    return [dict(row) for row in rows]
