"""Asking until the answer is yes: what is waited for can only be asked, it does not call."""

import asyncio
from collections.abc import Awaitable, Callable

_PAUSE_SECONDS = 0.05


async def until(probe: Callable[[], Awaitable[bool]], *, within_seconds: float) -> None:
    """Return once the probe says yes; raise `TimeoutError` when it has not within that time."""
    async with asyncio.timeout(within_seconds):
        while not await probe():  # noqa: ASYNC110 - a server in another process sets no event of ours
            await asyncio.sleep(_PAUSE_SECONDS)
