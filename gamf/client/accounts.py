"""The use cases of accounts: who may sign in and as what; signing in and out; one's own password.

What is secret goes out once, to whom it belongs: a one-time password to whoever makes the account, a session's
identifier to its browser. What is kept of either can only be compared with.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from gamf.client import passwords
from gamf.client.access import Seat
from gamf.client.errors import NotFoundError
from gamf.client.passwords import Passwords
from gamf.client.reading import PAGE, Page
from gamf.domain import signing_in
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Actor, Grant, UseCase, check_allowed
from gamf.storage import accounts, sessions

if TYPE_CHECKING:
    from gamf.storage.connection import Connection, Pool

_SESSION_BYTES: Final = 32


class AccountView(BaseModel):
    """An account, with what it is granted; never its password. `linked`: to a subject of an identity provider."""

    model_config = ConfigDict(frozen=True)

    account: str
    grants: tuple[Grant, ...]
    must_change: bool
    password_set_at: datetime
    added_at: datetime
    disabled_at: datetime | None
    linked: bool


class Typed(NamedTuple):
    """What somebody who wants in has typed."""

    account: str
    password: str


class Change(NamedTuple):
    """A password, and the one that is to replace it."""

    before: str
    after: str


@dataclass(frozen=True)
class Signed:
    """A session that has begun; `token` goes to its browser and nowhere else."""

    token: str
    account: str
    must_change: bool


@dataclass(frozen=True)
class Session:
    """A session under way: who it is of, and whether they must first choose a password."""

    actor: Actor
    must_change: bool
    expires_at: datetime


# --- who may sign in, and as what -------------------------------------------------------------------------


async def add(
    conn: "Connection", seat: Seat, account: str, grants: Sequence[Grant], password: str | None = None
) -> str:
    """Add an account; give the password that it is to change, made up unless one is given.

    Raises:
        RefusedByRuleError: its name, a grant or the password is not one, or it is there already.
        NotFoundError: an RLS or a physician of a grant is not known.
    """
    check_allowed(seat.actor, UseCase.ACCOUNT_MANAGE)
    signing_in.check_account(account)
    first, encoded = await _chosen(account, password)
    await _check_grants(conn, grants)
    async with conn.transaction():
        if not await accounts.add(conn, account, encoded, seat.now):
            raise RefusedByRuleError(
                "account",
                f"Le compte {account} existe déjà ; rien n’a changé.",
                f"There is an account {account} already; nothing has changed.",
                "account",
            )
        await accounts.set_grants(conn, account, grants)
        await accounts.record(conn, account, "added", seat.now, by=seat.by, detail=_detail(grants))
    return first


async def _chosen(account: str, password: str | None) -> tuple[str, str]:
    """Return the password and its encoding."""
    if password is not None:
        signing_in.check_password(account, password)
    chosen = passwords.one_time() if password is None else password
    return chosen, await Passwords().encode(chosen)


async def _check_grants(conn: "Connection", grants: Sequence[Grant]) -> None:
    if not grants:
        raise RefusedByRuleError(
            "access", "Donnez au moins un rôle au compte.", "Give the account one role at least.", "role"
        )
    rls = sorted({each for grant in grants for each in grant.rls})
    licences = sorted({each for grant in grants for each in grant.physicians})
    unknown_rls, unknown_licences = await accounts.unknown_limits(conn, rls, licences)
    if unknown := ", ".join([*unknown_rls, *unknown_licences]):
        raise NotFoundError(
            fr=f"Ni RLS ni médecin de ce nom : {unknown} ; voyez « gamf network list », ou importez-les.",
            en=f"No RLS or physician of that name: {unknown}; see “gamf network list”, or import them.",
        )


def _detail(grants: Sequence[Grant]) -> dict[str, object]:
    return {"grants": [_plain(grant) for grant in grants]}


def _plain(grant: Grant) -> dict[str, object]:
    return {"role": grant.role.value, "rls": sorted(grant.rls), "physicians": sorted(grant.physicians)}


async def set_roles(conn: "Connection", seat: Seat, account: str, grants: Sequence[Grant]) -> None:
    """Replace what an account is granted; it holds at its next page.

    Raises:
        RefusedByRuleError: a grant is not one.
        NotFoundError: there is no such account, or an RLS or a physician of a grant is not known.
    """
    check_allowed(seat.actor, UseCase.ACCOUNT_MANAGE)
    await _known(conn, account)
    await _check_grants(conn, grants)
    async with conn.transaction():
        await accounts.set_grants(conn, account, grants)
        await accounts.record(conn, account, "roles_set", seat.now, by=seat.by, detail=_detail(grants))


async def disable(conn: "Connection", seat: Seat, account: str) -> bool:
    """Close an account and end its sessions at once; tell whether it was open.

    Raises:
        NotFoundError: there is no such account.
    """
    return await _set_disabled(conn, seat, account, "disabled")


async def enable(conn: "Connection", seat: Seat, account: str) -> bool:
    """Open a closed account again; tell whether it was closed.

    Raises:
        NotFoundError: there is no such account.
    """
    return await _set_disabled(conn, seat, account, "enabled")


async def _set_disabled(conn: "Connection", seat: Seat, account: str, event: str) -> bool:
    check_allowed(seat.actor, UseCase.ACCOUNT_MANAGE)
    await _known(conn, account)
    async with conn.transaction():
        changed = await accounts.set_disabled(conn, account, seat.now if event == "disabled" else None)
        await sessions.end_all(conn, account)
        if changed:
            await accounts.record(conn, account, event, seat.now, by=seat.by)
    return changed


async def set_password(conn: "Connection", seat: Seat, account: str, password: str | None = None) -> str:
    """Give an account another password, to be changed, and end its sessions; give that password.

    Raises:
        RefusedByRuleError: the password is not one.
        NotFoundError: there is no such account.
    """
    check_allowed(seat.actor, UseCase.ACCOUNT_MANAGE)
    await _known(conn, account)
    first, encoded = await _chosen(account, password)
    async with conn.transaction():
        await accounts.set_password(conn, account, encoded, seat.now, must_change=True)
        await sessions.end_all(conn, account)
        await sessions.forgive(conn, name=_fingerprint(account))
        await accounts.record(conn, account, "password_set", seat.now, by=seat.by)
    return first


async def list_accounts(
    conn: "Connection", seat: Seat, *, after: str | None = None, limit: int = PAGE
) -> Page[AccountView]:
    """Return the accounts by name, those after that one."""
    check_allowed(seat.actor, UseCase.ACCOUNT_MANAGE)
    found = await accounts.all_of_them(conn, after, limit + 1)
    shown = found[:limit]
    granted = await accounts.grants(conn, [each.account for each in shown])
    views = tuple(_view(each, granted.get(each.account, ())) for each in shown)
    return Page(items=views, after=views[-1].account if len(found) > limit else None)


def _view(found: accounts.Account, grants: tuple[Grant, ...]) -> AccountView:
    fields = {name: value for name, value in found._asdict().items() if name != "password"}
    return AccountView(**fields, grants=grants)


async def show(conn: "Connection", account: str) -> AccountView:
    """Return one account.

    Raises:
        NotFoundError: there is no such account.
    """
    found = await _known(conn, account)
    return _view(found, (await accounts.grants(conn, [account])).get(account, ()))


async def _known(conn: "Connection", account: str) -> accounts.Account:
    found = await accounts.find(conn, account)
    if found is None:
        raise NotFoundError(
            fr="Il n’y a pas de tel compte ; voyez « gamf account list ».",
            en="There is no such account; see “gamf account list”.",
        )
    return found


# --- signing in and out -----------------------------------------------------------------------------------


async def sign_in(pool: "Pool", keeper: Passwords, typed: Typed, *, address: str, now: datetime) -> Signed:
    """Begin a session. What is said otherwise, and the time it takes, do not tell which accounts there are.

    Raises:
        RefusedByRuleError: they do not go together, or there were too many attempts.
    """
    account = typed.account
    name = _fingerprint(account)
    async with pool.acquire() as conn, conn.transaction():
        tried = await sessions.attempt(conn, name, address, now, now - signing_in.TRY_AGAIN_AFTER)
        if signing_in.may_try(tried.of_name, tried.of_address):
            found = await accounts.find(conn, account)
        else:
            raise signing_in.too_many_attempts()
    # No connection is held while argon2 works.
    matches = await keeper.matches(found.password if found else None, typed.password)
    if found is None or not matches or found.disabled_at is not None:
        await _record_refused(pool, found, address, now)
        raise signing_in.wrong_credentials()
    anew = await keeper.encode(typed.password) if keeper.is_outdated(found.password) else None
    async with pool.acquire() as conn, conn.transaction():
        await sessions.forgive(conn, tried.attempt_id, name=name)
        if anew is not None:
            await accounts.encode_anew(conn, account, found.password, anew)
        signed = await begin_session(conn, Recognised(account, found.must_change), address=address, now=now)
        await accounts.record(conn, account, "signed_in", now, by=account, address=address)
    return signed


class Recognised(NamedTuple):
    """Somebody who may begin a session: known by their password, or by that provider."""

    account: str
    must_change: bool = False
    issuer: str | None = None


async def begin_session(conn: "Connection", who: Recognised, *, address: str, now: datetime) -> Signed:
    """Begin the session of somebody who was recognised; how long it may last is the same for everybody."""
    token = secrets.token_urlsafe(_SESSION_BYTES)
    ends = signing_in.expires_at(now, now)
    await sessions.begin(conn, _fingerprint(token), who.account, now, ends, address, who.issuer)
    return Signed(token, who.account, who.must_change)


async def _record_refused(pool: "Pool", found: accounts.Account | None, address: str, now: datetime) -> None:
    """Keep that somebody tried; of a name that no account has, only the attempt is counted."""
    async with pool.acquire() as conn:
        if found is not None:
            await accounts.record(
                conn, found.account, "sign_in_refused", now, by=found.account, address=address
            )


async def session(conn: "Connection", token: str, *, now: datetime, used: bool = True) -> Session | None:
    """Return the session of a browser's token; None when it is over or never was.

    That it is used is kept, unless it is a script that asks, and nobody: an unattended screen ends as any other.
    """
    fingerprint = _fingerprint(token)
    found = await sessions.find(conn, fingerprint, now)
    if found is None:
        return None
    if used and now - found.seen_at >= signing_in.SEEN_AT_MOST_EVERY:
        await sessions.seen(conn, fingerprint, now, signing_in.expires_at(found.began_at, now))
    return Session(await actor_of(conn, found.account), found.must_change, found.expires_at)


async def still_signed_in(
    conn: "Connection", screens: Mapping[bytes, str], *, now: datetime
) -> dict[bytes, Actor]:
    """Return the sessions of these, named by what is kept of each, that are not over: as what each is granted now."""
    alive = await sessions.under_way(conn, screens.keys(), now)
    granted = await accounts.grants(conn, sorted({screens[each] for each in alive}))
    return {each: Actor(account=screens[each], grants=granted.get(screens[each], ())) for each in alive}


def kept_of(token: str) -> bytes:
    """Return what is kept of a session's token: it can only be compared with."""
    return _fingerprint(token)


