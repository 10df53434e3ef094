"""*Access log* in a browser without scripts: an auditor's alone, by patient, account and period, a page at a time."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from gamf.client import looking
from gamf.domain.calendar import PROVINCE, local_date
from gamf.domain.roles import Role, grant
from gamf.storage.connection import Pool
from tests.client.console.browser import Browser, another
from tests.client.console.conftest import AddAccount
from tests.client.seats import a_seat
from tests.system import add_network, add_patients

NOW = datetime.now(UTC)


@pytest.fixture
async def people(pool: Pool, add_account: AddAccount, browser: Browser) -> list[str]:
    """Return two people whom a GACO looked at, the first long ago and yesterday; the auditor is signed in."""
    async with pool.acquire() as conn:
        rls = await add_network(conn)
        first, second = await add_patients(conn, rls, 2)
        for patient, days in ((first, 400), (first, 1), (second, 1)):
            seat = a_seat(Role.GACO, [rls], account="gaco", now=NOW - timedelta(days=days))
            await looking.show_patient(conn, seat, patient)
    await add_account("eve", grant(Role.AUDITOR))
    await add_account("ada", grant(Role.COORDINATOR, [rls]))
    await browser.sign_in("eve")
    return [first, second]


async def own_looks(pool: Pool) -> list[tuple[int, list[str]]]:
    async with pool.acquire() as conn:
        rows = await conn.fetch("SELECT people, shown FROM looks WHERE account = 'eve' ORDER BY look_id")
    return [(row["people"], row["shown"]) for row in rows]


def lines(page: str) -> int:
    return page.count("voir un patient</td>")


@pytest.mark.usefixtures("people")
async def test_nothing_is_shown_until_something_is_asked_and_each_look_at_the_log_is_in_it(
    browser: Browser, pool: Pool
) -> None:
    page = (await browser.get("/journal")).text
    assert "Nommez un patient, un compte ou une période." in page
    assert await own_looks(pool) == []
    page = (await browser.get("/journal?compte=gaco")).text
    assert (lines(page), "192.0.2.1" in page) == (3, True)
    assert await own_looks(pool) == [(2, ["looks"])]
    page = (await browser.get("/journal?compte=eve")).text
    assert "consulter le journal des accès" in page
    assert await own_looks(pool) == [(2, ["looks"])] * 2


async def test_the_looks_at_somebody_are_found_by_a_nam_that_no_address_has(
    browser: Browser, people: list[str], pool: Pool
) -> None:
    async with pool.acquire() as conn:
        nam = await conn.fetchval("SELECT nam FROM patients WHERE patient_id = $1", people[0])
    await browser.get("/journal")
    answer = await browser.send("/journal/recherche", patient=nam, compte="", du="", au="")
    assert answer.headers["location"] == f"/journal?patient={people[0]}"
    page = (await browser.get(answer.headers["location"])).text
    assert (lines(page), nam in page) == (2, False)
    assert await own_looks(pool) == [(1, ["identity"]), (1, ["looks"])]
    answer = await browser.send("/journal/recherche", patient="personne", compte="", du="", au="")
    assert (answer.status_code, "Aucun patient" in answer.text) == (404, True)
    await browser.get("/langue/en")
    await browser.get("/journal")
    answer = await browser.send("/journal/recherche", patient="personne", compte="", du="", au="")
    assert (answer.status_code, "Aucun patient" in answer.text) == (404, False)
    await browser.get("/langue/fr")
    answer = await browser.get(f"/journal?patient={nam}")
    assert (answer.status_code, nam in answer.text) == (422, False)


@pytest.mark.usefixtures("people")
async def test_a_period_is_of_whole_days(browser: Browser) -> None:
    day = local_date(NOW - timedelta(days=1), PROVINCE)
    before = day - timedelta(days=1)
    assert lines((await browser.get(f"/journal?du={day}&au={day}")).text) == 2
    assert lines((await browser.get(f"/journal?au={before}&compte=gaco")).text) == 1
    answer = await browser.get(f"/journal?du={day}&au={before}")
    assert (answer.status_code, "La période finit" in answer.text) == (422, True)
    assert (await browser.get("/journal?du=hier")).status_code == 422


async def test_more_than_a_page_leads_to_the_ones_before(
    browser: Browser, people: list[str], pool: Pool
) -> None:
    async with pool.acquire() as conn:
        for number in range(51):
            seat = a_seat(Role.AUDITOR, account="bob", now=NOW - timedelta(hours=number))
            await looking.show_patient(conn, seat, people[0])
    page = (await browser.get("/journal?compte=bob")).text
    assert lines(page) == 50
    (further,) = re.findall(r'href="(/journal\?[^"]*apres=\d+)"', page)
    assert lines((await browser.get(further.replace("&amp;", "&"))).text) == 1


async def test_a_month_is_summed_up_and_what_is_unusual_is_pointed_out(
    browser: Browser, people: list[str], pool: Pool
) -> None:
    noon = datetime(2026, 6, 15, 16, tzinfo=UTC)
    async with pool.acquire() as conn:
        for _ in range(20):
            seat = a_seat(Role.AUDITOR, account="bob", now=noon)
            await looking.show_patient(conn, seat, people[0])
    page = (await browser.get("/journal/mois?mois=2026-06")).text
    assert "une même personne consultée 20 fois" in page
    assert people[0] not in page
    assert await own_looks(pool) == [(0, ["looks"])]
    assert (await browser.get("/journal/mois?mois=juin")).status_code == 422
    await browser.get("/langue/en")
    assert "the same person looked at 20 times" in (await browser.get("/journal/mois?mois=2026-06")).text


async def test_it_is_not_for_whoever_decides(browser: Browser, people: list[str]) -> None:
    async with another(str(browser.client.base_url)) as coordinator:
        await coordinator.sign_in("ada")
        assert "/journal" not in (await coordinator.get("/liste")).text
        for path in ("/journal", f"/journal?patient={people[0]}", "/journal/mois"):
            assert (await coordinator.get(path)).status_code == 403
