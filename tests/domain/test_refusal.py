"""A refusal is data: a rule, both languages, a field; and it survives a copy between processes."""

import ast
import pickle
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from gamf.domain import refusal, words
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


def test_no_rule_names_a_command_or_writes_a_date_for_machines() -> None:
    said = list(texts())
    assert len(said) > 100
    assert [each for each in said if re.search(r"\bgamf [a-z]", each)] == []
    assert [each for each in said if re.search(r"\d{4}-\d{2}-\d{2}|\b[a-z_]+=[a-z]", each)] == []


def texts() -> Iterator[str]:
    """Return the words of the refusals that are written in the domain, in both languages."""
    for path in Path(refusal.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RefusedByRuleError":
                yield from (ast.unparse(each) for each in node.args)


@pytest.mark.parametrize(
    ("day", "fr", "en"),
    [
        (date(2026, 5, 1), "1er mai 2026", "May 1, 2026"),
        (date(2028, 2, 29), "29 février 2028", "February 29, 2028"),
    ],
)
def test_a_day_is_as_quebec_writes_it(day: date, fr: str, en: str) -> None:
    assert (words.fr(day), words.en(day)) == (fr, en)
