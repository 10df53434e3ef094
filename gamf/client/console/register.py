"""*The list*: who waits, in the order of the list, with waiting times; somebody found by a reference or a NAM."""

import re
from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import looking
from gamf.client import tasks as zones
from gamf.client.cli import labels
from gamf.client.cli.language import current, say
from gamf.client.console.page import Page, PageVisit, Sent
from gamf.client.console.sorting import sorting
from gamf.client.errors import NotFoundError
from gamf.domain.calendar import local_date
from gamf.domain.orders import Listing
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import UseCase, scope_of
from gamf.storage.lists import RegisterFilter, TaskFilter

router = APIRouter()
_ATTRIBUTION: Final = re.compile(r"[0-9]{4}-[0-9]{6,}")
_BLOCK: Final = re.compile(r"[0-9]{4}-[0-9]{4,5}")
_PRIORITIES: Final = "ABCDE"
_NOT_FOUND: Final = 404


@router.get("/liste")
async def list_(  # noqa: PLR0913, PLR0917 - one for each field of the form
    page: Page,
    rls: str = "",
    place: str = "waiting",
    priorite: str = "",
    tri: str = "",
    apres: str | None = None,
) -> Response:
    """Show a page of the list of one RLS, or of all for whoever may see them; in its order (A18) unless sorted."""
    return await _list(page, RegisterFilter(rls or None, place or None, priorite or None), tri, apres)


async def _list(
    page: PageVisit,
    only: RegisterFilter,
    written: str = "",
    apres: str | None = None,
    refusal: str | None = None,
) -> Response:
    own = _rls(page)
    only = only._replace(rls=only.rls or (own[0] if own else None))
    wanted = {"rls": only.rls or "", "place": only.place or "", "priorite": only.priority or ""}
    order = sorting(Listing.REGISTER, "/liste", wanted, written)
    async with page.desk.pool.acquire() as conn:
        zone = await zones.zone_of(conn, TaskFilter(rls=only.rls))
        today = local_date(page.now, zone)
        found = await looking.list_register(
            conn, page.seat, only, as_of=today, order=order.asked, after=apres
        )
        networks = own or await looking.list_rls(conn, page.seat)
    return page.render(
        "register/list.html",
        _NOT_FOUND if refusal else 200,
        found=found,
        networks=networks,
        wanted=wanted,
        sorting=order,
        places=labels.PLACES,
        priorities=_PRIORITIES,
        every_rls=not own,
        refusal=refusal,
    )


def _rls(page: PageVisit) -> Sequence[str]:
    """Return the RLS of whoever is limited to theirs; nothing for whoever sees them all."""
    scope = scope_of(page.seat.actor, UseCase.REGISTER_LIST)
    return [] if scope.everything else sorted(scope.rls)


def _why(error: NotFoundError | RefusedByRuleError) -> str:
    """Say, beside the search, that nobody was found by it; anything else is not its business."""
    if isinstance(error, NotFoundError):
        return error.text(current())
    if error.reason.field != "patient":
        raise error
    return say(error.reason.fr, error.reason.en)


@router.post("/liste/recherche")
async def search(page: Sent) -> Response:
    """Go to what a reference names, or to whoever has that NAM: it is sent as a form, so that no address has it."""
    wanted = page.field("recherche")
    if _ATTRIBUTION.fullmatch(wanted):
        return page.go(f"/attributions/{wanted}")
    if _BLOCK.fullmatch(wanted):
        return page.go(f"/blocs/{wanted}")
    try:
        async with page.desk.pool.acquire() as conn:
            patient_id = await looking.seek_patient(conn, page.seat, wanted)
    except (NotFoundError, RefusedByRuleError) as error:
        if scope_of(page.seat.actor, UseCase.REGISTER_LIST).is_empty():
            raise
        return await _list(page, RegisterFilter(place="waiting"), refusal=_why(error))
    return page.go(f"/liste/{patient_id}")
