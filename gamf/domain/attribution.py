"""The rules of one attribution, as a table: (state, fact or deadline) -> (new state, what follows).

Nothing here waits, writes or knows the time: whoever calls says what happened and when. `TABLE` is the whole of it; the
functions that it names say when a row applies and what it changes. `take` and `pass_deadlines` are the ways in.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

from gamf.domain import calendar, effects
from gamf.domain.correspondence import Standing
from gamf.domain.effects import Effect, Owner, TaskKind
from gamf.domain.facts import (
    Accepted,
    AnyFact,
    Cancelled,
    EnrolledElsewhere,
    Fact,
    Instant,
    Licence,
    MfSigned,
    Overtaking,
    PatientLeft,
    PatientRefused,
    PhysicianLeft,
    Refused,
    SvEntered,
    WindowReopened,
)
from gamf.domain.policy import Policy
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import ACTS, UNANSWERED, UNDER_WAY, WAITS, DeadlineName, State


def _known_zone(name: str) -> str:
    try:
        calendar.zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("unknown time zone") from None
    return name


IN_FORCE: Final = date(2026, 2, 1)
"""The first day on which an attribution is under LE 321 as modified (R1)."""
_MOST_FACTS: Final = 100
_CLOCKS_DIFFER: Final = timedelta(seconds=30)


def _opaque(patient_id: str) -> str:
    # The identifier travels where a NAM may not: history, logs of other people's tools. Only a whole NAM is one:
    # a random identifier may well begin with four letters and four digits.
    if re.fullmatch(r"[A-Za-z]{4} ?[0-9]{4} ?[0-9]{2}[0-9A-Za-z][0-9]", patient_id.strip()):
        raise ValueError("looks like a NAM")
    return patient_id


class Subject(BaseModel):
    """Who is attributed to whom, and since when: opaque identifiers only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribution_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{6,}$")]
    block_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{4,}$")] | None = None
    patient_id: Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_opaque)]
    physician: Licence
    rls: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    time_zone: Annotated[str, AfterValidator(_known_zone)]
    priority: Annotated[str, StringConstraints(pattern=r"^[A-E]$")]
    vulnerable: bool
    attributed_at: Instant

    @model_validator(mode="after")
    def _in_force(self) -> Self:
        if calendar.local_date(self.attributed_at, self.time_zone) < IN_FORCE:
            raise ValueError("R1: attributed before 2026-02-01")
        return self


class Start(Subject):
    """The argument of the workflow `Attribution` (contract.md): the subject, and the policy that applies to it."""

    policy: Policy

    @property
    def subject(self) -> Subject:
        """Return the subject without the policy."""
        return Subject.model_construct(**{name: getattr(self, name) for name in Subject.model_fields})


class Enrolment(BaseModel):
    """An enrolment of ours; days are local, the end is the last day included, and None while it runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: date
    end: date | None = None
    voided: bool = False


class Entry(BaseModel):
    """A fact that was taken or a deadline that passed: when, under which policy, and the state it led to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fact: str
    at: datetime
    policy: str
    state: State
    by: str | None = None
    argument: dict[str, Any] = {}


class Attribution(BaseModel):
    """All that the rules need to know of one attribution, and all that its workflow carries on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Start
    state: State = State.PROPOSED
    deadline: datetime | None
    ended_on: date | None = None
    confirmed_on: date | None = None
    window_opens_on: date | None = None
    sv_last_day: date | None = None
    term: date | None = None
    sv: Enrolment | None = None
    mf: Enrolment | None = None
    departed_on: date | None = None
    announced: tuple[PhysicianLeft | EnrolledElsewhere | PatientLeft, ...] = ()
    history: tuple[Entry, ...] = ()
    passed: tuple[Entry, ...] = ()
    transitions: int = 0

    @property
    def ended(self) -> bool:
        """Tell whether nothing can happen any more."""
        return self.ended_on is not None

    @property
    def under_way(self) -> bool:
        """Tell whether the patient is held by this attribution, and so is not on the list."""
        return not self.ended and self.state in UNDER_WAY

    @property
    def waiting_for(self) -> Owner | None:
        """Return who is expected to act, or None when it has ended."""
        return None if self.ended else ACTS[self.state]

    @property
    def next_deadline(self) -> datetime | None:
        """Return the next instant at which something happens by itself, in UTC."""
        dates = [self.effective_at(fact) for fact in self.announced]
        return min([*dates, self.deadline]) if self.deadline else None

    def local(self, instant: datetime) -> date:
        """Return the date of that instant on the RLS's clock (A23)."""
        return calendar.local_date(instant, self.start.time_zone)

    def effective_at(self, fact: PhysicianLeft | EnrolledElsewhere | PatientLeft) -> datetime:
        """Return 00:00 of the local day on which that fact takes effect (A14, A16)."""
        return calendar.start_of_day(_dated(fact), self.start.time_zone)


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


