"""A physician's departure (A16): what it would bring, its announcement, its withdrawal, whom it told, the return."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from gamf.client import deciding_departures, looking_physicians
from gamf.client.api.call import Called, Sent
from gamf.client.api.values import PAGE_LIMIT, AfterAttribution, LicenceInPath, Limit
from gamf.client.departing import DepartingView, ReachedView
from gamf.client.reading import Page
from gamf.domain.departure import Foretold, day_of_effect, effect_of_notice, effect_of_reengagement
from gamf.domain.facts import Day, Text

router = APIRouter(tags=["departures"])
Cause = Literal["retired", "deceased", "non_participating", "disengaged", "moved"]
_MAILED: str = "instead of `on`: the day on which the notice was mailed"


class PhysicianDepartureSent(BaseModel):
    """A departure: its effective date, or the day of mailing, 30 days before it; and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: Day | None = None
    mailed_on: Annotated[Day | None, Field(description=_MAILED)] = None
    cause: Cause

    def day(self) -> date:
        """Return the effective date."""
        return day_of_effect(self.on, self.mailed_on, effect_of_notice)


class WithdrawalSent(BaseModel):
    """Why an announced departure is withdrawn (A20)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Text


class ReturnSent(BaseModel):
    """A return: since which day, or the day of mailing of the re-engagement, 8 days before it; and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: Day | None = None
    mailed_on: Annotated[Day | None, Field(description=_MAILED)] = None
    reason: Text


@router.get("/physicians/{licence}/departures/foretold")
async def foretell(
    call: Called,
    licence: LicenceInPath,
    cause: Cause,
    on: Day | None = None,
    mailed_on: Annotated[Day | None, Query(description=_MAILED)] = None,
) -> Foretold:
    """Give what a departure would bring if it were announced now; nothing changes."""
    day = day_of_effect(on, mailed_on, effect_of_notice)
    async with call.desk.pool.acquire() as conn:
        return await deciding_departures.foretell(conn, call.seat, licence, day, cause)


@router.get("/physicians/{licence}/departures/reached")
async def list_reached(
    call: Called, licence: LicenceInPath, after: AfterAttribution = None, limit: Limit = PAGE_LIMIT
) -> Page[ReachedView]:
    """List the attributions that the latest departure has told, by reference, those after that one."""
    async with call.desk.pool.acquire() as conn:
        return await looking_physicians.list_reached(conn, call.seat, licence, after=after, limit=limit)


@router.post("/physicians/{licence}/departures", response_model=dict[str, Any])
async def announce(call: Sent, licence: LicenceInPath, sent: PhysicianDepartureSent) -> Response:
    """Announce a departure: no new block from now on, each attribution is told on its day; give the departure."""
    return await call.answer(
        lambda: deciding_departures.announce(call.desk, call.seat, licence, sent.day(), sent.cause)
    )


@router.post("/physicians/{licence}/departures/withdrawn", response_model=dict[str, Any])
async def withdraw(call: Sent, licence: LicenceInPath, sent: WithdrawalSent) -> Response:
    """Withdraw an announced departure before its day; give the departure."""
    return await call.answer(lambda: deciding_departures.withdraw(call.desk, call.seat, licence, sent.reason))


@router.post("/physicians/{licence}/returns", response_model=DepartingView)
async def come_back(call: Sent, licence: LicenceInPath, sent: ReturnSent) -> Response:
    """Record that a physician who had left is back, and may have blocks again (R3); give the physician."""

    async def work() -> DepartingView:
        day = day_of_effect(sent.on, sent.mailed_on, effect_of_reengagement)
        async with call.desk.pool.acquire() as conn:
            return await deciding_departures.come_back(conn, call.seat, licence, day, sent.reason)

    return await call.answer(work)
