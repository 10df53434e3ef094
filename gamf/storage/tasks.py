"""What somebody has to decide. A task whose reason has gone closes itself with the transition that took it away."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gamf.domain.effects import OpenTask
from gamf.storage.connection import Connection


class About(NamedTuple):
    """What a task is about: exactly one of these."""

    attribution_id: str | None = None
    block_id: str | None = None
    patient_id: str | None = None


async def open_(
    conn: Connection,
    attribution_id: str,
    kind: str,
    owner: str,
    transition: int,
    at: datetime,
    due: datetime,
) -> None:
    """Open a task about an attribution, once for a transition."""
    await _open(conn, About(attribution_id=attribution_id), kind, owner, transition, at, due)


async def open_about_block(
    conn: Connection, block_id: str, kind: str, owner: str, number: int, at: datetime, due: datetime
) -> None:
    """Open a task about a block, once for a number, which tells one reason from another of the same kind."""
    await _open(conn, About(block_id=block_id), kind, owner, number, at, due)


async def open_about_patient(
    conn: Connection, patient_id: str, kind: str, owner: str, number: int, at: datetime, due: datetime
) -> None:
    """Open a task about a patient, once for a number, which tells one reason from another of the same kind."""
    await _open(conn, About(patient_id=patient_id), kind, owner, number, at, due)


async def open_many(
    conn: Connection, asked: Sequence[tuple[str, OpenTask]], transition: int, at: datetime
) -> None:
    """Open a task about each of these attributions, once for a transition."""
    await conn.execute(
        """
        INSERT INTO tasks (attribution_id, kind, owner, due, transition, opened_at)
        SELECT *, $5, $6 FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
        ON CONFLICT ON CONSTRAINT one_task DO NOTHING
        """,
        [attribution_id for attribution_id, _ in asked],
        [task.kind for _, task in asked],
        [task.owner for _, task in asked],
        [task.due for _, task in asked],
        transition,
        at,
    )


async def _open(
    conn: Connection, about: About, kind: str, owner: str, number: int, at: datetime, due: datetime
) -> None:
    await conn.execute(
        """
        INSERT INTO tasks (attribution_id, block_id, patient_id, kind, owner, transition, opened_at, due)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT ON CONSTRAINT one_task DO NOTHING
        """,
        *about,
        kind,
        owner,
        number,
        at,
        due,
    )


async def close(conn: Connection, attribution_id: str, kinds: Sequence[str], at: datetime, by: str) -> None:
    """Close the attribution's open tasks of these kinds."""
    await close_all(conn, [attribution_id], kinds, at, by)


async def close_all(
    conn: Connection, attribution_ids: Sequence[str], kinds: Sequence[str], at: datetime, by: str
) -> None:
    """Close the open tasks of these kinds of each of these attributions."""
    await _close(conn, "attribution_id = ANY ($4::text[])", kinds, at, by, list(attribution_ids))


async def close_about_block(
    conn: Connection, block_id: str, kinds: Sequence[str], at: datetime, by: str
) -> None:
    """Close the block's open tasks of these kinds."""
    await _close(conn, "block_id = $4", kinds, at, by, block_id)


async def close_about_patient(
    conn: Connection, patient_id: str, kinds: Sequence[str], at: datetime, by: str
) -> None:
    """Close the patient's own open tasks of these kinds."""
    await _close(conn, "patient_id = $4", kinds, at, by, patient_id)


async def close_of_patient(
    conn: Connection, patient_id: str, kinds: Sequence[str], at: datetime, by: str
) -> None:
    """Close the open tasks of these kinds about the patient, and about any of their attributions."""
    await _close(conn, "patient_id = $4", kinds, at, by, patient_id)
    attributions = "attribution_id IN (SELECT attribution_id FROM attributions WHERE patient_id = $4)"
    await _close(conn, attributions, kinds, at, by, patient_id)


async def _close(
    conn: Connection, which: str, kinds: Sequence[str], at: datetime, by: str, subject: object
) -> None:
    await conn.execute(
        f"""
        UPDATE tasks SET closed_at = $2, closed_by = $3
        WHERE {which} AND kind = ANY ($1::text[]) AND closed_at IS NULL
        """,  # noqa: S608 - the conditions are those of this module
        list(kinds),
        at,
        by,
        subject,
    )


async def done(conn: Connection, task_id: int, at: datetime, by: str) -> bool | None:
    """Close one task by hand; return whether it was open, or None when there is no such task."""
    row = await conn.fetchrow("SELECT closed_at FROM tasks WHERE task_id = $1 FOR UPDATE", task_id)
    if row is None:
        return None
    if row["closed_at"] is None:
        await conn.execute(
            "UPDATE tasks SET closed_at = $2, closed_by = $3 WHERE task_id = $1", task_id, at, by
        )
    return row["closed_at"] is None
