"""What every route is given: who calls, by which token; and how a request with a key is answered once."""

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.responses import JSONResponse, Response

from gamf.client import tokens
from gamf.client.access import Seat
from gamf.client.console import failures
from gamf.client.console.page import console_of
from gamf.client.console.requests import address_of
from gamf.client.tokens import Bearer, TokenView
from gamf.domain import tokens as rules
from gamf.domain.access import Channel
from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.database import CUT
from gamf.storage import answers

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.storage.connection import Connection

_PASSING: Final = frozenset({"access", "token", "idempotency-busy"})
"""Refusals that the same request may not get a moment later: they are not kept for a key."""
_scheme: Final = HTTPBearer(
    auto_error=False, scheme_name="token", description="gamf account token add COMPTE --purpose …"
)


@dataclass(frozen=True)
class Call:
    """A request that came with a token."""

    request: Request
    desk: "Desk"
    secret: str
    bearer: Bearer
    now: datetime
    key: str | None = None

    @property
    def token(self) -> TokenView:
        """Return the token, without what is secret of it."""
        return self.bearer.token

    @property
    def seat(self) -> Seat:
        """Return who asks, from where and when, as the use cases are given it."""
        return Seat(self.bearer.actor, Channel.API, self.now, address_of(self.request))

    async def again(self) -> "Call":
        """Return the same call now, of what the account may do now.

        Raises:
            RefusedByRuleError: the token is over or revoked meanwhile.
        """
        now = datetime.now(UTC)
        return replace(self, now=now, bearer=await _bearer(self.desk, self.secret, now))

    async def answer(
        self, work: Callable[[], Awaitable[object]], status: int = 200, *, repeatable: bool = True
    ) -> Response:
        """Do the work and return what it gives as JSON; with a key, once: the same request gets the same answer.

        What is not repeatable, and may have been done though no answer came, is not begun again under its key.
        """
        if self.key is None:
            return _json(await work(), status)
        rules.check_key(self.key)
        return await self._once(_fingerprint(self.key.encode()), work, status, repeatable=repeatable)

    async def answer_on_connection(self, work: "Callable[[Connection], Awaitable[object]]") -> Response:
        """Do the work on a connection to the database, which is taken once it is known that it is to be done.

        Otherwise as `answer`.
        """

        async def connected() -> object:
            async with self.desk.pool.acquire() as conn:
                return await work(conn)

        return await self.answer(connected)

    async def _once(
        self, key: bytes, work: Callable[[], Awaitable[object]], status: int, *, repeatable: bool
    ) -> Response:
        account, request = self.seat.by, await self._request()
        known = await self._begin(key, request, repeatable=repeatable)
        if known is not None:
            return _known(known, request, repeatable=repeatable)
        try:
            response = _json(await work(), status)
        except RefusedByRuleError as refusal:
            if refusal.reason.rule in _PASSING:
                await self._release(key)
                raise
            response = await failures.failed(self.request, refusal)
        except Exception:
            if repeatable:
                await self._release(key)
            raise
        async with self.desk.pool.acquire() as conn:
            kind = response.headers["content-type"]
            await answers.finish(conn, account, key, response.status_code, kind, bytes(response.body))
        return response

    async def _begin(self, key: bytes, request: bytes, *, repeatable: bool) -> answers.Answer | None:
        forget = self.now - rules.KEY_KEPT
        abandoned = self.now - rules.ABANDONED_AFTER if repeatable else forget
        async with self.desk.pool.acquire() as conn:
            return await answers.begin(conn, self.seat.by, key, request, self.now, forget, abandoned)

    async def _release(self, key: bytes) -> None:
        # Where PostgreSQL is away the key stays taken, until it counts as abandoned.
        with suppress(*failures.SILENT):
            async with self.desk.pool.acquire() as conn:
                await answers.release(conn, self.seat.by, key)

    async def _request(self) -> bytes:
        """Return the fingerprint of what is asked: the method, the path and query, the body."""
        url = self.request.url
        asked = f"{self.request.method} {url.path}?{url.query}\n".encode()
        return _fingerprint(asked + await self.request.body())


def _known(known: answers.Answer, request: bytes, *, repeatable: bool) -> Response:
    if known.request != request:
        raise rules.used_for_another()
    if known.status is None or known.body is None:
        raise rules.under_way() if repeatable else rules.perhaps_done()
    return Response(known.body, known.status, {"Idempotent-Replayed": "true"}, known.kind)


def _json(value: object, status: int) -> Response:
    return JSONResponse(jsonable_encoder(value), status)


def _fingerprint(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


async def called(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)],
) -> Call:
    """Return the call of whoever comes with a valid token.

    Raises:
        RefusedByRuleError: there is none.
    """
    if credentials is None:
        raise rules.not_a_token()
    desk, now = console_of(request).desk, datetime.now(UTC)
    return Call(
        request, desk, credentials.credentials, await _bearer(desk, credentials.credentials, now), now
    )


async def sent(
    call: Annotated[Call, Depends(called)],
    idempotency_key: Annotated[
        str | None,
        Header(description="the same key and the same request get the same answer for a day", max_length=255),
    ] = None,
) -> Call:
    """Return the call of something to be done, with its key if it has one."""
    return replace(call, key=idempotency_key)


async def _bearer(desk: "Desk", secret: str, now: datetime) -> Bearer:
    """Find a token; a connection that PostgreSQL closed while nobody used it is tried once more."""
    try:
        async with desk.pool.acquire() as conn:
            found = await tokens.bearer(conn, secret, now=now)
    except CUT:
        async with desk.pool.acquire() as conn:
            found = await tokens.bearer(conn, secret, now=now)
    if found is None:
        raise rules.not_a_token()
    return found


Called = Annotated[Call, Depends(called)]
Sent = Annotated[Call, Depends(sent)]
