"""Pages for when something cannot be done: what happened, what was kept, what to do, in both languages."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Mount

from gamf.client.api import problems
from gamf.client.cli.language import Text
from gamf.client.console import templates
from gamf.client.console.failure import Failure
from gamf.client.console.page import (
    OWN_ACCOUNT,
    PageVisit,
    PasswordFirstError,
    SignInFirstError,
    console_of,
    visitor,
    way_to_sign_in,
)
from gamf.client.console.requests import TooLargeError, address_of, from_elsewhere
from gamf.client.errors import NotFoundError
from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.database import AWAY
from gamf.runtime.errors import Fault, ServiceUnreachable

_log = structlog.get_logger("gamf.console")
_SEE_OTHER: Final = 303
_NOT_FOUND: Final = 404
_METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_AWAY: Final = 503
_AWAY_AGAIN_AFTER: Final = "5"

_KEPT: Final = Text(
    "Rien de ce qui était consigné n’est perdu. Ce que vous veniez d’envoyer, renvoyez-le quand le service répondra : "
    "la même chose ne compte qu’une fois.",
    "Nothing that was recorded is lost. Send again, once the service answers, what you had just sent: "
    "the same thing counts once.",
)


_POSTGRESQL: Final = Failure(
    503,
    Text("PostgreSQL ne répond pas", "PostgreSQL does not answer"),
    Text(
        "La base de données est injoignable pour le moment ; cette page fonctionnera de nouveau dès qu’elle répondra.",
        "The database is unreachable for now; this page will work again as soon as it answers.",
    ),
    kept=_KEPT,
)
_UNFORESEEN: Final = Failure(
    500,
    Text("Erreur imprévue", "Unforeseen error"),
    Text(
        "Le programme s’est trompé ; le journal dit où. Ce qui était consigné l’est toujours.",
        "The program made an error; the log says where. What was recorded still is.",
    ),
)
_TOO_LARGE: Final = Failure(
    413,
    Text("Demande trop volumineuse", "Request too large"),
    Text(
        "Cette demande dépasse ce qui est accepté. Rien n’a changé.",
        "This request is more than is taken. Nothing has changed.",
    ),
)
_TOO_MANY: Final = Failure(
    429,
    Text("Trop de demandes", "Too many requests"),
    Text("Attendez quelques secondes, puis rechargez la page.", "Wait a few seconds, then reload the page."),
)
_MALFORMED: Final = Failure(
    422,
    Text("Demande mal formée", "Malformed request"),
    Text(
        "Une valeur n’a pas la forme attendue. Rien n’a changé.",
        "A value has not the expected form. Nothing has changed.",
    ),
)
_NO_SUCH_PAGE: Final = Failure(
    404,
    Text("Page introuvable", "Page not found"),
    Text("Il n’y a rien à cette adresse.", "There is nothing at this address."),
)
_NOT_SO: Final = Failure(
    405,
    Text("Demande refusée", "Request refused"),
    Text(
        "Cette page ne se demande pas ainsi. Rien n’a changé.",
        "This page is not asked for so. Nothing has changed.",
    ),
)
_REFUSALS: Final = {
    "access": 403,
    "cursor": 410,
    "form": 422,
    "form-origin": 403,
    "idempotency-key": 422,
    "sign-in": 401,
    "streams": 429,
    "token": 401,
}
_FORGED: Final = frozenset({"access", "form-once", "form-origin", "sign-in", "token"})
"""Refusals that are logged: they say something of who sent it."""
SILENT: Final = AWAY
"""What is raised when PostgreSQL is away."""
_OF_KIND: Final = (
    (TooLargeError, _TOO_LARGE),
    *((kind, _POSTGRESQL) for kind in SILENT),
)


def install(app: FastAPI) -> None:
    """Give the application its pages of failure."""
    app.add_exception_handler(SignInFirstError, _sign_in)
    app.add_exception_handler(PasswordFirstError, _choose_password)
    for kind in (RefusedByRuleError, Fault, RequestValidationError, HTTPException, TooLargeError, *SILENT):
        app.add_exception_handler(kind, failed)


async def _sign_in(_request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInFirstError)  # noqa: S101 - that is what it is registered for
    return RedirectResponse(way_to_sign_in(error.back), _SEE_OTHER)


async def _choose_password(_request: Request, _error: Exception) -> Response:
    return RedirectResponse(OWN_ACCOUNT, _SEE_OTHER)


async def failed(request: Request, error: Exception) -> Response:
    """Return the page for what went wrong, and log what nobody foresaw or what was refused to a stranger."""
    failure = _failure(error)
    visit = await _visitor(request, failure)
    if failure is _NOT_SO:
        assert isinstance(error, HTTPException)  # noqa: S101 - nothing else is of that status
        return _not_so(request, error, visit)
    if failure is _UNFORESEEN:
        _log.error("a page could not be made", exc_info=error)
    elif failure is _TOO_LARGE or failure.rule in _FORGED:
        _log_refused(request, failure)
    return page(request, failure, visit)


async def _visitor(request: Request, failure: Failure) -> PageVisit | None:
    """Return who looks, so that they can go on from there; while PostgreSQL is away, the menu would lead nowhere."""
    if failure is _POSTGRESQL or problems.is_of_the_api(request):
        return None
    return await visitor(request)


def _not_so(request: Request, error: HTTPException, visit: PageVisit | None) -> Response:
    """Return the page for a method that nothing here takes, with those that are taken (RFC 9110, 15.5.6)."""
    made = page(request, _NOT_SO, visit)
    # Our own files stand apart, and say it themselves.
    made.headers["Allow"] = ", ".join(_methods(request)) or (error.headers or {}).get("Allow", "")
    return made


def _methods(request: Request) -> list[str]:
    """Return the methods taken at this address: several routes may stand there, each with its own."""
    routes = [route for route in request.app.routes if not isinstance(route, Mount)]
    return [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _log_refused(request: Request, failure: Failure) -> None:
    _log.warning(
        "a request was refused", address=address_of(request), status=failure.status, rule=failure.rule
    )


def page(request: Request, failure: Failure, visit: PageVisit | None = None) -> Response:
    """Return the page of a failure, with the menu of whoever is signed in; of the API, the problem."""
    if problems.is_of_the_api(request):
        return problems.answer(request, failure)
    shown = {"failure": failure, "sent": _to_send_again(request, failure)}
    if visit:
        # What was asked for may hold what nobody repeats, a NAM: the other language begins at the first screen.
        made: Response = visit.render("failure.html", failure.status, here="/", said=None, **shown)
    else:
        made = render(request, "failure.html", failure.status, **shown)
    if failure.status in {429, 503}:
        made.headers["Retry-After"] = _AWAY_AGAIN_AFTER
    return made


def _to_send_again(request: Request, failure: Failure) -> Mapping[str, str]:
    """Return what was sent to a service that is away, for its page to send again: no password, nor another site's."""
    sent: Mapping[str, str] = getattr(request.state, "sent", {})
    is_secret = request.url.path.startswith(OWN_ACCOUNT) or from_elsewhere(request.headers)
    return sent if failure.status == _AWAY and not is_secret else {}


