"""A physician's departure: announced, withdrawn before its day, or carried out on it (A16, A20, A23).

From the notice on the physician gets no new block, and a list drawn for them is withdrawn. Their attributions learn of
it on the effective date only: 00:00 of that day on the clock of their RLS. Until then a departure that is withdrawn
leaves nothing to be undone in any of them.

**The dates of the law** (facts.md): a notice of non-participation or of disengagement takes effect on the 30th day
after it is mailed, a re-engagement on the 8th.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, get_args

from pydantic import BaseModel, ConfigDict, StringConstraints

from gamf.domain import block, calendar, words
from gamf.domain.attribution import TABLE
from gamf.domain.block import Withdrawn
from gamf.domain.facts import Account, Day, Licence, PhysicianLeft
from gamf.domain.policy import Policy
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import State

CAUSES: Final[tuple[str, ...]] = get_args(PhysicianLeft.model_fields["cause"].annotation)
"""Why a physician leaves (contract.md)."""
NOTICE_DAYS: Final = 30
"""Civil days from the mailing of a notice to its effect."""
REENGAGEMENT_DAYS: Final = 8
"""Civil days from the mailing of a re-engagement to its effect."""


class DepartureState(StrEnum):
    """Where a departure is; `requested` lasts as long as the announcement is written."""

    REQUESTED = "requested"
    ANNOUNCED = "announced"
    EFFECTIVE = "effective"
    DONE = "done"
    WITHDRAWN = "withdrawn"


STANDING: Final = frozenset({DepartureState.ANNOUNCED, DepartureState.EFFECTIVE, DepartureState.DONE})
"""The states in which the physician is leaving or has left."""


class DepartureRequest(BaseModel):
    """The argument of the workflow `PhysicianDeparture`: who leaves, from which local day on, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    departure_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}-[0-9]+$")]
    physician: Licence
    on: Day
    cause: Annotated[str, StringConstraints(pattern=f"^({'|'.join(CAUSES)})$")]
    by: Account
    policy: Policy

    @property
    def fact(self) -> PhysicianLeft:
        """Return the fact that each attribution is told."""
        return PhysicianLeft.model_validate({"by": self.by, "on": self.on, "cause": self.cause})


class Latest(BaseModel):
    """The physician's latest departure, as it stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    departure_id: str
    leaves_on: date
    cause: str
    state: DepartureState
    reason: str | None = None


class Leaver(BaseModel):
    """A physician, as a departure must know them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rls: str
    time_zone: str
    leaves_on: date | None = None


def effect_of_notice(mailed_on: date) -> date:
    """Return the day on which a notice mailed that day takes effect: the 30th after it."""
    return mailed_on + timedelta(days=NOTICE_DAYS)


def effect_of_reengagement(mailed_on: date) -> date:
    """Return the day on which a re-engagement mailed that day takes effect: the 8th after it."""
    return mailed_on + timedelta(days=REENGAGEMENT_DAYS)


def day_of_effect(on: date | None, mailed_on: date | None, effect: Callable[[date], date]) -> date:
    """Return the day of effect: the one that is given, or what the law makes of the day of mailing.

    Raises:
        RefusedByRuleError: neither is given, or both.
    """
    if on is not None and mailed_on is None:
        return on
    if mailed_on is not None and on is None:
        return effect(mailed_on)
    raise RefusedByRuleError(
        "form",
        "Donnez le jour de prise d’effet ou celui de la mise à la poste, l’un des deux.",
        "Give the effective date or the day of mailing, one of them.",
        "on",
    )


def effective_at(on: date, time_zone: str) -> datetime:
    """Return when a departure takes effect: 00:00 of its day on the RLS's clock, as an instant in UTC (A16, A23)."""
    return calendar.start_of_day(on, time_zone)


def announces(leaver: Leaver, latest: Latest | None, on: date, cause: str, now: datetime) -> bool:
    """Tell whether a departure is a new one; the same again changes nothing.

    Raises:
        RefusedByRuleError: another one stands (A20), or a death is dated ahead (A16).
    """
    if latest is not None and _stands(leaver, latest):
        if (latest.leaves_on, latest.cause) == (on, cause):
            return False
        raise RefusedByRuleError(
            "A20",
            f"Un départ est déjà consigné au {words.fr(latest.leaves_on)} ; retirez-le d'abord.",
            f"A departure is recorded already on {words.en(latest.leaves_on)}; withdraw it first.",
            "on",
        )
    if cause == "deceased" and on > calendar.local_date(now, leaver.time_zone):
        raise RefusedByRuleError(
            "A16",
            f"Le {words.fr(on)} est dans le futur.",
            f"{words.en(on)} is in the future.",
            "on",
        )
    return True


def _stands(leaver: Leaver, latest: Latest) -> bool:
    # Who has left and come back may leave again: what is done is no longer a departure of theirs.
    returned = latest.state is DepartureState.DONE and leaver.leaves_on is None
    return latest.state in STANDING and not returned


