"""*Attributions* in a browser without scripts: what is shown, what can be reported, what a refusal says."""

import pytest
from fastapi import FastAPI

from gamf.client.acting import Desk
from gamf.client.console.app import make_app
from gamf.client.console.options import Options
from gamf.domain.roles import Role, grant
from gamf.storage.connection import Pool
from tests.client.console.browser import Browser, another, browsing
from tests.client.console.conftest import AddAccount
from tests.system import Life, System


@pytest.fixture
def pool(system: System) -> Pool:
    """Return the database of the whole system at work."""
    return system.pool


@pytest.fixture
def desk(system: System) -> Desk:
    return Desk(system.pool, system.client)


@pytest.fixture
async def life(system: System) -> Life:
    lived = await system.attribute()
    await lived.reaches("proposed")
    return lived


@pytest.fixture
async def coordinator(browser: Browser, add_account: AddAccount, life: Life) -> Browser:
    """Return the browser of the coordinator of the attribution's RLS."""
    account = f"coordo-{life.start.attribution_id}"
    await add_account(account, grant(Role.COORDINATOR, [life.start.rls]))
    await browser.sign_in(account)
    return browser


def where(life: Life) -> str:
    return f"/attributions/{life.start.attribution_id}"


async def test_it_shows_its_timeline_what_it_waits_for_and_only_what_the_rules_take(
    coordinator: Browser, life: Life
) -> None:
    page = (await coordinator.get(where(life))).text.replace("\u00a0", " ")
    assert '<svg class="gamf-timeline"' in page
    assert "maintenant : proposée au médecin" in page
    assert "Fin des 72 heures pour répondre" in page
    assert "Fin du délai de grâce" in page
    for taken in ("accepted", "refused", "cancelled", "physician_left"):
        assert f'action="{where(life)}/{taken}"' in page
    for refused in ("sv_entered", "window_reopened", "mf_signed", "patient_refused"):
        assert f'action="{where(life)}/{refused}"' not in page
    assert "L’attribution devient : confirmée." in page
    assert "La lettre d’attribution part." in page


async def test_every_look_is_in_the_access_log(coordinator: Browser, life: Life, system: System) -> None:
    await coordinator.get(where(life))
    looks = await system.rows(
        "SELECT * FROM looks WHERE account = $1 AND use_case = 'attribution_show'",
        f"coordo-{life.start.attribution_id}",
    )
    assert len(looks) == 1


async def test_an_acceptance_is_reported_and_the_letter_comes_as_pdf(
    coordinator: Browser, life: Life, add_account: AddAccount
) -> None:
    await coordinator.get(where(life))
    answer = await coordinator.send(f"{where(life)}/accepted")
    assert answer.headers["location"] == f"{where(life)}?dit=reported"
    page = (await coordinator.get(answer.headers["location"])).text.replace("\u00a0", " ")
    assert "Le fait est consigné." in page
    assert "maintenant : confirmée" in page
    link = page.partition(f'href="{where(life)}/lettres/')[2].partition('"')[0]
    pdf = await coordinator.client.get(f"{where(life)}/lettres/{link}")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")
    assert (await coordinator.get(f"{where(life)}/lettres/nulle")).status_code == 404
    await add_account(f"audit-{life.start.attribution_id}", grant(Role.AUDITOR))
    async with another(str(coordinator.client.base_url)) as auditor:
        await auditor.sign_in(f"audit-{life.start.attribution_id}")
        assert f"{where(life)}/lettres/{link}" in (await auditor.get("/ramq/lettres")).text


