"""The population profile of an RLS, asked from a seat: shown, set, left again to the waiting list (R4)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from gamf.client import access, profile
from gamf.client.access import Seat
from gamf.client.importing import Import, ImportReport, Progress
from gamf.client.profile import NetworkProfileView, ProfileView
from gamf.domain.profile import Group
from gamf.domain.roles import Matter, UseCase, check_allowed, scope_of

if TYPE_CHECKING:
    from gamf.storage.connection import Connection


async def list_profiles(conn: "Connection", seat: Seat) -> tuple[NetworkProfileView, ...]:
    """Return the actor's RLS, and whether a profile was set for each.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    check_allowed(seat.actor, UseCase.PROFILE_SHOW)
    scope = scope_of(seat.actor, UseCase.PROFILE_SHOW)
    return await profile.list_profiles(conn, None if scope.everything else scope.rls)


async def show(conn: "Connection", seat: Seat, rls: str) -> ProfileView:
    """Return the profile of an RLS; counts, which name nobody. Otherwise as `profile.show_profile`.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: there is no such RLS.
    """
    await access.check(conn, seat, UseCase.PROFILE_SHOW, Matter.of(rls))
    return await profile.show_profile(conn, rls, now=seat.now)


async def set_shares(conn: "Connection", seat: Seat, rls: str, shares: Mapping[Group, Decimal]) -> None:
    """Set the profile of an RLS; the same again changes nothing.

    Raises:
        RefusedByRuleError: it is not for the actor, or the shares are no profile (R4).
        NotFoundError: there is no such RLS.
    """
    await access.check(conn, seat, UseCase.PROFILE_SET, Matter.of(rls))
    await profile.set_shares(conn, rls, shares, by=seat.by, now=seat.now)


async def set_from_file(
    conn: "Connection", seat: Seat, rls: str, what: Import, progress: Progress | None = None
) -> ImportReport:
    """Set the profile of an RLS from a file; otherwise as `profile.set_profile`.

    Raises:
        FileRefusedError: the file as a whole cannot be read as a profile.
        RefusedByRuleError: it is not for the actor, or the shares are no profile (R4).
        NotFoundError: there is no such RLS.
    """
    await access.check(conn, seat, UseCase.PROFILE_SET, Matter.of(rls))
    return await profile.set_profile(conn, rls, what, progress)


async def reset(conn: "Connection", seat: Seat, rls: str) -> bool:
    """Leave the RLS to the shares of its waiting list; tell whether a profile was set.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: there is no such RLS.
    """
    await access.check(conn, seat, UseCase.PROFILE_SET, Matter.of(rls))
    return await profile.reset_profile(conn, rls, by=seat.by, now=seat.now)
