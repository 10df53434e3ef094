"""What is shown of a physician beside the whole: their blocks, and whom their departure has reached."""

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from gamf.client import access, departing
from gamf.client.access import Seat
from gamf.client.departing import ReachedView
from gamf.client.errors import NotFoundError
from gamf.client.looking import STANDING
from gamf.client.reading import PAGE, Page
from gamf.domain.roles import UseCase, check_allowed
from gamf.storage import physicians

if TYPE_CHECKING:
    from gamf.storage.connection import Connection


class BlockLine(BaseModel):
    """A block in a line: how it stands and how many of its patients are where, nobody of them."""

    model_config = ConfigDict(frozen=True)

    block_id: str
    state: str
    size: int
    requested_at: datetime
    counts: dict[str, int]


async def list_blocks_of(
    conn: "Connection", seat: Seat, licence: str, *, limit: int = PAGE
) -> tuple[BlockLine, ...]:
    """Return the physician's latest blocks, the latest first; counts, which name nobody.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: no physician has that licence.
    """
    await _check(conn, seat, UseCase.BLOCK_LIST, licence)
    rows = await physicians.blocks_of(conn, licence, limit)
    return tuple(BlockLine.model_validate(row) for row in rows)


async def list_reached(
    conn: "Connection", seat: Seat, licence: str, *, after: str | None = None, limit: int = PAGE
) -> Page[ReachedView]:
    """Return what the physician's latest departure has reached, by reference, those after that attribution.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: no physician has that licence, or no departure was ever announced.
    """
    await _check(conn, seat, UseCase.ATTRIBUTION_LIST, licence)
    page = await departing.list_reached(conn, licence, after=after, limit=limit)
    people = [each.patient_id for each in page.items]
    await access.note(conn, seat, UseCase.ATTRIBUTION_LIST, STANDING, people)
    return page


async def _check(conn: "Connection", seat: Seat, use_case: UseCase, licence: str) -> None:
    check_allowed(seat.actor, use_case)
    known = await access.of_physician(conn, licence)
    if known is None:
        raise NotFoundError(fr="Aucun médecin n’a ce permis.", en="No physician has this licence.")
    await access.check(conn, seat, use_case, known.matter)
