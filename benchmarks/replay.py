"""The replay of one that waits: what a worker does for an attribution that it no longer has in memory."""

from collections.abc import Callable
from time import perf_counter
from typing import Final

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from benchmarks.bare import BareLife
from benchmarks.bench import BY, Bench, bare_runner
from benchmarks.results import Pair, Result
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import data_converter
from gamf.workers.lifecycle import workflow_runner
from gamf.workflows.attribution import AttributionWorkflow

_MEANING: Final = (
    "The replay of an attribution enrolled SV, which waits for its term, by the worker's own runner."
)
_FLOOR: Final = "The replay of a bare life after two of its three steps."
_MILLISECONDS: Final = 1000
_TIMES: Final = 20


async def measure(bench: Bench) -> list[Result]:
    """Replay one of each, several times a round, in turn."""
    ours, floor = await _waiting(bench), await _bare(bench)
    pair = Pair()
    for _ in range(bench.scale.rounds):
        pair.add(await _timed(_replayer, ours), await _timed(_bare_replayer, floor))
    return [pair.result("replay of one that waits", "ms", _MEANING, _FLOOR)]


async def _waiting(bench: Bench) -> WorkflowHistory:
    (workflow_id,) = await bench.approve(await bench.drawn_block(1))
    for fact in ("accepted", "sv_entered"):
        await bench.life(workflow_id).execute_update("record", {"by": BY, "fact": fact})
    return await bench.life(workflow_id).fetch_history()


async def _bare(bench: Bench) -> WorkflowHistory:
    bulk = await bench.start_bare(1)
    handle = bench.bare.get_workflow_handle(bulk.ids[0])
    for _ in range(2):
        await handle.signal(BareLife.go_on)
        await handle.execute_update(BareLife.answer)
    return await handle.fetch_history()


def _replayer() -> Replayer:
    return Replayer(
        workflows=[AttributionWorkflow],
        data_converter=data_converter(),
        workflow_runner=workflow_runner(Settings()),
    )


def _bare_replayer() -> Replayer:
    return Replayer(workflows=[BareLife], workflow_runner=bare_runner())


async def _timed(make: Callable[[], Replayer], history: WorkflowHistory) -> float:
    began = perf_counter()
    for _ in range(_TIMES):
        await make().replay_workflow(history)
    return (perf_counter() - began) / _TIMES * _MILLISECONDS
