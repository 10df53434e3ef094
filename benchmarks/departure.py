"""A physician's departure (A16): from the notice dated today to the last patient back on the list."""

from datetime import UTC, datetime
from time import perf_counter
from typing import Final

from temporalio.api.enums.v1 import EventType

from benchmarks.bare import BareLife, each
from benchmarks.bench import BY, Bench
from benchmarks.block_start import last_timer
from benchmarks.results import Pair, Result
from gamf.client import departing
from gamf.domain.calendar import local_date
from gamf.domain.facts import PhysicianLeft
from gamf.runtime.polling import until

_MEANING: Final = (
    "From `gamf physician leaves`, dated today, to the last attribution of a block ended in PostgreSQL: each told "
    "once, each in a transaction of its own."
)
_FLOOR: Final = (
    "One signal to as many bare workflows, as many at a time, by the SDK's own client: from the first to the last that "
    "has done its activity, which does nothing, and waits again. Nothing is remembered of who was told."
)
_WITHIN_SECONDS: Final = 900
_ENDED: Final = "SELECT count(*) FROM attributions WHERE physician = $1 AND ended_on IS NULL"


async def measure(bench: Bench) -> list[Result]:
    """Have a block's physician leave, and signal as many bare workflows, in turn."""
    pair = Pair()
    for _ in range(bench.scale.rounds):
        floor = await _floor(bench)
        pair.add(await _ours(bench), floor)
    return [pair.result("departure", "s", _MEANING, _FLOOR)]


async def _ours(bench: Bench) -> float:
    block_id = await bench.drawn_block(bench.scale.size)
    await last_timer(bench.desk.temporal, await bench.approve(block_id))
    pool = bench.desk.pool
    licence = await pool.fetchval("SELECT physician FROM blocks WHERE block_id = $1", block_id)
    now = datetime.now(UTC)
    fact = PhysicianLeft(by=BY, on=local_date(now, "America/Toronto"), cause="retired")

    async def all_ended() -> bool:
        return bool(await pool.fetchval(_ENDED, licence) == 0)

    began = perf_counter()
    await departing.announce(bench.desk, licence, fact, now=now)
    await until(all_ended, within_seconds=_WITHIN_SECONDS)
    return perf_counter() - began


async def _floor(bench: Bench) -> float:
    ids = (await bench.start_bare(bench.scale.size)).ids
    await last_timer(bench.bare, ids)

    async def signal(workflow_id: str) -> None:
        await bench.bare.get_workflow_handle(workflow_id).signal(BareLife.go_on)

    async def waits_again(workflow_id: str) -> None:
        timers = 0
        handle = bench.bare.get_workflow_handle(workflow_id)
        async for event in handle.fetch_history_events(wait_new_event=True):
            timers += event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
            if timers > 1:
                return

    began = perf_counter()
    await each(ids, signal)
    await each(reversed(ids), waits_again)
    return perf_counter() - began
