"""The use cases that act, on real servers: what they give back, and what they say when they cannot."""

import asyncio
import json
from datetime import date, timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from gamf.client import acting, asking, feed, reading, training
from gamf.client.acting import Desk
from gamf.client.errors import NotFoundError
from gamf.client.pacing import Pace
from gamf.domain.facts import EnrolledElsewhere
from gamf.domain.names import TASK_QUEUE, attribution_workflow_id, block_workflow_id
from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.errors import Fault, ServiceUnreachable
from gamf.runtime.polling import until
from gamf.storage import numbers
from tests.client.blocks import attributed, ids
from tests.clock import now, today
from tests.system import System, add_physician

BY = "coordination"


@pytest.fixture
async def block(system: System, desk: Desk) -> dict[str, Any]:
    """Return a block of three, drawn and approved."""
    return await attributed(system, desk, 3, BY)


# --- blocks ---------------------------------------------------------------------------------------------------


async def test_a_block_is_drawn_when_the_request_returns(system: System, desk: Desk) -> None:
    _, licence, people = await system.people(4)
    view = await acting.request_block(desk, licence, 3, by=BY, now=now())
    assert (view["state"], view["size"], view["requested_by"]) == ("drawn", 3, BY)
    assert [each["patient_id"] for each in view["list"]] == people[:3]
    year, number = view["block_id"].split("-")
    assert (int(year), len(number)) == (now().year, 4)
    assert await acting.show_block(desk, view["block_id"]) == view


async def test_two_requests_at_once_get_two_numbers_and_no_common_patient(system: System, desk: Desk) -> None:
    rls, licence, _ = await system.people(6)
    async with system.pool.acquire() as conn:
        other = await add_physician(conn, rls)
    first, second = await asyncio.gather(
        *(acting.request_block(desk, each, 3, by=BY, now=now()) for each in (licence, other))
    )
    assert first["block_id"] != second["block_id"]
    drawn = [each["patient_id"] for view in (first, second) for each in view["list"]]
    assert len(set(drawn)) == 6


@pytest.mark.parametrize("status", ["non_participating", "disengaged"])
async def test_r3_a_physician_who_does_not_take_part_gets_no_block(
    system: System, desk: Desk, status: str
) -> None:
    rls, _, _ = await system.people(1)
    async with system.pool.acquire() as conn:
        licence = await add_physician(conn, rls, status)
    with pytest.raises(RefusedByRuleError) as refused:
        await acting.request_block(desk, licence, 1, by=BY, now=now())
    assert refused.value.reason.rule == "R3"


async def test_r4_a_block_has_one_patient_at_least(system: System, desk: Desk) -> None:
    _, licence, _ = await system.people(1)
    with pytest.raises(RefusedByRuleError) as refused:
        await acting.request_block(desk, licence, 0, by=BY, now=now())
    assert (refused.value.reason.rule, refused.value.reason.field) == ("R4", "size")


async def test_a21_a_list_is_approved_once(desk: Desk, block: dict[str, Any]) -> None:
    assert block["state"] == "attributed"
    assert block["counts"] == {"proposed": 3}
    with pytest.raises(RefusedByRuleError) as refused:
        await acting.approve_block(desk, block["block_id"], by=BY)
    assert refused.value.reason.rule == "A21"


async def test_a21_a_list_withdrawn_cannot_be_approved(system: System, desk: Desk) -> None:
    _, licence, _ = await system.people(1)
    drawn = await acting.request_block(desk, licence, 1, by=BY, now=now())
    view = await acting.withdraw_block(desk, drawn["block_id"], by=BY, reason="erreur")
    assert (view["state"], view["reason"]) == ("withdrawn", "erreur")
    with pytest.raises(RefusedByRuleError) as refused:
        await acting.approve_block(desk, drawn["block_id"], by=BY)
    assert refused.value.reason.rule == "A21"


async def test_a4_the_answer_reaches_all_who_have_none(desk: Desk, block: dict[str, Any]) -> None:
    first, *_ = ids(block)
    await acting.record_fact(desk, first, "refused", {"by": BY, "reason": "congé"}, now=now())
    view = await acting.accept_block(desk, block["block_id"], by=BY)
    assert view["counts"] == {"refused": 1, "confirmed": 2}
    with pytest.raises(RefusedByRuleError) as refused:
        await acting.refuse_block(desk, block["block_id"], by=BY, reason="congé")
    assert refused.value.reason.rule == "R6"


async def test_a_temporal_of_another_database_is_told(system: System, desk: Desk) -> None:
    _, licence, _ = await system.people(1)
    async with system.pool.acquire() as conn:
        number = await numbers.next_number(conn, "block", now().year)
    taken = block_workflow_id(f"{now().year}-{number + 1:04d}")
    await system.client.start_workflow("Block", {}, id=taken, task_queue="nobody")
    with pytest.raises(ServiceUnreachable) as mixed:
        await acting.request_block(desk, licence, 1, by=BY, now=now())
    assert "GAMF_DATABASE_URL" in mixed.value.en


