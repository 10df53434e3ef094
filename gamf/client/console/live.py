"""The stream that tells a page that what it shows has changed, by reference; the page is then asked for again."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Header, Query
from starlette.responses import Response, StreamingResponse

from gamf.client import accounts, live
from gamf.client.console.page import Page, PageVisit
from gamf.client.live import Screen, Subject

if TYPE_CHECKING:
    from gamf.storage.connection import Connection

router = APIRouter()
PATH: Final = "/direct"
BEATS_EVERY: Final = timedelta(seconds=15)
"""How often a stream that has nothing to say says that it is there."""
_STREAM: Final = "text/event-stream"
_TRANSACTION: Final = r"^[0-9]{1,18}$"


class Live(NamedTuple):
    """What keeps a page up to date: what is on it, as `Subject.parse` takes it, and since when."""

    subject: str
    since: int


async def of(page: PageVisit, conn: "Connection", subject: str) -> Live | None:
    """Return what keeps this page up to date, asked before it is read; None for what a form that was sent gives."""
    if page.request.method != "GET":
        return None
    return Live(subject, await live.since(conn))


async def watching(
    page: Page,
    sujet: Annotated[str, Query(max_length=40)],
    depuis: Annotated[str, Query(pattern=_TRANSACTION)],
    last_event_id: Annotated[str | None, Header(pattern=_TRANSACTION)] = None,
) -> AsyncGenerator[Screen]:
    """Open a screen for as long as its stream lasts.

    Raises:
        RefusedByRuleError: it is not for the actor, or too many are open.
    """
    subject = Subject.parse(sujet)
    async with page.desk.pool.acquire() as conn:
        await live.check(conn, page.seat, subject)
    session = accounts.kept_of(page.secret)
    opened = Screen(session, page.seat.actor, subject, int(last_event_id or depuis))
    async with page.console.lookout.watching(opened) as screen:
        yield screen


@router.get(PATH)
async def stream(_page: Page, screen: Annotated[Screen, Depends(watching)]) -> Response:
    """Tell, until the session is over, when what is on a screen changes: since `Last-Event-ID`, else `depuis`."""
    return StreamingResponse(_events(screen), headers={"X-Accel-Buffering": "no"}, media_type=_STREAM)


async def _events(screen: Screen) -> AsyncIterator[str]:
    yield _place(screen)
    while not screen.ended:
        news = await screen.told(BEATS_EVERY)
        for each in news:
            yield f"{_place(screen)}event: {each}\ndata: {screen.subject.reference or ''}\n\n"
        if not news:
            yield f"{_place(screen)}: \n\n"


def _place(screen: Screen) -> str:
    """Return from where on whoever comes back is told: a page that is read after this has all before."""
    return f"id: {screen.since}\n"
