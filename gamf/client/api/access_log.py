"""The access log (LRSSS, s. 103): who looked at whom, for an auditor; reading it is in it."""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Query

from gamf.client import access_log
from gamf.client.access_log import LooksAsked, LookView, Summary
from gamf.client.api.call import Called
from gamf.client.api.values import PAGE_LIMIT, Limit
from gamf.client.reading import Page
from gamf.domain.facts import Account, Day

router = APIRouter(tags=["access log"])
_LARGEST: Final = 2**63 - 1
_PatientId = Annotated[
    str, Query(pattern=r"^[0-9a-f-]{36}$", description="the opaque patient_id, never a NAM")
]
_AfterLook = Annotated[int | None, Query(ge=1, le=_LARGEST)]
_Month = Annotated[
    str, Query(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-11"], description="YYYY-MM")
]


@router.get("/access-log")
async def list_looks(
    call: Called,
    patient: _PatientId | None = None,
    account: Account | None = None,
    since: Annotated[Day | None, Query(description="the first day, on the clock of Québec")] = None,
    until: Annotated[Day | None, Query(description="the last day, included")] = None,
    after: _AfterLook = None,
    limit: Limit = PAGE_LIMIT,
) -> Page[LookView]:
    """List the looks, the latest first, those before that one: at a patient, by an account, of a period."""
    asked = LooksAsked(patient, account, since, until)
    async with call.desk.pool.acquire() as conn:
        after_look = str(after) if after is not None else None
        return await access_log.list_looks(conn, call.seat, asked, after=after_look, limit=limit)


@router.get("/access-log/summary")
async def summarize(call: Called, month: _Month) -> Summary:
    """Give a month, account by account, and what is out of the ordinary in it, with what was counted."""
    async with call.desk.pool.acquire() as conn:
        return await access_log.summarize(conn, call.seat, date.fromisoformat(f"{month}-01"))