def render(request: Request, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - a template's
    """Return a page that is the same whoever looks."""
    console = console_of(request)
    shown = {
        "actor": None,
        "path": request.url.path,
        "here": "/",
        "training": console.options.training,
        "styled": console.styled,
        "said": None,
        "live": None,
        **values,
    }
    return Response(templates.render(template, shown), status, media_type="text/html")


def too_many(request: Request) -> Response:
    """Return the page for an address that asks for too much; whoever counts says when it begins to."""
    return page(request, _TOO_MANY)


def log_flood(request: Request) -> None:
    """Log that an address begins to ask for too much: a line for each request would be a flood of its own."""
    _log_refused(request, _TOO_MANY)


def too_large(request: Request) -> Response:
    """Return the page for a request that says it is too large."""
    _log_refused(request, _TOO_LARGE)
    return page(request, _TOO_LARGE)


def _failure(error: Exception) -> Failure:
    match error:
        case RefusedByRuleError():
            return _refusal(error)
        case Fault():
            return _fault(error)
        case RequestValidationError():
            return replace(_MALFORMED, rule="form", fields=_fields(error))
        case HTTPException():
            return _of_http(error.status_code)
        case _:
            return next((failure for kind, failure in _OF_KIND if isinstance(error, kind)), _UNFORESEEN)


def _fault(error: Fault) -> Failure:
    words = Text(error.fr, error.en)
    match error:
        case ServiceUnreachable():
            return Failure(503, _silent(error.service), words, kept=_KEPT)
        case NotFoundError():
            return Failure(_NOT_FOUND, Text("Introuvable", "Not found"), words)
        case _:
            return Failure(500, _UNFORESEEN.title, words)


def _refusal(error: RefusedByRuleError) -> Failure:
    reason = error.reason
    status = _REFUSALS.get(reason.rule, 409)
    fields = (reason.field,) if reason.field else ()
    return Failure(
        status, Text("Refusé", "Refused"), Text(reason.fr, reason.en), rule=reason.rule, fields=fields
    )


def _fields(error: RequestValidationError) -> tuple[str, ...]:
    """Return the fields that are at fault; a key that nobody knows is a word of the sender's, and left out."""
    places = [each["loc"] for each in error.errors() if each["type"] != "extra_forbidden"]
    return tuple(dict.fromkeys(".".join(str(part) for part in place[1:]) for place in places if place[1:]))


def _silent(service: str) -> Text:
    if service == "worker":
        return Text("Aucun travailleur ne répond", "No worker answers")
    return Text(f"{service} ne répond pas", f"{service} does not answer")


def _of_http(status: int) -> Failure:
    if status == _NOT_FOUND:
        return _NO_SUCH_PAGE
    return _NOT_SO if status == _NOT_SO.status else _MALFORMED
