"""*Blocks* in a browser without scripts: from the request to the SV of a list."""

import pytest

from gamf.client.acting import Desk
from gamf.domain.roles import Role, grant
from gamf.storage.connection import Pool
from tests.client.console.browser import Browser, another, focused
from tests.client.console.conftest import AddAccount
from tests.system import System


@pytest.fixture
def pool(system: System) -> Pool:
    """Return the database of the whole system at work."""
    return system.pool


@pytest.fixture
def desk(system: System) -> Desk:
    return Desk(system.pool, system.client)


@pytest.fixture
async def licence(system: System, browser: Browser, add_account: AddAccount) -> str:
    """Return a physician whose RLS has five people waiting; its coordinator is signed in."""
    rls, licence, _ = await system.people(5)
    await add_account(f"coordo-{licence}", grant(Role.COORDINATOR, [rls]))
    await add_account(f"clinique-{licence}", grant(Role.CLINIC, [licence]))
    await browser.sign_in(f"coordo-{licence}")
    return licence


async def a_request(browser: Browser, licence: str, size: str = "3") -> str:
    """Ask for a block; return its page, which is open."""
    await browser.get("/blocs")
    answer = await browser.send("/blocs", permis=licence, nombre=size)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"].partition("?")[0]
    await browser.get(path)
    return str(path)


def boxes(page: str) -> list[str]:
    return [each.partition('"')[0] for each in page.split('type="checkbox" name="')[1:]]


async def test_from_the_request_to_the_sv_of_a_list(browser: Browser, licence: str) -> None:
    path = await a_request(browser, licence)
    assert "Le profil du RLS" in browser.page
    assert '<svg class="gamf-bars"' in browser.page
    assert f"{path}/reponse" not in browser.page
    assert (await browser.send(f"{path}/approuver")).headers["location"] == f"{path}?dit=approved"
    page = (await browser.get(path)).text
    assert f"{path}/approuver" not in page
    assert "Réponse attendue avant" in page
    first, *others = boxes(page)
    assert len(others) == 2
    answer = await browser.send(f"{path}/reponse", reponse="accepte", **{first: "1"})
    assert (answer.status_code, "(règle A4)" in answer.text) == (422, True)
    answer = await browser.send(f"{path}/reponse", reponse="accepte", reason="absence", **{first: "1"})
    assert answer.headers["location"] == f"{path}?dit=answered"
    page = (await browser.get(path)).text
    assert "refusée par le médecin" in page
    # An SV is the clinic's.
    assert f"{path}/inscrire" not in page
    async with another(str(browser.client.base_url)) as clinic:
        await clinic.sign_in(f"clinique-{licence}")
        page = (await clinic.get(path)).text
        assert sorted(boxes(page)) == sorted(others)
        answer = await clinic.send(f"{path}/inscrire", on="2020-01-01", **dict.fromkeys(others, "1"))
        assert (answer.status_code, answer.text.count("(règle A5)")) == (422, 2)
        assert (await clinic.send(f"{path}/inscrire")).headers["location"] == f"{path}?dit=nobody_chosen"
        await clinic.get(path)
        answer = await clinic.send(f"{path}/inscrire", **dict.fromkeys(others, "1"))
        assert answer.headers["location"] == f"{path}?dit=sv_entered"
        page = (await clinic.get(path)).text
        assert page.count("inscrit sans visite (SV)</td>") == 2


async def test_a_list_is_withdrawn_with_its_reason_and_the_second_who_decides_is_told(
    browser: Browser, licence: str
) -> None:
    path = await a_request(browser, licence)
    page, forms = browser.page, {each: browser.form(f"{path}/{each}") for each in ("retirer", "approuver")}
    assert "Approuver la liste" in page
    answer = await browser.post(f"{path}/retirer", {**forms["retirer"], "reason": "médecin absent"})
    assert answer.headers["location"] == f"{path}?dit=withdrawn"
    answer = await browser.post(f"{path}/approuver", forms["approuver"])
    assert (answer.status_code, "(règle A21)" in answer.text) == (422, True)
    assert "Le bloc est maintenant" in answer.text
    page = (await browser.get("/blocs?etat=withdrawn")).text
    assert path in page
    assert path not in (await browser.get("/blocs?etat=drawn")).text


async def test_what_the_rules_refuse_of_a_request_is_said_beside_its_form(
    browser: Browser, licence: str
) -> None:
    await browser.get("/blocs")
    answer = await browser.send("/blocs", permis=licence, nombre="zéro")
    assert (answer.status_code, "(règle R4)" in answer.text) == (422, True)
    assert f'value="{licence}"' in answer.text
    answer = await browser.send("/blocs", permis="00000", nombre="2")
    assert (answer.status_code, "Aucun médecin n&#39;a ce permis. (règle R3)" in answer.text) == (422, True)
    assert focused(answer.text) == ["permis"]
    assert 'value="00000"' in answer.text


async def test_a_clinic_does_not_see_anothers_block(
    browser: Browser, licence: str, add_account: AddAccount
) -> None:
    path = await a_request(browser, licence)
    await add_account(f"autre-{licence}", grant(Role.CLINIC, ["00001"]))
    async with another(str(browser.client.base_url)) as other:
        await other.sign_in(f"autre-{licence}")
        assert (await other.get(path)).status_code == 403
        assert path not in (await other.get("/blocs")).text
        form = other.form("/deconnexion")
        assert (await other.post(f"{path}/approuver", form)).status_code == 403
