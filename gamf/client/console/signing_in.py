"""Signing in and out."""

from datetime import UTC, datetime
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from gamf.client import accounts
from gamf.client.accounts import Typed
from gamf.client.console import forms
from gamf.client.console.page import (
    OWN_ACCOUNT,
    PROVIDER_OUT,
    SIGN_IN,
    Sent,
    Visit,
    check_origin,
    console_of,
    fields_of,
    safe,
)
from gamf.client.console.requests import new_secret
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.signing_in import provider_only

router = APIRouter()


def visit_of(request: Request) -> Visit:
    """Return the visit of somebody who has not signed in; their forms are sealed with a cookie of its own."""
    console = console_of(request)
    secret = request.cookies.get(console.cookies.before) or new_secret()
    return Visit(request, console, datetime.now(UTC), secret)


class Told(NamedTuple):
    """What the sign-in page tells: what was refused, to whom; `subject` is its owner's, to be given to the operator."""

    refusal: RefusedByRuleError | None = None
    status: int = 200
    account: str = ""
    subject: str | None = None


def sign_in_page(visit: Visit, back: str, told: Told | None = None) -> Response:
    """Return the sign-in page, with the ways in that there are."""
    told = told or Told()
    response = visit.render(
        "signing_in/page.html",
        told.status,
        back=back,
        refusal=told.refusal.reason if told.refusal else None,
        account=told.account,
        subject=told.subject,
        passwords=visit.console.options.passwords,
        provider=visit.console.provider is not None,
    )
    visit.console.cookies.set(response, visit.console.cookies.before, visit.secret)
    return response


@router.get(SIGN_IN)
async def show(request: Request, suite: str = "/") -> Response:
    """Show the sign-in page."""
    return sign_in_page(visit_of(request), safe(suite))


@router.post(SIGN_IN)
async def enter(request: Request) -> Response:
    """Begin a session, or say that they do not go together."""
    visit = visit_of(request)
    fields = await fields_of(request)
    check_origin(request, request.cookies.get(visit.console.cookies.before), fields)
    if not visit.console.options.passwords:
        raise provider_only()
    back = safe(fields.get("suite", "/"))
    account = fields.get("account", "").strip().casefold()
    pool = visit.console.desk.pool
    try:
        async with forms.once(pool, visit.secret, fields[forms.FIELD], visit.now):
            signed = await accounts.sign_in(
                pool,
                visit.console.keeper,
                Typed(account, fields.get("password", "")),
                address=visit.address,
                now=visit.now,
            )
    except RefusedByRuleError as refusal:
        if refusal.reason.rule != "sign-in":
            raise
        return sign_in_page(visit, back, Told(refusal, 401, account))
    return let_in(visit, signed, back)


def let_in(visit: Visit, signed: accounts.Signed, back: str) -> Response:
    """Lead somebody whose session has begun to where they wanted, or first to the choice of a password."""
    response = visit.go(OWN_ACCOUNT if signed.must_change else back)
    cookies = visit.console.cookies
    # A session begins with a secret of its own: what was in the browser before is worth nothing in it.
    cookies.set(response, cookies.session, signed.token)
    cookies.remove(response, cookies.before)
    return response


@router.post("/deconnexion")
async def leave(page: Sent) -> Response:
    """End the session, and lead on to the end of that of the provider which had opened it."""
    async with page.desk.pool.acquire() as conn:
        issuer = await accounts.sign_out(conn, page.secret, address=page.address, now=page.now)
    provider = page.console.provider
    at_the_provider = provider is not None and provider.registration.issuer == issuer
    response = page.go(PROVIDER_OUT) if at_the_provider else page.go(SIGN_IN, "signed_out")
    page.console.cookies.remove(response, page.console.cookies.session)
    return response
