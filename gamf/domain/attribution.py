"""The rules of one attribution, as a table: (state, fact or deadline) -> (new state, what follows).

Nothing here waits, writes or knows the time: whoever calls says what happened and when. `TABLE` is the whole of it; the
functions that it names say when a row applies and what it changes. `take` and `pass_deadlines` are the ways in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from gamf.domain import calendar, consequences, effects
from gamf.domain.consequences import Follow
from gamf.domain.effects import Effect, Owner, TaskKind
from gamf.domain.facts import (
    Accepted,
    AnyFact,
    Cancelled,
    EnrolledElsewhere,
    Fact,
    MfSigned,
    Overtaking,
    PatientLeft,
    PatientRefused,
    PhysicianLeft,
    Refused,
    SvEntered,
    WindowReopened,
)
from gamf.domain.model import Attribution, Entry, Start, Subject, dated
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import WAITS, DeadlineName, State

_MOST_FACTS: Final = 100


class Step(StrEnum):
    """The kind of work that a transition asks for; each is an activity of the same name."""

    PROPOSE = "propose"
    CONFIRM = "confirm_acceptance"
    ENROL_SV = "enrol_sv"
    ENROL_MF = "enrol_mf"
    RETURN_TO_LIST = "return_to_list"
    LEAVE_LIST = "leave_list"
    OPEN_TASK = "open_task"
    REOPEN_WINDOW = "reopen_window"
    NOTE = "note"


class Transition(BaseModel):
    """One change, whole: written once in one transaction under (attribution, number)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Subject
    policy: str
    number: int
    step: Step
    event: str
    at: datetime
    by: str | None
    argument: dict[str, Any]
    rules: tuple[str, ...]
    before: State
    after: State
    deadline: datetime | None
    waiting_for: Owner | None
    ended_on: date | None
    under_way: bool
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Taken:
    """The attribution as it is after an event, and the transition to carry out."""

    attribution: Attribution
    transition: Transition


