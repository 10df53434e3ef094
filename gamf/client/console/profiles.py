"""*Profiles*: the population profile of an RLS (R4) beside the shares of those who wait, and how it is changed."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from gamf.client import deciding_profiles
from gamf.client.cli.language import say
from gamf.client.console.page import Page, PageVisit, Sent
from gamf.client.console.writing import number_words
from gamf.client.files import PROFILE, read_value
from gamf.client.profile import ProfileView, ShareView
from gamf.domain.profile import GROUPS, Group
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.domain.roles import Matter, UseCase, allowed

router = APIRouter()
_REFUSED: Final = 422
_WIDTH: Final = 200
"""Units of the longest bar of the picture."""
_PLACES: Final = 2
"""Decimals of a share, in percent, as the form has it at first."""


class Line(NamedTuple):
    """A group of the form and of the picture: its field, what stands in it, and the two shares as lengths."""

    group: ShareView
    field: str
    value: str
    fault: Reason | None
    share_width: int
    waiting_width: int


@router.get("/profils")
async def list_(page: Page) -> Response:
    """Show one's RLS, and whether a profile was set for each; the only one at once."""
    async with page.desk.pool.acquire() as conn:
        found = await deciding_profiles.list_profiles(conn, page.seat)
    return page.render("profiles/list.html", found=found)


@router.get("/profils/{rls}")
async def show(page: Page, rls: str, selon: str = "") -> Response:
    """Show the profile of an RLS and the form that sets it, filled with it or with the waiting list's shares."""
    return await _page(page, rls, waiting=selon == "attente")


async def _page(
    page: PageVisit,
    rls: str,
    *,
    waiting: bool = False,
    written: Mapping[str, str] | None = None,
    faults: Mapping[str, Reason] | None = None,
) -> Response:
    async with page.desk.pool.acquire() as conn:
        found = await deciding_profiles.show(conn, page.seat, rls)
    return page.render(
        "profiles/show.html",
        _REFUSED if faults else 200,
        profile=found,
        lines=_lines(found, written, faults or {}, waiting=waiting),
        total=_total(written) if written else None,
        refusals=list((faults or {}).values()),
        may_set=allowed(page.seat.actor, UseCase.PROFILE_SET, Matter.of(rls)),
    )


def _lines(
    found: ProfileView, written: Mapping[str, str] | None, faults: Mapping[str, Reason], *, waiting: bool
) -> list[Line]:
    most = max((max(each.share, each.waiting_share) for each in found.groups), default=0.0) or 1.0
    return [
        Line(
            each,
            field_of(Group(each.vulnerable, each.ages)),
            _value(each, written, waiting=waiting),
            faults.get(field_of(Group(each.vulnerable, each.ages))),
            round(each.share * _WIDTH / most),
            round(each.waiting_share * _WIDTH / most),
        )
        for each in found.groups
    ]


def _value(group: ShareView, written: Mapping[str, str] | None, *, waiting: bool) -> str:
    if written is not None:
        return written.get(field_of(Group(group.vulnerable, group.ages)), "")
    return number_words(group.waiting_share if waiting else group.share, _PLACES)


def field_of(group: Group) -> str:
    """Return the name of a group's field."""
    return f"{'v' if group.vulnerable else 'n'}-{group.ages}"


@router.post("/profils/{rls}")
async def set_(page: Sent, rls: str) -> Response:
    """Set the profile of an RLS, or say beside each field what is wrong with it (R4)."""
    written = {field_of(group): page.field(field_of(group)) for group in GROUPS}
    shares, faults = _read(written)
    if not faults:
        try:
            async with page.desk.pool.acquire() as conn:
                await deciding_profiles.set_shares(conn, page.seat, rls, shares)
        except RefusedByRuleError as refusal:
            if refusal.reason.rule == "access":
                raise
            faults = {"": refusal.reason}
    if faults:
        return await _page(page, rls, written=written, faults=faults)
    return page.go(_path(page), "profile_set")


def _path(page: PageVisit) -> str:
    # As it was asked for: the code of an RLS may hold what an address writes otherwise.
    return page.request.url.path.removesuffix("/liste-attente")


def _read(written: Mapping[str, str]) -> tuple[dict[Group, Decimal], dict[str, Reason]]:
    shares: dict[Group, Decimal] = {}
    faults: dict[str, Reason] = {}
    for group in GROUPS:
        field = field_of(group)
        try:
            shares[group] = Decimal(read_value(PROFILE, "share", written[field]))
        except RefusedByRuleError as refusal:
            faults[field] = refusal.reason
    return shares, faults


def _total(written: Mapping[str, str]) -> str:
    """Return what the shares that can be read make together."""
    return say("%s %%", "%s%%") % number_words(float(sum(_read(written)[0].values())), _PLACES)


@router.post("/profils/{rls}/liste-attente")
async def reset(page: Sent, rls: str) -> Response:
    """Leave the RLS to the shares of its waiting list (R4)."""
    async with page.desk.pool.acquire() as conn:
        await deciding_profiles.reset(conn, page.seat, rls)
    return page.go(_path(page), "profile_reset")
