"""What every screen is given: who looks, in which language, and how to answer. A screen is a module of routes.

`Page` is for a page that is shown, `Sent` for a form that was sent: it has been checked, and counts once.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gamf.client import accounts
from gamf.client.access import Seat
from gamf.client.accounts import Session
from gamf.client.console import forms, templates
from gamf.client.console.requests import address_of, from_elsewhere
from gamf.client.live import Lookout
from gamf.client.openid import Provider
from gamf.client.passwords import Passwords
from gamf.domain.access import Channel
from gamf.domain.roles import Actor
from gamf.runtime.database import CUT

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.client.console.options import Options

BY_ITSELF: Final = "gamf-live"
"""The header of what a script asks for while nobody does: it keeps no session from ending."""
SIGN_IN: Final = "/connexion"
PROVIDER_IN: Final = "/connexion/openid"
PROVIDER_OUT: Final = "/connexion/openid/fin"
OWN_ACCOUNT: Final = "/compte"
_SEE_OTHER: Final = 303
_A_MOMENT: Final = 2
"""Seconds: how long a page of failure waits to know who looks at it."""


class SignInFirstError(Exception):
    """Nobody is signed in, or their session is over; `back` is where they wanted to go, None for what they sent."""

    def __init__(self, back: str | None) -> None:
        super().__init__()
        self.back: str | None = back


class PasswordFirstError(Exception):
    """Somebody else chose the password: it is to be changed before anything else."""


@dataclass(frozen=True)
class Console:
    """What the application holds."""

    desk: "Desk"
    options: "Options"
    keeper: Passwords
    cookies: "Cookies"
    styled: str | None
    """Where the style sheets of the design system are; None where they are missing."""
    lookout: Lookout
    provider: Provider | None = None
    """The identity provider, where there is one."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once it is time to stop: a stream that has no end of its own ends."""

    def stop(self) -> None:
        """Have every stream end, so that a server that stops waits for none."""
        self.stopping.set()
        self.lookout.close()


@dataclass(frozen=True)
class Cookies:
    """The names of the cookies, and how they are set: over TLS, no other host may set one of these names."""

    secure: bool

    @property
    def session(self) -> str:
        """Return the name of the session's cookie."""
        return "__Host-gamf_session" if self.secure else "gamf_session"

    @property
    def before(self) -> str:
        """Return the name of the cookie of somebody who has not signed in yet."""
        return "__Host-gamf_before" if self.secure else "gamf_before"

    def set(self, response: Response, name: str, value: str) -> None:
        """Set a cookie that no script reads and no other site sends, until the browser is closed."""
        response.set_cookie(name, value, path="/", secure=self.secure, httponly=True, samesite="lax")

    def remove(self, response: Response, name: str) -> None:
        """Take a cookie away."""
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")


def console_of(request: Request) -> Console:
    """Return what the application holds."""
    found: Console = request.app.state.console
    return found


@dataclass(frozen=True)
class Visit:
    """A request of somebody, signed in or not; `secret` is that of their cookie, with which forms are sealed."""

    request: Request
    console: Console
    now: datetime
    secret: str
    actor: Actor | None = None

    @property
    def address(self) -> str:
        """Return where the request comes from."""
        return address_of(self.request)

    def render(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - a template's
        """Return a page made from a template, which is given who looks, the seal of forms, and these values."""
        shown = {
            "form_seal": lambda: forms.new_form(self.secret),
            "actor": self.actor,
            "path": self.request.url.path,
            "here": here(self.request),
            "training": self.console.options.training,
            "styled": self.console.styled,
            "said": self.request.query_params.get("dit"),
            "live": None,
            **values,
        }
        return HTMLResponse(templates.render(template, shown), status)

    def go(self, path: str, said: str | None = None) -> RedirectResponse:
        """Return the way to another page, which says what was done: `said` is a word of `templates.SAID`."""
        query = f"?{urlencode({'dit': said})}" if said else ""
        return RedirectResponse(f"{path}{query}", _SEE_OTHER)

    def go_to(self, path: str, query: Mapping[str, str]) -> RedirectResponse:
        """Return the way to another page, with what is asked of it; nothing that names a person goes there."""
        return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, _SEE_OTHER)


@dataclass(frozen=True)
class PageVisit(Visit):
    """A request of somebody who is signed in."""

    session: Session | None = None

    @property
    def desk(self) -> "Desk":
        """Return what the use cases act through."""
        return self.console.desk

    @property
    def seat(self) -> Seat:
        """Return who asks, from where and when, as the use cases are given it."""
        assert self.actor is not None  # noqa: S101 - nobody has this without having signed in
        return Seat(self.actor, Channel.CONSOLE, self.now, self.address)


