"""What somebody has to decide. A task whose reason has gone closes itself with the transition that took it away."""

from collections.abc import Sequence
from datetime import datetime

from gamf.storage.connection import Connection


async def open_(
    conn: Connection,
    attribution_id: str,
    kind: str,
    owner: str,
    transition: int,
    at: datetime,
    due: datetime | None,
) -> None:
    """Open a task, once for a transition."""
    await conn.execute(
        """
        INSERT INTO tasks (attribution_id, kind, owner, transition, opened_at, due)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (attribution_id, kind, transition) DO NOTHING
        """,
        attribution_id,
        kind,
        owner,
        transition,
        at,
        due,
    )


async def close(conn: Connection, attribution_id: str, kinds: Sequence[str], at: datetime, by: str) -> None:
    """Close the attribution's open tasks of these kinds."""
    await conn.execute(
        """
        UPDATE tasks SET closed_at = $3, closed_by = $4
        WHERE attribution_id = $1 AND kind = ANY ($2::text[]) AND closed_at IS NULL
        """,
        attribution_id,
        list(kinds),
        at,
        by,
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