async def test_a_temporal_that_was_not_prepared_is_told(system: System, alone: Client) -> None:
    _, licence, _ = await system.people(1)
    with pytest.raises(ServiceUnreachable) as bare:
        await acting.request_block(Desk(system.pool, alone), licence, 1, by=BY, now=now())
    assert "gamf setup" in bare.value.en


async def test_a_block_that_does_not_exist_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        await acting.show_block(desk, "2020-9999")
    with pytest.raises(NotFoundError):
        await acting.approve_block(desk, "2020-9999", by=BY)


async def test_the_starts_of_a_block_are_counted(desk: Desk, block: dict[str, Any]) -> None:
    async def counted() -> bool:
        return await acting.count_started(desk, block["block_id"]) == 3

    await until(counted, within_seconds=20)


# --- attributions ---------------------------------------------------------------------------------------------


async def test_an_attribution_is_shown_with_its_patient(desk: Desk, block: dict[str, Any]) -> None:
    member = block["list"][0]
    view = await acting.show_attribution(desk, member["attribution_id"])
    assert view["state"] == "proposed"
    assert {name: view[name] for name in ("patient_id", "priority", "vulnerable")} == {
        name: member[name] for name in ("patient_id", "priority", "vulnerable")
    }
    assert view["block_id"] == block["block_id"]


async def test_a_fact_taken_changes_the_view_and_again_changes_nothing(
    desk: Desk, block: dict[str, Any]
) -> None:
    attribution_id = ids(block)[0]
    first = await acting.record_fact(desk, attribution_id, "accepted", {"by": BY}, now=now())
    again = await acting.record_fact(desk, attribution_id, "accepted", {"by": BY}, now=now())
    assert first["state"] == "confirmed"
    assert again == first


async def test_a_fact_of_the_wrong_form_is_refused_before_it_is_sent(desk: Desk) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        await acting.record_fact(desk, "2020-999999", "sv_entered", {"by": BY, "on": "hier"}, now=now())
    assert (refused.value.reason.rule, refused.value.reason.field) == ("form", "on")


async def test_an_attribution_that_does_not_exist_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        await acting.record_fact(desk, "2020-999999", "accepted", {"by": BY}, now=now())


@pytest.mark.parametrize("remembered", [True, False], ids=["in Temporal", "in the record only"])
async def test_a20_an_ended_attribution_answers_for_what_it_took_and_says_why_it_takes_nothing_more(
    system: System, desk: Desk, alone: Client, block: dict[str, Any], *, remembered: bool
) -> None:
    attribution_id = ids(block)[0]
    refusal = {"by": BY, "reason": "congé"}
    view = await acting.record_fact(desk, attribution_id, "refused", refusal, now=now())
    assert (view["state"], view["deadline"]) == ("refused", None)
    if not remembered:
        desk = Desk(system.pool, alone)
    again = await acting.record_fact(desk, attribution_id, "refused", refusal, now=now())
    assert (again["state"], again["ended_on"], again["patient_id"]) == (
        "refused",
        view["ended_on"],
        view["patient_id"],
    )
    with pytest.raises(RefusedByRuleError) as refused:
        await acting.record_fact(desk, attribution_id, "sv_entered", {"by": BY}, now=now())
    assert refused.value.reason.rule == "A20"


async def test_a_running_attribution_that_this_temporal_has_not_is_told_from_an_ended_one(
    system: System, alone: Client, block: dict[str, Any]
) -> None:
    with pytest.raises(ServiceUnreachable) as absent:
        await acting.record_fact(Desk(system.pool, alone), ids(block)[0], "accepted", {"by": BY}, now=now())
    assert absent.value.service == "Temporal"
    view = await acting.show_attribution(Desk(system.pool, alone), ids(block)[0])
    assert (view["state"], view["ended_on"]) == ("proposed", None)


async def test_a_block_that_temporal_no_longer_has_is_shown_from_the_database(
    system: System, desk: Desk, alone: Client, block: dict[str, Any]
) -> None:
    await acting.refuse_block(desk, block["block_id"], by=BY, reason="congé")

    async def closed() -> bool:
        return bool((await acting.show_block(desk, block["block_id"]))["state"] == "closed")

    await until(closed, within_seconds=20)
    desk = Desk(system.pool, alone)
    view = await acting.show_block(desk, block["block_id"])
    assert (view["state"], view["counts"]) == ("closed", {"refused": 3})
    with pytest.raises(RefusedByRuleError):
        await acting.accept_block(desk, block["block_id"], by=BY)


# --- outside LE 321 -------------------------------------------------------------------------------------------


