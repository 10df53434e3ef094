"""The blocks: drawing a list, reserving it, attributing it, and giving it back."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gamf.domain.block import BlockRequest
from gamf.domain.draw import Candidate, Drawn
from gamf.storage.connection import Connection


class Reserved(NamedTuple):
    """Somebody on a block's list: nothing that tells who they are."""

    patient_id: str
    priority: str
    vulnerable: bool


async def state(conn: Connection, block_id: str) -> str | None:
    """Return where a block is; None before its draw."""
    found: str | None = await conn.fetchval("SELECT state FROM blocks WHERE block_id = $1", block_id)
    return found


async def one_draw_at_a_time(conn: Connection, rls: str) -> None:
    """Wait for the draws of the same RLS to end: the next one sees who is left, in the order of the list (A18)."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('draw ' || $1, 0))", rls)


async def time_zone(conn: Connection, rls: str) -> str | None:
    """Return the zone of that RLS, or None when there is no such RLS (A23)."""
    name: str | None = await conn.fetchval("SELECT time_zone FROM networks WHERE rls = $1", rls)
    return name


async def reserve(conn: Connection, request: BlockRequest, drawn: Sequence[Drawn], at: datetime) -> None:
    """Write the block and hold everybody drawn for it, with why they were."""
    await conn.execute(
        """
        INSERT INTO blocks (block_id, physician, rls, size, requested_by, requested_at, policy, state)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'drawn')
        """,
        request.block_id,
        request.physician,
        request.rls,
        request.size,
        request.requested_by,
        at,
        request.policy.version,
    )
    ids = [each.candidate.patient_id for each in drawn]
    await conn.execute(
        "UPDATE patients SET place = 'proposed', block_id = $1 WHERE patient_id = ANY ($2::text[])",
        request.block_id,
        ids,
    )
    await conn.execute(
        """
        INSERT INTO block_patients (block_id, position, patient_id, priority, vulnerable, ages, rank)
        SELECT $1, position, patient_id, priority, vulnerable, ages, rank
        FROM unnest($2::text[], $3::text[], $4::boolean[], $5::text[], $6::integer[])
             WITH ORDINALITY AS drawn (patient_id, priority, vulnerable, ages, rank, position)
        """,
        request.block_id,
        ids,
        [each.candidate.priority for each in drawn],
        [each.group.vulnerable for each in drawn],
        [each.group.ages for each in drawn],
        [each.rank for each in drawn],
    )


async def proposed(conn: Connection, block_id: str) -> list[Candidate]:
    """Return who is still held by a drawn list, in the order of the draw."""
    rows = await conn.fetch(
        """
        SELECT p.patient_id, p.priority, p.registered_on, p.number, p.vulnerable, p.birth_date
        FROM block_patients bp JOIN patients p USING (patient_id)
        WHERE bp.block_id = $1 AND p.place = 'proposed' AND p.block_id = $1
        ORDER BY bp.position FOR UPDATE OF p
        """,
        block_id,
    )
    return [Candidate(**row) for row in rows]


async def drawn(conn: Connection, block_id: str) -> list[Reserved]:
    """Return everybody whom the draw of a block reserved, in its order, wherever they are now."""
    rows = await conn.fetch(
        """
        SELECT bp.patient_id, coalesce(a.priority, p.priority) AS priority,
               coalesce(a.vulnerable, p.vulnerable) AS vulnerable
        FROM block_patients bp
        JOIN patients p USING (patient_id)
        LEFT JOIN attributions a ON a.attribution_id = bp.attribution_id
        WHERE bp.block_id = $1 AND (a.attribution_id IS NULL OR a.replaces IS NULL)
        ORDER BY bp.position
        """,
        block_id,
    )
    return [Reserved(**row) for row in rows]


async def lock(conn: Connection, block_id: str) -> str | None:
    """Hold the block's row until the end of the transaction; return its state."""
    state: str | None = await conn.fetchval(
        "SELECT state FROM blocks WHERE block_id = $1 FOR UPDATE", block_id
    )
    return state


async def asked_for(conn: Connection, block_id: str) -> tuple[str, str]:
    """Return the licence of the physician for whom a block was drawn, and the RLS that it was drawn in."""
    row = await conn.fetchrow("SELECT physician, rls FROM blocks WHERE block_id = $1", block_id)
    assert row is not None  # noqa: S101 - asked once the block's row is held
    return row["physician"], row["rls"]


async def wait_until(conn: Connection, block_id: str, deadline: datetime) -> None:
    """Say until when the drawn list may be approved (A21)."""
    await conn.execute(
        "UPDATE blocks SET deadline = $2 WHERE block_id = $1 AND state = 'drawn'", block_id, deadline
    )


async def attributed(conn: Connection, block_id: str, at: datetime) -> None:
    """Say that the list was approved at that instant: the 72 hours run (A21)."""
    await conn.execute(
        "UPDATE blocks SET state = 'attributed', attributed_at = $2, deadline = NULL WHERE block_id = $1",
        block_id,
        at,
    )


async def end(conn: Connection, block_id: str, state: str, at: datetime) -> None:
    """Say that the block is closed or withdrawn."""
    await conn.execute(
        "UPDATE blocks SET state = $2, ended_at = $3, deadline = NULL WHERE block_id = $1",
        block_id,
        state,
        at,
    )


async def release(conn: Connection, block_id: str) -> None:
    """Put back on the list everybody whom a drawn list holds, at the initial date (A18)."""
    await conn.execute(
        "UPDATE patients SET place = 'waiting', block_id = NULL WHERE place = 'proposed' AND block_id = $1",
        block_id,
    )
