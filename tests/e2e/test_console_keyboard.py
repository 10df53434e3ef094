"""The console with the keyboard alone: Tab, Enter, Space, the arrows and typing; nothing is clicked."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from gamf.client import acting
from gamf.domain.roles import Role
from gamf.domain.states import State
from tests.client.console.browser import PASSWORD
from tests.clock import today
from tests.e2e.console import Site, opened, reference, says
from tests.e2e.keyboard import Keys

pytestmark = pytest.mark.long


async def test_a_block_is_lived_by_each_role_without_a_mouse(browser: Browser, where: Site) -> None:
    async with opened(browser, where) as page:
        await page.goto("/connexion")
        await _sign_in(page, Role.COORDINATOR)
        block, mf, refused = await _a_block(page, where)
        await _sign_out(page)
        await _sign_in(page, Role.CLINIC)
        await _enter_sv(page, block)
        await _sign_form(page, mf)
        await _sign_out(page)
        await _sign_in(page, Role.GACO)
        await _refuse(page, refused)
        await _sign_out(page)
        await _sign_in(page, Role.RAMQ)
        await _read(page, "RAMQ", "Boîte d’envoi des lettres")
        await _sign_out(page)
        await _sign_in(page, Role.AUDITOR)
        await _read(page, "Blocs", block)
        await _sign_out(page)
    shown = (await acting.show_block(where.staged.desk, block))["list"]
    assert {each["attribution_id"]: each["state"] for each in shown} == {
        mf: State.ENROLLED_MF,
        refused: State.PATIENT_REFUSED,
    }


async def _sign_in(page: Page, account: str) -> None:
    keys = Keys(page)
    await keys.write(page.get_by_label("Compte"), account)
    await keys.write(page.get_by_label("Mot de passe"), PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("navigation")).to_be_visible()


async def _sign_out(page: Page) -> None:
    await Keys(page).press(page.get_by_role("button", name="Fermer la session"))
    await says(page, "Votre session est fermée")


async def _a_block(page: Page, where: Site) -> list[str]:
    """Ask for a block of two, approve and accept it; return its reference and theirs."""
    keys = Keys(page)
    await keys.follow(page.get_by_role("link", name="Blocs"), "Blocs")
    await keys.press(page.locator("summary", has_text="Demander un bloc"))
    await keys.write(page.get_by_label("Permis du médecin (5 chiffres)"), where.licence)
    await keys.write(page.get_by_label("Nombre de patients"), "2")
    await keys.press(page.get_by_role("button", name="Tirer la liste"), "Space")
    await says(page, "La liste est tirée")
    block = await reference(page)
    await keys.press(page.get_by_role("button", name="Approuver la liste"))
    await says(page, "les 72 heures ont commencé")
    texts = await page.get_by_role("rowheader").get_by_role("link").all_inner_texts()
    one, other = sorted(each for each in texts if re.fullmatch(r"\d{4}-\d{6}", each))
    # Among the answers the arrows go, and come back.
    await keys.press(page.locator("input[value=accepte]"), "ArrowDown")
    await expect(page.locator("input[value=refuse]")).to_be_checked()
    await page.keyboard.press("ArrowUp")
    await keys.press(page.get_by_role("button", name="Consigner la réponse"))
    await says(page, "La réponse du médecin est consignée")
    return [block, one, other]


async def _enter_sv(page: Page, block: str) -> None:
    keys = Keys(page)
    await keys.follow(page.get_by_role("link", name="Blocs"), "Blocs")
    await keys.follow(page.get_by_role("link", name=block), block)
    box = page.get_by_role("checkbox").first
    await keys.press(box, "Space")
    await expect(box).not_to_be_checked()
    await page.keyboard.press("Space")
    await keys.press(page.get_by_role("button", name="Inscrire ceux qui sont cochés"))
    await says(page, "Les inscriptions SV sont consignées")


async def _choose(page: Page, attribution_id: str, action: str) -> None:
    keys = Keys(page)
    await keys.follow(
        page.get_by_role("banner").get_by_role("link", name="Attribution des patients"), "Mes tâches"
    )
    await keys.write(page.get_by_label("Référence ou NAM"), attribution_id)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text(attribution_id)
    await keys.press(page.locator("summary", has_text=action))


async def _sign_form(page: Page, attribution_id: str) -> None:
    await _choose(page, attribution_id, "Consigner le formulaire 4096 signé")
    keys = Keys(page)
    await keys.write_day(page.get_by_label("Signé le"), today())
    await keys.press(page.get_by_role("button", name="Consigner le formulaire 4096 signé (MF)"))
    await says(page, "Le fait est consigné")


async def _refuse(page: Page, attribution_id: str) -> None:
    await _choose(page, attribution_id, "Consigner le refus du patient")
    keys = Keys(page)
    await keys.write(page.get_by_label("Motif du patient"), "trop")
    await keys.press(page.get_by_role("button", name="Consigner le refus du patient"))
    await says(page, "Le fait est consigné")


async def _read(page: Page, entry: str, link: str) -> None:
    keys = Keys(page)
    await keys.follow(page.get_by_role("navigation").get_by_role("link", name=entry), entry)
    await keys.follow(page.get_by_role("main").get_by_role("link", name=link), link)
