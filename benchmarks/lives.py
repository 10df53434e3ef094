"""Whole lives, from the start to MF: how many a second, and what one leaves in its history."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from time import perf_counter
from typing import Final
from zoneinfo import ZoneInfo

from temporalio.client import Client

from benchmarks import progress
from benchmarks.bare import STEPS, BareLife, each
from benchmarks.bench import BY, Bench
from benchmarks.results import Pair, Result

_MEANING: Final = (
    "Attributions from the approval of their block to MF (accepted, sv_entered, mf_signed by update, the letter "
    "sent), each step for all before the next."
)
_FLOOR: Final = (
    "Bare lives: 3 timers, 3 signals, 3 activities that do nothing, started in bulk by one activity, each step for "
    "all before the next."
)
_ONE: Final = "What one of these lives leaves in its history."
_ONE_FLOOR: Final = (
    "What a bare life leaves: 41 events, and some more when a loaded worker lets a task time out."
)


async def measure(bench: Bench) -> list[Result]:
    """Live so many lives, and as many bare ones, in turn."""
    rate, events, size = Pair(), Pair(), Pair()
    for number in range(bench.scale.rounds):
        first, second = (_ours, _floor) if number % 2 else (_floor, _ours)
        taken = {first: await first(bench)}
        taken[second] = await second(bench)
        for pair, ours, floor in zip((rate, events, size), taken[_ours], taken[_floor], strict=True):
            pair.add(ours, floor)
    return [
        rate.result("whole lives", "lives/s", _MEANING, _FLOOR),
        events.result("history of a life", "events", _ONE, _ONE_FLOOR),
        size.result("history of a life", "bytes", _ONE, _ONE_FLOOR),
    ]


async def _ours(bench: Bench) -> tuple[float, float, float]:
    block_id = await bench.drawn_block(bench.scale.lives)
    began = perf_counter()
    ids = await bench.approve(block_id)
    today = datetime.now(ZoneInfo("America/Toronto")).date().isoformat()
    for fact in ({"fact": "accepted"}, {"fact": "sv_entered"}, {"fact": "mf_signed", "signed_on": today}):
        await _tell(bench, ids, fact)
    await each(ids, lambda workflow_id: bench.life(workflow_id).result())
    return len(ids) / (perf_counter() - began), *await history_of(bench.desk.temporal, ids[0])


async def _tell(bench: Bench, ids: list[str], fact: Mapping[str, str]) -> None:
    await each(ids, lambda workflow_id: bench.life(workflow_id).execute_update("record", {"by": BY, **fact}))


async def _floor(bench: Bench) -> tuple[float, float, float]:
    began = perf_counter()
    bulk = await bench.start_bare(bench.scale.lives)
    handles = [bench.bare.get_workflow_handle(workflow_id) for workflow_id in bulk.ids]
    for step in range(STEPS):
        await progress.all_reached(bulk.prefix, step, bulk.count)
        await each(handles, lambda handle: handle.signal(BareLife.go_on))
    await asyncio.gather(*(handle.result() for handle in handles))
    return bulk.count / (perf_counter() - began), *await history_of(bench.bare, bulk.ids[0])


async def history_of(client: Client, workflow_id: str) -> tuple[int, int]:
    """Return the events of a workflow's history, and its bytes as the server sends them."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return len(history.events), sum(event.ByteSize() for event in history.events)