def enrolment(physician: str = "54321", on: date | None = None) -> EnrolledElsewhere:
    return EnrolledElsewhere(
        by=BY, physician=physician, effective_on=on or date(2026, 3, 2), basis="entente particulière"
    )


async def place(system: System, patient_id: str) -> tuple[str, list[tuple[str, str]]]:
    async with system.pool.acquire() as conn:
        shown = await reading.show_patient(conn, patient_id)
    return shown.place, [(each.physician, each.category) for each in shown.enrolments if not each.voided]


async def test_a24_an_enrolment_outside_takes_a_waiting_patient_off_the_list(
    system: System, desk: Desk
) -> None:
    _, _, (patient_id,) = await system.people(1)
    for _ in range(2):
        await acting.register_enrolled(desk, patient_id, enrolment(), now=now())
        assert await place(system, patient_id) == ("enrolled", [("54321", "MF")])


async def test_a24_an_enrolment_outside_ends_the_attribution_under_way(
    desk: Desk, system: System, block: dict[str, Any]
) -> None:
    member = block["list"][0]
    yesterday = today() - timedelta(days=1)
    await acting.register_enrolled(desk, member["patient_id"], enrolment(on=yesterday), now=now())
    view = await acting.show_attribution(desk, member["attribution_id"])
    assert view["state"] == "enrolled_elsewhere"
    assert await place(system, member["patient_id"]) == ("enrolled", [("54321", "MF")])


async def test_two_enrolments_outside_cannot_cover_the_same_days(system: System, desk: Desk) -> None:
    _, _, (patient_id,) = await system.people(1)
    await acting.register_enrolled(desk, patient_id, enrolment(), now=now())
    with pytest.raises(RefusedByRuleError) as refused:
        await acting.register_enrolled(desk, patient_id, enrolment("65432"), now=now())
    assert refused.value.reason.rule == "invariant 2"