async def actor_of(conn: "Connection", account: str) -> Actor:
    """Return an account with what it is granted now."""
    granted = await accounts.grants(conn, [account])
    return Actor(account=account, grants=granted.get(account, ()))


async def sign_out(conn: "Connection", token: str, *, address: str, now: datetime) -> str | None:
    """End a session and return the provider that had opened it, if one had; one that is over changes nothing."""
    async with conn.transaction():
        ended = await sessions.end(conn, _fingerprint(token))
        if ended is None:
            return None
        await accounts.record(conn, ended.account, "signed_out", now, by=ended.account, address=address)
        return ended.issuer


async def change_own_password(
    pool: "Pool", keeper: Passwords, seat: Seat, token: str, change: Change
) -> None:
    """Change one's own password, and end one's other sessions.

    Raises:
        RefusedByRuleError: the present password is another, or the new one is not one; nothing has changed.
    """
    check_allowed(seat.actor, UseCase.OWN_ACCOUNT)
    async with pool.acquire() as conn:
        found = await _known(conn, seat.by)
    if not await keeper.matches(found.password, change.before):
        raise RefusedByRuleError(
            "password",
            "Le mot de passe actuel n’est pas celui-là ; rien n’a changé.",
            "The present password is another one; nothing has changed.",
            "before",
        )
    if change.before == change.after:
        raise RefusedByRuleError(
            "password",
            "Choisissez un autre mot de passe que l’actuel ; rien n’a changé.",
            "Choose another password than the present one; nothing has changed.",
            "password",
        )
    signing_in.check_password(seat.by, change.after)
    encoded = await keeper.encode(change.after)
    async with pool.acquire() as conn, conn.transaction():
        await accounts.set_password(conn, seat.by, encoded, seat.now, must_change=False)
        await sessions.end_all(conn, seat.by, but=_fingerprint(token))
        await accounts.record(conn, seat.by, "password_changed", seat.now, by=seat.by)


def _fingerprint(text: str) -> bytes:
    """Return what can be kept of a secret of 256 random bits, or of a name."""
    return hashlib.sha256(text.encode()).digest()