async def test_a_refusal_without_its_reason_names_the_rule_and_the_field(
    coordinator: Browser, life: Life
) -> None:
    await coordinator.get(where(life))
    answer = await coordinator.send(f"{where(life)}/refused", at="2020-01-01T00:00")
    assert answer.status_code == 422
    assert "(règle A4)" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'value="2020-01-01T00:00"' in answer.text
    answer = await coordinator.send(
        f"{where(life)}/refused", at="2020-01-01T00:00", reason="absence prolongée"
    )
    assert (answer.status_code, "(règle R6)" in answer.text) == (422, True)
    answer = await coordinator.send(f"{where(life)}/refused", at="", reason="absence prolongée")
    assert answer.status_code == 303
    assert (await life.view())["state"] == "refused"


async def test_of_two_coordinators_at_once_the_second_is_told_what_happened(
    coordinator: Browser, life: Life, add_account: AddAccount
) -> None:
    await add_account(f"second-{life.start.attribution_id}", grant(Role.COORDINATOR, [life.start.rls]))
    async with another(str(coordinator.client.base_url)) as second:
        await second.sign_in(f"second-{life.start.attribution_id}")
        for browser in (coordinator, second):
            await browser.get(where(life))
        assert (await coordinator.send(f"{where(life)}/accepted")).status_code == 303
        answer = await second.send(f"{where(life)}/refused", reason="absence prolongée")
    assert answer.status_code == 422
    assert "Rien n’a changé" in answer.text
    assert f"par coordo-{life.start.attribution_id}" in answer.text
    assert (await life.view())["state"] == "confirmed"


async def test_a_role_sees_its_own_and_is_offered_its_own(
    browser: Browser, life: Life, add_account: AddAccount
) -> None:
    rls = life.start.rls
    await add_account(f"gaco-{life.start.attribution_id}", grant(Role.GACO, [rls]))
    await add_account(f"ailleurs-{life.start.attribution_id}", grant(Role.CLINIC, ["00001"]))
    await browser.sign_in(f"gaco-{life.start.attribution_id}")
    page = (await browser.get(where(life))).text
    assert f'action="{where(life)}/patient_refused"' in page
    assert f'action="{where(life)}/accepted"' not in page
    form = browser.form("/deconnexion")
    assert (await browser.post(f"{where(life)}/accepted", form)).status_code == 403
    async with another(str(browser.client.base_url)) as elsewhere:
        await elsewhere.sign_in(f"ailleurs-{life.start.attribution_id}")
        assert (await elsewhere.get(where(life))).status_code == 403
    assert (await browser.get("/attributions/2020-000001")).status_code == 404
    assert (await life.view())["state"] == "proposed"


async def test_the_list_is_of_ones_own_and_is_filtered(coordinator: Browser, life: Life) -> None:
    page = (await coordinator.get("/attributions")).text
    assert page.count('<th scope="row"') == 1
    assert where(life) in page
    assert where(life) in (await coordinator.get("/attributions?etat=proposed")).text
    assert "Aucune attribution" in (await coordinator.get("/attributions?etat=confirmed")).text
    assert "Aucune attribution" in (await coordinator.get("/attributions?avant=2020-01-01")).text
    assert (await coordinator.get("/attributions?avant=hier")).status_code == 422


@pytest.fixture
def training(desk: Desk) -> FastAPI:
    return make_app(desk, Options(training=True))


async def test_in_a_training_the_clock_goes_to_the_next_deadline_and_otherwise_it_does_not(
    coordinator: Browser, life: Life, training: FastAPI
) -> None:
    page = (await coordinator.get(where(life))).text
    assert "avancer" not in page
    answer = await coordinator.post(f"{where(life)}/avancer", coordinator.form("/deconnexion"))
    assert (answer.status_code, "--training" in answer.text) == (409, True)
    assert (await life.view())["state"] == "proposed"
    async with browsing(training) as browser:
        await browser.sign_in(f"coordo-{life.start.attribution_id}")
        await browser.get(where(life))
        assert (await browser.send(f"{where(life)}/avancer")).status_code == 303
        page = (await browser.get(where(life))).text
    assert (await life.view())["state"] == "unanswered"
    assert f'action="{where(life)}/accepted"' in page
