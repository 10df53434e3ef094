"""The rules of a block: a list is drawn, a coordinator approves it, the physician answers (R3-R6, A4, A21)."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, StringConstraints

from gamf.domain import calendar
from gamf.domain.facts import STORABLE, Account, Instant, Licence, Report, Text, read
from gamf.domain.policy import Policy
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import State


class BlockState(StrEnum):
    """Where a block is (contract.md); `requested` lasts as long as the draw."""

    REQUESTED = "requested"
    DRAWN = "drawn"
    ATTRIBUTED = "attributed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class BlockRequest(BaseModel):
    """The argument of the workflow `Block` (contract.md): a physician's request, put by a coordinator (R3)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    block_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{4,}$")]
    physician: Licence
    rls: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=STORABLE)]
    size: int
    requested_by: Account
    policy: Policy


class BlockFact(Report):
    """A fact about a block."""


class Approved(BlockFact):
    """The coordinator approves the drawn list: the 72 hours start (A21)."""

    name: ClassVar[str] = "approved"


class Withdrawn(BlockFact):
    """The coordinator withdraws the drawn list: everybody on it waits again."""

    name: ClassVar[str] = "withdrawn"
    reason: Text


class ListAccepted(BlockFact):
    """The physician accepts all who have no answer yet (R6, A4)."""

    name: ClassVar[str] = "list_accepted"
    at: Instant | None = None


class ListRefused(BlockFact):
    """The physician refuses all who have no answer yet, with a reason (A4)."""

    name: ClassVar[str] = "list_refused"
    reason: Text
    at: Instant | None = None


AnyBlockFact = Approved | Withdrawn | ListAccepted | ListRefused
BLOCK_FACTS: Final[dict[str, type[AnyBlockFact]]] = {
    model.name: model for model in (Approved, Withdrawn, ListAccepted, ListRefused)
}
TAKEN_IN: Final[dict[str, BlockState]] = {
    Approved.name: BlockState.DRAWN,
    Withdrawn.name: BlockState.DRAWN,
    ListAccepted.name: BlockState.ATTRIBUTED,
    ListRefused.name: BlockState.ATTRIBUTED,
}
"""The only state that takes each fact."""
ANSWERS: Final = frozenset({State.PROPOSED, State.UNANSWERED})
"""The states of an attribution that has no answer yet."""

_CLOCKS_DIFFER: Final = timedelta(seconds=30)
_NOT_TAKEN: Final[dict[BlockState, tuple[str, str]]] = {
    BlockState.REQUESTED: ("le tirage n'est pas fini", "the draw is not over"),
    BlockState.DRAWN: ("la liste n'est pas encore approuvée", "the list is not approved yet"),
    BlockState.ATTRIBUTED: ("la liste est déjà approuvée", "the list is already approved"),
    BlockState.CLOSED: ("toutes les réponses sont données", "every answer is given"),
    BlockState.WITHDRAWN: ("la liste est retirée", "the list is withdrawn"),
}


def parse(name: str, argument: object) -> AnyBlockFact:
    """Make the block's fact of that name from its JSON object.

    Raises:
        RefusedByRuleError: rule `form`, with the first faulty field; values are never repeated.
    """
    model = BLOCK_FACTS.get(name)
    if model is None or not isinstance(argument, dict):
        known = ", ".join(BLOCK_FACTS)
        raise RefusedByRuleError(
            "form",
            f"Un bloc prend un objet JSON et l'un de ces faits : {known}.",
            f"A block takes one JSON object and one of these facts: {known}.",
            "fact",
        )
    return read(model, argument)


def approval_due(drawn_at: datetime, time_zone: str, policy: Policy) -> datetime:
    """Return when a drawn list is withdrawn unless it was approved: 24:00 of the last working day (A21, A23)."""
    drawn_on = calendar.local_date(drawn_at, time_zone)
    last_day = calendar.add_working_days(drawn_on, policy.approval_working_days)
    return calendar.end_of_day(last_day, time_zone)


def answer_due(attributed_at: datetime, policy: Policy) -> datetime:
    """Return when the physician's 72 hours to answer a list are over (R6, A1)."""
    return calendar.add_hours(attributed_at, policy.answer_hours)


def not_approved(policy: Policy) -> Withdrawn:
    """Return what withdraws a list that nobody approved in time (A21)."""
    days = policy.approval_working_days
    return Withdrawn(
        by="gamf",
        reason=f"Liste non approuvée en {days} jours ouvrables (A21). / Not approved in {days} working days (A21).",
    )


def check_taken(
    state: BlockState, fact: AnyBlockFact, now: datetime | None = None, deadline: datetime | None = None
) -> None:
    """Refuse a fact that this state does not take (A3, A21), or that comes once the list is due to be withdrawn."""
    if state is not TAKEN_IN[fact.name]:
        raise _not_possible(fact, *_NOT_TAKEN[state])
    if now is not None and deadline is not None and now >= deadline:
        raise _not_possible(
            fact, "le délai pour approuver la liste est passé", "the time to approve the list is over"
        )


def _not_possible(fact: AnyBlockFact, fr: str, en: str) -> RefusedByRuleError:
    rule = "A21" if isinstance(fact, Approved | Withdrawn) else "R6"
    return RefusedByRuleError(
        rule, f"« {fact.name} » n'est pas possible : {fr}.", f"“{fact.name}” is not possible: {en}."
    )


def check_answered_at(fact: AnyBlockFact, attributed_at: datetime | None, now: datetime) -> None:
    """Refuse an answer dated before the list was attributed, or in the future (R6).

    Whoever stamped it may run on a clock that is a little ahead of ours.
    """
    if not isinstance(fact, ListAccepted | ListRefused) or fact.at is None or attributed_at is None:
        return
    if not attributed_at <= fact.at <= now + _CLOCKS_DIFFER:
        raise RefusedByRuleError(
            "R6",
            "L'instant doit être entre l'attribution de la liste et maintenant.",
            "The instant must lie between the attribution of the list and now.",
            "at",
        )
