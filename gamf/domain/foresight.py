"""What could be reported now, what would follow, and what comes by itself: the rules asked ahead, for who decides.

Nothing is decided here: each answer is that of `take` and of the deadlines, on an attribution that stays as it is.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from gamf.domain import facts
from gamf.domain.attribution import TABLE, Transition, next_due, pass_deadline, pass_deadlines, take
from gamf.domain.facts import AnyFact, EnrolledElsewhere, MfSigned, PatientLeft, PhysicianLeft
from gamf.domain.model import Attribution, Entry, Start, dated
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import State

_TEXT: Final = "–"
_LICENCE: Final = "00000"
_MOST: Final = 10


class Ahead(NamedTuple):
    """Something that comes by itself unless somebody acts before: a deadline, or an announced fact on its day."""

    event: str
    at: datetime
    to: State


def recall(start: Start, view: Mapping[str, Any], now: datetime) -> Attribution:
    """Return the attribution as the rules know it, from what its view shows.

    What was announced for a day to come is found in the history; the latest of a kind is the one that holds (A20).
    """
    window = view.get("sv_window") or (None, None)
    known = {name: view.get(name) for name in ("confirmed_on", "term", "adopted_on")}
    a = Attribution.model_validate(
        {
            **known,
            "start": start,
            "state": view["state"],
            "deadline": view["deadline"],
            "ended_on": view["ended_on"],
            "window_opens_on": window[0],
            "sv_last_day": window[1],
            "sv": view["sv"],
            "mf": view["mf"],
            "history": tuple(_entry(each) for each in view["history"]),
            "transitions": len(view["history"]) + len(view["passed"]),
        }
    )
    return a if a.ended else a.model_copy(update={"announced": _announced(a, now)})


def _entry(entry: Mapping[str, Any]) -> Entry:
    return Entry.model_validate({name: entry[name] for name in Entry.model_fields if name in entry})


def _announced(a: Attribution, now: datetime) -> tuple[PhysicianLeft | EnrolledElsewhere | PatientLeft, ...]:
    latest: dict[str, PhysicianLeft | EnrolledElsewhere | PatientLeft] = {}
    for entry in a.history:
        fact = facts.parse(entry.fact, entry.argument)
        if isinstance(fact, PhysicianLeft | EnrolledElsewhere | PatientLeft):
            latest[fact.name] = fact
    return tuple(fact for fact in latest.values() if dated(fact) > a.local(now))


def prospects(a: Attribution, now: datetime, by: str) -> dict[str, Transition]:
    """Return what each fact would bring if it were reported now, for those that the rules take."""
    found: dict[str, Transition] = {}
    current, _ = pass_deadlines(a, now)
    for name in facts.FACTS:
        if current.ended or name not in TABLE[current.state]:
            continue
        try:
            found[name] = take(current, _sample(name, current, now, by), now).transition
        except RefusedByRuleError:
            continue
    return found


def _sample(name: str, a: Attribution, now: datetime, by: str) -> AnyFact:
    """Return the fact as it would most likely be reported: of today, on the RLS's clock."""
    today = a.local(now)
    signed = min(today, a.term) if a.state is State.EXPIRED and a.term else today
    given: dict[str, object] = {
        "reason": _TEXT,
        "ground": _TEXT,
        "basis": _TEXT,
        "physician": _LICENCE,
        "opens_on": today,
        "signed_on": signed,
        "effective_on": signed if name == MfSigned.name else today,
        "cause": "left_quebec" if name == PatientLeft.name else "retired",
        "on": today,
    }
    model = facts.FACTS[name]
    wanted = {field: _json(value) for field, value in given.items() if field in model.model_fields}
    return facts.parse(name, {"by": by, **wanted})


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def ahead(a: Attribution, now: datetime) -> tuple[Ahead, ...]:
    """Return what comes by itself from now on, in order, if nobody does anything: to the end of the attribution."""
    current, _ = pass_deadlines(a, now)
    return tuple(_ahead(current))


def _ahead(a: Attribution) -> Iterator[Ahead]:
    for _ in range(_MOST):
        due = a.next_deadline
        event = next_due(a, due) if due else None
        passed = pass_deadline(a, due) if due else None
        if event is None or passed is None:
            return
        yield Ahead(passed.transition.event, event[1], passed.attribution.state)
        a = passed.attribution
