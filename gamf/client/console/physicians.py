"""*Physicians*: who they are, what they have under way by state, their blocks, their departure."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import looking, looking_physicians
from gamf.client.cli import labels
from gamf.client.console.page import Page, PageVisit, SentVisit
from gamf.client.console.sorting import sorting
from gamf.client.departing import DepartingView
from gamf.domain.departure import CAUSES, Step, next_step
from gamf.domain.orders import Listing
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Matter, UseCase, allowed
from gamf.storage.lists import AttributionFilter, PhysicianFilter

router = APIRouter()
_REFUSED: Final = 422
_SHOWN: Final = 20
"""How many of their attributions and blocks a physician's page shows; the lists have them all."""


@router.get("/medecins")
async def list_(  # noqa: PLR0913, PLR0917 - one for each field of the form
    page: Page, permis: str = "", nom: str = "", statut: str = "", tri: str = "", apres: str | None = None
) -> Response:
    """Show a page of the physicians, by licence unless sorted."""
    only = PhysicianFilter(permis.strip() or None, nom.strip() or None, statut or None)
    wanted = {"permis": permis, "nom": nom, "statut": statut}
    order = sorting(Listing.PHYSICIANS, "/medecins", wanted, tri)
    async with page.desk.pool.acquire() as conn:
        found = await looking.list_physicians(conn, page.seat, only, order=order.asked, after=apres)
    return page.render(
        "physicians/list.html", found=found, wanted=wanted, sorting=order, statuses=labels.STATUSES
    )


@router.get("/medecins/{licence}")
async def show(page: Page, licence: str) -> Response:
    """Show a physician, with the attributions that are due first."""
    return await page_of(page, licence)


async def page_of(page: PageVisit, licence: str, refusal: RefusedByRuleError | None = None) -> Response:
    """Return a physician's page, with what could not be done about their departure."""
    shown: dict[str, Any] = {"attributions": None, "blocks": None}
    async with page.desk.pool.acquire() as conn:
        physician = await looking.show_physician(conn, page.seat, licence)
        matter = Matter.of(physician.rls, licence)
        if allowed(page.seat.actor, UseCase.ATTRIBUTION_LIST):
            only = AttributionFilter(physician=licence)
            shown["attributions"] = await looking.list_attributions(conn, page.seat, only, limit=_SHOWN)
        if allowed(page.seat.actor, UseCase.BLOCK_LIST, matter):
            shown["blocks"] = await looking_physicians.list_blocks_of(conn, page.seat, licence, limit=_SHOWN)
    may_depart = allowed(page.seat.actor, UseCase.PHYSICIAN_DEPARTURE, matter)
    return page.render(
        "physicians/show.html",
        _REFUSED if refusal else 200,
        physician=physician,
        step=_step(page, physician) if may_depart else None,
        causes=CAUSES,
        refusal=refusal.reason if refusal else None,
        written=_written(page),
        **shown,
    )


def _step(page: PageVisit, physician: DepartingView) -> Step | None:
    latest = physician.departures[0] if physician.departures else None
    state, effect = (latest.state, latest.deadline) if latest else (None, None)
    return next_step(state, effect, page.now, leaving=physician.leaves_on is not None)


def _written(page: PageVisit) -> dict[str, str]:
    sent = page.fields if isinstance(page, SentVisit) else page.request.query_params
    return dict(sent or {})
