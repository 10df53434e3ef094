"""A physician's mixed answer in one go: the list, except some, on the real servers (R6, A4)."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gamf.client import acting, answering
from gamf.client.acting import Desk
from gamf.client.answering import Answer
from gamf.client.errors import NotFoundError
from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.embedded import EmbeddedTemporal
from tests.client.blocks import attributed, ids
from tests.client.command import Terminal
from tests.system import System

BY = "coordination"
REASON = "pratique réduite"


@pytest.fixture
async def block(system: System, desk: Desk) -> dict[str, Any]:
    """Return a block of four, drawn and approved."""
    return await attributed(system, desk, 4, BY)


def answer(*excepted: str, reason: str = REASON) -> Answer:
    return Answer(excepted, reason, BY, datetime.now(UTC))


async def states(desk: Desk, block_id: str) -> list[str]:
    return [each["state"] for each in (await acting.show_block(desk, block_id))["list"]]


async def test_a4_the_list_is_accepted_except_some(desk: Desk, block: dict[str, Any]) -> None:
    first, second, *_ = ids(block)
    view = await answering.accept_except(desk, block["block_id"], answer(first, second))
    assert view["counts"] == {"refused": 2, "confirmed": 2}
    assert await states(desk, block["block_id"]) == ["refused", "refused", "confirmed", "confirmed"]
    shown = await acting.show_attribution(desk, first)
    assert shown["history"][-1]["argument"] == {"by": BY, "reason": REASON}


async def test_a4_the_list_is_refused_except_some(desk: Desk, block: dict[str, Any]) -> None:
    first, *_ = ids(block)
    await answering.refuse_except(desk, block["block_id"], answer(first))
    assert await states(desk, block["block_id"]) == ["confirmed", "refused", "refused", "refused"]


async def test_a4_a_refusal_of_the_whole_list_is_typed_with_its_reason(
    system: System, temporal: EmbeddedTemporal, desk: Desk, block: dict[str, Any], tmp_path: Path
) -> None:
    servers = {"GAMF_DATABASE_URL": system.database_url, "TEMPORAL_ADDRESS": temporal.address}
    terminal = Terminal(tmp_path, servers | {"GAMF_ACCOUNT": BY})
    words = ("block", "refuse", block["block_id"])
    # In a thread of its own: a command has a loop of its own.
    assert (await asyncio.to_thread(terminal.run, *words)).status == 2
    assert await states(desk, block["block_id"]) == ["proposed"] * 4
    view = await asyncio.to_thread(terminal.json, *words, "--reason", REASON)
    assert (view["block_id"], view["counts"]) == (block["block_id"], {"refused": 4})
    shown = await acting.show_attribution(desk, ids(block)[0])
    assert (shown["state"], shown["history"][-1]["fact"]) == ("refused", "refused")
    argument = shown["history"][-1]["argument"]
    assert (argument["by"], argument["reason"]) == (BY, REASON)
    status, error = await asyncio.to_thread(terminal.error, *words, "--reason", REASON)
    assert (status, error["rule"]) == (3, "R6")


async def test_a4_an_answer_cut_short_is_finished_by_the_same_one(desk: Desk, block: dict[str, Any]) -> None:
    first, second, *_ = ids(block)
    given = {"by": BY, "reason": REASON}
    await acting.record_fact(desk, first, "refused", given, now=datetime.now(UTC))
    view = await answering.accept_except(desk, block["block_id"], answer(first, second))
    assert view["counts"] == {"refused": 2, "confirmed": 2}


async def test_a4_everybody_may_be_an_exception(desk: Desk, block: dict[str, Any]) -> None:
    await answering.accept_except(desk, block["block_id"], answer(*ids(block)))
    assert await states(desk, block["block_id"]) == ["refused"] * 4


async def test_r6_one_that_has_another_answer_or_is_not_on_the_list_changes_nothing(
    system: System, desk: Desk, block: dict[str, Any]
) -> None:
    first, second, *_ = ids(block)
    other = await system.attribute()
    await acting.record_fact(desk, second, "accepted", {"by": BY}, now=datetime.now(UTC))
    for wrong, rule in ((second, "R6"), (other.start.attribution_id, "A4")):
        with pytest.raises(RefusedByRuleError) as refused:
            await answering.accept_except(desk, block["block_id"], answer(first, wrong))
        assert (refused.value.reason.rule, refused.value.reason.field) == (rule, "except")
    assert await states(desk, block["block_id"]) == ["proposed", "confirmed", "proposed", "proposed"]


async def test_r6_a_list_that_is_not_approved_or_has_closed_takes_no_answer(
    system: System, desk: Desk, block: dict[str, Any]
) -> None:
    _, licence, _ = await system.people(1)
    drawn = await acting.request_block(desk, licence, 1, by=BY, now=datetime.now(UTC))
    await acting.refuse_block(desk, block["block_id"], by=BY, reason=REASON)
    for block_id in (drawn["block_id"], block["block_id"]):
        with pytest.raises(RefusedByRuleError) as refused:
            await answering.refuse_except(desk, block_id, answer(ids(block)[0]))
        assert refused.value.reason.rule == "R6"
    with pytest.raises(NotFoundError):
        await answering.accept_except(desk, "2020-9999", answer("2020-999999"))
