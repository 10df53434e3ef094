"""What an attribution is, as the rules and its workflow know it: opaque identifiers, dates, states; no person."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

from gamf.domain import calendar
from gamf.domain.effects import Owner
from gamf.domain.facts import STORABLE, EnrolledElsewhere, Instant, Licence, PatientLeft, PhysicianLeft
from gamf.domain.policy import Policy
from gamf.domain.states import ACTS, UNDER_WAY, State


def _known_zone(name: str) -> str:
    try:
        calendar.zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("unknown time zone") from None
    return name


IN_FORCE: Final = date(2026, 2, 1)
"""The first day on which an attribution is under LE 321 as modified (R1)."""


def _opaque(patient_id: str) -> str:
    # The identifier travels where a NAM may not: history, logs of other people's tools. Only a whole NAM is one:
    # a random identifier may well begin with four letters and four digits.
    if re.fullmatch(r"[A-Za-z]{4} ?[0-9]{4} ?[0-9]{2}[0-9A-Za-z][0-9]", patient_id.strip()):
        raise ValueError("looks like a NAM")
    return patient_id


def dated(fact: PhysicianLeft | EnrolledElsewhere | PatientLeft) -> date:
    """Return the day on which a fact that may be dated ahead takes effect."""
    return fact.effective_on if isinstance(fact, EnrolledElsewhere) else fact.on


class Subject(BaseModel):
    """Who is attributed to whom, and since when: opaque identifiers only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribution_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{6,}$")]
    block_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{4,}$")] | None = None
    patient_id: Annotated[
        str, StringConstraints(min_length=1, max_length=64, pattern=STORABLE), AfterValidator(_opaque)
    ]
    physician: Licence
    rls: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=STORABLE)]
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
    adopted_on: date | None = None
    """The local day on which an attribution made outside this system was taken in (R11)."""
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
    def told_outside(self) -> bool:
        """Tell whether the patient was told of the attribution before it was taken in: enrolled by then (R7, A25)."""
        return self.adopted_on is not None and self.window_opens_on is None

    @property
    def taken_in_late(self) -> bool:
        """Tell whether it was taken in after its window, and has had no other since: nobody is told yet (R7, R11)."""
        return bool(self.adopted_on and self.sv_last_day and self.sv_last_day < self.adopted_on)

    @property
    def waiting_for(self) -> Owner | None:
        """Return who is expected to act, or None when it has ended."""
        return None if self.ended else ACTS[self.state]

    @property
    def next_deadline(self) -> datetime | None:
        """Return the next instant at which something happens by itself, in UTC."""
        dates = [self.effective_at(fact) for fact in self.announced]
        return min([*dates, self.deadline]) if self.deadline else None

    @property
    def leaving_on(self) -> date | None:
        """Return the day from which the physician has left or is announced to (A16), or None."""
        announced = [fact.on for fact in self.announced if isinstance(fact, PhysicianLeft)]
        return min(filter(None, (self.departed_on, *announced)), default=None)

    def local(self, instant: datetime) -> date:
        """Return the date of that instant on the RLS's clock (A23)."""
        return calendar.local_date(instant, self.start.time_zone)

    def effective_at(self, fact: PhysicianLeft | EnrolledElsewhere | PatientLeft) -> datetime:
        """Return 00:00 of the local day on which that fact takes effect (A14, A16)."""
        return calendar.start_of_day(dated(fact), self.start.time_zone)