@dataclass(frozen=True)
class SentVisit(PageVisit):
    """A form that was sent, checked: by one of our pages, for the first time."""

    fields: Mapping[str, str] | None = None

    def field(self, name: str) -> str:
        """Return what stands in a field, without spaces around it; nothing when it was not sent."""
        return (self.fields or {}).get(name, "").strip()


def here(request: Request) -> str:
    """Return where to come back to: the path and query of a page, or the page above the address of a form."""
    path = request.url.path
    if request.method == "GET":
        return f"{path}?{request.url.query}" if request.url.query else path
    route = request.scope.get("route")
    # An address that takes no form has no page above it.
    pattern: str = route.path if route else ""
    path = path if route else "/"
    pages: frozenset[str] = request.app.state.pages
    while pattern and pattern not in pages:
        path, pattern = (each.rpartition("/")[0] for each in (path, pattern))
    return path or "/"


def safe(path: str) -> str:
    """Return a path of ours to go to, or the first screen for anything else."""
    inside = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if inside else "/"


async def signed_in(request: Request) -> PageVisit:
    """Return the visit of somebody who is signed in.

    Raises:
        SignInFirstError: nobody is.
        PasswordFirstError: they have to choose a password, and ask for another page.
    """
    console, now = console_of(request), datetime.now(UTC)
    token = request.cookies.get(console.cookies.session)
    used = BY_ITSELF not in request.headers
    found = await _session(console, token, now, used=used) if token else None
    if token is None or found is None:
        raise SignInFirstError(here(request) if request.method == "GET" else None)
    if found.must_change and not request.url.path.startswith(OWN_ACCOUNT):
        raise PasswordFirstError
    visit = request.state.visit = PageVisit(request, console, now, token, found.actor, found)
    return visit


async def visitor(request: Request) -> PageVisit | None:
    """Return the visit of whoever looks at a page of failure; None where nobody is signed in or nobody can tell."""
    known: PageVisit | None = getattr(request.state, "visit", None)
    if known is not None:
        return known
    try:
        async with asyncio.timeout(_A_MOMENT):
            return await signed_in(request)
    except Exception:  # noqa: BLE001 - it is a failure already that is shown; it has no menu then
        return None


async def _session(console: Console, token: str, now: datetime, *, used: bool) -> Session | None:
    """Find a session; a connection that PostgreSQL closed while nobody used it is tried once more."""
    try:
        async with console.desk.pool.acquire() as conn:
            return await accounts.session(conn, token, now=now, used=used)
    except CUT:
        async with console.desk.pool.acquire() as conn:
            return await accounts.session(conn, token, now=now, used=used)


async def fields_of(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent; a file is none."""
    async with request.form(max_files=0, max_fields=1_000) as form:
        return {name: value for name, value in form.multi_items() if not isinstance(value, UploadFile)}


def check_origin(request: Request, secret: str | None, fields: Mapping[str, str]) -> None:
    """Refuse a form that another site sent, or that none of our pages made for this browser.

    Raises:
        RefusedByRuleError: it is one.
    """
    forms.check_sealed(None if from_elsewhere(request.headers) else secret, fields.get(forms.FIELD, ""))


async def sent(request: Request) -> AsyncGenerator[SentVisit]:
    """Return a form that somebody who is signed in sent, checked, while what it asks is done.

    Raises:
        RefusedByRuleError: another site sent it, none of our pages made it, or it was sent before.
        SignInFirstError: nobody is signed in.
    """
    # First what was written: where nobody can say who is signed in, it is kept all the same.
    fields = request.state.sent = await fields_of(request)
    visit = await signed_in(request)
    check_origin(request, visit.secret, fields)
    async with forms.once(visit.desk.pool, visit.secret, fields[forms.FIELD], visit.now):
        yield SentVisit(
            visit.request, visit.console, visit.now, visit.secret, visit.actor, visit.session, fields
        )


def way_to_sign_in(back: str | None) -> str:
    """Return the address of the sign-in page, which leads back, or says that what was sent was not taken."""
    if back is None:
        return f"{SIGN_IN}?dit=session_over"
    return SIGN_IN if back == "/" else f"{SIGN_IN}?suite={quote(back, safe='')}"


Page = Annotated[PageVisit, Depends(signed_in)]
Sent = Annotated[SentVisit, Depends(sent)]
