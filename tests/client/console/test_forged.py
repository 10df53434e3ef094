"""Requests that none of our pages made, or made once: refused, logged, and nothing has changed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi.routing import APIRoute
from structlog.testing import capture_logs

from gamf.client.acting import Desk
from gamf.client.console import forms, page
from gamf.client.console.app import SCREENS, make_app
from gamf.client.console.guard import Flow
from gamf.client.console.options import Limits, Options
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Role, grant
from gamf.storage.connection import Pool
from tests.client.console.browser import Browser, another, browsing
from tests.client.console.conftest import AddAccount
from tests.client.console.work import a_task
from tests.client.seats import NOON
from tests.system import add_network

_OPEN = {
    ("GET", "/connexion"),
    ("POST", "/connexion"),
    ("GET", "/connexion/openid"),
    ("GET", "/connexion/openid/retour"),
    ("GET", "/connexion/openid/fin"),
    ("GET", "/connexion/openid/sortie"),
    ("GET", "/langue/{language}"),
}
"""What a stranger may ask for."""


@pytest.fixture
async def task(pool: Pool, add_account: AddAccount, browser: Browser) -> str:
    """Return where a GACO's task is closed; the GACO is signed in, and looks at it."""
    async with pool.acquire() as conn:
        rls = await add_network(conn)
    number = await a_task(pool, rls)
    await add_account("ada", grant(Role.GACO, [rls]))
    await add_account("bob", grant(Role.GACO, [rls]))
    await browser.sign_in("ada")
    await browser.get("/")
    return f"/taches/{number}/fermer"


async def is_open(pool: Pool) -> bool:
    async with pool.acquire() as conn:
        return bool(await conn.fetchval("SELECT closed_at IS NULL FROM tasks"))


async def test_without_a_seal_or_with_another_one_nothing_is_done(
    pool: Pool, browser: Browser, task: str
) -> None:
    form = browser.form(task)
    number, _, seal = form["form"].partition(".")
    async with another(str(browser.client.base_url)) as second:
        await second.sign_in("bob")
        await second.get("/")
        others = second.form(task)
    with capture_logs() as logs:
        for forged in ({}, {"form": ""}, {"form": "."}, {"form": number}, {"form": f"autre.{seal}"}, others):
            answer = await browser.post(task, forged)
            assert answer.status_code == 403
            assert "Rien n’a changé" in answer.text
            assert await is_open(pool)
    assert [each["event"] for each in logs] == ["a request was refused"] * 6
    assert (await browser.post(task, form)).status_code == 303
    assert not await is_open(pool)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://ailleurs.test"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
async def test_what_another_site_sends_is_refused_though_it_knew_the_seal(
    pool: Pool, browser: Browser, task: str, headers: dict[str, str]
) -> None:
    answer = await browser.post(task, browser.form(task), **headers)
    assert answer.status_code == 403
    assert await is_open(pool)


async def test_our_own_page_may_say_that_it_is_ours(pool: Pool, browser: Browser, task: str) -> None:
    origin = str(browser.client.base_url).rstrip("/")
    answer = await browser.post(task, browser.form(task), Origin=origin, Sec_Fetch_Site="same-origin")
    assert answer.status_code == 303
    assert not await is_open(pool)


async def test_a_form_that_is_sent_again_counts_once(pool: Pool, browser: Browser, task: str) -> None:
    form = browser.form(task)
    answers = await asyncio.gather(*(browser.client.post(task, data=form) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [303, 409, 409, 409]
    assert (await browser.post(task, form)).status_code == 409
    assert "ne compte qu’une fois" in browser.page
    async with pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM records WHERE subject = 'task'") == 1


async def test_what_could_not_be_done_may_be_sent_again(pool: Pool) -> None:
    form = forms.new_form("secret")
    with pytest.raises(OSError, match="away"):
        async with forms.once(pool, "secret", form, NOON):
            raise OSError("away")
    async with forms.once(pool, "secret", form, NOON):
        pass
    with pytest.raises(RefusedByRuleError):
        async with forms.once(pool, "secret", form, NOON):
            pass


async def test_a_role_does_not_do_what_it_does_not_see(
    pool: Pool, browser: Browser, task: str, add_account: AddAccount
) -> None:
    await add_account("eve", grant(Role.AUDITOR))
    async with another(str(browser.client.base_url)) as auditor:
        await auditor.sign_in("eve")
        await auditor.get("/")
        assert task not in auditor.page
        answer = await auditor.post(task, auditor.form("/deconnexion"))
        assert answer.status_code == 403
        assert "Votre rôle ne permet pas" in answer.text
    assert await is_open(pool)


async def test_what_is_too_large_is_refused_whether_it_says_so_or_not(
    pool: Pool, browser: Browser, task: str
) -> None:
    large = b"x" * (Limits().body_bytes + 1)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await browser.client.post(task, content=large, headers=kind)
    assert answer.status_code == 413

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield large[: len(large) // 4]

    answer = await browser.client.post(task, content=pieces(), headers=kind)
    assert (answer.status_code, "trop volumineuse" in answer.text) == (413, True)
    assert await is_open(pool)


async def test_a_file_or_a_thousand_fields_too_many_are_no_form(
    pool: Pool, browser: Browser, task: str
) -> None:
    answer = await browser.client.post(task, files={"form": ("a.txt", b"x")})
    assert 400 <= answer.status_code < 500
    answer = await browser.client.post(task, data={f"f{n}": "x" for n in range(1_002)})
    assert 400 <= answer.status_code < 500
    assert await is_open(pool)


def test_an_address_has_its_burst_then_so_many_a_second() -> None:
    flow = Flow(Limits(per_second=2, burst=3))
    assert [flow.takes("192.0.2.1", at) for at in (0, 0, 0, 0)] == [True, True, True, False]
    assert flow.takes("192.0.2.2", 0)
    assert [flow.takes("192.0.2.1", at) for at in (0.4, 0.5, 0.6)] == [False, True, False]
    assert [flow.takes("192.0.2.1", at) for at in (100, 100, 100, 100)] == [True, True, True, False]


async def test_too_many_requests_are_told_to_wait(desk: Desk) -> None:
    limits = Limits(per_second=0.001, burst=2)
    async with browsing(make_app(desk, Options(limits=limits))) as browser:
        for status in (200, 200, 429):
            answer = await browser.get("/connexion")
            assert answer.status_code == status
        assert answer.headers["retry-after"]
        assert "Trop de demandes" in answer.text


def test_every_screen_asks_who_looks_and_every_form_is_checked() -> None:
    seen: set[tuple[str, str]] = set()
    for route in (each for screen in SCREENS for each in screen.router.routes if isinstance(each, APIRoute)):
        calls = [dependency.call for dependency in route.dependant.dependencies]
        for method in route.methods or ():
            seen.add((method, route.path))
            asks = (page.signed_in if method == "GET" else page.sent) in calls
            assert asks != ((method, route.path) in _OPEN), route.path
    assert seen > _OPEN
