"""The blocks, and who is in their lists."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from gamf.domain.roles import Scope
from gamf.storage.connection import Connection
from gamf.storage.pages import (
    EVERYTHING,
    Asked,
    By,
    Listed,
    Rows,
    fetch,
    fetch_one,
    given,
    page_of,
    parts_of,
)


class BlockFilter(NamedTuple):
    """Which blocks: of that physician, in that state, within that scope."""

    physician: str | None = None
    state: str | None = None
    scope: Scope = EVERYTHING


_BLOCKS: Final = """
    SELECT b.block_id, b.state, b.physician, b.rls, b.size, b.requested_by, b.requested_at, b.attributed_at,
           b.deadline, b.ended_at, b.policy,
           (SELECT w.argument ->> 'reason' FROM records w
            WHERE w.subject = 'block' AND w.subject_id = b.block_id AND w.event = 'withdrawn'
              AND NOT w.refused) AS reason
    FROM blocks b
"""
_LISTED: Final = Listed(
    "blocks",
    "block_id",
    f"{_BLOCKS} WHERE b.block_id",
    {
        "requested": By(("t.requested_at", "t.block_id")),
        "reference": By(("t.block_id",)),
        "state": By(("t.state", "t.block_id"), carried=str),
        "physician": By(("t.physician", "t.block_id")),
        "rls": By(("t.rls", "t.block_id")),
    },
)
_CONDITIONS: Final = ("t.physician = {}", "t.state = {}")
_STATE: Final = """
    coalesce(a.state, CASE WHEN b.state = 'withdrawn' THEN 'waiting'
                           WHEN p.block_id = b.block_id THEN 'drawn' ELSE p.place END) AS state
"""
_IN_LISTS: Final = """
    FROM block_patients bp
    JOIN blocks b USING (block_id)
    JOIN patients p USING (patient_id)
    LEFT JOIN attributions a ON a.attribution_id = bp.attribution_id
    WHERE bp.block_id = ANY ($1::text[])
      AND (b.state IN ('drawn', 'withdrawn') OR bp.attribution_id IS NOT NULL)
"""


async def block(conn: Connection, block_id: str) -> dict[str, Any] | None:
    """Return one block, or None."""
    return await fetch_one(conn, f"{_BLOCKS} WHERE b.block_id = $1", block_id)


async def blocks(conn: Connection, only: BlockFilter, asked: Asked) -> Rows:
    """Return a page of the blocks."""
    return await page_of(conn, _LISTED, given(_CONDITIONS, only[:-1]), parts_of(only.scope), asked)


async def members(conn: Connection, block_ids: Sequence[str]) -> Rows:
    """Return the lists of these blocks in the order of the draw; once approved, those who were attributed."""
    return await fetch(
        conn,
        f"""
        SELECT bp.block_id, bp.patient_id, bp.attribution_id, p.registered_on, bp.ages, bp.rank,
               coalesce(a.priority, bp.priority, p.priority) AS priority,
               coalesce(a.vulnerable, bp.vulnerable, p.vulnerable) AS vulnerable,
               {_STATE}, a.replaces
        {_IN_LISTS}
        ORDER BY bp.block_id, bp.position
        """,
        list(block_ids),
    )


async def counted(conn: Connection, block_ids: Sequence[str]) -> Rows:
    """Return how many of the lists of these blocks are in each state."""
    return await fetch(
        conn,
        f"""
        SELECT a.block_id, a.state, count(*) AS number FROM attributions a JOIN blocks b USING (block_id)
        WHERE a.block_id = ANY ($1::text[]) AND b.state NOT IN ('drawn', 'withdrawn') GROUP BY 1, 2
        UNION ALL
        SELECT bp.block_id, {_STATE}, count(*) {_IN_LISTS} AND b.state IN ('drawn', 'withdrawn') GROUP BY 1, 2
        """,  # noqa: S608 - the words are those of constants
        list(block_ids),
    )
