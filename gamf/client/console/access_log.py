"""*Access log*: who looked at whom (LRSSS, s. 103), by patient, account and period, and what of a month is unusual."""

from datetime import date
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import access_log
from gamf.client.access_log import LooksAsked
from gamf.client.cli.language import Text, current
from gamf.client.console.fields import day_of
from gamf.client.console.page import Page, PageVisit, Sent
from gamf.client.errors import NotFoundError
from gamf.domain.access import CHANNEL_LABELS, SHOWN_LABELS
from gamf.domain.calendar import PROVINCE, local_date
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import LABELS, UseCase, check_allowed

router = APIRouter()
_NOT_FOUND: Final = 404
_USE_CASES: Final = {name.value: Text(*words) for name, words in LABELS.items()}
_SHOWN: Final = {kind.value: Text(*words) for kind, words in SHOWN_LABELS.items()}
_CHANNELS: Final = {channel.value: Text(*words) for channel, words in CHANNEL_LABELS.items()}
_NOTHING: Final = LooksAsked()


@router.get("/journal")
async def list_(  # noqa: PLR0913, PLR0917 - one for each field of the form
    page: Page, patient: str = "", compte: str = "", du: str = "", au: str = "", apres: str | None = None
) -> Response:
    """Show a page of the looks that are asked for; nothing of anybody until something is."""
    check_allowed(page.seat.actor, UseCase.ACCESS_LOG_SHOW)
    if patient and not _is_reference(patient):
        # A NAM is sought by the form that is sent, and stands in no address.
        raise RefusedByRuleError(
            "form", "Cherchez un NAM par le formulaire.", "Seek a NAM by the form.", "patient"
        )
    asked = LooksAsked(patient or None, compte.strip() or None, _day(du, "du"), _day(au, "au"))
    if asked == _NOTHING:
        return await _page(page, asked)
    async with page.desk.pool.acquire() as conn:
        found = await access_log.list_looks(conn, page.seat, asked, after=_number(apres))
    return await _page(page, asked, found)


def _is_reference(patient: str) -> bool:
    return "-" in patient


def _day(written: str, field: str) -> date | None:
    return day_of(written, field) if written else None


def _number(written: str | None) -> str | None:
    """Return where a page begins, as an address of ours has it; what is none is the beginning."""
    return written if written and written.isdecimal() and len(written) < 19 else None  # noqa: PLR2004 - a bigint


async def _page(
    page: PageVisit, asked: LooksAsked, found: object = None, refusal: str | None = None
) -> Response:
    wanted = {
        "patient": asked.patient or "",
        "compte": asked.account or "",
        "du": asked.first.isoformat() if asked.first else "",
        "au": asked.last.isoformat() if asked.last else "",
    }
    return page.render(
        "access_log/list.html",
        _NOT_FOUND if refusal else 200,
        found=found,
        wanted=wanted,
        refusal=refusal,
        use_cases=_USE_CASES,
        kinds=_SHOWN,
        channels=_CHANNELS,
        this_month=f"{local_date(page.now, PROVINCE):%Y-%m}",
    )


@router.post("/journal/recherche")
async def search(page: Sent) -> Response:
    """Go to the looks at somebody, found by their reference or NAM: it is sent as a form, so that no address has it."""
    wanted = page.field("patient")
    asked = {name: page.field(name) for name in ("compte", "du", "au") if page.field(name)}
    if wanted:
        try:
            async with page.desk.pool.acquire() as conn:
                asked["patient"] = await access_log.find_patient(conn, page.seat, wanted)
        except NotFoundError as error:
            return await _page(page, _NOTHING, refusal=error.text(current()))
    return page.go_to("/journal", asked)


@router.get("/journal/mois")
async def month(page: Page, mois: str = "") -> Response:
    """Show a month, account by account, and what is out of the ordinary in it."""
    first = day_of(f"{mois}-01", "mois") if mois else local_date(page.now, PROVINCE).replace(day=1)
    async with page.desk.pool.acquire() as conn:
        found = await access_log.summarize(conn, page.seat, first)
    return page.render("access_log/month.html", found=found, wanted=f"{first:%Y-%m}")
