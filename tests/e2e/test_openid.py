"""Signing in and out through a real identity provider in a real Chromium, which crosses from one site to the other."""

import re
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page, Route, expect

from gamf.client import identities
from gamf.client.acting import Desk
from gamf.client.console.app import make_app
from gamf.client.console.options import Options
from gamf.domain.roles import Role, grant
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.settings import HostPort
from gamf.runtime.temporal import connect
from gamf.runtime.web import serving
from gamf.storage.connection import Pool
from tests.client.seats import the_operator
from tests.e2e.browser import chromium, quiet_page
from tests.openid.process import ProviderProcess

# They need Debian's Chromium, which `.ci/run` installs.
pytestmark = pytest.mark.long

ADA: Final = "ada-7f3a"
_WAY: Final = "Continuer avec le compte de mon organisation"


@pytest.fixture
async def provider(pool: Pool, temporal: EmbeddedTemporal) -> AsyncGenerator[ProviderProcess]:
    """Run a provider, a console beside it, and have an account that is linked to somebody there."""
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        process = ProviderProcess(Path(name))
        await process.start()
        async with pool.acquire() as conn:
            person = identities.Person(process.issuer, ADA)
            await identities.add(conn, the_operator(), "ada", [grant(Role.AUDITOR)], person)
        desk = Desk(pool, await connect(address=temporal.address))
        app = make_app(desk, Options(openid=process.registration()))
        async with serving(app, HostPort("127.0.0.1", process.console_port), "test"):
            yield process
        await process.kill()


@asynccontextmanager
async def opened(provider: ProviderProcess, *, scripts: bool) -> AsyncGenerator[BrowserContext]:
    """Open a browser; what the provider's own pages would fetch from elsewhere is empty."""
    async with chromium() as browser:
        context = await browser.new_context(
            locale="fr-CA", java_script_enabled=scripts, base_url=provider.console
        )
        await context.route("https://fonts.googleapis.com/**", _nothing)
        await context.route("**/favicon.ico", _nothing)
        yield context
        await context.close()


async def _nothing(route: Route) -> None:
    await route.fulfill(status=200, content_type="text/css", body="")


async def _sign_in_there(page: Page, login: str) -> None:
    """Fill in the provider's own forms."""
    await page.get_by_placeholder("Enter any login").fill(login)
    await page.get_by_placeholder("and password").fill("n’importe lequel")
    await page.get_by_role("button", name="Sign-in").click()
    await page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without"])
async def test_somebody_signs_in_through_the_provider_and_out_of_both(
    provider: ProviderProcess, *, scripts: bool
) -> None:
    async with opened(provider, scripts=scripts) as context, quiet_page(context) as page:
        await page.goto("/compte")
        await page.get_by_role("link", name=_WAY).click()
        await expect(page).to_have_url(re.compile(re.escape(provider.issuer)))
        await _sign_in_there(page, ADA)
        await expect(page).to_have_url(f"{provider.console}/compte")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Mon compte")
        kept = {each.get("name"): each for each in await context.cookies(provider.console)}
        session = kept["gamf_session"]
        assert (session.get("httpOnly"), session.get("sameSite")) == (True, "Lax")
        assert "gamf_before" not in kept
        await page.get_by_role("button", name="Fermer la session").click()
        # From our page to the provider's by itself, with scripts and without.
        await page.get_by_role("button", name="Yes, sign me out").click()
        await expect(page).to_have_url(f"{provider.console}/connexion?dit=signed_out")
        await expect(page.get_by_role("status")).to_contain_text("Votre session est fermée")


async def test_what_is_said_on_the_way_has_no_barrier(provider: ProviderProcess) -> None:
    async with opened(provider, scripts=True) as context:
        page = await context.new_page()
        await page.goto("/connexion")
        await _without_barrier(page)
        await page.get_by_role("link", name=_WAY).click()
        await _sign_in_there(page, "eve-0d11")
        await expect(page.get_by_role("alert")).to_contain_text("aucun compte d’ici n’est lié à vous")
        await expect(page.get_by_text("eve-0d11")).to_be_visible()
        await _without_barrier(page)
        await provider.kill()
        await page.get_by_role("link", name=_WAY).click()
        await expect(page.get_by_role("alert")).to_contain_text("Le fournisseur d’identité ne répond pas")
        await _without_barrier(page)


async def _without_barrier(page: Page) -> None:
    violations = cast("list[dict[str, Any]]", (await Axe().run(page)).response["violations"])
    assert not violations, violations
