"""Starts: how many workflows a second are taken and wait on their first timer, one start a call."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final

from benchmarks.bare import QUEUE, BareLife, each
from benchmarks.bench import Bench
from benchmarks.block_start import last_timer
from benchmarks.results import Pair, Result
from gamf.domain.model import Start
from gamf.domain.names import attribution_workflow_id
from gamf.domain.policy import CURRENT
from gamf.storage import numbers
from gamf.workflows.starting import AttributionStarter

_MEANING: Final = (
    "Attributions of people who wait, started one call each by a client, 32 at a time, to the last first timer: each "
    "reserves its patient in PostgreSQL, with its search attributes."
)
_FLOOR: Final = "As many bare workflows, started and waited for alike."


async def measure(bench: Bench) -> list[Result]:
    """Start so many of each, in turn."""
    pair = Pair()
    for number in range(bench.scale.rounds):
        first, second = (_ours, _floor) if number % 2 else (_floor, _ours)
        taken = {first: await first(bench)}
        taken[second] = await second(bench)
        pair.add(taken[_ours], taken[_floor])
    return [pair.result("starts", "starts/s", _MEANING, _FLOOR)]


async def _ours(bench: Bench) -> float:
    starts = await waiting_starts(bench, bench.scale.lives)
    ids = [attribution_workflow_id(start.attribution_id) for start in starts]

    async def start_all() -> None:
        await each(starts, AttributionStarter(bench.desk.temporal).start)

    return await _rate(start_all, lambda: last_timer(bench.desk.temporal, ids), len(ids))


async def waiting_starts(bench: Bench, count: int) -> list[Start]:
    """Return what starts an attribution, without a block, for each of so many people who wait."""
    licence, now = await bench.physician(count), datetime.now(UTC)
    async with bench.desk.pool.acquire() as conn:
        taken = await numbers.next_numbers(conn, "attribution", now.year, count)
        rows = await conn.fetch("SELECT patient_id, priority FROM patients WHERE rls = $1", licence)
    return [
        Start(
            attribution_id=f"{now.year}-{number:06d}",
            patient_id=row["patient_id"],
            physician=licence,
            rls=licence,
            time_zone="America/Toronto",
            priority=row["priority"],
            vulnerable=False,
            attributed_at=now,
            policy=CURRENT,
        )
        for number, row in zip(taken, rows, strict=True)
    ]


async def _floor(bench: Bench) -> float:
    bulk = bench.next_bulk(bench.scale.lives)

    async def start(workflow_id: str) -> None:
        await bench.bare.start_workflow(BareLife.run, id=workflow_id, task_queue=QUEUE)

    return await _rate(lambda: each(bulk.ids, start), lambda: last_timer(bench.bare, bulk.ids), bulk.count)


async def _rate(
    start_all: Callable[[], Coroutine[Any, Any, None]],
    wait: Callable[[], Coroutine[Any, Any, datetime]],
    count: int,
) -> float:
    began = perf_counter()
    await start_all()
    await wait()
    return count / (perf_counter() - began)
