"""A physician's page and departure in a browser without scripts: foretold, announced, followed, withdrawn, undone."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gamf.client.acting import Desk
from gamf.domain.calendar import PROVINCE, local_date
from gamf.domain.roles import Role, grant
from gamf.runtime.polling import until
from gamf.storage.connection import Pool
from tests.client.console.browser import Browser, another, focused
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
async def life(system: System, browser: Browser, add_account: AddAccount) -> Life:
    """Return an attribution that is confirmed; the coordinator of its RLS is signed in."""
    life = await system.attribute()
    await life.record("accepted")
    licence = life.start.physician
    await add_account(f"coordo-{licence}", grant(Role.COORDINATOR, [life.start.rls]))
    await add_account(f"clinique-{licence}", grant(Role.CLINIC, [licence]))
    await browser.sign_in(f"coordo-{licence}")
    return life


def day(days: int) -> date:
    return local_date(datetime.now(UTC), PROVINCE) + timedelta(days=days)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


async def test_a16_a_departure_is_foretold_announced_and_withdrawn_before_its_day(
    browser: Browser, life: Life
) -> None:
    path = f"/medecins/{life.start.physician}"
    page = (await browser.get(path)).text
    assert "Annoncer un départ" in plain(page)
    assert f'href="/attributions?medecin={life.start.physician}&amp;etat=confirmed"' in page
    page = plain((await browser.get(f"{path}/depart?on=&poste={day(0)}&cause=disengaged")).text)
    assert f'name="on" value="{day(30)}"' in page
    assert "est avisée, une fois ; aujourd’hui : 1 (confirmée : 1), blocs touchés : 0." in page
    assert "Patients qui reviennent sur la liste, à leur date initiale : 1." in page
    assert (await browser.get(path)).text.count("Retirer le départ") == 0
    await browser.get(f"{path}/depart?on=&poste={day(0)}&cause=disengaged")
    sent = {**browser.form(f"{path}/depart"), "on": str(day(30)), "cause": "disengaged"}
    answer = await browser.post(f"{path}/depart", sent)
    assert answer.headers["location"] == f"{path}?dit=departure_announced"
    page = plain((await browser.get(path)).text)
    assert "<dd>annoncé</dd>" in page
    assert "0, encore à aviser : 1" in page
    assert "Annoncer un départ" not in page
    answer = await browser.send(f"{path}/depart/retrait", reason="")
    assert (answer.status_code, 'name="reason"' in answer.text) == (422, True)
    assert answer.text.count('aria-invalid="true" aria-describedby="refus"') == 1
    answer = await browser.send(f"{path}/depart/retrait", reason="il reste")
    assert answer.headers["location"] == f"{path}?dit=departure_withdrawn"
    page = plain((await browser.get(path)).text)
    assert "retiré : le médecin reste" in page
    assert "Annoncer un départ" in page
    assert (await life.view())["state"] == "confirmed"


async def test_a16_one_of_yesterday_reaches_everybody_at_once_and_the_physician_may_come_back(
    browser: Browser, life: Life
) -> None:
    path = f"/medecins/{life.start.physician}"
    page = plain((await browser.get(f"{path}/depart?on={day(-1)}&poste=&cause=retired")).text)
    assert "Aussitôt, chaque attribution en cours est avisée" in page
    await browser.send(f"{path}/depart", on=str(day(-1)), cause="retired")

    async def done() -> bool:
        return "<dd>terminé</dd>" in (await browser.get(path)).text

    await until(done, within_seconds=20)
    assert f'<a href="{path}/avisees">1</a>' in browser.page
    page = (await browser.get(f"{path}/avisees")).text
    assert life.start.attribution_id in page
    assert "médecin parti" in page
    await browser.get(path)
    answer = await browser.send(f"{path}/retour", on=str(day(1)), reason="réengagé")
    assert (answer.status_code, "(règle A16)" in answer.text) == (422, True)
    answer = await browser.send(f"{path}/retour", on=str(day(0)), reason="réengagé")
    assert answer.headers["location"] == f"{path}?dit=physician_back"
    assert "Annoncer un départ" in plain((await browser.get(path)).text)


async def test_what_a_rule_refuses_is_said_beside_the_form(browser: Browser, life: Life) -> None:
    path = f"/medecins/{life.start.physician}"
    for query, rule, field in (
        (f"on={day(3)}&poste=&cause=deceased", "A16", "on"),
        (f"on={day(3)}&poste={day(3)}&cause=retired", "form", "on"),
        ("on=demain&poste=&cause=retired", "form", "on"),
        (f"on={day(3)}&poste=&cause=ailleurs", "form", "cause"),
    ):
        answer = await browser.get(f"{path}/depart?{query}")
        assert (answer.status_code, f"(règle {rule})" in answer.text) == (422, rule != "form"), query
        assert focused(answer.text) == [field], query
    # Of somebody who has not left: the page has no field that it concerns.
    fields = {**browser.form("/deconnexion"), "on": str(day(0)), "reason": "réengagé"}
    answer = await browser.post(f"{path}/retour", fields)
    assert (answer.status_code, focused(answer.text)) == (422, ["refus"])
    assert (await browser.get("/medecins/00000/depart?on=2026-01-01&cause=retired")).status_code == 404


async def test_a_clinic_sees_its_physician_and_announces_no_departure(browser: Browser, life: Life) -> None:
    path = f"/medecins/{life.start.physician}"
    async with another(str(browser.client.base_url)) as clinic:
        await clinic.sign_in(f"clinique-{life.start.physician}")
        page = (await clinic.get(path)).text
        assert "Annoncer un départ" not in plain(page)
        form = clinic.form("/deconnexion")
        answer = await clinic.post(f"{path}/depart", {**form, "on": str(day(9)), "cause": "retired"})
        assert answer.status_code == 403
        assert (await clinic.get(f"{path}/depart?on={day(9)}&cause=retired")).status_code == 403
    sql = "SELECT FROM departures WHERE physician = $1"
    assert not await life.system.rows(sql, life.start.physician)
