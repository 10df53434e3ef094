"""Where every attribution stands in the database, read for all of them at once so that watching costs little."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

import asyncpg

from gamf.client.acting import Desk

BY = "tempête"
_EVERY_SECONDS = 0.3
_QUERY = """
    SELECT a.attribution_id, a.state, a.deadline, a.ended_on, coalesce(r.answers, 0) AS answers,
           coalesce(l.waiting, 0) AS waiting
    FROM attributions a
    LEFT JOIN (
        SELECT subject_id, count(*) FILTER (WHERE refused OR (by = $1 AND number > 0)) AS answers
        FROM records WHERE subject = 'attribution' GROUP BY subject_id) r ON subject_id = attribution_id
    LEFT JOIN (
        SELECT attribution_id, count(*) AS waiting FROM letters WHERE state IN ('queued', 'sending')
        GROUP BY attribution_id) l USING (attribution_id)
"""


class Standing(NamedTuple):
    """One attribution at one instant."""

    attribution_id: str
    state: str
    deadline: datetime | None
    ended_on: date | None
    answers: int
    """The facts of ours that are in the record, taken or refused."""
    waiting: int
    """Letters that are due and have not gone."""


@dataclass
class Board:
    """The latest that was read."""

    desk: Desk
    standings: dict[str, Standing] = field(default_factory=dict)
    blocks_open: int = 1

    async def read(self) -> None:
        """Read the whole database once; a server that was killed leaves what was read before."""
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            async with (
                self.desk.pool.acquire(timeout=10) as conn,
                conn.transaction(isolation="repeatable_read"),
            ):
                rows = await conn.fetch(_QUERY, BY)
                blocks = await conn.fetchval("SELECT count(*) FROM blocks WHERE ended_at IS NULL")
            self.standings = {row["attribution_id"]: Standing(*row.values()) for row in rows}
            self.blocks_open = blocks

    @property
    def over(self) -> bool:
        """Whether every block is closed and every attribution has ended."""
        return not self.blocks_open and all(each.ended_on for each in self.standings.values())


@asynccontextmanager
async def watching(desk: Desk) -> AsyncGenerator[Board]:
    """Keep a board true within the block."""
    board = Board(desk)
    await board.read()

    async def keep() -> None:
        while True:
            await board.read()
            await asyncio.sleep(_EVERY_SECONDS)

    task = asyncio.create_task(keep())
    try:
        yield board
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
