"""A continue-as-new that loses nothing: more signals than a run may have (10,000), thrown at one that waits."""

import asyncio
from itertools import count

import pytest
from temporalio.service import RPCError, RPCStatusCode

from gamf.runtime.polling import until
from tests.system import Life, System

SIGNALS = 12_000
AT_ONCE = 8


async def throw(life: Life, number: int) -> None:
    """Send one signal; a server that has no room says so, and it is sent again: nothing is lost unsaid."""
    fact, argument = (
        ("accepted", {"by": "compte", "numero": number}) if number % 2 else ("unheard_of", [number])
    )
    for _ in count():
        try:
            await life.signal(fact, argument)
        except RPCError as error:
            if error.status not in {RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.INVALID_ARGUMENT}:
                raise
            await _renewed(life)
        else:
            return


async def _renewed(life: Life) -> None:
    async def room() -> bool:
        described = await life.handle.describe()
        return described.history_length < SIGNALS // 4

    await until(room, within_seconds=300)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_more_signals_than_a_run_may_have_and_it_still_ends_well(system: System) -> None:
    life = await system.attribute()
    await life.record("accepted")
    first_run = (await life.handle.describe()).run_id
    numbers = iter(range(SIGNALS))

    async def thrower() -> None:
        for number in numbers:
            await throw(life, number)

    await asyncio.gather(*(thrower() for _ in range(AT_ONCE)))

    async def all_kept() -> bool:
        return bool((await life.view())["refused_count"] >= SIGNALS)

    await until(all_kept, within_seconds=300)
    view = await life.view()
    assert (view["state"], view["refused_count"]) == ("confirmed", SIGNALS)
    assert (await life.handle.describe()).run_id != first_run
    await life.record("sv_entered")
    await life.record("mf_signed", signed_on=(await life.view())["sv"]["start"])
    assert (await life.handle.result())["state"] == "enrolled_mf"
    (kept,) = await system.rows(
        "SELECT count(*), count(DISTINCT argument) AS different FROM records WHERE subject_id = $1 AND refused",
        life.start.attribution_id,
    )
    assert (kept["count"], kept["different"]) == (SIGNALS, SIGNALS)
