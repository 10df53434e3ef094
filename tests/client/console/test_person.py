"""*Patient* in a browser without scripts: what may be done about somebody, what follows, who may, what is logged."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from gamf.client import acting
from gamf.client.acting import Desk
from gamf.domain.facts import EnrolledElsewhere
from gamf.domain.roles import Role, grant
from gamf.storage.connection import Pool
from tests.client.console.browser import Browser, another, focused
from tests.client.console.conftest import AddAccount
from tests.clock import today
from tests.system import add_network, add_patients, add_physician

TODAY, TOMORROW = today().isoformat(), (today() + timedelta(days=1)).isoformat()
CODE = "CHRONIQUE"


class Place:
    """An RLS with a physician and somebody who waits, and another RLS."""

    def __init__(self, rls: str, licence: str, patient: str, other: str) -> None:
        self.rls: str = rls
        self.licence: str = licence
        self.patient: str = patient
        self.other: str = other
        self.path: str = f"/liste/{patient}"


@pytest.fixture
async def place(pool: Pool, add_account: AddAccount, browser: Browser) -> Place:
    """Return the place; its GACO is signed in."""
    async with pool.acquire() as conn:
        rls, other = await add_network(conn), await add_network(conn)
        licence = await add_physician(conn, rls)
        (patient,) = await add_patients(conn, rls)
    await add_account("gaco", grant(Role.GACO, [rls]))
    await add_account("ada", grant(Role.COORDINATOR, [rls]))
    await add_account("clinique", grant(Role.CLINIC, [licence]))
    await add_account("eve", grant(Role.AUDITOR))
    await browser.sign_in("gaco")
    return Place(rls, licence, patient, other)


async def enrol(desk: Desk, place: Place, since: str) -> None:
    """Enrol the patient with the physician, outside LE 321."""
    on = datetime.fromisoformat(since).date()
    fact = EnrolledElsewhere(by="ramq", physician=place.licence, effective_on=on, basis="entente inventée")
    await acting.register_enrolled(desk, place.patient, fact, now=datetime.now(UTC))


async def looks(pool: Pool, use_case: str) -> list[tuple[str, list[str], bool]]:
    async with pool.acquire() as conn:
        rows = await conn.fetch("SELECT * FROM looks WHERE use_case = $1 ORDER BY look_id", use_case)
    return [(row["account"], row["shown"], row["refused"]) for row in rows]


async def column(pool: Pool, patient: str, name: str) -> object:
    async with pool.acquire() as conn:
        (row,) = await conn.fetch("SELECT * FROM patients WHERE patient_id = $1", patient)
    return row[name]


async def test_the_page_shows_the_wait_and_only_what_the_rules_take_now_with_what_follows(
    browser: Browser, place: Place
) -> None:
    page = (await browser.get(place.path)).text.replace("\u00a0", " ")
    assert re.search(r"<dt>Attente</dt><dd>(?:[01] jour|\d+ jours)</dd>", page)
    assert "La personne attend dans l’autre RLS, à sa date initiale." in page
    assert "La personne quitte la liste pour de bon." in page
    assert f'<option value="{place.other}"' in page
    assert f'<option value="{place.rls}"' not in page
    actions = set(re.findall(rf'action="{place.path}/(\w+)"', page))
    assert actions == {"demenagement", "depart", "inscription"}
    assert f'href="{place.path}/coordonnees"' in page
    assert f'href="{place.path}/conditions"' not in page
    async with another(str(browser.client.base_url)) as other:
        await other.sign_in("ada")
        page = (await other.get(place.path)).text
        assert f'action="{place.path}' not in page
        assert "Rien, pour votre rôle" in page
        refused = await other.post(f"{place.path}/depart", {})
        assert refused.status_code == 403


async def test_a20_coordinates_are_shown_corrected_and_logged(
    browser: Browser, place: Place, pool: Pool
) -> None:
    page = (await browser.get(f"{place.path}/coordonnees")).text
    street = str(await column(pool, place.patient, "address"))
    assert f'value="{street}"' in page
    assert await looks(pool, "register_correct") == [("gaco", ["contact"], False)]
    fields = {
        "address": "12, rue Inventée",
        "city": "Québec",
        "postal_code": "G1A 1A1",
        "phone": "418 555-0102",
        "email": "",
        "language": "fr",
        "english_attested": "false",
        "representative": "",
    }
    answer = await browser.send(f"{place.path}/coordonnees", **fields, reason="erreur de saisie")
    assert answer.headers["location"] == f"{place.path}?dit=corrected"
    assert await column(pool, place.patient, "address") == "12, rue Inventée"
    assert await column(pool, place.patient, "email") is None
    await browser.get(f"{place.path}/coordonnees")
    answer = await browser.send(f"{place.path}/coordonnees", **fields, reason="erreur de saisie")
    assert answer.headers["location"] == f"{place.path}?dit=nothing_changed"
    assert "12, rue" not in (await browser.get(place.path)).text


async def test_a22_a_refusal_is_shown_beside_its_field_and_what_was_written_stays(
    browser: Browser, place: Place, pool: Pool
) -> None:
    await browser.get(f"{place.path}/coordonnees")
    answer = await browser.send(f"{place.path}/coordonnees", language="en", reason="demande inventée")
    assert answer.status_code == 422
    assert "(règle A22)" in answer.text
    assert re.search(r'name="english_attested" required aria-invalid="true"', answer.text)
    assert 'value="demande inventée"' in answer.text
    assert await column(pool, place.patient, "language") == "fr"


async def test_a18_whoever_moves_is_another_rls_s_and_no_longer_shown_here(
    browser: Browser, place: Place, pool: Pool
) -> None:
    await browser.get(place.path)
    fields = {"to": "9999", "on": TODAY, "reason": "déménagement inventé"}
    answer = await browser.send(f"{place.path}/demenagement", **fields)
    assert (answer.status_code, "RLS inconnu" in answer.text) == (422, True)
    answer = await browser.send(f"{place.path}/demenagement", **{**fields, "to": place.other})
    assert answer.headers["location"] == "/?dit=no_longer_yours"
    assert await column(pool, place.patient, "rls") == place.other
    assert (await browser.get(place.path)).status_code == 403


async def test_a15_a_departure_is_recorded_and_undone_with_a_reason(
    browser: Browser, place: Place, pool: Pool
) -> None:
    await browser.get(place.path)
    answer = await browser.send(f"{place.path}/depart", on=TOMORROW, cause="deceased")
    assert (answer.status_code, "(règle A15)" in answer.text) == (422, True)
    answer = await browser.send(f"{place.path}/depart", on="hier", cause="deceased")
    assert (answer.status_code, "n’a pas la forme" in answer.text) == (422, True)
    answer = await browser.send(f"{place.path}/depart", on=TODAY, cause="deceased")
    assert answer.headers["location"] == f"{place.path}?dit=person_reported"
    assert await column(pool, place.patient, "place") == "left"
    page = (await browser.get(place.path)).text
    assert "décès" in page
    assert set(re.findall(rf'action="{place.path}/(\w+)"', page)) == {"retour"}
    answer = await browser.send(f"{place.path}/retour", reason="")
    assert (answer.status_code, "(règle A20)" in answer.text) == (422, True)
    answer = await browser.send(f"{place.path}/retour", reason="consigné par erreur")
    assert answer.headers["location"] == f"{place.path}?dit=person_reported"
    assert await column(pool, place.patient, "place") == "waiting"
    written = await looks(pool, "register_reinstate")
    assert written == [("gaco", ["health", "standing"], False)] * 2


async def test_a24_who_is_enrolled_elsewhere_leaves_the_list(
    browser: Browser, place: Place, pool: Pool
) -> None:
    await browser.get(place.path)
    fields = {"physician": "1", "effective_on": TODAY, "basis": "entente inventée"}
    answer = await browser.send(f"{place.path}/inscription", **fields)
    assert (answer.status_code, 'name="physician"' in answer.text) == (422, True)
    answer = await browser.send(f"{place.path}/inscription", **{**fields, "physician": "54321"})
    assert answer.headers["location"] == f"{place.path}?dit=person_reported"
    assert await column(pool, place.patient, "place") == "enrolled"
    assert f'action="{place.path}/inscription"' not in (await browser.get(place.path)).text


async def test_r13_conditions_are_the_clinic_s_from_the_first_visit_on(
    browser: Browser, place: Place, pool: Pool, desk: Desk
) -> None:
    path = f"{place.path}/conditions"
    await enrol(desk, place, "2026-01-12")
    assert (await browser.get(path)).status_code == 403
    async with another(str(browser.client.base_url)) as clinic:
        await clinic.sign_in("clinique")
        assert f'href="{path}"' in (await clinic.get(place.path)).text
        page = (await clinic.get(path)).text
        assert f'<option value="{CODE}">' in page
        assert "Aucune n’est consignée." in page
        answer = await clinic.send(path, code=CODE, on="2026-01-11")
        assert (answer.status_code, "(règle R13)" in answer.text) == (422, True)
        answer = await clinic.send(path, code=CODE, on="2026-01-12")
        assert answer.headers["location"] == f"{path}?dit=condition_recorded"
        page = (await clinic.get(path)).text
        withdrawal = re.findall(rf'action="({path}/\d+/retirer)"', page)[0]
        answer = await clinic.send(withdrawal, reason="erreur de code")
        assert answer.headers["location"] == f"{path}?dit=condition_withdrawn"
        assert "clinique\u00a0: erreur de code" in (await clinic.get(path)).text
        assert ("clinique", ["health"], False) in await looks(pool, "condition_record")
    async with another(str(browser.client.base_url)) as auditor:
        await auditor.sign_in("eve")
        page = (await auditor.get(path)).text
        assert "erreur de code" in page
        assert f'action="{path}' not in page
    assert {each[0] for each in await looks(pool, "condition_show") if not each[2]} == {"clinique", "eve"}


async def test_the_focus_is_on_the_field_at_fault_or_else_on_what_was_refused(
    browser: Browser, place: Place, desk: Desk
) -> None:
    path = place.path
    await browser.get(path)
    answer = await browser.send(f"{path}/depart", on="hier", cause="deceased")
    assert focused(answer.text) == ["on"]
    answer = await browser.post(f"{path}/retour", {**browser.form("/deconnexion"), "reason": "erreur"})
    assert (answer.status_code, focused(answer.text)) == (422, ["refus"])
    await browser.get(f"{path}/coordonnees")
    answer = await browser.send(f"{path}/coordonnees", language="en", reason="demande inventée")
    assert focused(answer.text) == ["english_attested"]
    answer = await browser.send(f"{path}/coordonnees", email="personne", reason="demande inventée")
    assert "Le champ «\u00a0courriel\u00a0» (email) n&#39;est pas une adresse de courriel." in answer.text
    assert "règle form" not in answer.text
    await enrol(desk, place, "2026-01-12")
    path = f"{path}/conditions"
    async with another(str(browser.client.base_url)) as clinic:
        await clinic.sign_in("clinique")
        await clinic.get(path)
        answer = await clinic.send(path, code=CODE, on="2026-01-11")
        assert focused(answer.text) == ["on"]
        await clinic.send(path, code=CODE, on="2026-01-12")
        page = (await clinic.get(path)).text
        assert focused(page) == []
        withdrawal = re.findall(rf'action="({path}/\d+/retirer)"', page)[0]
        assert focused((await clinic.send(withdrawal, reason="")).text) == ["reason"]
        await clinic.send(withdrawal, reason="erreur de code")
        await clinic.get(path)
        sent = {**clinic.form("/deconnexion"), "reason": "autre motif"}
        # The form of the field is no longer there.
        assert focused((await clinic.post(withdrawal, sent)).text) == ["refus"]


async def test_r13_before_the_first_visit_there_is_nothing_to_record(
    browser: Browser, place: Place, add_account: AddAccount
) -> None:
    await add_account("exploitante", grant(Role.OPERATOR))
    await browser.get("/")
    async with another(str(browser.client.base_url)) as operator:
        await operator.sign_in("exploitante")
        page = (await operator.get(f"{place.path}/conditions")).text
        assert "Rien ne se consigne avant la première visite" in page
        assert f'action="{place.path}/conditions"' not in page


async def test_a_condition_of_somebody_elsewhere_is_not_to_be_found_out(
    browser: Browser, place: Place, pool: Pool, desk: Desk
) -> None:
    await enrol(desk, place, "2026-01-12")
    async with pool.acquire() as conn:
        (other,) = await add_patients(conn, place.other)
        number = await conn.fetchval(
            """
            INSERT INTO conditions (patient_id, code, noted_on, by, at) VALUES ($1, $2, '2026-01-12', 'x', now())
            RETURNING condition_id
            """,
            other,
            CODE,
        )
    said = set[str]()
    async with another(str(browser.client.base_url)) as clinic:
        await clinic.sign_in("clinique")
        for each in (number, 999_999):
            await clinic.get(f"{place.path}/conditions")
            fields = {**clinic.form(f"{place.path}/conditions"), "reason": "erreur"}
            answer = await clinic.post(f"{place.path}/conditions/{each}/retirer", fields)
            assert answer.status_code == 403
            said.add(re.sub(r'name="form" value="[^"]*"', "", answer.text))
    assert len(said) == 1
