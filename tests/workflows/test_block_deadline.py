"""A drawn list that nobody approves in time is withdrawn by itself, and everybody waits again (A21)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from gamf.client import acting
from gamf.client.acting import Desk
from gamf.domain.block import approval_due
from gamf.domain.policy import CURRENT
from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.polling import until
from gamf.workflows import visibility
from tests.system import System

APPROVED = {"fact": "approved", "by": "coordo"}
Block = WorkflowHandle[Any, Any]


async def deadline(block: Block) -> datetime:
    return datetime.fromisoformat((await block.query("view"))["deadline"])


async def skip_to(system: System, block: Block, instant: datetime) -> None:
    now = await system.skipper.get_current_time(block)
    await system.skipper.fast_forward(block, instant - now)


async def waiting(system: System, rls: str) -> list[tuple[str, Any]]:
    rows = await system.rows("SELECT place, registered_on FROM patients WHERE rls = $1 ORDER BY number", rls)
    return [(row["place"], row["registered_on"]) for row in rows]


@pytest.mark.parametrize("zone", ["America/Toronto", "America/Blanc-Sablon"])
async def test_a21_a_list_not_approved_is_withdrawn_and_everybody_waits_at_the_initial_date(
    system: System, zone: str
) -> None:
    rls, licence, _ = await system.people(3, time_zone=zone)
    before = await waiting(system, rls)
    block = await system.request(rls, licence, 3)
    due = await deadline(block)
    (drawn,) = await system.rows("SELECT requested_at, deadline FROM blocks WHERE rls = $1", rls)
    assert due == drawn["deadline"] == approval_due(drawn["requested_at"], zone, CURRENT)
    assert (await block.describe()).typed_search_attributes[visibility.DEADLINE] == due
    await skip_to(system, block, due - timedelta(minutes=1))
    assert (await block.query("view"))["state"] == "drawn"
    await skip_to(system, block, due)
    closed = await block.result()
    assert (closed["state"], closed["deadline"], closed["counts"]) == ("withdrawn", None, {"waiting": 3})
    assert "(A21)" in closed["reason"]
    assert await waiting(system, rls) == before
    (record,) = await system.rows(
        "SELECT at, by, rules, policy FROM records WHERE subject = 'block' AND subject_id = $1 AND after = 'withdrawn'",
        closed["block_id"],
    )
    assert tuple(record) == (due, "gamf", ["A21"], CURRENT.version)


async def test_a21_an_approval_after_it_is_refused_with_the_rule(system: System) -> None:
    rls, licence, _ = await system.people(1)
    block = await system.request(rls, licence, 1)
    await skip_to(system, block, await deadline(block))
    await block.result()
    with pytest.raises(RPCError):
        await block.execute_update("record", APPROVED)
    desk = Desk(system.pool, system.client)
    with pytest.raises(RefusedByRuleError) as refused:
        await acting.approve_block(desk, block.id.removeprefix("block-"), by="coordo")
    assert refused.value.reason.rule == "A21"
    assert await system.rows("SELECT FROM attributions WHERE rls = $1", rls) == []


async def test_a21_an_approval_in_the_last_minute_is_taken_and_nothing_is_withdrawn_any_more(
    system: System,
) -> None:
    rls, licence, _ = await system.people(2)
    block = await system.request(rls, licence, 2)
    due = await deadline(block)
    await skip_to(system, block, due - timedelta(minutes=1))
    approved = await block.execute_update("record", APPROVED)
    assert (approved["state"], approved["deadline"]) == ("attributed", None)
    await skip_to(system, block, due + timedelta(days=1))
    view = await block.query("view")
    assert (view["state"], view["counts"]) == ("attributed", {"proposed": 2})

    async def unset() -> bool:
        return (await block.describe()).typed_search_attributes.get(visibility.DEADLINE) is None

    await until(unset, within_seconds=20)


async def test_a21_the_timer_says_in_french_what_it_waits_for(system: System) -> None:
    rls, licence, _ = await system.people(1)
    block = await system.request(rls, licence, 1)
    events = (await block.fetch_history()).events
    timers = [event for event in events if event.HasField("timer_started_event_attributes")]
    assert b"la liste est retir" in timers[-1].user_metadata.summary.data
    assert await deadline(block) > datetime.now(UTC)


async def test_a21_a_withdrawal_by_hand_comes_first(system: System) -> None:
    rls, licence, _ = await system.people(1)
    block = await system.request(rls, licence, 1)
    withdrawn = await block.execute_update(
        "record", {"fact": "withdrawn", "by": "coordo", "reason": "erreur"}
    )
    assert (withdrawn["state"], withdrawn["reason"]) == ("withdrawn", "erreur")
    (again,) = await system.rows("SELECT state, deadline FROM blocks WHERE rls = $1", rls)
    assert tuple(again) == ("withdrawn", None)


async def test_r6_an_answer_to_the_list_dated_before_it_is_refused_at_once(system: System) -> None:
    rls, licence, _ = await system.people(1)
    block = await system.request(rls, licence, 1)
    await block.execute_update("record", APPROVED)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await block.execute_update(
            "record", {"fact": "list_accepted", "by": "coordo", "at": "2026-02-02T10:00:00-05:00"}
        )
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.details[0]["rule"] == "R6"
    assert (await block.query("view"))["counts"] == {"proposed": 1}
