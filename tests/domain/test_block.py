"""A list is drawn, approved, answered: which fact is taken when, and how it is read (R6, A4, A21)."""

from typing import Any

import pytest
from pydantic import ValidationError

from gamf.domain.block import ANSWERS, BLOCK_FACTS, TAKEN_IN, BlockRequest, BlockState, check_taken, parse
from gamf.domain.policy import CURRENT
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.domain.states import UNANSWERED

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
