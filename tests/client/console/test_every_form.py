"""Whatever changes something, in the console and in the API, forged in every way: refused, logged, nothing changed."""

import re
from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from structlog.testing import capture_logs

from gamf.client.acting import Desk
from gamf.client.api.app import SUBJECTS
from gamf.client.console.app import SCREENS, make_app
from gamf.client.console.options import Limits, Options
from gamf.client.console.page import SIGN_IN
from gamf.domain.roles import Role, grant
from gamf.storage.connection import Pool
from tests.client.console.browser import PASSWORD, Browser, browsing
from tests.client.console.conftest import AddAccount
from tests.client.console.work import a_task
from tests.system import add_network, add_physician

# Every form and every call, forged in every way, is half a minute; `test_forged.py` has some of each in `make test`.
pytestmark = pytest.mark.long

_VALUES = {"attribution_id": "2026-000001", "block_id": "2026-0001", "fact": "accepted"}
_OF_ITS_OWN = ("sessions", "sign_in_attempts", "used_forms", "account_events")
"""Tables that keep who came and tried, which is not what they tried."""

Send = Callable[[str], Awaitable[httpx.Response]]


def changing(routers: Iterator[APIRouter]) -> list[tuple[str, str]]:
    """Return the methods and paths that change something, with values in the paths."""
    found = [
        (method, re.sub(r"{(\w+)}", lambda name: _VALUES.get(name[1], "1"), route.path))
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        if method not in {"GET", "HEAD"}
    ]
    assert found
    return found


def forms() -> list[str]:
    return [path for _, path in changing(screen.router for screen in SCREENS)]


def calls() -> list[tuple[str, str]]:
    return [(method, f"/api{path}") for method, path in changing(subject.router for subject in SUBJECTS)]


@pytest.fixture
async def insider(pool: Pool, add_account: AddAccount, browser: Browser) -> Browser:
    """Return the browser of somebody whose roles refuse nothing that there is to do."""
    async with pool.acquire() as conn:
        rls = await add_network(conn)
        licence = await add_physician(conn, rls)
    await a_task(pool, rls)
    local = [grant(role, [rls]) for role in (Role.COORDINATOR, Role.GACO)]
    await add_account("ada", *local, grant(Role.CLINIC, [licence]), grant(Role.RAMQ))
    await browser.sign_in("ada")
    await browser.get("/")
    return browser


async def contents(pool: Pool) -> dict[str, str]:
    """Return a fingerprint of each table but those of who came."""
    async with pool.acquire() as conn:
        tables = [
            row["tablename"]
            for row in await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            if row["tablename"] not in _OF_ITS_OWN
        ]
        return {
            table: await conn.fetchval(
                f"SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM \"{table}\" t"  # noqa: S608 - the tables there are
            )
            for table in tables
        }


async def refuses(pool: Pool, paths: list[str], send: Send, status: int) -> None:
    """Send something forged to each of these: refused with that status, one line in the log each, nothing changed."""
    before = await contents(pool)
    for path in paths:
        with capture_logs() as logs:
            answer = await send(path)
        assert answer.status_code == status, (path, answer.text)
        told = [each for each in logs if each["event"] == "a request was refused"]
        assert [(each["status"], bool(each["address"])) for each in told] == [(status, True)], (path, logs)
        assert await contents(pool) == before, path


async def test_without_a_seal(pool: Pool, insider: Browser) -> None:
    await refuses(pool, forms(), lambda path: insider.client.post(path, data={"form": "1.2"}), 403)
    await refuses(pool, forms(), insider.client.post, 403)


async def test_from_another_site_that_knew_the_seal(pool: Pool, insider: Browser) -> None:
    form = insider.form("/deconnexion")
    for headers in ({"Origin": "https://ailleurs.test"}, {"Sec-Fetch-Site": "cross-site"}):
        await refuses(
            pool,
            forms(),
            lambda path, sent=headers: insider.client.post(path, data=form, headers=sent),  # type: ignore[misc] # of the loop
            403,
        )


async def test_replayed(pool: Pool, insider: Browser) -> None:
    action = next(each for each in re.findall(r'action="(/taches/\d+/fermer)"', insider.page))
    form = insider.form(action)
    assert (await insider.post(action, form)).status_code == 303
    inside = [each for each in forms() if each != SIGN_IN]
    assert len(inside) == len(forms()) - 1
    await refuses(pool, inside, lambda path: insider.client.post(path, data=form), 409)


async def test_a_sign_in_replayed(pool: Pool, browser: Browser, insider: Browser) -> None:
    browser.client.cookies.clear()
    await browser.get(SIGN_IN)
    before = dict(browser.client.cookies)
    form = {**insider.form(SIGN_IN), "account": "ada", "password": PASSWORD}
    assert (await browser.post(SIGN_IN, form)).status_code == 303
    browser.client.cookies.clear()
    browser.client.cookies.update(before)
    await refuses(pool, [SIGN_IN], lambda path: browser.client.post(path, data=form), 409)


async def test_oversized(pool: Pool, insider: Browser) -> None:
    form = {**insider.form("/deconnexion"), "reason": "x" * Limits().body_bytes}
    await refuses(pool, forms(), lambda path: insider.client.post(path, data=form), 413)


async def test_calls_of_the_api_without_a_token_or_with_a_cookie_only(pool: Pool, insider: Browser) -> None:
    methods = {path: method for method, path in calls()}
    for headers in ({}, {"Authorization": "Bearer gamf_faux"}, {"Authorization": "Basic YTpi"}):
        await refuses(
            pool,
            list(methods),
            lambda path, sent=headers: insider.client.request(methods[path], path, json={}, headers=sent),  # type: ignore[misc] # of the loop
            401,
        )


async def test_calls_of_the_api_oversized(pool: Pool, insider: Browser) -> None:
    methods = {path: method for method, path in calls()}
    large = b'{"x": "' + b"x" * Limits().body_bytes + b'"}'
    await refuses(
        pool, list(methods), lambda path: insider.client.request(methods[path], path, content=large), 413
    )


async def test_a_flood_is_logged_once_when_it_begins(desk: Desk) -> None:
    limits = Limits(per_second=0.001, burst=2)
    async with browsing(make_app(desk, Options(limits=limits))) as browser:
        with capture_logs() as logs:
            answers = [(await browser.get(SIGN_IN)).status_code for _ in range(5)]
    assert answers == [200, 200, 429, 429, 429]
    assert [each["status"] for each in logs if each["event"] == "a request was refused"] == [429]
