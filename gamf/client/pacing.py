"""Doing many things at the rate that the servers bear: fewer at a time when they are slow, again later when silent.

It grows by one at a time while answers come fast and halves when none comes, as networks do.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

import asyncpg

from gamf.client.errors import NotThereError
from gamf.runtime.errors import ServiceUnreachable

Answer = TypeVar("Answer")
Item = TypeVar("Item")
Told = Callable[[float, ServiceUnreachable], None]
"""Told that nothing more is asked for so many seconds, and why."""

MOST_AT_ONCE: Final = 32
"""Enough to keep a worker busy, few enough to leave room for people."""
PATIENCE: Final = timedelta(minutes=5)
"""How long the servers may be silent before a bulk command gives up: as long as one takes to start again."""
_AT_FIRST: Final = 8
_FAST_SECONDS: Final = 1.0
_SLOW_SECONDS: Final = 5.0
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 15.0
# What asyncpg raises of a server that has stopped or is starting.
_DATABASE_AWAY: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
)


class Pace:
    """How many things are done at a time, by how the servers answer. One serves one bulk command."""

    def __init__(
        self, most: int = MOST_AT_ONCE, patience: timedelta = PATIENCE, told: Told | None = None
    ) -> None:
        """Do `most` at a time at most; give up once nothing has answered for that long."""
        self.at_once: float = min(_AT_FIRST, most)
        self._most = most
        self._patience = patience.total_seconds()
        self._told = told
        self._under_way = 0
        self._room = asyncio.Condition()
        self._pause = _FIRST_PAUSE_SECONDS
        self._resumes_at = 0.0
        self._silent_since: float | None = None

    async def bear(self, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Do it when there is room, and again for as long as the servers are silent.

        Raises:
            ServiceUnreachable: nothing has answered for the whole of the patience.
        """
        while True:
            async with self._place():
                began = _clock()
                try:
                    answer = await work()
                except NotThereError:
                    raise
                except ServiceUnreachable as silent:
                    self._silent(silent)
                except _DATABASE_AWAY as away:
                    self._silent(_postgresql(away))
                else:
                    self._answered(_clock() - began)
                    return answer

    @asynccontextmanager
    async def _place(self) -> AsyncGenerator[None]:
        async with self._room:
            await self._room.wait_for(lambda: self._under_way < max(1, int(self.at_once)))
            self._under_way += 1
        try:
            # Whoever waits keeps the place: the others of this pace wait with it.
            await asyncio.sleep(max(0.0, self._resumes_at - _clock()))
            yield
        finally:
            self._under_way -= 1
            async with self._room:
                self._room.notify_all()

    def _answered(self, seconds: float) -> None:
        self._silent_since, self._pause = None, _FIRST_PAUSE_SECONDS
        if seconds < _FAST_SECONDS:
            self.at_once = min(self._most, self.at_once + 1 / self.at_once)
        elif seconds > _SLOW_SECONDS:
            self.at_once = max(1, self.at_once * 0.9)

    def _silent(self, why: ServiceUnreachable) -> None:
        now = _clock()
        if self._silent_since is None:
            self._silent_since = now
        elif now - self._silent_since > self._patience:
            raise why
        if now < self._resumes_at:
            # Another one has said so already: those that were under way fail together.
            return
        self.at_once = max(1, self.at_once / 2)
        self._resumes_at = now + self._pause
        if self._told is not None:
            self._told(self._pause, why)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)


async def for_each(items: Iterable[Item], do: Callable[[Item], Awaitable[object]], pace: Pace) -> int:
    """Do it for each at that pace, in no order; return for how many. The first fault that does not pass ends it.

    Raises:
        ServiceUnreachable: nothing has answered for the whole of the pace's patience.
    """
    done = 0
    queue = iter(items)

    async def one_after_another() -> None:
        nonlocal done
        for item in queue:
            await pace.bear(partial(do, item))
            done += 1

    tasks = [asyncio.create_task(one_after_another()) for _ in range(MOST_AT_ONCE)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return done


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _postgresql(away: BaseException) -> ServiceUnreachable:
    kind = type(away).__name__
    return ServiceUnreachable(
        "PostgreSQL",
        fr=f"elle ne répond plus ({kind}). Rien n’a été pris à moitié\u00a0; relancez «\u00a0gamf up\u00a0».",
        en=f"it no longer answers ({kind}). Nothing was half taken; start “gamf up” again.",
    )