Change = tuple[dict[str, Any], tuple[Effect, ...]]
"""The fields of the attribution that change, and what follows."""
Follow = Callable[[Attribution, Any, datetime], Change]


@dataclass(frozen=True)
class Row:
    """One row of the table. `ends` says that the attribution is over; `follow` refuses, or says what changes."""

    to: State
    step: Step
    rules: tuple[str, ...]
    follow: Follow
    ends: bool = True


# --- what follows -------------------------------------------------------------------------------------------------


def _accept(a: Attribution, fact: Accepted, now: datetime) -> Change:
    if a.state is State.UNANSWERED and not a.start.policy.answer_in_grace:
        raise RefusedByRuleError("A3", "Le délai de 72 heures est passé.", "The 72 hours are over.", "at")
    day = a.local(_reported_at(a, fact.at, now))
    last_day = day + timedelta(days=a.start.policy.sv_days)
    change = {
        "confirmed_on": day,
        "window_opens_on": day,
        "sv_last_day": last_day,
        "deadline": calendar.end_of_day(last_day, a.start.time_zone),
    }
    return change, (effects.CloseTasks(), effects.SendAttributionLetter())


def _refuse(a: Attribution, fact: Refused, now: datetime) -> Change:
    _reported_at(a, fact.at, now)
    return {}, (effects.CloseTasks(), effects.ReturnToList(), *_not_offered_again(a))


def _cancel(a: Attribution, fact: Cancelled, now: datetime) -> Change:
    _reported_at(a, fact.at, now)
    return {}, (effects.CloseTasks(), effects.ReturnToList(), *_tell(a, Standing.CANCELLED))


def _enter_sv(a: Attribution, fact: SvEntered, now: datetime) -> Change:
    today = a.local(now)
    day = fact.on or today
    _not_in_future(day, today, "R8", "on")
    assert a.window_opens_on is not None  # noqa: S101 - a confirmed attribution has a window
    assert a.confirmed_on is not None  # noqa: S101 - the same
    first_day = max(a.window_opens_on, a.confirmed_on)
    if day < first_day:
        raise RefusedByRuleError(
            "A5",
            f"La date de début ne peut précéder le {first_day}, premier jour de la fenêtre.",
            f"The start date cannot be before {first_day}, the first day of the window.",
            "on",
        )
    months = a.start.policy.mf_months_vulnerable if a.start.vulnerable else a.start.policy.mf_months
    term = calendar.add_months(day, months)
    change = {
        "sv": Enrolment(start=day),
        "term": term,
        "deadline": calendar.end_of_day(term, a.start.time_zone),
    }
    return change, (effects.WriteSv(start=day),)


def _reopen(a: Attribution, fact: WindowReopened, now: datetime) -> Change:
    today, policy = a.local(now), a.start.policy
    last_day = fact.opens_on + timedelta(days=policy.window_days)
    latest = today + timedelta(days=policy.window_opens_within_days)
    if last_day < today or fact.opens_on > latest:
        raise RefusedByRuleError(
            "A6",
            f"La fenêtre de {policy.window_days} jours doit s'ouvrir au plus tard le {latest} et n'être pas finie.",
            f"The window of {policy.window_days} days must open by {latest} and not be over already.",
            "opens_on",
        )
    change = {
        "window_opens_on": fact.opens_on,
        "sv_last_day": last_day,
        "deadline": calendar.end_of_day(last_day, a.start.time_zone),
    }
    return change, (effects.CloseTasks(),)


def _patient_refuses(a: Attribution, fact: PatientRefused, now: datetime) -> Change:
    today = a.local(now)
    day = fact.on or today
    _not_in_future(day, today, "A7", "on")
    if day < a.local(a.start.attributed_at):
        raise RefusedByRuleError(
            "A7",
            "Le refus ne peut précéder l'attribution.",
            "The refusal cannot be before the attribution.",
            "on",
        )
    change, undone = _void_sv(a)
    gaco = fact.ground in a.start.policy.grounds_for_gaco
    task = (effects.OpenTask(kind=TaskKind.DISCRIMINATORY_GROUND, owner=Owner.GACO),) if gaco else ()
    told = _tell(a, Standing.PATIENT_REFUSED)
    return change, (effects.CloseTasks(), *undone, *_return_to_list(a), *_not_offered_again(a), *told, *task)


