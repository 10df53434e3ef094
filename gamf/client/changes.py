"""The use case of software that keeps its own copy: what became of the actor's attributions since it last asked.

A cursor names a record after which nothing was given out yet. Nothing is ever added before it (`storage.changes`), so
whoever goes on from the last cursor has missed nothing. It holds for one PostgreSQL and for what the actor may see:
where either is another, or a backup was restored, it is refused, and the copy is to be made anew.
"""

import hashlib
import hmac
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict

from gamf.client import access, reading
from gamf.client.looking import STANDING
from gamf.client.reading import AttributionView
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Scope, UseCase, check_allowed, scope_of
from gamf.storage import changes
from gamf.storage.changes import Place

if TYPE_CHECKING:
    from gamf.client.access import Seat
    from gamf.storage.connection import Connection

MOST: Final = 500
"""How many changes one answer holds at most."""
_LARGEST: Final = 2**63 - 1
_CURSOR: Final = re.compile(r"(?P<record_id>[0-9]{1,19})-[0-9a-f]{16}")


class ChangeView(BaseModel):
    """One thing that became of an attribution: a fact taken or refused, or a deadline that passed."""

    model_config = ConfigDict(frozen=True)

    cursor: str
    attribution_id: str
    event: str
    at: datetime
    by: str | None
    before: str | None
    after: str | None
    refused: bool
    rules: tuple[str, ...]


class Changes(BaseModel):
    """What became of attributions, in order, and how each of them is now; `after` asks for what follows."""

    model_config = ConfigDict(frozen=True)

    changes: tuple[ChangeView, ...]
    attributions: tuple[AttributionView, ...]
    after: str | None
    more: bool
    """Whether there is more to be had at once."""


async def read(conn: "Connection", seat: "Seat", after: str | None = None, *, limit: int = MOST) -> Changes:
    """Return what became of the actor's attributions after that cursor, or from the beginning.

    Raises:
        RefusedByRuleError: it is not for the actor, or the cursor no longer holds.
    """
    changed, people = await _since(conn, seat, after, limit)
    ids = list(dict.fromkeys(each.attribution_id for each in changed.changes))
    views = await reading.stored_attributions(conn, ids)
    await access.note(conn, seat, UseCase.ATTRIBUTION_LIST, STANDING, people)
    return changed.model_copy(update={"attributions": views})


async def events(conn: "Connection", seat: "Seat", after: str | None, *, limit: int = MOST) -> Changes:
    """Return the same without how each attribution is now: what a stream of events tells.

    Raises:
        RefusedByRuleError: it is not for the actor, or the cursor no longer holds.
    """
    changed, people = await _since(conn, seat, after, limit)
    await access.note(conn, seat, UseCase.ATTRIBUTION_LIST, STANDING, people)
    return changed


async def from_now(conn: "Connection", seat: "Seat") -> Changes:
    """Return nothing but the cursor after all that is there now.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    check_allowed(seat.actor, UseCase.ATTRIBUTION_LIST)
    seal = _Seal(await changes.cluster(conn), scope_of(seat.actor, UseCase.ATTRIBUTION_LIST))
    latest = await changes.latest(conn)
    return Changes(changes=(), attributions=(), after=seal.cursor(latest) if latest else None, more=False)


async def _since(
    conn: "Connection", seat: "Seat", after: str | None, limit: int
) -> tuple[Changes, list[str]]:
    check_allowed(seat.actor, UseCase.ATTRIBUTION_LIST)
    scope = scope_of(seat.actor, UseCase.ATTRIBUTION_LIST)
    seal = _Seal(await changes.cluster(conn), scope)
    place = await seal.read(conn, after) if after is not None else None
    until = await changes.latest(conn)
    if until is None:
        return Changes(changes=(), attributions=(), after=None, more=False), []
    rows = await changes.changes(conn, scope, place, until, limit + 1)
    shown = rows[:limit]
    more = len(rows) > limit
    # With nothing more to give, what is of others is passed over for good.
    reached = changes.place_of(shown[-1]) if more else _later(place, until)
    views = tuple(_view(row, seal) for row in shown)
    return (
        Changes(changes=views, attributions=(), after=seal.cursor(reached), more=more),
        [row["patient_id"] for row in shown],
    )


def _later(place: Place | None, until: Place) -> Place:
    """Return the later of two places: the oldest transaction under way may be an older one than a moment ago."""
    return until if place is None or place[:2] < until[:2] else place


def _view(row: dict[str, Any], seal: "_Seal") -> ChangeView:
    fields = {name: row[name] for name in ChangeView.model_fields if name != "cursor"}
    return ChangeView(cursor=seal.cursor(changes.place_of(row)), **fields)


class _Seal:
    """What makes a cursor hold for one PostgreSQL and one scope, and a record as it was written."""

    def __init__(self, cluster: int, scope: Scope) -> None:
        within = [scope.everything, sorted(scope.rls), sorted(scope.physicians)]
        self._whose: str = json.dumps([cluster, within])

    def cursor(self, place: Place) -> str:
        """Return the cursor after that place."""
        sealed = f"{self._whose} {place.transaction} {place.recorded_at.isoformat()}"
        return f"{place.record_id}-{hashlib.sha256(sealed.encode()).hexdigest()[:16]}"

    async def read(self, conn: "Connection", cursor: str) -> Place:
        """Return the place that a cursor names.

        Raises:
            RefusedByRuleError: it is none, or one of another PostgreSQL, of another scope, or of a time undone.
        """
        match = _CURSOR.fullmatch(cursor)
        number = int(match["record_id"]) if match else _LARGEST
        place = await changes.find(conn, number) if number < _LARGEST else None
        if place is None or not hmac.compare_digest(self.cursor(place), cursor):
            raise RefusedByRuleError(
                "cursor",
                "Ce curseur ne tient plus : ce qui vous est visible a changé, ou une sauvegarde a été restaurée. "
                "Rien n’est perdu ; reprenez du début, sans curseur.",
                "This cursor no longer holds: what you may see has changed, or a backup was restored. "
                "Nothing is lost; start again from the beginning, without a cursor.",
                "after",
            )
        return place
