"""*Profiles* in a browser without scripts: shown beside the waiting list, set, refused beside the field, left again."""

from urllib.parse import quote

import pytest

from gamf.domain.profile import GROUPS
from gamf.domain.roles import Role, grant
from gamf.storage.connection import Pool
from tests.client.console.browser import Browser, another, focused
from tests.client.console.conftest import AddAccount
from tests.system import add_network, add_population

OLD = {f"{'v' if group.vulnerable else 'n'}-{group.ages}": "0" for group in GROUPS} | {
    "v-70+": "62,5 %",
    "n-70+": "37,5",
}


@pytest.fixture
async def path(pool: Pool, add_account: AddAccount, browser: Browser) -> str:
    """Return the page of an RLS with a hundred people; its coordinator is signed in."""
    async with pool.acquire() as conn:
        rls = await add_network(conn)
        await add_population(conn, rls, 100)
    await add_account("ada", grant(Role.COORDINATOR, [rls]))
    await add_account("eve", grant(Role.AUDITOR))
    await add_account("guy", grant(Role.GACO, [rls]))
    await browser.sign_in("ada")
    return f"/profils/{quote(rls)}"


async def records(pool: Pool) -> list[tuple[str, str]]:
    async with pool.acquire() as conn:
        rows = await conn.fetch(
            "SELECT event, by FROM records WHERE event LIKE 'profile%' ORDER BY record_id"
        )
    return [(row["event"], row["by"]) for row in rows]


async def test_r4_the_profile_stands_beside_the_waiting_list_is_set_and_left_again(
    pool: Pool, browser: Browser, path: str
) -> None:
    page = (await browser.get("/profils")).text
    assert f'<a href="{path}">' in page
    assert "celui de la liste d’attente" in page
    page = (await browser.get(path)).text
    assert "Revenir au profil" not in page
    assert page.count("<rect") == 2 * len(GROUPS)
    answer = await browser.send(path, **OLD)
    assert answer.headers["location"] == f"{path}?dit=profile_set"
    page = (await browser.get(path)).text
    assert "celui du RLS" in page
    assert 'name="v-70+" value="62,50"' in page
    page = (await browser.get(f"{path}?selon=attente")).text
    assert 'name="v-70+" value="62,50"' not in page
    answer = await browser.send(f"{path}/liste-attente")
    assert answer.headers["location"] == f"{path}?dit=profile_reset"
    assert "celui de la liste d’attente" in (await browser.get(path)).text
    assert await records(pool) == [("profile_set", "ada"), ("profile_reset", "ada")]


async def test_r4_what_the_form_has_at_first_can_be_sent_as_it_is(browser: Browser, path: str) -> None:
    page = (await browser.get(path)).text
    shown = {name: page.split(f'name="{name}" value="')[1].partition('"')[0] for name in OLD}
    assert (await browser.send(path, **shown)).status_code == 303


async def test_r4_what_is_wrong_is_said_beside_each_field_and_the_sum_is_told(
    pool: Pool, browser: Browser, path: str
) -> None:
    await browser.get(path)
    answer = await browser.send(path, **OLD | {"v-70+": "beaucoup", "n-18-34": ""})
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 2
    assert 'aria-describedby="faute-v-70+"' in answer.text
    assert 'value="beaucoup"' in answer.text
    answer = await browser.send(path, **OLD | {"n-70+": "30"})
    assert (answer.status_code, "(règle R4)" in answer.text) == (422, True)
    assert "font 92,5" in answer.text
    assert focused(answer.text) == ["refus"]
    assert "92,50\u00a0%" in answer.text or "92,50 %" in answer.text
    assert await records(pool) == []


async def test_an_auditor_sees_a_profile_and_sets_none_and_a_gaco_sees_none(
    pool: Pool, browser: Browser, path: str
) -> None:
    async with another(str(browser.client.base_url)) as auditor:
        await auditor.sign_in("eve")
        page = (await auditor.get(path)).text
        assert "Fixer le profil" not in page
        form = auditor.form("/deconnexion")
        assert (await auditor.post(path, {**form, **OLD})).status_code == 403
        assert (await auditor.get("/profils/nulle-part")).status_code == 404
    async with another(str(browser.client.base_url)) as gaco:
        await gaco.sign_in("guy")
        assert "/profils" not in (await gaco.get("/")).text
        assert (await gaco.get(path)).status_code == 403
    assert await records(pool) == []
