"""A page of the list (A18): the use case, with waiting times and places in line, beside the rows alone."""

from datetime import date
from time import perf_counter
from typing import Final

from benchmarks.bench import Bench
from benchmarks.results import Pair, Result
from gamf.client import reading
from gamf.storage.lists import RegisterFilter

_MEANING: Final = (
    "The use case `list_register`, a page of 50 in the middle of the line of one RLS, as the page before asks for it: "
    "rows, waiting times, places in line; of 100,300 people at full size."
)
_FLOOR: Final = "The ids alone of the same page, by the same index, its key given."
_QUERY: Final = """
    SELECT patient_id FROM patients
    WHERE rls = $1 AND place = 'waiting' AND (priority, registered_on, number) > ($2, $3, $4)
    ORDER BY priority, registered_on, number LIMIT $5
"""
_MIDDLE: Final = """
    SELECT patient_id, priority, registered_on, number FROM patients WHERE rls = $1 AND place = 'waiting'
    ORDER BY priority, registered_on, number OFFSET $2 LIMIT 1
"""
_AS_OF: Final = date(2026, 6, 1)
_MILLISECONDS: Final = 1000


async def measure(bench: Bench) -> list[Result]:
    """Read a page and its floor, in turn."""
    licence, pair = await bench.physician(bench.scale.waiting), Pair()
    before = bench.scale.waiting // 2
    only = RegisterFilter(licence, "waiting")
    async with bench.desk.pool.acquire() as conn:
        middle = await conn.fetchrow(_MIDDLE, licence, before)
        assert middle is not None  # noqa: S101 - that many wait there
        after = f"{middle['patient_id']}:{before + 1}"
        for _ in range(bench.scale.rounds):
            began = perf_counter()
            await reading.list_register(conn, only, as_of=_AS_OF, after=after)
            ours = perf_counter() - began
            began = perf_counter()
            await conn.fetch(_QUERY, licence, *tuple(middle)[1:], reading.PAGE)
            pair.add(ours * _MILLISECONDS, (perf_counter() - began) * _MILLISECONDS)
    return [pair.result("page of the list", "ms", _MEANING, _FLOOR)]