async def test_nobody_is_enrolled_who_is_not_in_the_register(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        await acting.register_enrolled(desk, "nobody", enrolment(), now=now())


# --- facts in bulk, tasks -------------------------------------------------------------------------------------


async def fed(desk: Desk, *lines: str) -> list[feed.Outcome]:
    reporter = feed.Reporter(desk, BY, now, Pace())
    return [outcome async for outcome in feed.feed(reporter, [line.encode() for line in lines])]


async def test_facts_in_bulk_keep_their_order_and_each_line_has_its_outcome(
    desk: Desk, block: dict[str, Any]
) -> None:
    first, second, third = ids(block)
    lines = [
        json.dumps({"attribution_id": first, "fact": "accepted"}),
        json.dumps({"attribution_id": first, "fact": "sv_entered", "by": "clinique"}),
        "",
        json.dumps({"attribution_id": second, "fact": "sv_entered"}),
        json.dumps({"attribution_id": "2020-999999", "fact": "accepted"}),
        "not JSON",
        "[]",
        json.dumps({"fact": "accepted"}),
        json.dumps({"attribution_id": third}),
        json.dumps({"attribution_id": third, "fact": "accepted", "name": "x"}),
    ]
    outcomes = await fed(desk, *lines)
    assert [(each.line, each.outcome, each.reason.rule if each.reason else None) for each in outcomes] == [
        (1, "taken", None),
        (2, "taken", None),
        (4, "refused", "R8"),
        (5, "not_found", "not_found"),
        (6, "refused", "form"),
        (7, "refused", "form"),
        (8, "refused", "form"),
        (9, "refused", "form"),
        (10, "refused", "form"),
    ]
    assert outcomes[1].state == "enrolled_sv"
    history = (await acting.show_attribution(desk, first))["history"]
    assert [(each["fact"], each["by"]) for each in history] == [("accepted", BY), ("sv_entered", "clinique")]
    assert [each.outcome for each in await fed(desk, *lines[:2])] == ["taken", "taken"]
    assert (await acting.show_attribution(desk, first))["history"] == history


@pytest.mark.long
async def test_a_feed_longer_than_what_is_under_way_loses_no_line(desk: Desk, block: dict[str, Any]) -> None:
    lines = [json.dumps({"attribution_id": each, "fact": "accepted"}) for each in ids(block)] * feed.AT_ONCE
    outcomes = await fed(desk, *lines)
    assert [each.line for each in outcomes] == list(range(1, len(lines) + 1))
    assert {each.outcome for each in outcomes} == {"taken"}


async def test_a_task_is_closed_once_and_by_somebody(
    system: System, desk: Desk, block: dict[str, Any]
) -> None:
    attribution_id = ids(block)[0]
    refusal = {"by": BY, "ground": "discriminatory"}
    await acting.record_fact(desk, attribution_id, "patient_refused", refusal, now=now())
    (task,) = await system.rows("SELECT * FROM tasks WHERE attribution_id = $1", attribution_id)
    async with system.pool.acquire() as conn:
        done = [await acting.finish_task(conn, task["task_id"], by=BY, now=now()) for _ in range(2)]
        assert done == [True, False]
        with pytest.raises(NotFoundError):
            await acting.finish_task(conn, 999_999_999, by=BY, now=now())
    rows = await system.rows(
        "SELECT by FROM records WHERE subject = 'task' AND subject_id = $1", str(task["task_id"])
    )
    assert [row["by"] for row in rows] == [BY]


# --- training -------------------------------------------------------------------------------------------------


async def test_the_clock_of_one_attribution_moves_and_the_others_stay(
    desk: Desk, block: dict[str, Any]
) -> None:
    first, second, _ = ids(block)
    view = await training.advance(desk, first, relativedelta(hours=72))
    assert view["state"] == "unanswered"
    assert (await acting.show_attribution(desk, second))["state"] == "proposed"
    moved, still = [await training.clock(desk, each) for each in (first, second)]
    assert timedelta(hours=71, minutes=55) < moved - still < timedelta(hours=72, minutes=5)


async def test_a_clock_stops_with_its_attribution(desk: Desk, block: dict[str, Any]) -> None:
    attribution_id = ids(block)[0]
    view = await training.advance(desk, attribution_id, relativedelta(months=1))
    assert (view["state"], [each["fact"] for each in view["passed"]]) == (
        "lapsed",
        ["answer_due", "answer_grace_over"],
    )
    with pytest.raises(RefusedByRuleError) as refused:
        await training.advance(desk, attribution_id, relativedelta(hours=1))
    assert refused.value.reason.rule == "A20"


def test_no_clock_moves_outside_a_training() -> None:
    training.check_allowed(training=True)
    with pytest.raises(RefusedByRuleError) as refused:
        training.check_allowed(training=False)
    assert refused.value.reason.rule == "training"


# --- when nobody answers --------------------------------------------------------------------------------------


@pytest.mark.long
async def test_without_a_worker_the_words_say_so(alone: Client) -> None:
    await alone.start_workflow("Block", {}, id=block_workflow_id("2020-0001"), task_queue=TASK_QUEUE)
    patience = timedelta(seconds=1)
    with pytest.raises(ServiceUnreachable) as silent:
        await asking.update(alone, block_workflow_id("2020-0001"), "await_drawn", patience=patience)
    assert silent.value.service == "worker"
    assert "gamf worker" in silent.value.en
    with pytest.raises(ServiceUnreachable):
        await asking.view(alone, block_workflow_id("2020-0001"), patience=patience)


async def test_a_server_that_skips_no_time_refuses_to_move_a_clock(alone: Client, system: System) -> None:
    life = await system.attribute()
    attribution_id = life.start.attribution_id
    # The same attribution, on a server that was not started for a training.
    await alone.start_workflow(
        "Attribution", {}, id=attribution_workflow_id(attribution_id), task_queue=TASK_QUEUE
    )
    with pytest.raises(RefusedByRuleError) as refused:
        await training.fast_forward(Desk(system.pool, alone), attribution_id, now() + timedelta(hours=72))
    assert refused.value.reason.rule == "training"


@pytest.mark.parametrize(
    ("status", "service"),
    [(RPCStatusCode.UNAVAILABLE, "Temporal"), (RPCStatusCode.DEADLINE_EXCEEDED, "worker")],
)
async def test_a_call_that_fails_names_the_service(
    alone: Client, status: RPCStatusCode, service: str
) -> None:
    with pytest.raises(ServiceUnreachable) as silent:
        async with asking.answering(alone):
            raise RPCError("words of the server's", status, b"")
    assert silent.value.service == service
    assert "words of the server's" not in silent.value.fr + silent.value.en


async def test_an_answer_that_nobody_foresaw_is_told_by_its_kind_alone(alone: Client) -> None:
    with pytest.raises(Fault) as fault:
        async with asking.answering(alone):
            raise WorkflowUpdateFailedError(ApplicationError("of a person", type="Unforeseen"))
    assert "Unforeseen" in fault.value.fr
    assert "of a person" not in fault.value.fr + fault.value.en


async def test_whoever_waits_no_longer_is_told_that_it_goes_on_and_the_fact_counts_once(
    system: System,
) -> None:
    life = await system.attribute()
    await life.reaches("proposed")
    reference, sent = life.start.attribution_id, {"by": "coordo"}
    hurried = Desk(system.pool, system.client, timedelta(milliseconds=1))
    with pytest.raises(ServiceUnreachable) as error:
        await acting.record_fact(hurried, reference, "accepted", sent, now=now())
    assert error.value.service == "worker"
    patient = Desk(system.pool, system.client)
    view = await acting.record_fact(patient, reference, "accepted", sent, now=now())
    assert [each["fact"] for each in view["history"] if each.get("by")] == ["accepted"]