class RepeatedError(RefusedByRuleError):
    """The very same fact was taken before: nothing to do, and nothing wrong with sending it twice."""

    def __init__(self, fact: str) -> None:
        """Say so in both languages (A20)."""
        super().__init__(
            "A20",
            f"« {fact} » a déjà été pris tel quel ; rien n'a changé.",
            f"“{fact}” was already taken as it is; nothing has changed.",
        )
        self._fact: str = fact

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a copy between processes."""
        return type(self), (self._fact,)


@dataclass(frozen=True)
class Row:
    """One row of the table. `ends` says that the attribution is over; `follow` refuses, or says what changes."""

    to: State
    step: Step
    rules: tuple[str, ...]
    follow: Follow
    ends: bool = True


# --- the table ----------------------------------------------------------------------------------------------------

Event = str
"""The name of a fact or of a deadline."""

_ANYWHERE: Final[Mapping[Event, Row]] = {
    PatientRefused.name: Row(
        State.PATIENT_REFUSED, Step.RETURN_TO_LIST, ("R9", "A7", "A8"), consequences.patient_refuses
    ),
    EnrolledElsewhere.name: Row(
        State.ENROLLED_ELSEWHERE, Step.LEAVE_LIST, ("R10", "A14", "A24"), consequences.enrolled_elsewhere
    ),
    PatientLeft.name: Row(State.PATIENT_LEFT, Step.LEAVE_LIST, ("A15",), consequences.patient_leaves),
}
_HELD: Final[Mapping[Event, Row]] = {
    **_ANYWHERE,
    PhysicianLeft.name: Row(
        State.PHYSICIAN_LEFT, Step.RETURN_TO_LIST, ("A16",), consequences.physician_leaves
    ),
}
_BEFORE_SV: Final[Mapping[Event, Row]] = {
    **_HELD,
    Cancelled.name: Row(State.CANCELLED, Step.RETURN_TO_LIST, ("R5", "A17"), consequences.cancel),
}
_ANSWERABLE: Final[Mapping[Event, Row]] = {
    **_BEFORE_SV,
    Accepted.name: Row(
        State.CONFIRMED, Step.CONFIRM, ("R6", "R7", "A3", "A5"), consequences.accept, ends=False
    ),
    Refused.name: Row(State.REFUSED, Step.RETURN_TO_LIST, ("R6", "A4", "A8"), consequences.refuse),
}
_MF: Final = Row(State.ENROLLED_MF, Step.ENROL_MF, ("R2", "R12", "A12", "A13"), consequences.sign_mf)

TABLE: Final[Mapping[State, Mapping[Event, Row]]] = {
    State.PROPOSED: {
        **_ANSWERABLE,
        DeadlineName.ANSWER_DUE: Row(
            State.UNANSWERED, Step.OPEN_TASK, ("A1", "A2"), consequences.go_unanswered, ends=False
        ),
    },
    State.UNANSWERED: {
        **_ANSWERABLE,
        DeadlineName.ANSWER_GRACE_OVER: Row(State.LAPSED, Step.RETURN_TO_LIST, ("A2",), consequences.lapse),
    },
    State.CONFIRMED: {
        **_BEFORE_SV,
        SvEntered.name: Row(
            State.ENROLLED_SV,
            Step.ENROL_SV,
            ("R2", "R8", "A5", "A9", "R14"),
            consequences.enter_sv,
            ends=False,
        ),
        MfSigned.name: _MF,
        DeadlineName.SV_DUE: Row(
            State.OVERDUE, Step.OPEN_TASK, ("R8", "A6"), consequences.go_overdue, ends=False
        ),
    },
    State.OVERDUE: {
        **_BEFORE_SV,
        WindowReopened.name: Row(
            State.CONFIRMED, Step.REOPEN_WINDOW, ("A6", "R11"), consequences.reopen, ends=False
        ),
        MfSigned.name: _MF,
        DeadlineName.SV_GRACE_OVER: Row(State.LAPSED, Step.RETURN_TO_LIST, ("A6", "A25"), consequences.lapse),
    },
    State.ENROLLED_SV: {
        **_HELD,
        MfSigned.name: _MF,
        DeadlineName.MF_DUE: Row(
            State.EXPIRED, Step.RETURN_TO_LIST, ("R14", "R15", "A10"), consequences.expire, ends=False
        ),
    },
    State.EXPIRED: {
        **_ANYWHERE,
        MfSigned.name: Row(State.ENROLLED_MF, Step.ENROL_MF, ("A11", "R12"), consequences.sign_mf),
        PhysicianLeft.name: Row(
            State.EXPIRED, Step.NOTE, ("A16", "A11"), consequences.note_departure, ends=False
        ),
        DeadlineName.LATE_MF_OVER: Row(State.EXPIRED, Step.NOTE, ("A11",), consequences.close),
    },
}
"""Each waiting state, and for each event that it takes, the new state, the work, the rules and what follows."""

# A fact that a state does not take: the rule behind it, in both languages.
_NOT_TAKEN: Final[Mapping[Event, tuple[str, str, str]]] = {
    Accepted.name: ("R6", "la réponse du médecin est déjà donnée", "the physician's answer is already given"),
    Refused.name: ("R6", "la réponse du médecin est déjà donnée", "the physician's answer is already given"),
    Cancelled.name: ("R5", "on n'annule plus après l'inscription SV", "nothing is cancelled after the SV"),
    WindowReopened.name: (
        "A6",
        "seule une inscription en retard se rouvre",
        "only an overdue SV is reopened",
    ),
    MfSigned.name: ("A13", "l'acceptation doit précéder", "the acceptance comes first"),
}
_SV_NOT_TAKEN: Final[Mapping[State, tuple[str, str, str]]] = {
    State.PROPOSED: ("R8", "l'acceptation doit précéder", "the acceptance comes first"),
    State.UNANSWERED: ("R8", "l'acceptation doit précéder", "the acceptance comes first"),
    State.OVERDUE: (
        "A6",
        "les 14 jours sont passés ; le coordonnateur doit rouvrir une fenêtre",
        "the 14 days are over; the coordinator must reopen a window",
    ),
    State.ENROLLED_SV: ("R8", "le patient est déjà inscrit SV", "the patient is already enrolled SV"),
    State.EXPIRED: ("R15", "le terme est passé", "the term is over"),
}
_LEAVES_ON_LIST: Final = frozenset(
    {
        State.REFUSED,
        State.PATIENT_REFUSED,
        State.CANCELLED,
        State.LAPSED,
        State.PHYSICIAN_LEFT,
        State.EXPIRED,
    }
)
_CLOSED: Final = ("A20", "l'attribution est terminée", "the attribution has ended")


def begin(start: Start) -> Taken:
    """Attribute the patient: the 72 hours start at `attributed_at` (R6, A1, A21)."""
    due = calendar.add_hours(start.attributed_at, start.policy.answer_hours)
    attribution = Attribution(start=start, deadline=due)
    row = Row(State.PROPOSED, Step.PROPOSE, ("R4", "R6", "A1", "A21"), consequences.close, ends=False)
    return Taken(
        attribution, _transition(attribution, attribution, row, "proposed", start.attributed_at, None, ())
    )


def next_due(a: Attribution, now: datetime) -> tuple[DeadlineName | AnyFact, datetime] | None:
    """Return what has come due by that instant and when it did, the earliest first, or None."""
    due = a.next_deadline
    if due is None or due > now:
        return None
    for fact in a.announced:
        if a.effective_at(fact) == due:
            return fact, due
    return WAITS[a.state], due


def pass_deadline(a: Attribution, now: datetime) -> Taken | None:
    """Carry out the earliest deadline that has come due, dated when it was due, or return None."""
    due = next_due(a, now)
    if due is None:
        return None
    event, at = due
    if isinstance(event, Fact):
        return _carry_out_announced(a, event, at)
    return _apply(a, TABLE[a.state][event], event, event, at)


def pass_deadlines(a: Attribution, now: datetime) -> tuple[Attribution, tuple[Transition, ...]]:
    """Carry out every deadline that has come due by that instant, in order."""
    done: list[Transition] = []
    while taken := pass_deadline(a, now):
        a = taken.attribution
        done.append(taken.transition)
    return a, tuple(done)


def take(a: Attribution, fact: AnyFact, now: datetime) -> Taken:
    """Take a fact reported at that instant; deadlines that have come due by then must have been passed.

    Raises:
        RefusedByRuleError: the rules do not take it; the attribution is as it was.
        RepeatedError: it was taken before, to the letter.
    """
    _refuse_repeated(a, fact)
    row = _row(a, fact)
    if isinstance(fact, PhysicianLeft | EnrolledElsewhere | PatientLeft) and dated(fact) > a.local(now):
        return _announce(a, fact, row, now)
    if not row.ends:
        _refuse_without_end(a)
    return _apply(a, row, fact.name, fact, now)


def overtake(a: Attribution, fact: Overtaking, now: datetime) -> Taken:
    """End this attribution: another one of the same patient has made that fact true already (A11, A15, A24).

    It ends at once, even for a fact dated ahead, since the patient is in one place only.

    Raises:
        RefusedByRuleError: it has ended.
    """
    return _apply(a, _row(a, fact), fact.name, fact, now)


def drop_announced(a: Attribution, fact: AnyFact) -> Attribution:
    """Forget an announced fact that could not be carried out; it stays in the history (A20)."""
    return a.model_copy(update={"announced": tuple(other for other in a.announced if other != fact)})


def would_take(a: Attribution, fact: AnyFact, now: datetime) -> None:
    """Raise what `take` would raise at that instant, deadlines that have come due by then included."""
    take(pass_deadlines(a, now)[0], fact, now)


def _refuse_repeated(a: Attribution, fact: AnyFact) -> None:
    argument = fact.argument()
    if any(entry.fact == fact.name and entry.argument == argument for entry in a.history):
        raise RepeatedError(fact.name)


def _refuse_without_end(a: Attribution) -> None:
    # What is remembered travels in the workflow's state, whose size is bounded: only what ends it is taken for ever.
    if len(a.history) >= _MOST_FACTS:
        raise RefusedByRuleError(
            "A20",
            f"Déjà {_MOST_FACTS} faits pour cette attribution : seul un fait qui la termine est pris.",
            f"Already {_MOST_FACTS} facts for this attribution: only a fact that ends it is taken.",
        )


def _row(a: Attribution, fact: AnyFact) -> Row:
    row = None if a.ended else TABLE[a.state].get(fact.name)
    if row is not None:
        return row
    rule, fr, en = _why_not(a, fact)
    raise RefusedByRuleError(
        rule, f"« {fact.name} » n'est pas possible : {fr}.", f"“{fact.name}” is not possible: {en}."
    )


def _why_not(a: Attribution, fact: AnyFact) -> tuple[str, str, str]:
    if a.ended:
        answer_too_late = a.state is State.LAPSED and isinstance(fact, Accepted | Refused)
        return ("A3", *_CLOSED[1:]) if answer_too_late else _CLOSED
    if isinstance(fact, SvEntered):
        return _SV_NOT_TAKEN[a.state]
    return _NOT_TAKEN[fact.name]


def _announce(
    a: Attribution, fact: PhysicianLeft | EnrolledElsewhere | PatientLeft, row: Row, now: datetime
) -> Taken:
    """Keep a fact that takes effect on a day to come: nothing else changes before 00:00 of that day (A14, A16)."""
    if isinstance(fact, PatientLeft) and fact.cause == "deceased":
        consequences.refuse_future(fact.on, a.local(now), "A15", "on")
    _refuse_without_end(a)
    noted = Row(a.state, Step.NOTE, row.rules, consequences.close, ends=False)
    follows = consequences.no_new_block(fact) if isinstance(fact, PhysicianLeft) else ()
    # A new announcement of the same kind corrects the one before it (A20).
    others = tuple(other for other in a.announced if type(other) is not type(fact))
    # Of those of one day, what takes the patient off the list comes before what would put them back.
    announced = tuple(sorted((*others, fact), key=lambda each: isinstance(each, PhysicianLeft)))
    after = _entered(a.model_copy(update={"announced": announced}), fact, a.state, now)
    return Taken(after, _transition(a, after, noted, fact.name, now, fact, follows))


def _carry_out_announced(a: Attribution, fact: AnyFact, at: datetime) -> Taken:
    rest = tuple(other for other in a.announced if other is not fact)
    return _apply(a.model_copy(update={"announced": rest}), TABLE[a.state][fact.name], fact.name, fact, at)


def _apply(a: Attribution, row: Row, event: Event, cause: AnyFact | DeadlineName, at: datetime) -> Taken:
    changes, follows = row.follow(a, cause, at)
    changes = {"state": row.to, **changes}
    if row.ends:
        follows = (*follows, *_still_announced(a, row, cause))
        changes |= {"ended_on": a.local(at), "deadline": None, "announced": ()}
    after = _entered(a.model_copy(update=changes), cause, row.to, at)
    return Taken(after, _transition(a, after, row, event, at, cause, follows))


def _still_announced(a: Attribution, row: Row, cause: AnyFact | DeadlineName) -> tuple[Effect, ...]:
    """Ask for a decision on what is yet to take effect for a patient who is left on the list (A15, A24)."""
    if row.to not in _LEAVES_ON_LIST:
        return ()
    due = [a.effective_at(f) for f in a.announced if f is not cause and not isinstance(f, PhysicianLeft)]
    return (effects.OpenTask(kind=TaskKind.ANNOUNCED_FACT, owner=Owner.GACO, due=min(due)),) if due else ()


def _entered(a: Attribution, cause: AnyFact | DeadlineName, state: State, at: datetime) -> Attribution:
    """Add the event to what is remembered, once: an announced fact was entered when it was reported."""
    number = a.transitions + 1
    policy = a.start.policy.version
    if isinstance(cause, DeadlineName):
        entry = Entry(fact=cause, at=at, policy=policy, state=state)
        return a.model_copy(update={"passed": (*a.passed, entry), "transitions": number})
    entry = Entry(fact=cause.name, at=at, policy=policy, state=state, by=cause.by, argument=cause.argument())
    known = any(e.fact == entry.fact and e.argument == entry.argument for e in a.history)
    where = {"passed": (*a.passed, entry)} if known else {"history": (*a.history, entry)}
    return a.model_copy(update={**where, "transitions": number})


def _transition(  # noqa: PLR0913, PLR0917 - the parts of one record, each of its own kind
    before: Attribution,
    after: Attribution,
    row: Row,
    event: Event,
    at: datetime,
    cause: AnyFact | DeadlineName | None,
    follows: tuple[Effect, ...],
) -> Transition:
    fact = cause if isinstance(cause, Fact) else None
    return Transition(
        subject=after.start.subject,
        policy=after.start.policy.version,
        number=after.transitions,
        step=row.step,
        event=event,
        at=at,
        by=fact.by if fact else None,
        argument=fact.argument() if fact else {},
        rules=row.rules,
        before=before.state,
        after=after.state,
        deadline=after.next_deadline,
        waiting_for=after.waiting_for,
        ended_on=after.ended_on,
        under_way=after.under_way,
        effects=follows,
    )
