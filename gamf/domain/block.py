"""The rules of a block: a list is drawn, a coordinator approves it, the physician answers (R3-R6, A4, A21)."""

import json
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from gamf.domain.facts import STORABLE, Account, Instant, Licence, Text, form_refusal
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


class BlockFact(BaseModel):
    """What every fact about a block has: who reports it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: ClassVar[str]
    by: Account

    def argument(self) -> dict[str, Any]:
        """Return the JSON object that was sent, without what was left out."""
        return self.model_dump(mode="json", exclude_unset=True)


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
    try:
        return model.model_validate_json(json.dumps(argument))
    except ValidationError as error:
        raise form_refusal(model, error) from None
    except (TypeError, ValueError, RecursionError):
        raise RefusedByRuleError("form", "Le JSON n'est pas lisible.", "The JSON cannot be read.") from None


def check_taken(state: BlockState, fact: AnyBlockFact) -> None:
    """Refuse a fact that this state does not take (A3, A21)."""
    if state is not TAKEN_IN[fact.name]:
        fr, en = _NOT_TAKEN[state]
        rule = "A21" if isinstance(fact, Approved | Withdrawn) else "R6"
        raise RefusedByRuleError(
            rule, f"« {fact.name} » n'est pas possible : {fr}.", f"“{fact.name}” is not possible: {en}."
        )
