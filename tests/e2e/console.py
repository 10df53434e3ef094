"""The console over a played stage, with an account of each role, and what a person does in it."""

import re
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from fastapi import FastAPI
from playwright.async_api import Browser, Locator, Page, expect

from gamf.client import acting
from gamf.client.acting import Desk
from gamf.client.console.app import make_app
from gamf.client.console.options import Limits, Options
from gamf.client.console.requests import LANGUAGE_COOKIE
from gamf.client.passwords import Passwords
from gamf.domain.roles import Grant, Role, grant
from gamf.runtime.errors import Language
from gamf.runtime.settings import HostPort
from gamf.runtime.web import serving
from gamf.storage import accounts
from tests.client.console.browser import PASSWORD
from tests.client.seats import NOON
from tests.e2e import audits
from tests.e2e.browser import WIDTH, quiet_page
from tests.e2e.stage import Stage

NEWCOMER: Final = "nouvelle"
"""An account whose password somebody else chose."""
TWO: Final = 2
"""The most clicks from *My tasks* to where something is decided."""
SECOND: Final = "seconde"
"""The account of one more coordinator."""


@dataclass(frozen=True)
class Site:
    """Where the console is, on which stage, whose block it is, and which block is drawn and awaits approval."""

    url: str
    staged: Stage
    licence: str
    rls: str
    drawn: str


@asynccontextmanager
async def site(staged: Stage) -> AsyncGenerator[Site]:
    """Serve the console of a training over the stage, to an account of each role, named as its role."""
    view = await acting.show_block(staged.desk, staged.block_id)
    licence, rls = view["physician"], view["rls"]
    grants = {
        Role.COORDINATOR: grant(Role.COORDINATOR, [rls]),
        Role.GACO: grant(Role.GACO, [rls]),
        Role.CLINIC: grant(Role.CLINIC, [licence]),
        Role.RAMQ: grant(Role.RAMQ),
        Role.AUDITOR: grant(Role.AUDITOR),
    }
    for role, granted in grants.items():
        await _add(staged, role, granted)
    await _add(staged, NEWCOMER, grants[Role.GACO], must_change=True)
    await _add(staged, SECOND, grants[Role.COORDINATOR])
    drawn = await acting.request_block(staged.desk, licence, 2, by="coordination", now=datetime.now(UTC))
    app = console_over(staged.desk)
    async with serving(app, HostPort("127.0.0.1", 0), "test") as server:
        yield Site(server.url, staged, licence, rls, drawn["block_id"])
        app.state.console.stop()


def console_over(desk: Desk) -> FastAPI:
    """Make the console of a training, for a browser that asks for much."""
    return make_app(desk, Options(training=True, limits=Limits(per_second=1_000, burst=10_000)))


async def _add(staged: Stage, account: str, granted: Grant, *, must_change: bool = False) -> None:
    encoded = await Passwords().encode(PASSWORD)
    async with staged.desk.pool.acquire() as conn:
        await accounts.add(conn, account, encoded, NOON)
        await accounts.set_password(conn, account, encoded, NOON, must_change=must_change)
        await accounts.set_grants(conn, account, [granted])


class Look(NamedTuple):
    """How somebody's browser is set."""

    scripts: bool = True
    scheme: Literal["light", "dark"] = "light"
    width: int = WIDTH
    language: Language = "fr"


USUAL: Final = Look()


@asynccontextmanager
async def opened(
    browser: Browser, where: Site, look: Look = USUAL, *, expected: Collection[int] = ()
) -> AsyncGenerator[Page]:
    """Open a browser on the console, where nobody is signed in; the page complains of nothing unexpected."""
    context = await browser.new_context(
        viewport={"width": look.width, "height": 900},
        locale=f"{look.language}-CA",
        timezone_id="America/Toronto",
        java_script_enabled=look.scripts,
        color_scheme=look.scheme,
        base_url=where.url,
    )
    await context.add_cookies([{"name": LANGUAGE_COOKIE, "value": look.language, "url": where.url}])
    await context.add_init_script(audits.SCRIPT)
    async with quiet_page(context, expected=expected) as page:
        yield page
    await context.close()


@asynccontextmanager
async def seated(
    browser: Browser, where: Site, account: str, look: Look = USUAL, *, expected: Collection[int] = ()
) -> AsyncGenerator[Page]:
    """Open the console as somebody: signed in, on their first screen."""
    async with opened(browser, where, look, expected=expected) as page:
        await page.goto("/connexion")
        await page.locator("#account").fill(account)
        await page.locator("#password").fill(PASSWORD)
        await page.locator("form[action='/connexion'] button").click()
        await expect(page.get_by_role("navigation").first).to_be_visible()
        yield page


class Clicks:
    """A person who begins each step at *My tasks*, and comes to where it is decided in no more than two clicks."""

    def __init__(self, page: Page) -> None:
        self._page: Page = page
        self._clicks: int = 0

    async def begin(self) -> None:
        """Go to the first screen."""
        await self._page.locator("a[href='/']").first.click()
        self._clicks = 0

    async def click(self, found: Locator) -> None:
        """Click on the way to a decision."""
        self._clicks += 1
        assert self._clicks <= TWO, found
        await found.click()

    async def find(self, wanted: str) -> None:
        """Search for what has a reference, from the first screen."""
        await self.begin()
        await self._page.get_by_role("search").get_by_role("textbox").fill(wanted)
        await self.click(self._page.get_by_role("search").get_by_role("button"))
        await expect(self._page.get_by_role("heading", level=1)).to_contain_text(wanted)

    async def menu(self, entry: str) -> None:
        """Begin, and follow an entry of the menu."""
        await self.begin()
        await self.click(self._page.get_by_role("navigation").get_by_role("link", name=entry, exact=True))
        await expect(self._page.locator("[aria-current=page]")).to_have_text(entry)

    async def choose(self, attribution_id: str, action: str) -> None:
        """Search for an attribution, and open one of its actions."""
        await self.find(attribution_id)
        await self.click(self._page.locator("summary", has_text=action))


async def reference(page: Page) -> str:
    """Return the reference in the title of the page that is open."""
    title = await page.get_by_role("heading", level=1).inner_text()
    found = re.search(r"\d{4}-\d{4,}", title)
    assert found is not None, title
    return found[0]


async def says(page: Page, words: str) -> None:
    """Wait until the page says, in its live region, what was done."""
    await expect(page.get_by_role("status")).to_contain_text(words)


async def decide(page: Page, action: str) -> None:
    """Press the button of an action that is open."""
    await page.get_by_role("button", name=action, exact=True).click()
