"""What an attribution may be started with: opaque identifiers, a zone that exists, a date within reach."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gamf.domain.attribution import begin
from gamf.domain.model import Start, Subject
from tests.domain.lives import start


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attribution_id", "42"),
        ("attribution_id", "2026-00004"),
        ("block_id", "2026-7"),
        ("patient_id", ""),
        ("patient_id", "TREM04121925"),
        ("patient_id", "TREM 0412 1925"),
        ("patient_id", "fica85570418"),
        ("patient_id", "FICB311231A9"),
        ("patient_id", "x" * 65),
        ("physician", "1234"),
        ("physician", "1123456"),
        ("rls", ""),
        ("time_zone", "America/Quebec_City"),
        ("time_zone", "../etc/passwd"),
        ("time_zone", ""),
        ("priority", "F"),
        ("priority", "a"),
        ("attributed_at", "2026-06-01T09:00:00"),
        ("attributed_at", "2200-01-01T00:00:00Z"),
        ("attributed_at", "9999-12-31T23:59:59-05:00"),
        ("attributed_at", "0001-01-01T00:00:00+14:00"),
        ("nom", "x"),
    ],
)
def test_a_faulty_start_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Start.model_validate(start().model_dump() | {field: value})


@given(st.uuids())
def test_an_identifier_drawn_by_the_database_is_never_taken_for_a_nam(drawn: UUID) -> None:
    assert start(patient_id=str(drawn)).patient_id == str(drawn)


def test_an_identifier_may_begin_as_a_nam_does() -> None:
    drawn = "abcd1234-5678-4abc-8def-0123456789ab"
    assert start(patient_id=drawn).patient_id == drawn


@pytest.mark.parametrize("zone", ["America/Toronto", "America/Halifax", "America/Blanc-Sablon"])
def test_a23_the_three_zones_of_quebec_are_known(zone: str) -> None:
    assert start(time_zone=zone).time_zone == zone


def test_a_start_survives_its_json() -> None:
    made = start()
    assert Start.model_validate_json(made.model_dump_json()) == made


def test_the_subject_is_the_start_without_its_policy() -> None:
    made = start()
    subject: dict[str, Any] = made.subject.model_dump()
    assert type(made.subject) is Subject
    assert subject == {name: value for name, value in made.model_dump().items() if name != "policy"}


def test_the_first_transition_is_number_0_and_is_the_same_each_time() -> None:
    assert begin(start()) == begin(start())
    assert begin(start()).transition.number == 0
