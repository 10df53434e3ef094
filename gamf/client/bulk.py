"""Facts in bulk, asked from a seat: each has its own outcome, and those of one attribution keep their order."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from gamf.client import deciding
from gamf.client.errors import NotFoundError
from gamf.domain.refusal import Reason, RefusedByRuleError

if TYPE_CHECKING:
    from gamf.client.access import Seat
    from gamf.client.acting import Desk

AT_ONCE: Final = 16
"""Facts of one request under way at a time: two requests leave room for people."""


class Reported(NamedTuple):
    """A fact about an attribution, as it was sent."""

    attribution_id: str
    fact: str
    argument: Mapping[str, Any]


class ItemOutcome(BaseModel):
    """What became of one item, from 0: `state` is the attribution's afterwards, `reason` why it was not taken."""

    model_config = ConfigDict(frozen=True)

    item: int
    attribution_id: str
    fact: str
    outcome: Literal["taken", "refused", "not_found"]
    state: str | None = None
    reason: Reason | None = None


async def record_facts(desk: "Desk", seat: "Seat", items: Sequence[Reported]) -> tuple[ItemOutcome, ...]:
    """Report these facts by the actor; give what became of each, in the order of the items.

    Raises:
        ServiceUnreachable: a service is silent; what was taken stands, and the same sent again counts once.
    """
    room = asyncio.Semaphore(AT_ONCE)
    of_one: dict[str, list[tuple[int, Reported]]] = {}
    for number, item in enumerate(items):
        of_one.setdefault(item.attribution_id, []).append((number, item))

    async def in_order(mine: Sequence[tuple[int, Reported]]) -> list[ItemOutcome]:
        async with room:
            return [await _record(desk, seat, number, item) for number, item in mine]

    told = await asyncio.gather(*map(in_order, of_one.values()), return_exceptions=True)
    outcomes: list[ItemOutcome] = []
    for each in told:
        if isinstance(each, BaseException):
            raise each
        outcomes += each
    return tuple(sorted(outcomes, key=lambda outcome: outcome.item))


async def _record(desk: "Desk", seat: "Seat", number: int, item: Reported) -> ItemOutcome:
    told = ItemOutcome(item=number, attribution_id=item.attribution_id, fact=item.fact, outcome="taken")
    try:
        view = await deciding.record_fact(desk, seat, *item)
    except RefusedByRuleError as refused:
        return told.model_copy(update={"outcome": "refused", "reason": refused.reason})
    except NotFoundError as missing:
        reason = Reason(rule="not_found", fr=missing.fr, en=missing.en, field="attribution_id")
        return told.model_copy(update={"outcome": "not_found", "reason": reason})
    return told.model_copy(update={"state": view["state"]})
