"""Whole lives, from the start to MF: how many a second, and what one leaves in its history."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import perf_counter
from typing import Final
from zoneinfo import ZoneInfo

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from benchmarks import peer, progress
from benchmarks.bare import STEPS, BareLife, each
from benchmarks.bench import BY, Bench
from benchmarks.results import Pair, Peer, Result

_MEANING: Final = (
    "Attributions from the approval of their block to MF (accepted, sv_entered, mf_signed by update, the letter "
    "sent), each step for all before the next."
)
_FLOOR: Final = (
    "Bare lives: 3 timers, 3 signals, 3 activities that do nothing, started in bulk by one activity, each step for "
    "all before the next."
)
_ACTIONS: Final = (
    "What Temporal counts, of the same life: the start, timers, updates, activities, local activities (one a workflow "
    "task) and search attributes, by which the list is filtered by state and deadline."
)
_ACTIONS_FLOOR: Final = "The same count of a bare life: the start, 3 timers, 3 signals and 3 activities."
_ACTION_EVENTS: Final = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
        EventType.EVENT_TYPE_TIMER_STARTED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        EventType.EVENT_TYPE_MARKER_RECORDED,
        EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
    }
)
_ONE: Final = "What one of these lives leaves in its history."
_ONE_FLOOR: Final = (
    "What a bare life leaves: 41 events, and some more when a loaded worker lets a task time out."
)


async def measure(bench: Bench) -> list[Result]:
    """Live so many lives, and as many bare ones, in turn."""
    rate, events, size, actions = pairs = Pair(), Pair(), Pair(), Pair()
    dbos = Peer(peer.MEANING)
    for number in range(bench.scale.rounds):
        first, second = (_ours, _floor) if number % 2 else (_floor, _ours)
        taken = {first: await first(bench)}
        dbos.samples.append(await peer.live(bench.peer_url, bench.next_bulk(bench.scale.lives)))
        taken[second] = await second(bench)
        for pair, ours, floor in zip(pairs, taken[_ours], taken[_floor], strict=True):
            pair.add(ours, floor)
    return [
        rate.result("whole lives", "lives/s", _MEANING, _FLOOR, dbos),
        events.result("history of a life", "events", _ONE, _ONE_FLOOR),
        size.result("history of a life", "bytes", _ONE, _ONE_FLOOR),
        actions.result("actions of a life", "actions", _ACTIONS, _ACTIONS_FLOOR),
    ]


async def _ours(bench: Bench) -> Sequence[float]:
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


async def _floor(bench: Bench) -> Sequence[float]:
    began = perf_counter()
    bulk = await bench.start_bare(bench.scale.lives)
    handles = [bench.bare.get_workflow_handle(workflow_id) for workflow_id in bulk.ids]
    for step in range(STEPS):
        await progress.all_reached(bulk.prefix, step, bulk.count)
        await each(handles, lambda handle: handle.signal(BareLife.go_on))
    await asyncio.gather(*(handle.result() for handle in handles))
    return bulk.count / (perf_counter() - began), *await history_of(bench.bare, bulk.ids[0])


async def history_of(client: Client, workflow_id: str) -> tuple[int, int, int]:
    """Return the events of a workflow's history, its bytes as the server sends them, and its actions."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    size = sum(event.ByteSize() for event in history.events)
    kinds = [event.event_type for event in history.events]
    return len(kinds), size, sum(kind in _ACTION_EVENTS for kind in kinds)
