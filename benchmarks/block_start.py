"""A block's start: from the approval to the last attribution that waits on its timer (R6, A21)."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from benchmarks.bare import each
from benchmarks.bench import Bench
from benchmarks.results import Pair, Result

_MEANING: Final = (
    "From the coordinator's `approved` being sent to the last TimerStarted of the block's attributions: "
    "all attributed in PostgreSQL, all started, all waiting for the end of their 72 hours."
)
_FLOOR: Final = (
    "As many bare workflows started by one activity, as many at a time, on the same server and worker "
    "settings: from the request to the last TimerStarted. SDK's converter, no search attribute, no database."
)
_ANSWERED: Final = (
    "The same, to the answer that all are started; the first workflow task of some may be to come."
)
_ANSWERED_FLOOR: Final = "As for the block start, to the answer of the one activity."


async def measure(bench: Bench) -> list[Result]:
    """Start a block and as many bare workflows, in turn."""
    waiting, started = Pair(), Pair()
    for number in range(bench.scale.rounds):
        first, second = (_ours, _floor) if number % 2 else (_floor, _ours)
        taken = {first: await first(bench)}
        taken[second] = await second(bench)
        started.add(taken[_ours][0], taken[_floor][0])
        waiting.add(taken[_ours][1], taken[_floor][1])
    return [
        waiting.result("block start", "s", _MEANING, _FLOOR),
        started.result("block start, answered", "s", _ANSWERED, _ANSWERED_FLOOR),
    ]


async def _ours(bench: Bench) -> tuple[float, float]:
    block_id = await bench.drawn_block(bench.scale.size)
    return await _timed(bench.desk.temporal, lambda: bench.approve(block_id))


async def _floor(bench: Bench) -> tuple[float, float]:
    async def start() -> list[str]:
        return (await bench.start_bare(bench.scale.size)).ids

    return await _timed(bench.bare, start)


async def _timed(client: Client, start: Callable[[], Awaitable[list[str]]]) -> tuple[float, float]:
    """Return the seconds until all are started, and until all wait on a timer, by the server's clock."""
    began = datetime.now(UTC)
    ids = await start()
    started = datetime.now(UTC)
    last = await last_timer(client, ids)
    return (started - began).total_seconds(), (last - began).total_seconds()


async def last_timer(client: Client, ids: list[str]) -> datetime:
    """Wait until each has started a timer; return when the last of them did."""
    times: list[datetime] = []

    async def note(workflow_id: str) -> None:
        handle = client.get_workflow_handle(workflow_id)
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
                times.append(event.event_time.ToDatetime(UTC))
                return

    # The last ones first: nearly nothing is left to be asked for once they wait.
    await each(reversed(ids), note)
    return max(times)
