"""Letters: the whole of the activity, from the tables to the outbox, beside the printing alone."""

import asyncio
from datetime import UTC, datetime
from time import perf_counter
from typing import Final

from benchmarks.bare import each
from benchmarks.bench import BY, Bench
from benchmarks.results import Pair, Result
from gamf.activities.letters import LetterActivities, LetterDue, letter_content
from gamf.letters.carriers import OutboxCarrier
from gamf.letters.render import LetterRenderer

_MEANING: Final = (
    "The activity `send_letter`, 32 at a time: claimed and read in PostgreSQL, printed, written to the outbox with its "
    "line in the manifest, and to the disk, and noted as gone."
)
_FLOOR: Final = "The same letters printed, as many times, from what was read before."
_MOST: Final = 200


async def measure(bench: Bench) -> list[Result]:
    """Send so many letters, and print as many, in turn."""
    pair = Pair()
    for number in range(bench.scale.rounds):
        ids = await _due(bench)
        first, second = (_sent, _printed) if number % 2 else (_printed, _sent)
        taken = {first: await first(bench, ids)}
        taken[second] = await second(bench, ids)
        pair.add(taken[_sent], taken[_printed])
    return [pair.result("letters", "letters/s", _MEANING, _FLOOR)]


async def _due(bench: Bench) -> list[str]:
    """Make that many letters due, as an acceptance does, without the workflow that would send them."""
    count = min(bench.scale.lives, _MOST)
    licence, now = await bench.physician(count), datetime.now(UTC)
    await bench.desk.pool.execute(_ATTRIBUTED, licence, now, int(licence))
    rows = await bench.desk.pool.fetch(_LETTERS, licence, now, now.date())
    return [row["letter_id"] for row in rows]


_ATTRIBUTED: Final = """
    WITH moved AS (
        UPDATE patients p SET place = 'attributed', attribution_id = '2999-' || lpad(n::text, 12, '0')
        FROM (SELECT patient_id, $3::bigint * 1000 + row_number() OVER (ORDER BY patient_id) AS n
              FROM patients WHERE rls = $1) AS w
        WHERE w.patient_id = p.patient_id RETURNING p.*
    )
    INSERT INTO attributions (attribution_id, patient_id, physician, rls, time_zone, priority, vulnerable,
                              attributed_at, policy, state, under_way, deadline, waiting_for, transition)
    SELECT attribution_id, patient_id, $1, $1, 'America/Toronto', priority, vulnerable, $2, 'banc', 'confirmed', true,
           $2::timestamptz + interval '14 days', 'clinic', 1
    FROM moved
"""
_LETTERS: Final = """
    INSERT INTO letters (letter_id, attribution_id, patient_id, kind, dated, queued_at)
    SELECT attribution_id || '-1', attribution_id, patient_id, 'attribution', $3, $2 FROM attributions WHERE rls = $1
    RETURNING letter_id
"""


async def _sent(bench: Bench, ids: list[str]) -> float:
    outbox = bench.folder / f"letters-{ids[0]}-{BY}"
    activities = LetterActivities(bench.desk.pool, LetterRenderer(), OutboxCarrier(outbox))
    now = datetime.now(UTC)
    began = perf_counter()
    await each(ids, lambda letter_id: activities.send_letter(LetterDue(letter_id=letter_id, at=now)))
    return len(ids) / (perf_counter() - began)


async def _printed(bench: Bench, ids: list[str]) -> float:
    renderer = LetterRenderer()
    async with bench.desk.pool.acquire() as conn:
        contents = [await letter_content(conn, letter_id) for letter_id in ids]
    began = perf_counter()
    await each(contents, lambda content: asyncio.to_thread(renderer.render, content))
    return len(ids) / (perf_counter() - began)
