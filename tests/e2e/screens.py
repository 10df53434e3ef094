"""Every screen of the console, as those who have it see it; a screen that is not here fails a test."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import quote

import asyncpg
from fastapi.routing import APIRoute
from playwright.async_api import Page
from starlette.routing import Match

from gamf.client import acting
from gamf.client.acting import Desk
from gamf.client.console.app import SCREENS, pages
from gamf.domain.roles import Role
from gamf.domain.states import State
from gamf.runtime.settings import HostPort
from gamf.runtime.web import serving
from tests.e2e.console import NEWCOMER, Site, console_over

if TYPE_CHECKING:
    from gamf.storage.connection import Pool

NO_PAGES: Final = frozenset(
    {
        "/langue/{language}",
        "/attributions/{attribution_id}/lettres/{letter_id}",
        "/indicateurs/graphique.svg",
        "/ramq/blocs/{block_id}/fichiers/{number}",
    }
)
"""What can be opened and is no screen: a way to another, a PDF, a picture, a file."""
_DOCUMENTED: Final = "/api/docs"
_WAYS: Final = frozenset(
    {
        "/connexion/openid",
        "/connexion/openid/retour",
        "/connexion/openid/fin",
        "/connexion/openid/sortie",
        "/direct",
    }
)
"""The ways to an identity provider and back, through which another test goes, and the events of a page."""
LEAVING: Final = "90002"
"""A physician who is about to leave, on `LEAVES_ON`."""
LEAVES_ON: Final = date(2040, 6, 1)
Act = Callable[[Page], Awaitable[None]]


class Screen(NamedTuple):
    """A screen: which route makes it, where, for which account, with which status, and what is done first."""

    route: str
    path: str
    account: str | None
    status: int = 200
    act: Act | None = None

    async def bring(self, page: Page) -> None:
        """Bring it up in a browser where that account is signed in."""
        answer = await page.goto(self.path)
        assert answer is not None
        if self.act is not None:
            async with page.expect_navigation() as sent:
                await self.act(page)
            answer = await sent.value
        assert answer.status == self.status, (self, answer.status)

    @property
    def name(self) -> str:
        """Say which it is."""
        return f"{self.account or '-'} {self.path} {self.status}{f' {self.act.__name__}' if self.act else ''}"


class Away(NamedTuple):
    """The addresses of consoles without PostgreSQL, and with an error that nobody foresaw."""

    postgresql: str
    unforeseen: str


def routes() -> set[str]:
    """Return the routes that make the screens."""
    return {*pages(), _DOCUMENTED} - NO_PAGES - _WAYS


def route_of(path: str) -> str | None:
    """Return the route that makes a page, None when none does."""
    scope: dict[str, object] = {
        "type": "http",
        "method": "GET",
        "path": path.partition("?")[0],
        "headers": [],
    }
    every = (route for screen in SCREENS for route in screen.router.routes)
    matching = (route for route in every if route.matches(scope)[0] is Match.FULL)
    return next((route.path for route in matching if isinstance(route, APIRoute)), None)


async def screens(where: Site, gone: Away) -> Sequence[Screen]:
    """Return every screen, and each page that says why something cannot be done."""
    view = await acting.show_attribution(where.staged.desk, where.staged.first(State.ENROLLED_SV))
    patient = view["patient_id"]
    every = [
        *_before(),
        *_coordinator(where, patient),
        *_gaco(where, patient),
        *_clinic(where, patient),
        *_ramq(where, patient),
        *_auditor(where, patient),
        *_away(gone),
        Screen("/compte", "/compte", NEWCOMER),
    ]
    there = routes()
    return [each for each in every if each.route in there]


def _before() -> Iterator[Screen]:
    yield Screen("/connexion", "/connexion", None)
    yield Screen("/connexion", "/connexion", None, 401, _sign_in_wrongly)
    yield Screen("/connexion", "/connexion?dit=signed_out", None)
    yield Screen("/api/docs", "/api/docs", None)


def _coordinator(where: Site, patient: str) -> Iterator[Screen]:
    me = Role.COORDINATOR
    yield Screen("/", "/", me)
    yield Screen("/", "/?dit=task_done", me)
    yield Screen("/blocs", "/blocs", me)
    yield Screen("/blocs", "/blocs", me, 422, _request_too_many)
    yield Screen("/blocs", "/blocs?etat=withdrawn", me)
    yield Screen("/blocs/{block_id}", f"/blocs/{where.drawn}", me)
    yield Screen("/blocs/{block_id}", f"/blocs/{where.staged.block_id}", me)
    yield Screen("/blocs/{block_id}", f"/blocs/{where.staged.block_id}", me, 422, _refuse_without_reason)
    yield Screen("/attributions", "/attributions", me)
    yield Screen("/attributions", "/attributions?bloc=1", me)
    for state in (State.UNANSWERED, State.OVERDUE, State.ENROLLED_MF):
        yield _attribution(where, state, me)
    yield Screen("/liste", "/liste", me)
    yield Screen("/liste", "/liste", me, 404, _search_nobody)
    yield Screen("/liste/{patient_id}", f"/liste/{patient}", me)
    yield Screen("/medecins", "/medecins", me)
    yield from _physician(where, me)
    yield Screen("/profils", "/profils", me)
    yield Screen("/profils/{rls}", f"/profils/{quote(where.rls)}", me)
    yield Screen("/profils/{rls}", f"/profils/{quote(where.rls)}", me, 422, _share_badly)
    yield Screen("/indicateurs", "/indicateurs", me)
    yield Screen("/ramq", "/ramq", me)
    yield Screen("/ramq/blocs/{block_id}", f"/ramq/blocs/{where.staged.block_id}", me)
    yield Screen("/compte", "/compte", me)
    yield Screen("/compte", "/compte", me, 422, _mistype_password)
    yield Screen("/ramq/lettres", "/ramq/lettres", me, 403)
    yield Screen("/", "/nulle-part", me, 404)
    yield Screen("/liste", "/liste", me, 409, _send_twice)


def _physician(where: Site, account: str) -> Iterator[Screen]:
    path = f"/medecins/{where.licence}"
    yield Screen("/medecins/{licence}", path, account)
    yield Screen("/medecins/{licence}/depart", f"{path}/depart?cause=retired&on=2199-01-01", account)
    yield Screen("/medecins/{licence}/depart", f"{path}/depart?cause=retired&on=", account, 422)
    # Nobody has announced that they leave.
    yield Screen("/medecins/{licence}/avisees", f"{path}/avisees", account, 404)


def _attribution(
    where: Site, state: State, account: str, status: int = 200, act: Act | None = None
) -> Screen:
    path = f"/attributions/{where.staged.first(state)}"
    return Screen("/attributions/{attribution_id}", path, account, status, act)


def _gaco(where: Site, patient: str) -> Iterator[Screen]:
    me = Role.GACO
    yield Screen("/", "/", me)
    yield _attribution(where, State.ENROLLED_SV, me)
    yield Screen("/liste/{patient_id}", f"/liste/{patient}", me)
    yield Screen("/liste/{patient_id}/coordonnees", f"/liste/{patient}/coordonnees", me)


def _clinic(where: Site, patient: str) -> Iterator[Screen]:
    me = Role.CLINIC
    yield Screen("/", "/", me)
    yield Screen("/blocs", "/blocs", me)
    yield Screen("/blocs/{block_id}", f"/blocs/{where.staged.block_id}", me)
    yield _attribution(where, State.CONFIRMED, me)
    yield _attribution(where, State.ENROLLED_SV, me, 422, _sign_too_early)
    yield Screen("/liste/{patient_id}", f"/liste/{patient}", me)
    yield Screen("/liste/{patient_id}/conditions", f"/liste/{patient}/conditions", me)


def _ramq(where: Site, patient: str) -> Iterator[Screen]:
    me = Role.RAMQ
    yield Screen("/", "/", me)
    yield _attribution(where, State.ENROLLED_SV, me)
    yield Screen("/liste/{patient_id}", f"/liste/{patient}", me)
    yield Screen("/medecins/{licence}", f"/medecins/{where.licence}", me)
    yield Screen("/ramq", "/ramq", me)
    yield Screen("/medecins/{licence}", f"/medecins/{LEAVING}", me)
    yield Screen("/medecins/{licence}/avisees", f"/medecins/{LEAVING}/avisees", me)


def _auditor(where: Site, patient: str) -> Iterator[Screen]:
    me = Role.AUDITOR
    yield Screen("/", "/", me)
    yield Screen("/liste/{patient_id}", f"/liste/{patient}", me)
    yield _attribution(where, State.OVERDUE, me)
    yield Screen("/ramq/lettres", "/ramq/lettres", me)
    yield Screen("/journal", "/journal", me)
    yield Screen("/journal", f"/journal?patient={patient}", me)
    yield Screen("/journal/mois", "/journal/mois", me)


# --- what is done to be refused ---------------------------------------------------------------------------

_STRANGERS: Final = count()


async def _sign_in_wrongly(page: Page) -> None:
    await page.locator("#account").fill(f"personne{next(_STRANGERS)}")
    await page.locator("#password").fill("pas celui-là du tout")
    await page.locator("form[action='/connexion'] button").click()


async def _request_too_many(page: Page) -> None:
    await page.locator("summary").first.click()
    await page.locator("#permis").fill("90001")
    await page.locator("#nombre").fill("100000")
    await page.locator("form[action='/blocs'][method=post] button").click()


async def _refuse_without_reason(page: Page) -> None:
    await page.locator("input[value=refuse]").check()
    await page.locator("form[action$='/reponse'] button").click()


async def _search_nobody(page: Page) -> None:
    await page.locator("#recherche").fill("personne")
    await page.locator("[role=search] button").click()


async def _mistype_password(page: Page) -> None:
    await page.locator("#before").fill("trois petits chats")
    await page.locator("#after").fill("une autre phrase")
    await page.locator("#again").fill("encore une autre")
    await page.locator("form[action='/compte/mot-de-passe'] button").click()


async def _share_badly(page: Page) -> None:
    await page.locator("[id='n-70+']").fill("beaucoup")
    await page.locator("form[action^='/profils/'] button").first.click()


async def _sign_too_early(page: Page) -> None:
    form = page.locator("details", has=page.locator("form[action$='/mf_signed']"))
    await form.locator("summary").click()
    await form.locator("input[name=signed_on]").fill("2020-01-01")
    await form.locator("button").click()


async def _send_twice(page: Page) -> None:
    """Send the form of the search, and then once more what it was."""
    seal = await page.locator("[role=search] input[name=form]").get_attribute("value")
    await page.request.post("/liste/recherche", form={"form": seal or "", "recherche": "0000-0000"})
    await page.locator("#recherche").fill("0000-0000")
    await page.locator("[role=search] button").click()


# --- what is away -----------------------------------------------------------------------------------------


@asynccontextmanager
async def away(where: Site) -> AsyncGenerator[Away]:
    """Serve such consoles, to the accounts that are signed in on the other."""
    desk = where.staged.desk
    nowhere = await asyncpg.create_pool("postgresql://127.0.0.1:1/nowhere", min_size=0)
    desks = (Desk(nowhere, desk.temporal), Desk(cast("Pool", object()), desk.temporal))
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(serving(console_over(each), HostPort("127.0.0.1", 0), "test"))
            for each in desks
        ]
        yield Away(*(server.url for server in servers))
    await nowhere.close()


def _away(gone: Away) -> Iterator[Screen]:
    yield Screen("/", f"{gone.postgresql}/", Role.COORDINATOR, 503)
    yield Screen("/", f"{gone.unforeseen}/", Role.COORDINATOR, 500)
