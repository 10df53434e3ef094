"""*The list*, *Physicians*, *Indicators* and *RAMQ* in a browser without scripts: whose, filtered, logged."""

from datetime import date

import pytest

from gamf.domain.identifiers import make_nam
from gamf.domain.roles import Role, grant
from gamf.storage.connection import Pool
from tests.client.console.browser import Browser, another
from tests.client.console.conftest import AddAccount
from tests.system import add_network, add_patients, add_physician


class Place:
    """An RLS with a physician and two people who wait, and another RLS."""

    def __init__(self, rls: str, licence: str, people: list[str], other: str, elsewhere: list[str]) -> None:
        self.rls: str = rls
        self.licence: str = licence
        self.people: list[str] = people
        self.other: str = other
        self.elsewhere: list[str] = elsewhere


@pytest.fixture
async def place(pool: Pool, add_account: AddAccount, browser: Browser) -> Place:
    """Return the place; its coordinator is signed in."""
    async with pool.acquire() as conn:
        rls, other = await add_network(conn), await add_network(conn)
        found = Place(
            rls,
            await add_physician(conn, rls),
            await add_patients(conn, rls, 2),
            other,
            await add_patients(conn, other, 1),
        )
        await add_physician(conn, other)
    await add_account("ada", grant(Role.COORDINATOR, [rls]))
    await add_account("eve", grant(Role.AUDITOR))
    await browser.sign_in("ada")
    return found


async def looks(pool: Pool, use_case: str) -> list[int]:
    async with pool.acquire() as conn:
        rows = await conn.fetch("SELECT people FROM looks WHERE use_case = $1 ORDER BY look_id", use_case)
    return [row["people"] for row in rows]


async def test_the_list_is_that_of_ones_rls_in_its_order_with_waiting_times(
    browser: Browser, place: Place, pool: Pool
) -> None:
    page = (await browser.get("/liste")).text
    assert all(f'href="/liste/{each}"' in page for each in place.people)
    assert place.elsewhere[0] not in page
    assert "\u00a0j" in page or " j</td>" in page
    assert await looks(pool, "register_list") == [2]
    assert "Personne ne répond" in (await browser.get("/liste?place=left")).text
    assert (await browser.get(f"/liste?rls={place.other}")).status_code == 403


async def test_somebody_is_found_by_a_reference_or_a_nam_that_no_address_has(
    browser: Browser, place: Place, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        nams = await conn.fetch("SELECT patient_id, nam FROM patients")
    nam = {row["patient_id"]: row["nam"] for row in nams}
    for wanted, status, path in (
        (nam[place.people[0]], 303, f"/liste/{place.people[0]}"),
        (place.people[1], 303, f"/liste/{place.people[1]}"),
        ("2026-000042", 303, "/attributions/2026-000042"),
        ("2026-0007", 303, "/blocs/2026-0007"),
        (nam[place.elsewhere[0]], 404, None),
        (make_nam("Inventée", "Zoé", date(1990, 1, 1), "F", "9"), 404, None),
    ):
        await browser.get("/liste")
        answer = await browser.send("/liste/recherche", recherche=wanted)
        assert (answer.status_code, answer.headers.get("location")) == (status, path), wanted
        assert wanted not in answer.text or status == 303
    page = (await browser.get(f"/liste/{place.people[0]}")).text
    assert "Inscrit sur la liste le" in page
    assert nam[place.people[0]] not in page


async def test_physicians_are_listed_filtered_and_shown(browser: Browser, place: Place) -> None:
    page = (await browser.get("/medecins")).text
    assert page.count('href="/medecins/') == 1
    assert f'href="/medecins/{place.licence}"' in page
    assert "Aucun médecin" in (await browser.get("/medecins?nom=zzz")).text
    assert place.licence in (await browser.get("/medecins?statut=participating")).text
    page = (await browser.get(f"/medecins/{place.licence}")).text
    assert f"/blocs?medecin={place.licence}" in page
    async with another(str(browser.client.base_url)) as auditor:
        await auditor.sign_in("eve")
        assert (await auditor.get("/medecins")).text.count('href="/medecins/') == 2


async def test_the_indicators_are_those_of_ones_rls_and_are_drawn(browser: Browser, place: Place) -> None:
    page = (await browser.get("/indicateurs")).text
    assert f"<td>{place.rls}</td>" in page
    assert f"<td>{place.other}</td>" not in page
    drawn = await browser.client.get("/indicateurs/graphique.svg")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert place.rls in drawn.text
    assert (await browser.get(f"/indicateurs?rls={place.other}")).status_code == 403
    answer = await browser.get("/indicateurs?de=juin")
    assert (answer.status_code, "2026-06" in answer.text) == (422, True)


async def test_what_went_to_ramq_is_of_ones_rls_and_the_outbox_is_not_the_coordinators(
    browser: Browser, place: Place, pool: Pool
) -> None:
    async with pool.acquire() as conn:
        for number, rls in enumerate((place.rls, place.other), start=1):
            licence = await add_physician(conn, rls)
            block = f"2026-{9000 + number}"
            await conn.execute(
                """
                INSERT INTO blocks (block_id, physician, rls, size, state, requested_by, requested_at, attributed_at,
                                    ended_at, policy)
                VALUES ($1, $2, $3, 1, 'closed', 'ada', now(), now(), now(), 'p')
                """,
                block,
                licence,
                rls,
            )
            await conn.execute(
                """
                INSERT INTO ramq_files (block_id, number, name, names, sha256, made_at, content)
                VALUES ($1, 1, $1 || '.csv', 3, repeat('a', 64), now(), '')
                """,
                block,
            )
    page = (await browser.get("/ramq")).text
    assert "2026-9001.csv" in page
    assert "2026-9002.csv" not in page
    page = (await browser.get("/ramq/blocs/2026-9001")).text
    assert "pas encore ; il est remis" in page.replace("\u00a0", " ")
    answer = await browser.get("/ramq/blocs/2026-9001/fichiers/1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-disposition"] == 'attachment; filename="ramq-2026-9001-01.csv"'
    assert (await browser.get("/ramq/blocs/2026-9001/fichiers/2")).status_code == 404
    for path in ("/ramq/blocs/2026-9002", "/ramq/blocs/2026-9002/fichiers/1"):
        assert (await browser.get(path)).status_code == 403
    assert (await browser.get("/ramq/lettres")).status_code == 403
    async with another(str(browser.client.base_url)) as auditor:
        await auditor.sign_in("eve")
        page = (await auditor.get("/ramq")).text
        assert page.index("2026-9002.csv") != page.index("2026-9001.csv")
        page = (await auditor.get("/ramq/lettres?etat=sent")).text
        assert "Aucune lettre." in page
        assert "Toutes les lettres sont parties ou retenues." in page
