"""The indicators by RLS and month: counts, masked as everywhere (nothing of fewer than five)."""

import io
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import Response

from gamf.client import looking, stats
from gamf.client.api.call import Call, Called
from gamf.client.api.values import Word
from gamf.domain.indicators import Published

router = APIRouter(tags=["indicators"])
_MONTH: Final = r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$"
_RlsAsked = Annotated[
    tuple[Word, ...], Query(max_length=100, description="these RLS; without any, all of the account's")
]
_First = Annotated[str | None, Query(pattern=_MONTH, examples=["2026-01"], description="the first month")]
_Last = Annotated[str | None, Query(pattern=_MONTH, examples=["2026-12"], description="the last month")]


@router.get("/indicators")
async def show_indicators(
    call: Called, rls: _RlsAsked = (), first: _First = None, last: _Last = None
) -> tuple[Published, ...]:
    """Give the lines by month, twelve unless said; a value of null is masked, or a median of nobody."""
    return await _lines(call, rls, first, last)


@router.get(
    "/indicators.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "The same lines; a masked value is x"}},
)
async def indicators_csv(
    call: Called, rls: _RlsAsked = (), first: _First = None, last: _Last = None
) -> Response:
    """Give the same lines as CSV."""
    written = io.StringIO(newline="")
    stats.write_csv(written, await _lines(call, rls, first, last))
    return Response(written.getvalue(), media_type="text/csv; charset=utf-8")


async def _lines(
    call: Call, rls: tuple[str, ...], first: str | None, last: str | None
) -> tuple[Published, ...]:
    async with call.desk.pool.acquire() as conn:
        return await looking.read_indicators(conn, call.seat, rls, _month(first), _month(last))


def _month(written: str | None) -> date | None:
    return date.fromisoformat(f"{written}-01") if written else None
