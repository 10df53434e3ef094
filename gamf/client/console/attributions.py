"""*Attributions*: the list, and one of them: its timeline, its letters, what can be reported now and what follows."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import deciding, foreseeing, looking, reasons, training
from gamf.client.console import fields, following, live
from gamf.client.console.days import day_of
from gamf.client.console.page import Page, PageVisit, Sent, SentVisit
from gamf.client.console.sorting import sorting
from gamf.client.console.timeline import happened, timeline
from gamf.domain.calendar import PROVINCE, start_of_day
from gamf.domain.facts import FACTS
from gamf.domain.orders import Listing, Order
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import UseCase, allowed
from gamf.domain.states import State
from gamf.storage.lists import AttributionFilter

if TYPE_CHECKING:
    from gamf.client.asking import View

router = APIRouter()
_REFUSED = 422


@router.get("/attributions")
async def list_(  # noqa: PLR0913, PLR0917 - one for each field of the form
    page: Page,
    etat: str = "",
    medecin: str = "",
    bloc: str = "",
    avant: str = "",
    tri: str = "",
    apres: str | None = None,
) -> Response:
    """Show a page of the attributions, filtered and sorted; by deadline when one is asked for."""
    due = day_of(avant, "avant")
    only = AttributionFilter(
        etat or None,
        medecin.strip() or None,
        bloc.strip() or None,
        None,
        start_of_day(due, PROVINCE) if due else None,
    )
    wanted = {"etat": etat, "medecin": medecin, "bloc": bloc, "avant": avant}
    order = sorting(Listing.ATTRIBUTIONS, "/attributions", wanted, tri, Order("deadline") if due else None)
    async with page.desk.pool.acquire() as conn:
        kept = await live.of(page, conn, "attributions")
        found = await looking.list_attributions(conn, page.seat, only, order=order.asked, after=apres)
    return page.render(
        "attributions/list.html",
        found=found,
        wanted=wanted,
        sorting=order,
        states=list(State),
        live=kept,
    )


@router.get("/attributions/{attribution_id}")
async def show(page: Page, attribution_id: str) -> Response:
    """Show one attribution."""
    return await _page(page, attribution_id)


async def _page(
    page: PageVisit,
    attribution_id: str,
    refusal: RefusedByRuleError | None = None,
    tried: str | None = None,
    status: int = 200,
) -> Response:
    async with page.desk.pool.acquire() as conn:
        kept = await live.of(page, conn, f"attribution:{attribution_id}")
    view = await looking.show_attribution(page.desk, page.seat, attribution_id)
    now = await _clock(page, view)
    foreseen = await foreseeing.foresee(page.desk, page.seat, view, now)
    async with page.desk.pool.acquire() as conn:
        offered = await reasons.list_reasons(conn)
    written = page.fields or {} if isinstance(page, SentVisit) else {}
    return page.render(
        "attributions/show.html",
        status,
        live=kept,
        view=view,
        picture=timeline(view, foreseen.ahead, now),
        events=happened(view),
        letters=await _letters(page, attribution_id),
        choices=[
            (fact, following.FACTS[fact], following.follows(each), fields.fields_of(fact))
            for fact, each in foreseen.choices.items()
        ],
        reasons=offered,
        refusal=refusal.reason if refusal else None,
        tried=tried,
        written=written if tried else {},
        now=now,
        may_advance=_may_advance(page) and view["ended_on"] is None,
    )


def _may_advance(page: PageVisit) -> bool:
    return page.console.options.training and allowed(page.seat.actor, UseCase.ADVANCE)


async def _clock(page: PageVisit, view: "View") -> datetime:
    """Return what time it is for an attribution: in a training, its own clock may be ahead of the others'."""
    if not page.console.options.training or view["ended_on"] is not None:
        return page.now
    return await training.clock(page.desk, view["attribution_id"])


async def _letters(page: PageVisit, attribution_id: str) -> tuple[Any, ...]:
    if not allowed(page.seat.actor, UseCase.LETTER_SHOW):
        return ()
    async with page.desk.pool.acquire() as conn:
        return await looking.list_letters(conn, page.seat, attribution_id)


@router.get("/attributions/{attribution_id}/lettres/{letter_id}")
async def letter(page: Page, attribution_id: str, letter_id: str) -> Response:
    """Give a letter as PDF."""
    async with page.desk.pool.acquire() as conn:
        pdf = await looking.letter_pdf(conn, page.seat, attribution_id, letter_id)
    name = f'attachment; filename="{attribution_id}.pdf"'
    return Response(pdf, media_type="application/pdf", headers={"Content-Disposition": name})


@router.post("/attributions/{attribution_id}/avancer")
async def advance(page: Sent, attribution_id: str) -> Response:
    """In a training only: move the attribution's clock to just after its next deadline."""
    training.check_allowed(training=page.console.options.training)
    await deciding.pass_deadline(page.desk, page.seat, attribution_id)
    return page.go(f"/attributions/{attribution_id}", "advanced")


@router.post("/attributions/{attribution_id}/{fact}")
async def report(page: Sent, attribution_id: str, fact: str) -> Response:
    """Report a fact, or say by which rule it is refused, beside its form."""
    back = page.field("retour")
    try:
        view = await looking.show_attribution(page.desk, page.seat, attribution_id)
        argument = fields.argument_of(fact, page.fields or {}, view["time_zone"]) if fact in FACTS else {}
        await deciding.record_fact(page.desk, page.seat, attribution_id, fact, argument)
    except RefusedByRuleError as refusal:
        if refusal.reason.rule == "access":
            raise
        return await _page(page, attribution_id, refusal, fact, _REFUSED)
    return page.go("/" if back == "taches" else f"/attributions/{attribution_id}", "reported")
