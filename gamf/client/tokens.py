"""The use cases of tokens: what other software signs in with, as an account and for one purpose.

A token is shown once, to whoever makes it; what is kept of it can only be compared with.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from gamf.client import accounts
from gamf.client.access import Seat
from gamf.client.accounts import actor_of
from gamf.client.errors import NotFoundError
from gamf.client.reading import PAGE, Page
from gamf.domain import tokens as rules
from gamf.domain.roles import Actor, UseCase, check_allowed
from gamf.storage import accounts as stored_accounts
from gamf.storage import tokens

if TYPE_CHECKING:
    from gamf.storage.connection import Connection

_SECRET_BYTES = 32


class TokenView(BaseModel):
    """A token, without what is secret of it."""

    model_config = ConfigDict(frozen=True)

    token_id: str
    account: str
    purpose: str
    added_at: datetime
    added_by: str
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class Bearer:
    """Who came with a token: its account, as it is granted now."""

    actor: Actor
    token: TokenView


async def add(
    conn: "Connection", seat: Seat, account: str, purpose: str, days: int = rules.LONGEST_DAYS
) -> tuple[str, TokenView]:
    """Make a token for an account; give it, this once, with what is known of it.

    Raises:
        RefusedByRuleError: it has no purpose, or would last too long.
        NotFoundError: there is no such account.
    """
    check_allowed(seat.actor, UseCase.ACCOUNT_MANAGE)
    purpose, ends = rules.check_purpose(purpose), rules.expires_at(seat.now, days)
    await accounts.show(conn, account)
    secret = f"{rules.PREFIX}{secrets.token_urlsafe(_SECRET_BYTES)}"
    async with conn.transaction():
        made = await tokens.add(conn, _fingerprint(secret), account, purpose, seat.now, seat.by, ends)
        detail = {"token_id": made.token_id, "purpose": purpose}
        await stored_accounts.record(conn, account, "token_added", seat.now, by=seat.by, detail=detail)
    return secret, _view(made)


async def revoke(conn: "Connection", seat: Seat, token_id: str) -> bool:
    """Revoke a token at once; tell whether it was not revoked before.

    Raises:
        NotFoundError: there is no such token.
    """
    check_allowed(seat.actor, UseCase.ACCOUNT_MANAGE)
    async with conn.transaction():
        found = await tokens.revoke(conn, int(token_id), seat.now)
        if found is None:
            raise NotFoundError(
                fr=f"Il n’y a pas de jeton {token_id} ; voyez « gamf account token list ».",
                en=f"There is no token {token_id}; see “gamf account token list”.",
            )
        account, changed = found
        if changed:
            detail = {"token_id": int(token_id)}
            await stored_accounts.record(conn, account, "token_revoked", seat.now, by=seat.by, detail=detail)
    return changed


async def list_tokens(
    conn: "Connection",
    seat: Seat,
    account: str | None = None,
    *,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[TokenView]:
    """Return the tokens, of one account when it is named, the latest first, those before that one."""
    check_allowed(seat.actor, UseCase.ACCOUNT_MANAGE)
    found = await tokens.all_of_them(conn, account, int(after) if after else None, limit + 1)
    views = tuple(_view(each) for each in found[:limit])
    return Page(items=views, after=views[-1].token_id if len(found) > limit else None)


def _view(found: tokens.Token) -> TokenView:
    fields: dict[str, Any] = found._asdict() | {"token_id": str(found.token_id)}
    return TokenView(**fields)


async def bearer(conn: "Connection", secret: str, *, now: datetime) -> Bearer | None:
    """Return who comes with a token, and keep that it is used; None when it is over, revoked or never was one."""
    found = await tokens.find(conn, _fingerprint(secret), now)
    if found is None:
        return None
    if found.used_at is None or now - found.used_at >= rules.USED_AT_MOST_EVERY:
        await tokens.used(conn, found.token_id, now)
    return Bearer(await actor_of(conn, found.account), _view(found))


def _fingerprint(secret: str) -> bytes:
    """Return what can be kept of a secret of 256 random bits."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()
