"""A list is drawn, approved, answered: which fact is taken when, and how it is read (R6, A4, A21)."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from gamf.domain.block import (
    ANSWERS,
    BLOCK_FACTS,
    TAKEN_IN,
    BlockRequest,
    BlockState,
    approval_due,
    check_answered_at,
    check_taken,
    not_approved,
    parse,
)
from gamf.domain.policy import CURRENT, Policy
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.domain.states import UNANSWERED
from tests.domain.lives import BLANC_SABLON, HALIFAX, SECOND, TORONTO, instant

WHOLE: dict[str, dict[str, Any]] = {
    "approved": {"by": "coordination"},
    "withdrawn": {"by": "coordination", "reason": "erreur"},
    "list_accepted": {"by": "coordination", "at": "2026-06-02T10:00:00-04:00"},
    "list_refused": {"by": "coordination", "reason": "retraite", "at": "2026-06-02T10:00:00-04:00"},
}
REQUEST = {
    "block_id": "2026-0007",
    "physician": "12345",
    "rls": "1234",
    "size": 20,
    "requested_by": "coordination",
    "policy": CURRENT.model_dump(),
}
SECRET = "Lucie Tremblay"


def why_not(name: str, argument: object) -> Reason:
    with pytest.raises(RefusedByRuleError) as refused:
        parse(name, argument)
    assert SECRET not in str(refused.value)
    return refused.value.reason


@pytest.mark.parametrize("name", BLOCK_FACTS)
def test_a_whole_fact_is_read_and_written_back(name: str) -> None:
    assert parse(name, WHOLE[name]).argument() == WHOLE[name]


@pytest.mark.parametrize("name", BLOCK_FACTS)
@pytest.mark.parametrize("state", BlockState)
def test_a21_each_fact_is_taken_in_one_state_only(name: str, state: BlockState) -> None:
    fact = parse(name, WHOLE[name])
    if state is TAKEN_IN[name]:
        check_taken(state, fact)
        return
    with pytest.raises(RefusedByRuleError) as refused:
        check_taken(state, fact)
    assert refused.value.reason.rule == ("A21" if name in {"approved", "withdrawn"} else "R6")
    assert refused.value.reason.fr != refused.value.reason.en


def test_a21_nobody_answers_a_list_that_is_not_approved() -> None:
    assert TAKEN_IN["approved"] is BlockState.DRAWN
    assert TAKEN_IN["list_accepted"] is TAKEN_IN["list_refused"] is BlockState.ATTRIBUTED


@pytest.mark.parametrize(
    ("drawn", "due", "zone"),
    [
        ("2026-06-01 00:00", "2026-06-09 00:00", TORONTO),  # a Monday: the Monday after, 24:00
        ("2026-06-01 23:59:59", "2026-06-09 00:00", TORONTO),
        ("2026-06-05 15:00", "2026-06-13 00:00", TORONTO),  # a Friday
        ("2026-06-06 15:00", "2026-06-13 00:00", TORONTO),  # a Saturday
        ("2026-06-22 10:00", "2026-07-01 00:00", TORONTO),  # over 24 June
        ("2026-06-23 10:00", "2026-07-03 00:00", TORONTO),  # over 24 June and 1 July
        ("2026-03-31 10:00", "2026-04-10 00:00", TORONTO),  # over Good Friday and Easter Monday
        ("2026-12-22 10:00", "2027-01-05 00:00", TORONTO),  # over the holidays at the end of the year
        ("2028-02-25 10:00", "2028-03-04 00:00", TORONTO),  # over 29 February
        ("2026-03-05 10:00", "2026-03-13 00:00", TORONTO),  # a day of 23 hours on the way
        ("2026-10-29 10:00", "2026-11-06 00:00", TORONTO),  # a day of 25 hours on the way
        ("2026-03-05 10:00", "2026-03-13 00:00", HALIFAX),
        ("2026-10-29 10:00", "2026-11-06 00:00", HALIFAX),
        ("2026-03-05 10:00", "2026-03-13 00:00", BLANC_SABLON),
    ],
)
def test_a21_a_list_is_approved_by_the_end_of_the_fifth_working_day(drawn: str, due: str, zone: str) -> None:
    deadline = approval_due(instant(drawn, zone), zone, CURRENT)
    approved = parse("approved", WHOLE["approved"])
    assert deadline == instant(due, zone)
    check_taken(BlockState.DRAWN, approved, deadline - SECOND, deadline)
    for late in (deadline, deadline + SECOND):
        with pytest.raises(RefusedByRuleError, match="A21"):
            check_taken(BlockState.DRAWN, approved, late, deadline)


def test_a21_a23_the_day_of_the_draw_is_that_of_the_rls_s_clock() -> None:
    late_evening = instant("2026-06-01 23:30", TORONTO)
    assert approval_due(late_evening, TORONTO, CURRENT) == instant("2026-06-09 00:00", TORONTO)
    assert approval_due(late_evening, HALIFAX, CURRENT) == instant("2026-06-10 00:00", HALIFAX)


def test_a21_how_long_a_list_may_wait_is_a_reading() -> None:
    policy = Policy(version="essai", approval_working_days=1)
    assert approval_due(instant("2026-06-05 10:00"), TORONTO, policy) == instant("2026-06-09 00:00")
    assert "en 1 jours" in not_approved(policy).reason


@pytest.mark.parametrize("name", ["list_accepted", "list_refused"])
def test_r6_an_answer_to_the_list_lies_between_its_attribution_and_now(name: str) -> None:
    attributed, now = instant("2026-06-01 09:00"), instant("2026-06-02 09:00")
    for at in (attributed, now, now + timedelta(seconds=30)):
        check_answered_at(parse(name, WHOLE[name] | {"at": at.isoformat()}), attributed, now)
    for at in (attributed - SECOND, now + timedelta(seconds=31)):
        with pytest.raises(RefusedByRuleError) as refused:
            check_answered_at(parse(name, WHOLE[name] | {"at": at.isoformat()}), attributed, now)
        assert (refused.value.reason.rule, refused.value.reason.field) == ("R6", "at")


def test_a4_a_list_is_refused_with_a_reason() -> None:
    assert why_not("list_refused", {"by": "coordination"}).field == "reason"


def test_r6_an_answer_to_the_list_reaches_whoever_has_none() -> None:
    assert ANSWERS == UNANSWERED


@pytest.mark.parametrize("argument", [None, [], "x", {"by": ""}, {"by": "x", SECRET: 1}, {"by": 12}, {}])
def test_a_faulty_form_is_refused_and_never_repeated(argument: object) -> None:
    assert why_not("approved", argument).rule == "form"


def test_an_unknown_fact_is_refused_with_the_list_of_those_there_are() -> None:
    assert all(name in why_not(SECRET, {"by": "x"}).fr for name in BLOCK_FACTS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("block_id", "7"),
        ("physician", "123"),
        ("rls", ""),
        ("size", "many"),
        ("requested_by", " "),
        ("nom", "x"),
    ],
)
def test_a_faulty_request_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError):
        BlockRequest.model_validate(REQUEST | {field: value})
