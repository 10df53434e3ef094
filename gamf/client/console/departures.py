"""A physician's departure: what it would bring, then its announcement, its withdrawal, the return."""

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import deciding_departures, looking_physicians
from gamf.client.console.days import day_of
from gamf.client.console.page import Page, PageVisit, Sent
from gamf.client.console.physicians import page_of
from gamf.domain.departure import day_of_effect, effect_of_notice, effect_of_reengagement
from gamf.domain.refusal import RefusedByRuleError

router = APIRouter()


@router.get("/medecins/{licence}/depart")
async def foretell(page: Page, licence: str, on: str = "", poste: str = "", cause: str = "") -> Response:
    """Show what a departure would bring, and the form that announces it; it changes nothing."""
    try:
        day = day_of_effect(day_of(on, "on"), day_of(poste, "poste"), effect_of_notice)
        async with page.desk.pool.acquire() as conn:
            foretold = await deciding_departures.foretell(conn, page.seat, licence, day, cause)
    except RefusedByRuleError as refusal:
        return await _refused(page, licence, refusal)
    return page.render("physicians/departure.html", foretold=foretold)


async def _refused(page: PageVisit, licence: str, refusal: RefusedByRuleError) -> Response:
    if refusal.reason.rule == "access":
        raise refusal
    return await page_of(page, licence, refusal)


@router.post("/medecins/{licence}/depart")
async def announce(page: Sent, licence: str) -> Response:
    """Announce a departure: no new block from now on, and on its day each attribution is told (A16)."""
    try:
        day = day_of_effect(day_of(page.field("on"), "on"), None, effect_of_notice)
        await deciding_departures.announce(page.desk, page.seat, licence, day, page.field("cause"))
    except RefusedByRuleError as refusal:
        return await _refused(page, licence, refusal)
    return page.go(f"/medecins/{licence}", "departure_announced")


@router.post("/medecins/{licence}/depart/retrait")
async def withdraw(page: Sent, licence: str) -> Response:
    """Withdraw an announced departure before its day: the physician stays (A16, A20)."""
    try:
        await deciding_departures.withdraw(page.desk, page.seat, licence, page.field("reason"))
    except RefusedByRuleError as refusal:
        return await _refused(page, licence, refusal)
    return page.go(f"/medecins/{licence}", "departure_withdrawn")


@router.post("/medecins/{licence}/retour")
async def come_back(page: Sent, licence: str) -> Response:
    """Record that a physician who had left is back: they may have blocks again (R3)."""
    try:
        days = day_of(page.field("on"), "on"), day_of(page.field("poste"), "poste")
        day = day_of_effect(*days, effect_of_reengagement)
        async with page.desk.pool.acquire() as conn:
            await deciding_departures.come_back(conn, page.seat, licence, day, page.field("reason"))
    except RefusedByRuleError as refusal:
        return await _refused(page, licence, refusal)
    return page.go(f"/medecins/{licence}", "physician_back")


@router.get("/medecins/{licence}/avisees")
async def reached(page: Page, licence: str, apres: str | None = None) -> Response:
    """Show a page of the attributions that the latest departure has told, and what they have become."""
    async with page.desk.pool.acquire() as conn:
        found = await looking_physicians.list_reached(conn, page.seat, licence, after=apres)
    return page.render("physicians/reached.html", found=found, licence=licence)