class Foretold(BaseModel):
    """What a departure would bring if it were announced now and nothing else happened until its day (A16)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    physician: Licence
    on: date
    cause: str
    effective_at: datetime
    """00:00 of the day on the RLS's clock: from then on each attribution is told, once."""
    at_once: bool
    """The day has begun: what follows begins with the announcement."""
    sv_end_on: date
    """The last day of the SV enrolments that it closes."""
    told: Mapping[State, int]
    """Open attributions by state, each of which is told."""
    returned: int
    """Of these, whose patients are back on the list, at their initial date."""
    blocks: int
    """Blocks that those told belong to."""
    withdrawn: tuple[str, ...]
    """Drawn lists that nobody has approved: withdrawn with the announcement."""


class Reaches(BaseModel):
    """What a physician has under way: open attributions by state, their blocks, and drawn lists."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    told: Mapping[State, int]
    blocks: int
    drawn: tuple[str, ...]


def foretell(fact: PhysicianLeft, licence: str, leaver: Leaver, reaches: Reaches, now: datetime) -> Foretold:
    """Return what that departure would bring; how each state ends is the attributions' own table (A16)."""
    effect = effective_at(fact.on, leaver.time_zone)
    return Foretold(
        physician=licence,
        on=fact.on,
        cause=fact.cause,
        effective_at=effect,
        at_once=effect <= now,
        sv_end_on=fact.on - timedelta(days=1),
        told=reaches.told,
        returned=sum(count for state, count in reaches.told.items() if TABLE[state][fact.name].ends),
        blocks=reaches.blocks,
        withdrawn=reaches.drawn,
    )


class Step(StrEnum):
    """What may be done next about a physician's departure."""

    ANNOUNCE = "announce"
    WITHDRAW = "withdraw"
    RETURN = "return"


def next_step(
    state: DepartureState | None, effect: datetime | None, now: datetime, *, leaving: bool
) -> Step | None:
    """Return what may be done next: nothing while a departure that has taken effect is carried out.

    `state` and `effect` are those of the latest departure, `leaving` tells whether the physician is or has left.
    """
    match state:
        case DepartureState.ANNOUNCED if effect is not None and now < effect:
            return Step.WITHDRAW
        case DepartureState.DONE if leaving:
            return Step.RETURN
        case None | DepartureState.WITHDRAWN | DepartureState.DONE:
            return Step.ANNOUNCE
        case _:
            return None


def parse(name: str, argument: object) -> Withdrawn:
    """Make the one fact that a departure takes from its JSON object.

    Raises:
        RefusedByRuleError: rule `form`, with the first faulty field; values are never repeated.
    """
    if name != Withdrawn.name:
        raise RefusedByRuleError(
            "form",
            "Un départ ne prend qu'un fait : withdrawn.",
            "A departure takes one fact only: withdrawn.",
            "fact",
        )
    fact = block.parse(name, argument)
    assert isinstance(fact, Withdrawn)  # noqa: S101 - the name says so
    return fact


_NOT_WITHDRAWN: Final[dict[DepartureState, tuple[str, str]]] = {
    DepartureState.REQUESTED: ("le départ n'est pas encore annoncé", "the departure is not announced yet"),
    DepartureState.EFFECTIVE: ("le départ a déjà pris effet", "the departure has taken effect already"),
    DepartureState.DONE: ("le départ a déjà pris effet", "the departure has taken effect already"),
    DepartureState.WITHDRAWN: ("le départ est déjà retiré", "the departure is withdrawn already"),
}


def check_withdrawable(state: DepartureState, now: datetime, effect: datetime | None) -> None:
    """Refuse to withdraw a departure from its effective date on: it is carried out whole (A16, A20)."""
    due = effect is not None and now >= effect
    if state is DepartureState.ANNOUNCED and not due:
        return
    fr, en = _NOT_WITHDRAWN.get(state, _NOT_WITHDRAWN[DepartureState.EFFECTIVE])
    raise RefusedByRuleError("A16", f"Retrait impossible : {fr}.", f"Not withdrawn: {en}.")


def returns(latest: Latest | None, on: date, today: date, *, leaving: bool) -> bool:
    """Tell whether a return changes anything: a physician who had left gets blocks again, from that day on.

    Raises:
        RefusedByRuleError: they have not left, are leaving still, or the day is to come or before their departure.
    """
    if latest is None or latest.state is not DepartureState.DONE:
        raise RefusedByRuleError(
            "A16",
            "Ce médecin n'est pas parti ; un départ annoncé se retire.",
            "This physician has not left; an announced departure is withdrawn.",
        )
    if not latest.leaves_on <= on <= today:
        raise RefusedByRuleError(
            "A16",
            f"Le retour est entre le départ ({words.fr(latest.leaves_on)}) et aujourd'hui.",
            f"The return lies between the departure ({words.en(latest.leaves_on)}) and today.",
            "on",
        )
    return leaving
