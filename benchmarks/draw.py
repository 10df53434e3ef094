"""The draw of a block from a million people (R4, A18): the activity's transaction beside the least it could be."""

from datetime import UTC, datetime
from time import perf_counter
from typing import Final

from benchmarks.bench import BY, Bench, Scale
from benchmarks.results import Pair, Result
from gamf.activities.blocks import BlockActivities, Decision, DrawRequest
from gamf.activities.messenger import TemporalMessenger
from gamf.domain.block import BlockRequest
from gamf.domain.policy import CURRENT
from gamf.workflows.starting import AttributionStarter

_MEANING: Final = (
    "The transaction of the activity `draw_list`: eligibility, how many of each group wait, the seats of each, the "
    "first of each group, held and written as the block's; 850 of 1,000,000 at full size."
)
_FLOOR: Final = (
    "As many held, the first of the list whatever their group, by an index; nothing counted, nothing written."
)
_QUERY: Final = """
    SELECT patient_id FROM patients WHERE rls = $1 AND place = 'waiting'
    ORDER BY priority, registered_on, number LIMIT $2 FOR UPDATE
"""
# The ages are about those of the attached population (facts.md).
_PEOPLE: Final = """
    INSERT INTO patients (nam, last_name, first_name, birth_date, sex, address, city, postal_code, language,
                          english_attested, rls, registered_on, priority, vulnerable)
    SELECT $1 || lpad(n::text, 7, '0'), 'Inventé', 'Patient',
           '2026-06-01'::date - (365.25 * aged.age)::int, 'X', '1, rue Inventée', 'Québec', 'G1A 1A1', 'fr',
           false, $1, date '2020-01-01' + (n * 7919 % 2000)::int, substr('ABCDE', (1 + n % 5)::int, 1),
           n * 31 % 1000 < 431
    FROM generate_series(1::bigint, $2::bigint) AS n
    CROSS JOIN LATERAL (SELECT n * 7907 % 1000 / 1000.0 AS rank) AS r
    CROSS JOIN LATERAL (
        SELECT CASE WHEN rank < 0.146 THEN rank / 0.146 * 18 WHEN rank < 0.346 THEN 18 + (rank - 0.146) / 0.2 * 17
                    WHEN rank < 0.631 THEN 35 + (rank - 0.346) / 0.285 * 20
                    ELSE 55 + (rank - 0.631) / 0.369 * 40 END AS age) AS aged
"""
_MILLISECONDS: Final = 1000


async def measure(bench: Bench) -> list[Result]:
    """Draw a block and query the list, in turn."""
    desk, pair = bench.desk, Pair()
    activities = BlockActivities(
        desk.pool, TemporalMessenger(desk.temporal), AttributionStarter(desk.temporal)
    )
    licence = await _physician(bench)
    for number in range(bench.scale.rounds):
        floor = await _query(bench, licence)
        pair.add(await _draw(activities, licence, bench.scale.size, f"2026-{90_000 + number}"), floor)
    return [pair.result("draw", "ms", _MEANING, _FLOOR)]


async def _physician(bench: Bench) -> str:
    """Write a network where people of every age wait, and its physician; return the licence."""
    licence = await bench.physician(0)
    async with bench.desk.pool.acquire() as conn:
        await conn.execute("SET statement_timeout = 0")
        await conn.execute(_PEOPLE, licence, _waiting(bench.scale))
        # As the server does by itself some time after an import.
        await conn.execute("VACUUM ANALYZE patients")
        await conn.execute("RESET statement_timeout")
    return licence


def _waiting(scale: Scale) -> int:
    """Return how long the list is: 1,000,000 people for a block of 850."""
    return 1_000_000 * scale.size // 850


async def _query(bench: Bench, licence: str) -> float:
    async with bench.desk.pool.acquire() as conn, conn.transaction():
        began = perf_counter()
        await conn.fetch(_QUERY, licence, bench.scale.size)
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
