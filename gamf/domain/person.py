"""What may be done about one person now, and what would follow: the rules of the register and conditions asked ahead.

Nothing is decided here: each answer is that of the function which whoever acts is answered by. Facts about somebody
who has an attribution under way are that attribution's, and are foreseen there.
"""

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from gamf.domain.conditions import check_noted
from gamf.domain.facts import PatientLeft
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.register import Whereabouts, check_enrollable, leaves, moves, place_after_move, reinstates
from gamf.domain.roles import UseCase

_SAMPLE: Final = "–"
"""An RLS that is nobody's, and a name: what is asked ahead is of somewhere else, by somebody."""
ON_THE_LIST: Final = frozenset({"waiting", "proposed"})
"""The places of those whom an enrolment outside LE 321 takes off the list at once (A24)."""


class Person(BaseModel):
    """What the rules look at: where somebody is, whether an attribution is under way, the first visit if any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: Whereabouts
    attributed: bool
    visit: date | None = None


class Consequence(StrEnum):
    """Something that follows."""

    NEXT_LETTERS = "next_letters"
    OLD_VALUES_KEPT = "old_values_kept"
    WAITS_THERE = "waits_there"
    OUT_OF_DRAWN_LIST = "out_of_drawn_list"
    ATTRIBUTION_GOES_ON = "attribution_goes_on"
    ENROLMENT_GOES_ON = "enrolment_goes_on"
    BACK_ON_LIST = "back_on_list"
    ENDED_STAYS = "ended_stays"
    LEAVES_FOR_GOOD = "leaves_for_good"
    ENROLMENTS_END = "enrolments_end"
    LETTERS_WITHHELD = "letters_withheld"
    ENROLLED_OUTSIDE = "enrolled_outside"
    CONDITION_KEPT = "condition_kept"
    TERM_UNCHANGED = "term_unchanged"


Consequences = tuple[Consequence, ...]


def prospects(person: Person, today: date) -> dict[UseCase, Consequences]:
    """Return what could be done about somebody today, each with what would follow, for what the rules take."""
    found: dict[UseCase, Consequences] = {}
    for use_case, ask in _ASKED.items():
        try:
            follows = ask(person, today)
        except RefusedByRuleError:
            continue
        if follows:
            found[use_case] = follows
    return found


def _correct(_person: Person, _today: date) -> Consequences:
    return Consequence.NEXT_LETTERS, Consequence.OLD_VALUES_KEPT


def _move(person: Person, today: date) -> Consequences:
    moves(person.where, _SAMPLE, today, today, known=True)
    place = place_after_move(person.where.place)
    if place == "waiting":
        return (Consequence.WAITS_THERE, *_out_of_drawn_list(person))
    return (Consequence.ATTRIBUTION_GOES_ON if place == "attributed" else Consequence.ENROLMENT_GOES_ON,)


def _out_of_drawn_list(person: Person) -> Consequences:
    return (Consequence.OUT_OF_DRAWN_LIST,) if person.where.place == "proposed" else ()


def _reinstate(person: Person, _today: date) -> Consequences:
    reinstates(person.where.place, repeated=False)
    return Consequence.BACK_ON_LIST, Consequence.ENDED_STAYS


def _leave(person: Person, today: date) -> Consequences:
    fact = PatientLeft(by=_SAMPLE, on=today, cause="left_quebec")
    if person.attributed or not leaves(person.where, fact, today):
        return ()
    enrolled = (Consequence.ENROLMENTS_END,) if person.where.place == "enrolled" else ()
    return (
        Consequence.LEAVES_FOR_GOOD,
        *_out_of_drawn_list(person),
        *enrolled,
        Consequence.LETTERS_WITHHELD,
    )


def _enrol_outside(person: Person, _today: date) -> Consequences:
    check_enrollable(person.where.place)
    if person.attributed or person.where.place not in ON_THE_LIST:
        return ()
    return (Consequence.ENROLLED_OUTSIDE, *_out_of_drawn_list(person))


def _record_condition(person: Person, today: date) -> Consequences:
    # Of the last day on which one may be: whoever has left may have had a condition before.
    on = min(today, person.where.left_on) if person.where.left_on else today
    check_noted(on, person.visit, today, person.where.left_on)
    return Consequence.CONDITION_KEPT, Consequence.TERM_UNCHANGED


_ASKED: Final[Mapping[UseCase, Callable[[Person, date], Consequences]]] = {
    UseCase.REGISTER_CORRECT: _correct,
    UseCase.REGISTER_MOVE: _move,
    UseCase.REGISTER_REINSTATE: _reinstate,
    UseCase.PATIENT_LEFT: _leave,
    UseCase.ENROLLED_ELSEWHERE: _enrol_outside,
    UseCase.CONDITION_RECORD: _record_condition,
}
