"""The population profile of an RLS (R4): shown, set from a file, left again to the waiting list."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gamf.client.errors import NotFoundError
from gamf.client.files import PROFILE, Finding, Source, Surroundings
from gamf.client.importing import Import, ImportReport, Progress
from gamf.domain.calendar import local_date
from gamf.domain.policy import CURRENT
from gamf.domain.profile import GROUPS, TOTAL, Group, check_shares
from gamf.storage import blocks, profiles, records, waiting
from gamf.storage.connection import Connection


class ShareView(BaseModel):
    """The share of a group, in percent, how many of it wait, and what share of those who wait that is."""

    model_config = ConfigDict(frozen=True)

    vulnerable: bool
    ages: str
    share: float
    waiting: int
    waiting_share: float


class NetworkProfileView(BaseModel):
    """An RLS, and whether its blocks follow a profile that was set or its waiting list."""

    model_config = ConfigDict(frozen=True)

    rls: str
    name: str
    source: Literal["network", "waiting_list"]


class ProfileView(BaseModel):
    """The profile that a block asked for now would follow; ages are those of the RLS's date."""

    model_config = ConfigDict(frozen=True)

    rls: str
    source: Literal["network", "waiting_list"]
    set_by: str | None
    set_at: datetime | None
    ages_on: date
    groups: tuple[ShareView, ...]


async def show_profile(conn: Connection, rls: str, *, now: datetime) -> ProfileView:
    """Return the profile of an RLS at that instant: the one that was set, else the shares of its waiting list.

    Raises:
        NotFoundError: there is no such RLS.
    """
    zone = await blocks.time_zone(conn, rls)
    if zone is None:
        raise _no_such_network(rls)
    on = local_date(now, zone)
    found = await profiles.profile(conn, rls)
    counts = await waiting.counts(conn, rls, on)
    of_list = _percent(counts)
    shares = _percent(found.shares) if found else of_list
    return ProfileView(
        rls=rls,
        source="network" if found else "waiting_list",
        set_by=found.by if found else None,
        set_at=found.at if found else None,
        ages_on=on,
        groups=tuple(
            ShareView(
                vulnerable=group.vulnerable,
                ages=group.ages,
                share=shares[group],
                waiting=counts.get(group, 0),
                waiting_share=of_list[group],
            )
            for group in GROUPS
        ),
    )


def _percent(weights: Mapping[Group, Decimal] | Mapping[Group, int]) -> dict[Group, float]:
    whole = sum(weights.values()) or 1
    return {group: round(float(TOTAL * weights.get(group, 0) / whole), 4) for group in GROUPS}


async def list_profiles(
    conn: Connection, rls: Collection[str] | None = None
) -> tuple[NetworkProfileView, ...]:
    """Return of these RLS, or of all, whether a profile was set for each."""
    return tuple(NetworkProfileView.model_validate(row) for row in await profiles.listed(conn, rls))


async def set_profile(
    conn: Connection, rls: str, what: Import, _progress: Progress | None = None
) -> ImportReport:
    """Set the profile of an RLS from a file, whole or not at all; the same file again changes nothing.

    Raises:
        FileRefusedError: the file as a whole cannot be read as a profile.
        RefusedByRuleError: a group has no share, or the shares do not make a hundred (R4).
        NotFoundError: there is no such RLS.
    """
    shares, faults = _read(what)
    if faults:
        return _report(shares, faults, taken=False, before=None)
    before = await set_shares(conn, rls, shares, by=what.by, now=what.at)
    return _report(shares, [], taken=True, before=before)


async def set_shares(
    conn: Connection, rls: str, shares: Mapping[Group, Decimal], *, by: str, now: datetime
) -> Mapping[Group, Decimal] | None:
    """Set the profile of an RLS; return the one that was set before. The same again changes nothing.

    Raises:
        RefusedByRuleError: a group has no share, or the shares do not make a hundred (R4).
        NotFoundError: there is no such RLS.
    """
    check_shares(shares)
    async with conn.transaction():
        before = await _held(conn, rls)
        if before != shares:
            await _write(conn, rls, shares, by=by, at=now)
    return before


async def reset_profile(conn: Connection, rls: str, *, by: str, now: datetime) -> bool:
    """Leave the RLS to the shares of its waiting list; tell whether a profile was set.

    Raises:
        NotFoundError: there is no such RLS.
    """
    async with conn.transaction():
        was_set = await _held(conn, rls) is not None
        if was_set:
            await _write(conn, rls, {}, by=by, at=now)
    return was_set


async def _held(conn: Connection, rls: str) -> Mapping[Group, Decimal] | None:
    if not await profiles.lock(conn, rls):
        raise _no_such_network(rls)
    found = await profiles.profile(conn, rls)
    return found.shares if found else None


async def _write(
    conn: Connection, rls: str, shares: Mapping[Group, Decimal], *, by: str, at: datetime
) -> None:
    await profiles.write(conn, rls, shares)
    groups = [
        {"vulnerable": group.vulnerable, "ages": group.ages, "share": str(share)}
        for group, share in shares.items()
    ]
    await records.append(
        conn,
        "network",
        rls,
        profiles.SET if shares else profiles.RESET,
        at,
        by=by,
        argument={"groups": groups} if groups else {},
        rules=("R4",),
        policy=CURRENT.version,
    )


def _read(what: Import) -> tuple[dict[Group, Decimal], list[Finding]]:
    """Read the shares, and what is wrong with the lines; a group that comes again is a fault of its line."""
    shares: dict[Group, Decimal] = {}
    faults: list[Finding] = []
    for line in Source(what.source, PROFILE).lines(Surroundings.at(what.at, {})):
        faults += line.faults
        if line.values is None:
            continue
        vulnerable, ages, share = line.values
        group = Group(vulnerable == "true", ages)
        if group in shares:
            faults.append(_again(line.number))
        shares[group] = Decimal(share)
    return shares, faults


def _again(line: int) -> Finding:
    return Finding(
        line, "ages", "Ce groupe a déjà une part plus haut.", "This group has a share further up already."
    )


def _report(
    shares: Mapping[Group, Decimal],
    faults: list[Finding],
    *,
    taken: bool,
    before: Mapping[Group, Decimal] | None,
) -> ImportReport:
    added = len(shares) if taken and before is None else 0
    changed = sum(share != before[group] for group, share in shares.items()) if taken and before else 0
    return ImportReport(
        kind="profile",
        taken=taken,
        lines=len(shares) + len(faults),
        added=added,
        changed=changed,
        unchanged=len(shares) - added - changed if taken else 0,
        faulty=len({fault.line for fault in faults}),
        warnings=0,
        faults=tuple(faults),
        cautions=(),
    )


def _no_such_network(rls: str) -> NotFoundError:
    return NotFoundError(
        fr=f"Il n'y a pas de RLS {rls}.",
        en=f"There is no RLS {rls}.",
    )