def _sign_mf(a: Attribution, fact: MfSigned, now: datetime) -> Change:
    if a.sv is None and not a.start.policy.mf_without_sv:
        raise RefusedByRuleError("A13", "L'inscription SV doit précéder.", "The SV comes first.", None)
    _check_signature(a, fact, a.local(now))
    change, undone = _end_sv(a, fact.starts_on - timedelta(days=1))
    written = effects.WriteMf(start=fact.starts_on)
    return {**change, "mf": Enrolment(start=fact.starts_on)}, (effects.CloseTasks(), *undone, written)


def _check_signature(a: Attribution, fact: MfSigned, today: date) -> None:
    _not_in_future(fact.signed_on, today, "R2", "signed_on")
    reception = timedelta(days=a.start.policy.mf_reception_days)
    if today - fact.signed_on > reception:
        raise RefusedByRuleError(
            "A11",
            f"Le formulaire 4096 est reçu plus de {reception.days} jours après sa signature.",
            f"Form 4096 was received more than {reception.days} days after its signature.",
            "signed_on",
        )
    if fact.signed_on < a.local(a.start.attributed_at):
        raise RefusedByRuleError(
            "A24",
            "Signé avant l'attribution : déclarez une inscription hors LE 321 (gamf register enrolled).",
            "Signed before the attribution: report an enrolment outside LE 321 (gamf register enrolled).",
            "signed_on",
        )
    if a.state is State.EXPIRED and a.term is not None and fact.signed_on > a.term:
        raise RefusedByRuleError(
            "A24",
            f"Signé après le terme ({a.term}) : déclarez une inscription hors LE 321 (gamf register enrolled).",
            f"Signed after the term ({a.term}): report an enrolment outside LE 321 (gamf register enrolled).",
            "signed_on",
        )
    if a.departed_on is not None and fact.signed_on >= a.departed_on:
        raise RefusedByRuleError(
            "A16",
            f"Le médecin est parti le {a.departed_on}.",
            f"The physician left on {a.departed_on}.",
            "signed_on",
        )
    if not fact.signed_on <= fact.starts_on <= fact.signed_on + reception:
        raise RefusedByRuleError(
            "R2",
            f"L'inscription MF prend effet à la signature ou dans les {reception.days} jours qui la suivent.",
            f"The MF takes effect at the signature or within {reception.days} days of it.",
            "effective_on",
        )


def _enrolled_elsewhere(a: Attribution, fact: EnrolledElsewhere, _now: datetime) -> Change:
    change, undone = _end_sv(a, fact.effective_on - timedelta(days=1))
    written = effects.WriteElsewhere(physician=fact.physician, start=fact.effective_on, basis=fact.basis)
    return change, (effects.CloseTasks(), *undone, written, *_tell(a, Standing.ENROLLED_ELSEWHERE))


def _patient_leaves(a: Attribution, fact: PatientLeft, _now: datetime) -> Change:
    change, undone = _end_sv(a, fact.on)
    told = () if fact.cause == "deceased" else _tell(a, Standing.LEFT)
    left = effects.LeaveList(on=fact.on, cause=fact.cause)
    return change, (effects.CloseTasks(), *undone, left, effects.WithholdLetters(), *told)


def _physician_leaves(a: Attribution, fact: PhysicianLeft, _now: datetime) -> Change:
    change, undone = _end_sv(a, fact.on - timedelta(days=1))
    told = _tell(a, Standing.PHYSICIAN_LEFT)
    return change, (effects.CloseTasks(), *undone, effects.ReturnToList(), *told, *_no_new_block(fact))


def _note_departure(a: Attribution, fact: PhysicianLeft, _now: datetime) -> Change:
    # The patient is on the list already; a form signed before the departure may still come (A11).
    # What was announced before is corrected by what has happened (A20).
    announced = tuple(other for other in a.announced if not isinstance(other, PhysicianLeft))
    return {"departed_on": fact.on, "announced": announced}, _no_new_block(fact)


def _go_unanswered(a: Attribution, _deadline: DeadlineName, due: datetime) -> Change:
    day = calendar.add_working_days(a.local(due), a.start.policy.answer_grace_working_days)
    grace = calendar.end_of_day(day, a.start.time_zone)
    task = effects.OpenTask(kind=TaskKind.ANSWER_OVERDUE, owner=Owner.COORDINATOR, due=grace)
    return {"deadline": grace}, (task,)


