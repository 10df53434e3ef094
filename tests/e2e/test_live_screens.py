"""Screens that change by themselves, in a real Chromium: said, and never over what somebody is doing."""

from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from gamf.domain.roles import Role
from gamf.domain.states import State
from gamf.runtime.embedded import EmbeddedPostgres
from tests.e2e.browser import chromium
from tests.e2e.console import SECOND, Site, decide, says, seated, site
from tests.e2e.stage import stage

# They need Debian's Chromium, which `.ci/run` installs.
pytestmark = pytest.mark.long
_CHANGED = "Cette page vient de changer"
_KEPT = "ce que vous y faites est gardé"


@pytest.fixture(scope="module")
async def where(postgres: EmbeddedPostgres) -> AsyncGenerator[Site]:
    url = await postgres.create_database(f"console_{uuid4().hex}")
    async with stage(url) as staged, site(staged) as served:
        yield served


@pytest.fixture(scope="module")
async def browser() -> AsyncGenerator[Browser]:
    async with chromium() as opened:
        yield opened


def proposed(where: Site, number: int) -> str:
    """Return one of the attributions that wait for the physician's answer."""
    found = [each for each, state in where.staged.states.items() if state is State.PROPOSED]
    return f"/attributions/{found[number]}"


async def listening(page: Page, path: str) -> None:
    """Open a page, and wait until it is being told of changes."""
    async with page.expect_response(lambda answer: "/direct" in answer.url):
        await page.goto(path)


async def choose(page: Page, action: str) -> None:
    await page.locator("summary", has_text=action).click()


async def accept(page: Page, path: str) -> None:
    await page.goto(path)
    await choose(page, "Confirmer l’acceptation")
    await decide(page, "Confirmer l’acceptation")
    await says(page, "Le fait est consigné")


async def test_one_decides_and_the_others_screen_changes_and_says_so_without_losing_focus(
    browser: Browser, where: Site
) -> None:
    path = proposed(where, 0)
    async with (
        seated(browser, where, Role.COORDINATOR) as first,
        seated(browser, where, SECOND) as second,
    ):
        await second.emulate_media(reduced_motion="reduce")
        await listening(second, path)
        link = second.get_by_role("link", name=where.licence)
        await link.focus()
        await accept(first, path)
        await says(second, _CHANGED)
        await expect(second.locator("dl.gamf-facts")).to_contain_text("confirmée")
        await expect(second.locator("summary", has_text="Confirmer l’acceptation")).to_have_count(0)
        await expect(link).to_be_focused()
        await expect(second.get_by_role("link", name="PDF")).to_be_visible()
        moving = "getComputedStyle(document.querySelector('.gamf-replaced')).animationName"
        assert await second.evaluate(moving) == "none"
        # Whoever decided is told of it by the page that follows, and by nothing that comes again.
        await expect(first.get_by_role("status")).to_contain_text("Le fait est consigné")
        assert not (await Axe().run(second)).response["violations"]


async def test_what_is_being_written_is_kept_and_a_note_says_that_it_changed(
    browser: Browser, where: Site
) -> None:
    path = proposed(where, 1)
    async with (
        seated(browser, where, Role.COORDINATOR) as first,
        seated(browser, where, SECOND) as second,
    ):
        await listening(second, path)
        await choose(second, "Consigner le refus du médecin")
        reason = second.locator('form[action$="/refused"] [name="reason"]')
        await reason.fill("absence prolongée")
        await accept(first, path)
        await says(second, _KEPT)
        await expect(reason).to_have_value("absence prolongée")
        await expect(reason).to_be_focused()
        await expect(second.locator(".gamf-live-note")).to_contain_text(_KEPT)
        await expect(second.locator("dl.gamf-facts")).to_contain_text("confirmée")
        assert not (await Axe().run(second)).response["violations"]


async def test_a_task_that_another_decided_leaves_my_tasks(browser: Browser, where: Site) -> None:
    async with (
        seated(browser, where, Role.COORDINATOR) as first,
        seated(browser, where, SECOND) as second,
    ):
        await listening(second, "/")
        await first.goto("/")
        path = await first.locator('form[action$="/cancelled"]').first.get_attribute("action")
        line = f'form[action="{path}"]'
        await expect(second.locator(line)).to_have_count(1)
        details = first.locator("details", has=first.locator(line))
        await details.locator("summary").click()
        await first.locator(line).locator("[name=reason]").fill("médecin en congé")
        await first.locator(line).get_by_role("button").click()
        await says(first, "Le fait est consigné")
        await expect(second.locator(line)).to_have_count(0, timeout=15_000)
        await says(second, _CHANGED)
        await expect(second.locator(".gamf-countdown").first).to_be_visible()


async def test_a_session_that_is_over_is_said_and_what_was_written_stays(
    browser: Browser, where: Site
) -> None:
    async with seated(browser, where, SECOND) as page:
        await listening(page, "/blocs")
        await page.locator("summary", has_text="Demander un bloc").click()
        wanted = page.get_by_label("Nombre de patients")
        await wanted.fill("12")
        async with where.staged.desk.pool.acquire() as conn:
            await conn.execute("DELETE FROM sessions WHERE account = $1", SECOND)
        await says(page, "Votre session est terminée")
        await expect(wanted).to_have_value("12")
        await page.get_by_role("link", name="Ouvrir une session").click()
        await expect(page.get_by_label("Mot de passe")).to_be_visible()
