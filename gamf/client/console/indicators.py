"""*Indicators*: the lines and the plots of one's RLS, masked as the command line masks them."""

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import looking, stats
from gamf.client.cli.language import current
from gamf.client.console.page import Page, PageVisit
from gamf.domain.indicators import Published
from gamf.domain.refusal import RefusedByRuleError

router = APIRouter()


@router.get("/indicateurs")
async def show(page: Page, rls: str = "", de: str = "", a: str = "") -> Response:
    """Show the indicators by month."""
    lines, networks = await _lines(page, rls, de, a)
    return page.render(
        "indicators/show.html",
        lines=lines,
        networks=networks,
        wanted={"rls": rls, "de": de, "a": a},
        headings=stats.HEADINGS,
        shown=stats.shown,
        whole=stats.WHOLE,
        masked=any(line.masked for line in lines),
    )


@router.get("/indicateurs/graphique.svg")
async def plot(page: Page, rls: str = "", de: str = "", a: str = "") -> Response:
    """Draw the indicators."""
    lines, _ = await _lines(page, rls, de, a)
    drawn = await asyncio.to_thread(_draw, lines, int(current() == "en"))
    return Response(drawn, media_type="image/svg+xml")


def _draw(lines: Sequence[Published], language: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="gamf-plot-") as folder:
        path = Path(folder) / "indicateurs.svg"
        stats.draw(path, lines, language)
        return path.read_bytes()


async def _lines(
    page: PageVisit, rls: str, first: str, last: str
) -> tuple[tuple[Published, ...], Sequence[str]]:
    async with page.desk.pool.acquire() as conn:
        lines = await looking.read_indicators(
            conn, page.seat, [rls] if rls else [], _month(first, "de"), _month(last, "a")
        )
        networks = await looking.list_rls(conn, page.seat)
    return lines, networks


def _month(written: str, field: str) -> date | None:
    """Read a month, such as 2026-06."""
    if not written:
        return None
    try:
        return date.fromisoformat(f"{written}-01")
    except ValueError:
        raise RefusedByRuleError(
            "form",
            "Le mois s’écrit comme 2026-06.",
            "The month is written such as 2026-06.",
            field,
        ) from None