def _go_overdue(a: Attribution, _deadline: DeadlineName, _due: datetime) -> Change:
    assert a.sv_last_day is not None  # noqa: S101 - a confirmed attribution has a window
    day = calendar.add_working_days(a.sv_last_day, a.start.policy.sv_grace_working_days)
    grace = calendar.end_of_day(day, a.start.time_zone)
    task = effects.OpenTask(kind=TaskKind.SV_OVERDUE, owner=Owner.COORDINATOR, due=grace)
    return {"deadline": grace}, (task,)


def _lapse(a: Attribution, _deadline: DeadlineName, _due: datetime) -> Change:
    return {}, (effects.CloseTasks(), effects.ReturnToList(), *_tell(a, Standing.LAPSED))


def _expire(a: Attribution, _deadline: DeadlineName, _due: datetime) -> Change:
    assert a.term is not None  # noqa: S101 - an SV has a term
    change, closed = _end_sv(a, a.term)
    late = a.term + timedelta(days=a.start.policy.late_mf_days)
    deadline = calendar.end_of_day(late, a.start.time_zone)
    return {**change, "deadline": deadline}, (*closed, effects.ReturnToList(), *_tell(a, Standing.EXPIRED))


def _close(_a: Attribution, _deadline: DeadlineName, _due: datetime) -> Change:
    return {}, ()


# --- pieces that several rows share -------------------------------------------------------------------------------


def _reported_at(a: Attribution, at: datetime | None, now: datetime) -> datetime:
    # Whoever stamped it, a block's workflow for one, may run on a clock that is a little ahead of ours.
    at = now if at is None or now < at <= now + _CLOCKS_DIFFER else at
    if not a.start.attributed_at <= at <= now:
        raise RefusedByRuleError(
            "R6",
            "L'instant doit être entre l'attribution et maintenant.",
            "The instant must lie between the attribution and now.",
            "at",
        )
    return at


def _not_in_future(day: date, today: date, rule: str, field: str) -> None:
    if day > today:
        raise RefusedByRuleError(
            rule, f"La date {day} est dans le futur.", f"The date {day} is in the future.", field
        )


def _end_sv(a: Attribution, last_day: date) -> Change:
    """Close the SV on that day, or void it when it had not begun by then (R12, A12, A14)."""
    if a.sv is None or a.sv.voided:
        return {}, ()
    if last_day < a.sv.start:
        return _void_sv(a)
    end = min(filter(None, (last_day, a.sv.end, a.term)))
    if end == a.sv.end:
        return {}, ()
    return {"sv": a.sv.model_copy(update={"end": end})}, (effects.CloseSv(end=end),)


def _void_sv(a: Attribution) -> Change:
    if a.sv is None or a.sv.voided:
        return {}, ()
    return {"sv": a.sv.model_copy(update={"voided": True})}, (effects.VoidSv(),)


def _return_to_list(a: Attribution) -> tuple[Effect, ...]:
    return (effects.ReturnToList(),) if a.under_way else ()


def _not_offered_again(a: Attribution) -> tuple[Effect, ...]:
    return (effects.NotOfferedAgain(),) if a.start.policy.not_offered_again else ()


def _no_new_block(fact: PhysicianLeft) -> tuple[Effect, ...]:
    return (effects.NoNewBlock(on=fact.on, cause=fact.cause),)


def _tell(a: Attribution, standing: Standing) -> tuple[Effect, ...]:
    """Tell who got the attribution letter; once expired, they have been told already (A25)."""
    told = a.confirmed_on is not None and a.under_way and a.start.policy.tell_the_patient
    return (effects.SendCorrectiveLetter(standing=standing),) if told else ()


# --- the table ----------------------------------------------------------------------------------------------------

Event = str
"""The name of a fact or of a deadline."""

