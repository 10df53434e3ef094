"""What may be done about somebody now, and what would follow: the rules of the register asked ahead."""

from datetime import date, timedelta

import pytest

from gamf.domain.person import Consequence, Person, prospects
from gamf.domain.register import Whereabouts
from gamf.domain.roles import UseCase

TODAY = date(2026, 6, 1)
LEFT = Whereabouts(place="left", rls="0101", left_on=TODAY - timedelta(days=9), left_cause="deceased")


def somebody(place: str, *, attributed: bool = False, visit: date | None = None) -> Person:
    return Person(where=Whereabouts(place=place, rls="0101"), attributed=attributed, visit=visit)


@pytest.mark.parametrize(
    ("person", "acts"),
    [
        (somebody("waiting"), {"register_move", "patient_left", "enrolled_elsewhere"}),
        (somebody("proposed"), {"register_move", "patient_left", "enrolled_elsewhere"}),
        (somebody("attributed", attributed=True), {"register_move"}),
        (somebody("enrolled"), {"register_move", "patient_left"}),
        (somebody("enrolled", visit=TODAY), {"register_move", "patient_left", "condition_record"}),
        (Person(where=LEFT, attributed=False), {"register_reinstate"}),
        (Person(where=LEFT, attributed=False, visit=TODAY), {"register_reinstate"}),
        (
            Person(where=LEFT, attributed=False, visit=LEFT.left_on),
            {"register_reinstate", "condition_record"},
        ),
    ],
)
def test_a15_a24_r13_what_may_be_done_is_what_the_rules_take(person: Person, acts: set[str]) -> None:
    assert set(prospects(person, TODAY)) == {UseCase.REGISTER_CORRECT, *map(UseCase, acts)}


def test_a18_a_move_says_where_somebody_waits_and_what_goes_on() -> None:
    assert prospects(somebody("waiting"), TODAY)[UseCase.REGISTER_MOVE] == (Consequence.WAITS_THERE,)
    assert prospects(somebody("proposed"), TODAY)[UseCase.REGISTER_MOVE] == (
        Consequence.WAITS_THERE,
        Consequence.OUT_OF_DRAWN_LIST,
    )
    attributed = prospects(somebody("attributed", attributed=True), TODAY)
    assert attributed[UseCase.REGISTER_MOVE] == (Consequence.ATTRIBUTION_GOES_ON,)
    assert prospects(somebody("enrolled"), TODAY)[UseCase.REGISTER_MOVE] == (Consequence.ENROLMENT_GOES_ON,)


def test_a15_a_departure_says_what_it_ends_and_its_undoing_what_stays_ended() -> None:
    enrolled = prospects(somebody("enrolled"), TODAY)[UseCase.PATIENT_LEFT]
    assert enrolled == (
        Consequence.LEAVES_FOR_GOOD,
        Consequence.ENROLMENTS_END,
        Consequence.LETTERS_WITHHELD,
    )
    undone = prospects(Person(where=LEFT, attributed=False), TODAY)[UseCase.REGISTER_REINSTATE]
    assert undone == (Consequence.BACK_ON_LIST, Consequence.ENDED_STAYS)
