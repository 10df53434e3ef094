"""Signing in and out through the identity provider: to it by a plain link, from it by a redirection.

The browser comes back with a navigation of its own, for which `SameSite=Lax` lets our cookie go with it; a form of ours
is never sent there, so the policy of the pages keeps `form-action 'self'`.
"""

from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from gamf.client.console.page import PROVIDER_IN, PROVIDER_OUT, SIGN_IN, Visit, safe
from gamf.client.console.requests import new_secret
from gamf.client.console.signing_in import Told, let_in, sign_in_page, visit_of
from gamf.client.errors import NotFoundError
from gamf.client.identities import Returned, SignIn, Unlinked
from gamf.client.openid import RETURN, SIGNED_OUT, Provider, ProviderAwayError
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.signing_in import not_linked, provider_away

router = APIRouter()
_log = structlog.get_logger("gamf.console")
_SEE_OTHER: Final = 303
_REFUSED: Final = 401
_AWAY: Final = 503
_AGAIN_AFTER: Final = "5"
_LONGEST: Final = 4096
_Word = Annotated[str | None, Query(max_length=_LONGEST)]


def _sign_in(visit: Visit) -> SignIn:
    """Return the sign-in of this browser.

    Raises:
        NotFoundError: the settings name no provider.
    """
    return SignIn(visit.console.desk.pool, _provider(visit), visit.secret, visit.address, visit.now)


def _provider(visit: Visit) -> Provider:
    if visit.console.provider is None:
        raise NotFoundError(fr="Il n’y a rien à cette adresse.", en="There is nothing at this address.")
    return visit.console.provider


@router.get(PROVIDER_IN)
async def begin(request: Request, suite: str = "/") -> Response:
    """Send the browser to the provider, or say that it does not answer."""
    visit, back = visit_of(request), safe(suite)
    try:
        way = await _sign_in(visit).begin(new_secret(), back)
    except ProviderAwayError:
        return _away(visit, back)
    except RefusedByRuleError as refusal:
        return _refused(visit, back, refusal)
    response = RedirectResponse(way, _SEE_OTHER)
    visit.console.cookies.set(response, visit.console.cookies.before, visit.secret)
    return response


@router.get(RETURN)
async def come_back(request: Request, state: _Word = None, code: _Word = None, iss: _Word = None) -> Response:
    """Begin the session of whoever comes back from the provider, or say why not."""
    visit = visit_of(request)
    try:
        ended = await _sign_in(visit).end(state or "", Returned(code, iss))
    except ProviderAwayError:
        return _away(visit, "/")
    except RefusedByRuleError as refusal:
        return _refused(visit, "/", refusal)
    if isinstance(ended, Unlinked):
        return _refused(visit, "/", not_linked(), ended.subject)
    return let_in(visit, ended.signed, ended.back)


def _refused(visit: Visit, back: str, refusal: RefusedByRuleError, subject: str | None = None) -> Response:
    """Return the sign-in page with what was refused, and log that somebody was: never who, nor what they had."""
    _log.warning("a sign-in through the provider was refused", address=visit.address, status=_REFUSED)
    return sign_in_page(visit, back, Told(refusal, _REFUSED, subject=subject))


def _away(visit: Visit, back: str) -> Response:
    told = Told(provider_away(passwords=visit.console.options.passwords), _AWAY)
    response = sign_in_page(visit, back, told)
    response.headers["Retry-After"] = _AGAIN_AFTER
    return response


@router.get(PROVIDER_OUT)
async def lead_out(request: Request) -> Response:
    """Lead to the end of the provider's own session, where it has such an end and answers.

    A page of ours does, not a redirection: the form that signs out is sent to us, and `form-action` holds for every
    address that it is redirected to.
    """
    visit = visit_of(request)
    try:
        way = await _provider(visit).way_out()
    except ProviderAwayError:
        way = None
    if way is None:
        return visit.go(SIGN_IN, "signed_out_here")
    return visit.render("signing_in/out.html", way=way)


@router.get(SIGNED_OUT)
async def come_out(request: Request) -> Response:
    """Say that both sessions are over."""
    return visit_of(request).go(SIGN_IN, "signed_out")
