"""The policy: a reading for each A rule, nothing else, the same after a journey as JSON."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from gamf.domain.policy import CURRENT, Policy

A_RULES = [f"A{number}" for number in range(1, 26)]
DEFAULTS = {
    "answer_hours": 72,
    "answer_grace_working_days": 2,
    "sv_days": 14,
    "window_days": 14,
    "sv_grace_working_days": 5,
    "mf_months_vulnerable": 12,
    "mf_months": 36,
    "late_mf_days": 90,
    "mf_reception_days": 90,
    "representative_under_years": 14,
    "list_order": ("priority", "registered_on", "number"),
}


@pytest.mark.parametrize("rule", A_RULES)
def test_each_reading_has_a_field_that_names_its_rule(rule: str) -> None:
    described = {name: field.description or "" for name, field in Policy.model_fields.items()}
    assert [name for name, words in described.items() if rule in re.findall(r"A[0-9]+", words)]


def test_every_field_but_the_version_names_a_rule() -> None:
    for name, field in Policy.model_fields.items():
        assert name == "version" or re.match(r"[AR][0-9]+", field.description or "")


@pytest.mark.parametrize(("field", "value"), DEFAULTS.items())
def test_the_defaults_are_those_of_the_rules(field: str, value: object) -> None:
    assert getattr(CURRENT, field) == value


def test_a_policy_survives_its_json() -> None:
    changed = Policy(version="2027-01-01", answer_hours=96, grounds_for_gaco=("discriminatory", "other"))
    for policy in (CURRENT, changed):
        assert Policy.model_validate_json(policy.model_dump_json()) == policy


@pytest.mark.parametrize(
    "changes",
    [
        {"answer_hours": 0},
        {"answer_hours": -72},
        {"answer_hours": 24 * 365 + 1},
        {"answer_hours": "72"},
        {"answer_hours": 72.5},
        {"answer_hours": float("nan")},
        {"sv_days": 0},
        {"sv_days": 3661},
        {"mf_months": 121},
        {"mf_months": True},
        {"version": ""},
        {"version": "x" * 41},
        {"refusal_needs_reason": False},
        {"vulnerability": "at_the_visit"},
        {"sv_not_before_mf": "closed"},
        {"elsewhere_returns_to_list": True},
        {"leaving_is_for_good": False},
        {"departure_closes_sv": "same_day"},
        {"replacement_priority": "any"},
        {"list_order": ["registered_on", "priority", "number"]},
        {"representative_under_years": 18},
        {"corrections": "edit"},
        {"draw_needs_approval": False},
        {"draw_seats": "highest_averages"},
        {"draw_ages_from": [0, 18]},
        {"draw_ages_on": "approval"},
        {"draw_default_profile": "population"},
        {"draw_inside_group": "chance"},
        {"draw_short_group": "left_empty"},
        {"english_needs_attestation": False},
        {"time_zone": "UTC"},
        {"outside_enrolment_ends": "cancelled"},
        {"unheard_of": 1},
    ],
)
def test_a_reading_that_this_version_does_not_have_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate(CURRENT.model_dump() | changes)
    with pytest.raises(ValidationError):
        Policy(**changes)


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(CURRENT, "sv_days", 30)  # noqa: B010 - a plain assignment is refused by the type checkers too
