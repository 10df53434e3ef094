"""A refusal is data: a rule, both languages, a field; and it survives a copy between processes."""

import pickle

import pytest
from pydantic import ValidationError

from gamf.domain.attribution import RepeatedError
from gamf.domain.refusal import Reason, RefusedByRuleError


def test_both_languages_are_shown_to_whoever_has_no_client() -> None:
    error = RefusedByRuleError("A5", "Trop tôt.", "Too early.", "on")
    assert str(error) == "[A5] Trop tôt. / Too early."
    assert error.reason == Reason(rule="A5", fr="Trop tôt.", en="Too early.", field="on")


def test_a_refusal_survives_a_copy() -> None:
    error = RefusedByRuleError("A5", "Trop tôt.", "Too early.", "on")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is RefusedByRuleError
    assert again.reason == error.reason


def test_a_repeated_fact_survives_a_copy() -> None:
    again = pickle.loads(pickle.dumps(RepeatedError("accepted")))  # noqa: S301 - our own bytes
    assert isinstance(again, RefusedByRuleError)
    assert again.reason == RepeatedError("accepted").reason
    assert again.reason.rule == "A20"


def test_a_reason_survives_its_json_and_cannot_be_changed() -> None:
    reason = Reason(rule="R6", fr="Non.", en="No.")
    assert Reason.model_validate_json(reason.model_dump_json()) == reason
    assert reason.field is None
    with pytest.raises(ValidationError):
        Reason.model_validate(reason.model_dump() | {"patient": "x"})
