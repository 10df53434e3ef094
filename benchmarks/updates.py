"""An update, from the call to its committed row: p50 and p99, one caller at a time."""

from statistics import quantiles
from time import perf_counter
from typing import Final

from benchmarks.bare import BareLife
from benchmarks.bench import BY, Bench
from benchmarks.results import Pair, Result

_MEANING: Final = (
    "`record` with `accepted`, until it is answered: validated, decided, committed in PostgreSQL with its record and "
    "its letter, the history written. {} of those of a round, one caller at a time."
)
_FLOOR: Final = (
    "A bare workflow's update handler that answers a number, and then the INSERT of one row, committed."
)
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS bench_rows (id text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
)
_INSERT: Final = "INSERT INTO bench_rows (id) VALUES ($1)"
_MILLISECONDS: Final = 1000
_MOST: Final = 200


async def measure(bench: Bench) -> list[Result]:
    """Update so many lives and as many bare ones, one of each in turn."""
    await bench.desk.pool.execute(_TABLE)
    middle, worst = Pair(), Pair()
    for _ in range(bench.scale.rounds):
        count = min(bench.scale.lives, _MOST) + 1
        ids = await bench.approve(await bench.drawn_block(count))
        bulk = await bench.start_bare(count)
        ours, floor = list[float](), list[float]()
        for life, bare in zip(ids, bulk.ids, strict=True):
            ours.append(await _accept(bench, life))
            floor.append(await _answer(bench, bare))
        middle.add(_percentile(ours, 50), _percentile(floor, 50))
        worst.add(_percentile(ours, 99), _percentile(floor, 99))
    return [
        middle.result("update to committed row, p50", "ms", _MEANING.format("The median"), _FLOOR),
        worst.result("update to committed row, p99", "ms", _MEANING.format("The 99th percentile"), _FLOOR),
    ]


def _percentile(samples: list[float], percent: int) -> float:
    return quantiles(samples, n=100, method="inclusive")[percent - 1]


async def _accept(bench: Bench, workflow_id: str) -> float:
    began = perf_counter()
    await bench.life(workflow_id).execute_update("record", {"by": BY, "fact": "accepted"})
    return (perf_counter() - began) * _MILLISECONDS


async def _answer(bench: Bench, workflow_id: str) -> float:
    began = perf_counter()
    await bench.bare.get_workflow_handle(workflow_id).execute_update(BareLife.answer)
    await bench.desk.pool.execute(_INSERT, workflow_id)
    return (perf_counter() - began) * _MILLISECONDS
