"""The draw of a block from a long list (R4, A18): the activity's transaction beside the query it cannot do without."""

from datetime import UTC, datetime
from time import perf_counter
from typing import Final

from benchmarks.bench import BY, Bench
from benchmarks.results import Pair, Result
from gamf.activities.blocks import BlockActivities, Decision, DrawRequest
from gamf.activities.messenger import TemporalMessenger
from gamf.domain.block import BlockRequest
from gamf.domain.policy import CURRENT
from gamf.workflows.starting import AttributionStarter

_MEANING: Final = (
    "The transaction of the activity `draw_list`: eligibility, the first of the list by priority, date and number, "
    "held and written as the block's; 850 of 100,300 at full size."
)
_FLOOR: Final = "The ids alone of the same people, by the same index, neither held nor written."
_QUERY: Final = """
    SELECT patient_id FROM patients WHERE rls = $1 AND place = 'waiting'
    ORDER BY priority, registered_on, number LIMIT $2
"""
_MILLISECONDS: Final = 1000


async def measure(bench: Bench) -> list[Result]:
    """Draw a block and query the list, in turn."""
    desk, pair = bench.desk, Pair()
    activities = BlockActivities(
        desk.pool, TemporalMessenger(desk.temporal), AttributionStarter(desk.temporal)
    )
    licence = await bench.physician(bench.scale.waiting)
    for number in range(bench.scale.rounds):
        floor = await _query(bench, licence)
        pair.add(await _draw(activities, licence, bench.scale.size, f"2026-{90_000 + number}"), floor)
    return [pair.result("draw", "ms", _MEANING, _FLOOR)]


async def _query(bench: Bench, licence: str) -> float:
    began = perf_counter()
    await bench.desk.pool.fetch(_QUERY, licence, bench.scale.size)
    return (perf_counter() - began) * _MILLISECONDS


async def _draw(activities: BlockActivities, licence: str, size: int, block_id: str) -> float:
    """Draw, and give the list back afterwards."""
    now = datetime.now(UTC)
    request = BlockRequest(
        block_id=block_id, physician=licence, rls=licence, size=size, requested_by=BY, policy=CURRENT
    )
    began = perf_counter()
    await activities.draw_list(DrawRequest(request=request, at=now))
    taken = (perf_counter() - began) * _MILLISECONDS
    await activities.withdraw_list(
        Decision(block_id=block_id, by=BY, at=now, policy=CURRENT, reason="banc d'essai")
    )
    return taken
