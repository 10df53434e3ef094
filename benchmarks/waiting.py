"""Ten thousand that wait: the memory of the worker that has them cached, and the bytes on both servers."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import psutil

from benchmarks.bench import Bench
from benchmarks.block_start import last_timer
from benchmarks.results import Pair, Result

_MEANING: Final = "{} of each attribution that waits for an answer, of 10,200 started at full size."
_FLOOR: Final = "{} of each bare life that waits on its first timer, of as many."
_PARTS: Final = {
    "memory of a cached workflow": "The worker's memory (what this process grew by, over those that it keeps cached)",
    "bytes in Temporal": "What the SQLite file and its log grew by",
    "bytes in both servers": "The same with what the register's database grew by, of which the floor has nothing",
}
_AT_A_TIME: Final = 850
_SETTLE_SECONDS: Final = 2


class Taken(NamedTuple):
    """Memory of this process, bytes of Temporal's files, bytes of those and of the register."""

    memory: float
    temporal: float
    both: float


async def measure(bench: Bench) -> list[Result]:
    """Start so many that wait, and as many bare ones, once: the figures are sums over thousands."""
    pairs = (Pair(), Pair(), Pair())
    floor = await _grown(bench, _bare)
    ours = await _grown(bench, _ours)
    for pair, one, other in zip(pairs, ours, floor, strict=True):
        pair.add(one, other)
    return [
        pair.result(name, "bytes", _MEANING.format(part), _FLOOR.format(part))
        for pair, (name, part) in zip(pairs, _PARTS.items(), strict=True)
    ]


async def _grown(bench: Bench, start: Callable[[Bench, int], Awaitable[None]]) -> Taken:
    """Return what each one added."""
    count = bench.scale.waiting_lives
    before = await _now(bench)
    for done in range(0, count, _AT_A_TIME):
        await start(bench, min(_AT_A_TIME, count - done))
    after = await _now(bench)
    cached = min(count, bench.cached)
    return Taken(
        memory=max(after.memory - before.memory, 1.0) / cached,
        temporal=(after.temporal - before.temporal) / count,
        both=(after.both - before.both) / count,
    )


async def _ours(bench: Bench, count: int) -> None:
    ids = await bench.approve(await bench.drawn_block(count))
    await last_timer(bench.desk.temporal, ids)


async def _bare(bench: Bench, count: int) -> None:
    bulk = await bench.start_bare(count)
    await last_timer(bench.bare, bulk.ids)


async def _now(bench: Bench) -> Taken:
    gc.collect()
    await asyncio.sleep(_SETTLE_SECONDS)
    files = float(sum(path.stat().st_size for path in bench.folder.glob("temporal.db*")))
    register = await bench.desk.pool.fetchval("SELECT pg_database_size(current_database())")
    return Taken(float(psutil.Process().memory_info().rss), files, files + float(register))
