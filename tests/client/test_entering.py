"""The SV of a whole block, or of a physician's patients, at once: what becomes of each, others at work too (R8)."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from gamf.client import acting, entering
from gamf.client.acting import Desk
from gamf.client.entering import Entered
from gamf.client.errors import NotFoundError
from gamf.client.feed import Reporter
from gamf.client.pacing import Pace
from gamf.domain.refusal import RefusedByRuleError
from tests.client.blocks import attributed, ids
from tests.clock import now, today
from tests.system import System

BY = "clinique"


@pytest.fixture
async def block(system: System, desk: Desk) -> dict[str, Any]:
    """Return a block of five, attributed."""
    return await attributed(system, desk, 5, BY)


async def entered(
    desk: Desk, block_id: str, *but: str, on: date | None = None
) -> dict[str, tuple[str, str | None]]:
    """Enter the SV of a block; return the outcome of each, and the rule that refused it."""
    members = await entering.of_block(desk, block_id, but)
    made = [each async for each in entering.enter_sv(Reporter(desk, BY, now, Pace()), members, on)]
    return outcomes(made)


def outcomes(made: list[Entered]) -> dict[str, tuple[str, str | None]]:
    assert len({each.attribution_id for each in made}) == len(made)
    return {each.attribution_id: (each.outcome, each.reason.rule if each.reason else None) for each in made}


async def test_r8_each_of_a_block_has_its_outcome(desk: Desk, block: dict[str, Any]) -> None:
    first, second, third, fourth, left_out = ids(block)
    for each in (first, second, left_out):
        await acting.record_fact(desk, each, "accepted", {"by": BY}, now=now())
    await acting.record_fact(desk, second, "sv_entered", {"by": BY}, now=now())
    await acting.record_fact(desk, third, "refused", {"by": BY, "reason": "congé"}, now=now())
    assert await entered(desk, block["block_id"], left_out) == {
        first: ("entered", None),
        second: ("already", None),
        third: ("ended", None),
        fourth: ("refused", "R8"),
    }
    view = await acting.show_attribution(desk, left_out)
    assert (view["state"], view["sv"]) == ("confirmed", None)


async def test_r8_the_start_date_is_the_one_given_and_lies_in_the_window(
    desk: Desk, block: dict[str, Any]
) -> None:
    await acting.accept_block(desk, block["block_id"], by=BY)
    early, yesterday = today() - timedelta(days=3), today() - timedelta(days=1)
    assert set((await entered(desk, block["block_id"], on=early)).values()) == {("refused", "A5")}
    assert set((await entered(desk, block["block_id"], on=yesterday + timedelta(days=9))).values()) == {
        ("refused", "R8")
    }
    assert set((await entered(desk, block["block_id"])).values()) == {("entered", None)}


async def test_r8_two_at_once_enter_each_once(system: System, desk: Desk, block: dict[str, Any]) -> None:
    await acting.accept_block(desk, block["block_id"], by=BY)
    made = await asyncio.gather(*(entered(desk, block["block_id"]) for _ in range(3)))
    assert all(outcome in {"entered", "already"} for each in made for outcome, _ in each.values())
    rows = await system.rows(
        "SELECT subject_id FROM records WHERE event = 'sv_entered' AND subject_id = ANY ($1::text[])",
        ids(block),
    )
    assert sorted(row["subject_id"] for row in rows) == sorted(ids(block))


async def test_r8_a_physicians_patients_are_entered_whatever_their_block(system: System, desk: Desk) -> None:
    rls, licence, people = await system.people(3)
    alone = await system.attribute(patient=(rls, licence, people[2]))
    await alone.record("accepted")
    drawn = await acting.request_block(desk, licence, 2, by=BY, now=now())
    first, second = ids(await acting.approve_block(desk, drawn["block_id"], by=BY))
    await acting.record_fact(desk, first, "accepted", {"by": BY}, now=now())
    members = await entering.of_physician(desk, licence, ())
    assert {each.attribution_id for each in members} == {alone.start.attribution_id, first}
    made = [each async for each in entering.enter_sv(Reporter(desk, BY, now, Pace()), members, None)]
    assert set(outcomes(made).values()) == {("entered", None)}
    assert await entering.of_physician(desk, licence, ()) == []
    assert (await acting.show_attribution(desk, second))["state"] == "proposed"


async def test_what_is_not_there_is_told(desk: Desk, block: dict[str, Any]) -> None:
    with pytest.raises(NotFoundError):
        await entering.of_block(desk, "2020-0001", ())
    with pytest.raises(NotFoundError):
        await entering.of_physician(desk, "11111", ())
    with pytest.raises(RefusedByRuleError) as refused:
        await entering.of_block(desk, block["block_id"], ("2020-000001",))
    assert (refused.value.reason.rule, refused.value.reason.field) == ("form", "except")