_ANYWHERE: Final[Mapping[Event, Row]] = {
    PatientRefused.name: Row(
        State.PATIENT_REFUSED, Step.RETURN_TO_LIST, ("R9", "A7", "A8"), _patient_refuses
    ),
    EnrolledElsewhere.name: Row(
        State.ENROLLED_ELSEWHERE, Step.LEAVE_LIST, ("R10", "A14", "A24"), _enrolled_elsewhere
    ),
    PatientLeft.name: Row(State.PATIENT_LEFT, Step.LEAVE_LIST, ("A15",), _patient_leaves),
}
_HELD: Final[Mapping[Event, Row]] = {
    **_ANYWHERE,
    PhysicianLeft.name: Row(State.PHYSICIAN_LEFT, Step.RETURN_TO_LIST, ("A16",), _physician_leaves),
}
_BEFORE_SV: Final[Mapping[Event, Row]] = {
    **_HELD,
    Cancelled.name: Row(State.CANCELLED, Step.RETURN_TO_LIST, ("R5",), _cancel),
}
_ANSWERABLE: Final[Mapping[Event, Row]] = {
    **_BEFORE_SV,
    Accepted.name: Row(State.CONFIRMED, Step.CONFIRM, ("R6", "R7", "A3", "A5"), _accept, ends=False),
    Refused.name: Row(State.REFUSED, Step.RETURN_TO_LIST, ("R6", "A4", "A8"), _refuse),
}
_MF: Final = Row(State.ENROLLED_MF, Step.ENROL_MF, ("R2", "R12", "A12", "A13"), _sign_mf)

TABLE: Final[Mapping[State, Mapping[Event, Row]]] = {
    State.PROPOSED: {
        **_ANSWERABLE,
        DeadlineName.ANSWER_DUE: Row(
            State.UNANSWERED, Step.OPEN_TASK, ("A1", "A2"), _go_unanswered, ends=False
        ),
    },
    State.UNANSWERED: {
        **_ANSWERABLE,
        DeadlineName.ANSWER_GRACE_OVER: Row(State.LAPSED, Step.RETURN_TO_LIST, ("A2",), _lapse),
    },
    State.CONFIRMED: {
        **_BEFORE_SV,
        SvEntered.name: Row(
            State.ENROLLED_SV, Step.ENROL_SV, ("R2", "R8", "A5", "A9", "R14"), _enter_sv, ends=False
        ),
        MfSigned.name: _MF,
        DeadlineName.SV_DUE: Row(State.OVERDUE, Step.OPEN_TASK, ("R8", "A6"), _go_overdue, ends=False),
    },
    State.OVERDUE: {
        **_BEFORE_SV,
        WindowReopened.name: Row(State.CONFIRMED, Step.REOPEN_WINDOW, ("A6", "R11"), _reopen, ends=False),
        MfSigned.name: _MF,
        DeadlineName.SV_GRACE_OVER: Row(State.LAPSED, Step.RETURN_TO_LIST, ("A6", "A25"), _lapse),
    },
    State.ENROLLED_SV: {
        **_HELD,
        MfSigned.name: _MF,
        DeadlineName.MF_DUE: Row(
            State.EXPIRED, Step.RETURN_TO_LIST, ("R14", "R15", "A10"), _expire, ends=False
        ),
    },
    State.EXPIRED: {
        **_ANYWHERE,
        MfSigned.name: Row(State.ENROLLED_MF, Step.ENROL_MF, ("A11", "R12"), _sign_mf),
        PhysicianLeft.name: Row(State.EXPIRED, Step.NOTE, ("A16", "A11"), _note_departure, ends=False),
        DeadlineName.LATE_MF_OVER: Row(State.EXPIRED, Step.NOTE, ("A11",), _close),
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
    row = Row(State.PROPOSED, Step.PROPOSE, ("R4", "R6", "A1", "A21"), _close, ends=False)
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
    if isinstance(fact, PhysicianLeft | EnrolledElsewhere | PatientLeft) and _dated(fact) > a.local(now):
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


def _dated(fact: PhysicianLeft | EnrolledElsewhere | PatientLeft) -> date:
    return fact.effective_on if isinstance(fact, EnrolledElsewhere) else fact.on


def _announce(
    a: Attribution, fact: PhysicianLeft | EnrolledElsewhere | PatientLeft, row: Row, now: datetime
) -> Taken:
    """Keep a fact that takes effect on a day to come: nothing else changes before 00:00 of that day (A14, A16)."""
    if isinstance(fact, PatientLeft) and fact.cause == "deceased":
        _not_in_future(fact.on, a.local(now), "A15", "on")
    _refuse_without_end(a)
    noted = Row(a.state, Step.NOTE, row.rules, _close, ends=False)
    follows = _no_new_block(fact) if isinstance(fact, PhysicianLeft) else ()
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


__all__ = [
    "TABLE",
    "UNANSWERED",
    "Attribution",
    "Enrolment",
    "Entry",
    "RepeatedError",
    "Row",
    "Start",
    "Step",
    "Taken",
    "Transition",
    "begin",
    "drop_announced",
    "next_due",
    "overtake",
    "pass_deadline",
    "pass_deadlines",
    "take",
    "would_take",
]
