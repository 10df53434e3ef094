"""The account's own list, kept in step: what changed since a cursor, asked for or sent as it comes.

The stream reads by the same cursor, once a second: a notification at each commit would make commits wait for each
other, and 850 attributions start at once. It ends when its token does; whoever comes back goes on where they were.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request
from starlette.responses import Response, StreamingResponse

from gamf.client import changes
from gamf.client.api.call import Call, Called
from gamf.client.api.values import Cursor, Limit
from gamf.client.changes import Changes
from gamf.client.console import failures
from gamf.client.console.page import console_of
from gamf.domain.refusal import RefusedByRuleError

router = APIRouter(tags=["changes"])
LOOKS_EVERY: Final = timedelta(seconds=1)
BEATS_EVERY: Final = timedelta(seconds=15)
"""How often a stream that has nothing to say says that it is there."""
OF_ONE_ACCOUNT: Final = 8
OF_ALL: Final = 100
"""Streams at a time, in this process: each asks the database once a second."""
_COME_BACK_MS: Final = 3_000


@router.get("/changes")
async def read_changes(call: Called, after: Cursor = None, limit: Limit = changes.MOST) -> Changes:
    """Give what became of the account's attributions after that cursor, and how each of them is now.

    Without a cursor, from the beginning. Go on with `after` until `more` is false, then ask again from time to time.
    """
    async with call.desk.pool.acquire() as conn:
        return await changes.read(conn, call.seat, after, limit=limit)


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Events named `change`, without end"}
    },
)
async def stream_events(
    request: Request,
    call: Called,
    after: Cursor = None,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> Response:
    """Send what becomes of the account's attributions: after `Last-Event-ID`, else `after`, else from now."""
    first = await _first(call, last_event_id or after)
    streams: Counter[str] = request.app.state.streams
    if streams[call.seat.by] >= OF_ONE_ACCOUNT or streams.total() >= OF_ALL:
        raise RefusedByRuleError(
            "streams",
            "Trop de flux ouverts ; fermez-en un, ou demandez /api/changes de temps à autre.",
            "Too many streams are open; close one, or ask for /api/changes from time to time.",
        )
    return StreamingResponse(_counted(streams, call, first), media_type="text/event-stream")


async def _first(call: Call, cursor: str | None) -> Changes:
    async with call.desk.pool.acquire() as conn:
        if cursor is not None:
            return await changes.events(conn, call.seat, cursor)
        return await changes.from_now(conn, call.seat)


async def _counted(streams: Counter[str], call: Call, first: Changes) -> AsyncIterator[str]:
    streams[call.seat.by] += 1
    try:
        # A token that ends, a cursor that no longer holds, a database that is away: whoever comes back is told.
        with suppress(RefusedByRuleError, *failures.SILENT):
            async for each in _events(call, first):
                yield each
    finally:
        streams[call.seat.by] -= 1


async def _events(call: Call, page: Changes) -> AsyncIterator[str]:
    yield f"retry: {_COME_BACK_MS}\n{_words(page)}\n"
    quiet, stopping = timedelta(), console_of(call.request).stopping
    while not stopping.is_set():
        if not page.more:
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), LOOKS_EVERY.total_seconds())
        call = await call.again()
        before = page.after
        async with call.desk.pool.acquire() as conn:
            page = await changes.events(conn, call.seat, before)
        quiet = timedelta() if page.changes else quiet + LOOKS_EVERY
        if page.changes or quiet >= BEATS_EVERY:
            quiet = timedelta()
            yield f"{_words(page)}\n"


def _words(page: Changes) -> str:
    """Return the changes as events, then how far others' changes were passed over: an id that is no event."""
    told = "".join(
        f"id: {each.cursor}\nevent: change\ndata: {each.model_dump_json(exclude={'cursor'})}\n\n"
        for each in page.changes
    )
    return f"{told}id: {page.after}\n" if page.after else f"{told}: \n"
