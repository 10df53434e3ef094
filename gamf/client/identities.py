"""The use cases of signing in through an identity provider. It says who somebody is, never what they may do.

An account is made here, and given its roles here. It is linked to the provider's subject by the operator, or, where
the operator has named a claim for it, the first time that this claim names it; from then on the subject alone counts.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from gamf.client import accounts as signing
from gamf.client.access import Seat
from gamf.client.openid import Identity, NotBelievedError, Provider, ProviderAwayError, asked
from gamf.domain import signing_in
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Grant, UseCase, check_allowed
from gamf.storage import accounts, identities, sessions

if TYPE_CHECKING:
    from gamf.storage.connection import Connection, Pool


class Returned(NamedTuple):
    """What a browser comes back from the provider with, in the address; no code when nobody was let in there."""

    code: str | None
    issuer: str | None


@dataclass(frozen=True)
class LetIn:
    """A session that has begun, and the path that the person wanted."""

    signed: signing.Signed
    back: str


@dataclass(frozen=True)
class Unlinked:
    """Somebody whom the provider knows under a subject that no account is linked to."""

    subject: str


# --- linking ------------------------------------------------------------------------------------------------


class Person(NamedTuple):
    """Somebody, as a provider calls them."""

    issuer: str
    subject: str


async def add(conn: "Connection", seat: Seat, account: str, grants: Sequence[Grant], person: Person) -> None:
    """Add an account that is linked from the beginning; nobody knows a password of it.

    Raises:
        RefusedByRuleError: its name, a grant or the subject is not one, or is there already.
        NotFoundError: an RLS or a physician of a grant is not known.
    """
    async with conn.transaction():
        await signing.add(conn, seat, account, grants)
        await link(conn, seat, account, person)


async def link(conn: "Connection", seat: Seat, account: str, person: Person) -> None:
    """Link an account to somebody at a provider, who may sign in to that account from then on.

    Raises:
        NotFoundError: there is no such account.
        RefusedByRuleError: the subject is not one, or one of both is linked already.
    """
    check_allowed(seat.actor, UseCase.ACCOUNT_MANAGE)
    signing_in.check_subject(person.subject)
    await signing.show(conn, account)
    async with conn.transaction():
        if not await identities.link(conn, account, person.issuer, person.subject, seat.now):
            raise RefusedByRuleError(
                "account",
                "Ce compte ou cet identifiant est déjà lié ; rien n’a changé. « --undo » défait le lien d’un compte.",
                "This account or this subject is linked already; nothing has changed. “--undo” parts an account.",
                "subject",
            )
        await accounts.record(conn, account, "identity_linked", seat.now, by=seat.by)


async def unlink(conn: "Connection", seat: Seat, account: str, issuer: str) -> bool:
    """Part an account from the provider's subject and end its sessions at once; tell whether it was linked.

    Raises:
        NotFoundError: there is no such account.
    """
    check_allowed(seat.actor, UseCase.ACCOUNT_MANAGE)
    await signing.show(conn, account)
    async with conn.transaction():
        changed = await identities.unlink(conn, account, issuer)
        if changed:
            await sessions.end_all(conn, account)
            await accounts.record(conn, account, "identity_unlinked", seat.now, by=seat.by)
    return changed


# --- signing in ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignIn:
    """One sign-in through the provider: of which browser, by the secret of its cookie, from where and when."""

    pool: "Pool"
    provider: Provider
    secret: str
    address: str
    now: datetime

    async def begin(self, state: str, back: str) -> str:
        """Begin it; return the address at the provider, from which the browser comes back once, within ten minutes.

        Raises:
            RefusedByRuleError: too many are under way from that address.
            ProviderAwayError: the provider does not answer; nothing has begun.
        """
        flow = self._flow(state)
        forget_before = self.now - signing_in.AT_THE_PROVIDER
        async with self.pool.acquire() as conn, conn.transaction():
            number = await identities.begin_flow(conn, flow, self.address, back, self.now, forget_before)
            if not signing_in.may_begin(number):
                raise signing_in.too_many_attempts()
        try:
            return await self.provider.way_in(asked(self.secret, state))
        except ProviderAwayError:
            async with self.pool.acquire() as conn:
                await identities.end_flow(conn, flow, forget_before)
            raise

    async def end(self, state: str, returned: Returned) -> LetIn | Unlinked:
        """Begin the session of whoever comes back; an attempt that fails counts, as one with a password does.

        Raises:
            RefusedByRuleError: it is over, another browser's or not believed, the account is closed, or there were
                too many attempts.
            ProviderAwayError: the provider does not answer; the person begins again.
        """
        attempt, back = await self._returned(state)
        identity = await self._identity(state, returned, attempt)
        async with self.pool.acquire() as conn:
            found = await self._linked(conn, identity)
            if found is None:
                return Unlinked(identity.subject)
            if found.disabled_at is not None:
                await self._record(conn, found.account, "sign_in_refused")
                raise signing_in.closed()
            async with conn.transaction():
                await sessions.forgive(conn, attempt)
                signed = await signing.begin_session(
                    conn,
                    signing.Recognised(found.account, issuer=self._issuer),
                    address=self.address,
                    now=self.now,
                )
                await self._record(conn, found.account, "signed_in")
        return LetIn(signed, back)

    async def _returned(self, state: str) -> tuple[int, str]:
        """Count the attempt, and take the sign-in that the state is of: it is good for one return."""
        name = _fingerprint(f"openid {self.secret}")
        async with self.pool.acquire() as conn, conn.transaction():
            since = self.now - signing_in.TRY_AGAIN_AFTER
            tried = await sessions.attempt(conn, name, self.address, self.now, since)
            if not signing_in.may_try(tried.of_name, tried.of_address):
                raise signing_in.too_many_attempts()
            began_after = self.now - signing_in.AT_THE_PROVIDER
            back = await identities.end_flow(conn, self._flow(state), began_after)
        if back is None:
            raise signing_in.not_begun_here()
        return tried.attempt_id, back

    async def _identity(self, state: str, returned: Returned, attempt: int) -> Identity:
        """Return who the provider says it is; that it is away is nobody's failed attempt."""
        if returned.code is None:
            raise signing_in.not_let_in_there()
        asking = asked(self.secret, state)
        try:
            return await self.provider.identity(returned.code, asking, issuer=returned.issuer, now=self.now)
        except NotBelievedError as error:
            raise signing_in.not_believed() from error
        except ProviderAwayError:
            async with self.pool.acquire() as conn:
                await sessions.forgive(conn, attempt)
            raise

    async def _linked(self, conn: "Connection", identity: Identity) -> identities.Linked | None:
        """Return the account of a subject; one that the claim names is linked, unless it has another subject."""
        found = await identities.find(conn, self._issuer, identity.subject)
        if found is not None or identity.named is None or await accounts.find(conn, identity.named) is None:
            return found
        async with conn.transaction():
            if await identities.link(conn, identity.named, self._issuer, identity.subject, self.now):
                await self._record(conn, identity.named, "identity_linked")
        return await identities.find(conn, self._issuer, identity.subject)

    async def _record(self, conn: "Connection", account: str, event: str) -> None:
        await accounts.record(
            conn, account, event, self.now, by=account, address=self.address, detail={"way": "openid"}
        )

    @property
    def _issuer(self) -> str:
        return self.provider.registration.issuer

    def _flow(self, state: str) -> bytes:
        return _fingerprint(f"openid {state} {self.secret}")


def _fingerprint(text: str) -> bytes:
    """Return what can be kept of what must not be known."""
    return hashlib.sha256(text.encode()).digest()
