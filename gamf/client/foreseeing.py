"""What an actor may report about an attribution now, with what would follow, and what comes by itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gamf.client import access
from gamf.client.errors import NotFoundError
from gamf.domain import foresight
from gamf.domain.foresight import Ahead
from gamf.domain.model import Start
from gamf.domain.policy import CURRENT
from gamf.domain.roles import UseCase, allowed
from gamf.storage import standing

if TYPE_CHECKING:
    from gamf.client.access import Seat
    from gamf.client.acting import Desk
    from gamf.client.asking import View
    from gamf.domain.attribution import Transition


@dataclass(frozen=True)
class Foreseen:
    """What the actor may report, each with the transition that it would bring, and what comes by itself."""

    choices: dict[str, "Transition"]
    ahead: tuple[Ahead, ...]


async def foresee(desk: "Desk", seat: "Seat", view: "View", now: datetime) -> Foreseen:
    """Ask the rules ahead, on the attribution's own clock: what they take now, of what the actor may report.

    The readings are those of the current policy. Whoever reports is answered by the attribution itself.

    Raises:
        NotFoundError: there is no such attribution.
    """
    attribution_id = view["attribution_id"]
    async with desk.pool.acquire() as conn:
        stands = await standing.attribution(conn, attribution_id)
        known = await access.of_attribution(conn, attribution_id)
    if stands is None or known is None:
        raise NotFoundError(
            fr=f"L’attribution {attribution_id} n’existe pas.",
            en=f"There is no attribution {attribution_id}.",
        )
    a = foresight.recall(Start(**stands.subject.model_dump(), policy=CURRENT), view, now)
    taken = foresight.prospects(a, now, seat.by)
    theirs = {fact: each for fact, each in taken.items() if allowed(seat.actor, UseCase(fact), known.matter)}
    return Foreseen(theirs, foresight.ahead(a, now))
