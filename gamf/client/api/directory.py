"""Physicians and networks, and who one is here."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from gamf.client import deciding_profiles, looking, reading
from gamf.client.api.call import Called, Sent
from gamf.client.api.values import (
    PAGE_LIMIT,
    AfterPhysician,
    AgesName,
    LicenceInPath,
    Limit,
    RlsInPath,
    StatusName,
    Word,
)
from gamf.client.departing import DepartingView
from gamf.client.profile import ProfileView
from gamf.client.reading import NetworkView, Page, PhysicianView
from gamf.client.tokens import TokenView
from gamf.domain.profile import GROUPS, Group
from gamf.domain.roles import Grant, UseCase, check_allowed
from gamf.storage.lists import PhysicianFilter

if TYPE_CHECKING:
    from gamf.storage.connection import Connection

router = APIRouter(tags=["directory"])


class Myself(BaseModel):
    """Who calls: the account, which is `by` on what it reports, its roles now, and the token it came with."""

    model_config = ConfigDict(frozen=True)

    account: str
    grants: tuple[Grant, ...]
    may: tuple[UseCase, ...]
    token: TokenView


class ShareSent(BaseModel):
    """The share of a group, in percent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vulnerable: bool
    ages: AgesName
    share: Annotated[Decimal, Field(ge=0, le=100, max_digits=12, examples=[12.5])]


class ProfileSent(BaseModel):
    """A profile (R4): the share of every group; together a hundred percent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: Annotated[tuple[ShareSent, ...], Field(max_length=len(GROUPS))]

    def shares(self) -> dict[Group, Decimal]:
        """Return the share of each group; a group that comes twice leaves another without any."""
        return {Group(each.vulnerable, each.ages): each.share for each in self.groups}


@router.get("/me")
async def show_myself(call: Called) -> Myself:
    """Give who calls and what they may do."""
    actor = call.seat.actor
    may = tuple(looking.sees(call.seat, *UseCase))
    return Myself(account=actor.account, grants=actor.grants, may=may, token=call.token)


@router.get("/physicians")
async def list_physicians(
    call: Called,
    name: Annotated[Word | None, Query(description="the beginning of the last name")] = None,
    status: StatusName | None = None,
    after: AfterPhysician = None,
    limit: Limit = PAGE_LIMIT,
) -> Page[PhysicianView]:
    """List the account's physicians by licence, those after that one."""
    only = PhysicianFilter(name=name, status=status)
    async with call.desk.pool.acquire() as conn:
        return await looking.list_physicians(conn, call.seat, only, after=after, limit=limit)


@router.get("/physicians/{licence}")
async def show_physician(call: Called, licence: LicenceInPath) -> DepartingView:
    """Give a physician, with how many attributions are in each state, and their departures."""
    async with call.desk.pool.acquire() as conn:
        return await looking.show_physician(conn, call.seat, licence)


@router.get("/networks/{rls}/profile")
async def show_profile(call: Called, rls: RlsInPath) -> ProfileView:
    """Give the profile that a block asked for now would follow (R4), beside the shares of those who wait."""
    async with call.desk.pool.acquire() as conn:
        return await deciding_profiles.show(conn, call.seat, rls)


@router.put("/networks/{rls}/profile", response_model=ProfileView)
async def set_profile(call: Sent, rls: RlsInPath, sent: ProfileSent) -> Response:
    """Set the profile of an RLS, every group of it; give the profile."""

    async def work(conn: "Connection") -> ProfileView:
        await deciding_profiles.set_shares(conn, call.seat, rls, sent.shares())
        return await deciding_profiles.show(conn, call.seat, rls)

    return await call.answer_on_connection(work)


@router.delete("/networks/{rls}/profile", response_model=ProfileView)
async def reset_profile(call: Sent, rls: RlsInPath) -> Response:
    """Leave the RLS to the shares of its waiting list; give the profile."""

    async def work(conn: "Connection") -> ProfileView:
        await deciding_profiles.reset(conn, call.seat, rls)
        return await deciding_profiles.show(conn, call.seat, rls)

    return await call.answer_on_connection(work)


@router.get("/networks")
async def list_networks(call: Called) -> tuple[NetworkView, ...]:
    """List the local networks (RLS)."""
    check_allowed(call.seat.actor, UseCase.NETWORK_LIST)
    async with call.desk.pool.acquire() as conn:
        return await reading.list_networks(conn)
