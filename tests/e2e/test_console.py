"""The console in a real Chromium, as each role, with scripts and without: a block from the request to every ending."""

import re

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from gamf.client import acting
from gamf.domain.roles import Role
from gamf.domain.states import State
from tests.clock import today
from tests.e2e.console import Clicks, Look, Site, decide, reference, says, seated

# They need Debian's Chromium, which `.ci/run` installs.
pytestmark = pytest.mark.long
_SIZE = 6


@pytest.mark.parametrize("scripts", [True, False], ids=["with-scripts", "without"])
async def test_a_block_is_lived_by_each_role_in_two_clicks_from_my_tasks(
    browser: Browser, where: Site, *, scripts: bool
) -> None:
    look = Look(scripts=scripts)
    async with seated(browser, where, Role.COORDINATOR, look) as page:
        block, refused, mf, late, *others = await _a_block(page, where)
    async with seated(browser, where, Role.CLINIC, look) as page:
        await _batch(page, block)
        await _mf(page, mf, today().isoformat())
    async with seated(browser, where, Role.GACO, look) as page:
        await _patient_refuses(page, refused)
    async with seated(browser, where, Role.COORDINATOR, look) as page:
        await _let_expire(page, late)
    view = await acting.show_attribution(where.staged.desk, late)
    async with seated(browser, where, Role.CLINIC, look) as page:
        await _mf(page, late, view["term"])
    async with seated(browser, where, Role.RAMQ, look) as page:
        await _what_ramq_knows(page, *others)
        await _what_ramq_reads(page, block)
    shown = (await acting.show_block(where.staged.desk, block))["list"]
    assert {each["attribution_id"]: each["state"] for each in shown} == {
        refused: State.PATIENT_REFUSED,
        mf: State.ENROLLED_MF,
        late: State.ENROLLED_MF,
        others[0]: State.ENROLLED_MF,
        others[1]: State.ENROLLED_ELSEWHERE,
        others[2]: State.PATIENT_LEFT,
    }


async def _a_block(page: Page, where: Site) -> list[str]:
    """Ask for a block, approve it, accept it; return its reference and those of its attributions."""
    clicks = Clicks(page)
    await clicks.menu("Blocs")
    await clicks.click(page.locator("summary", has_text="Demander un bloc"))
    await page.get_by_label("Permis du médecin (5 chiffres)").fill(where.licence)
    await page.get_by_label("Nombre de patients").fill(str(_SIZE))
    await page.get_by_role("button", name="Tirer la liste").click()
    await says(page, "La liste est tirée")
    block = await reference(page)
    await clicks.menu("Blocs")
    await clicks.click(page.get_by_role("link", name=block))
    await page.get_by_role("button", name="Approuver la liste").click()
    await says(page, "les 72 heures ont commencé")
    links = page.get_by_role("rowheader").get_by_role("link")
    references = sorted(await links.all_inner_texts())
    await clicks.find(block)
    await page.get_by_role("button", name="Consigner la réponse").click()
    await says(page, "La réponse du médecin est consignée")
    return [block, *(each for each in references if re.fullmatch(r"\d{4}-\d{6}", each))]


async def _batch(page: Page, block: str) -> None:
    clicks = Clicks(page)
    await clicks.menu("Blocs")
    await clicks.click(page.get_by_role("link", name=block))
    await page.get_by_role("button", name="Inscrire ceux qui sont cochés").click()
    await says(page, "Les inscriptions SV sont consignées")


async def _mf(page: Page, attribution_id: str, day: str) -> None:
    await Clicks(page).choose(attribution_id, "Consigner le formulaire 4096 signé")
    await page.get_by_label("Signé le").fill(day)
    await decide(page, "Consigner le formulaire 4096 signé (MF)")
    await says(page, "Le fait est consigné")


async def _patient_refuses(page: Page, attribution_id: str) -> None:
    await Clicks(page).choose(attribution_id, "Consigner le refus du patient")
    await page.get_by_label("Motif du patient").select_option("distance")
    await decide(page, "Consigner le refus du patient")
    await says(page, "Le fait est consigné")


async def _let_expire(page: Page, attribution_id: str) -> None:
    await Clicks(page).find(attribution_id)
    await page.get_by_role("button", name="avancer à la prochaine échéance").click()
    await says(page, "a avancé")
    await expect(page.get_by_role("img", name="Frise de l’attribution")).to_contain_text("expiré")


async def _what_ramq_knows(page: Page, mf: str, elsewhere: str, left: str) -> None:
    """Report an MF, an enrolment by another physician, a departure."""
    day = today().isoformat()
    await _mf(page, mf, day)
    await Clicks(page).choose(elsewhere, "Inscrit par un autre médecin")
    await _opened(page).get_by_label("Permis du médecin (5 chiffres)").fill("90003")
    await _opened(page).get_by_label("En vigueur le").fill(day)
    await _opened(page).get_by_label("Fondement de l’inscription").fill("entente particulière")
    await decide(page, "Inscrit par un autre médecin")
    await says(page, "Le fait est consigné")
    await Clicks(page).choose(left, "Décès ou départ du patient")
    await _opened(page).get_by_label("Jour").fill(day)
    await _opened(page).get_by_label("Cause").select_option("left_quebec")
    await decide(page, "Décès ou départ du patient")
    await says(page, "Le fait est consigné")


def _opened(page: Page) -> Locator:
    return page.locator("details[open]")


async def _what_ramq_reads(page: Page, block: str) -> None:
    """Open the block, the confirmed lists and the outbox, with a letter of it."""
    clicks = Clicks(page)
    await clicks.menu("Blocs")
    await clicks.click(page.get_by_role("link", name=block))
    await expect(page.get_by_role("button")).to_have_count(1)
    await clicks.menu("RAMQ")
    await clicks.click(page.get_by_role("link", name="Boîte d’envoi des lettres"))
    async with page.expect_download() as begun:
        await page.get_by_role("rowheader").get_by_role("link").first.click()
    assert (await begun.value).suggested_filename.endswith(".pdf")


async def test_a_countdown_is_live_with_scripts_and_a_date_without(browser: Browser, where: Site) -> None:
    path = f"/attributions/{where.staged.first(State.PROPOSED)}"
    async with seated(browser, where, Role.COORDINATOR) as page:
        await page.goto(path)
        await expect(page.locator(".gamf-countdown").first).to_contain_text(re.compile(r"dans|passé"))
    async with seated(browser, where, Role.COORDINATOR, Look(scripts=False)) as page:
        await page.goto(path)
        await expect(page.locator("time[data-countdown]")).to_be_visible()
        await expect(page.locator(".gamf-countdown")).to_have_count(0)
