"""What every page has: its headers, both languages, words for what goes wrong, and what my tasks show."""

import re
import tempfile
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from fastapi import FastAPI

from gamf.client import accounts as use_cases
from gamf.client.acting import Desk
from gamf.client.cli.language import speaking
from gamf.client.console import writing
from gamf.client.console.app import make_app
from gamf.client.console.options import Options
from gamf.domain.roles import Role, grant
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.errors import ServiceUnreachable
from gamf.runtime.settings import Settings, is_loopback
from gamf.runtime.temporal import connect
from gamf.storage.connection import Connection, Pool
from gamf.storage.migrate import migrate
from tests.client.console.browser import Browser, browsing
from tests.client.console.conftest import AddAccount
from tests.client.console.work import a_task
from tests.client.seats import NOON, the_operator
from tests.system import add_network

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture
def app(desk: Desk) -> FastAPI:
    """Return a console with two screens that fail."""
    made = make_app(desk)

    async def away() -> None:
        raise ServiceUnreachable("Temporal", fr="personne n’y répond.", en="nobody answers there.")

    async def wrong() -> None:
        raise ZeroDivisionError("Zéphyrin-Inventé")

    made.add_api_route("/temporal", away)
    made.add_api_route("/erreur", wrong)
    return made


async def test_every_answer_has_the_headers_and_no_page_is_kept(browser: Browser) -> None:
    for path, status in (
        ("/connexion", 200),
        ("/", 303),
        ("/nulle-part", 404),
        ("/deconnexion", 405),
        ("/langue/de", 422),
        ("/temporal", 503),
        ("/erreur", 500),
        ("/static/gamf/gamf.css", 200),
    ):
        answer = await browser.get(path)
        assert answer.status_code == status, path
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert ("no-store" in answer.headers.get("cache-control", "")) == (not path.startswith("/static/"))
        assert "server" not in answer.headers


async def test_no_page_needs_what_the_policy_refuses(browser: Browser, add_account: AddAccount) -> None:
    await add_account("ada", grant(Role.AUDITOR))
    pages = [(await browser.get("/connexion")).text, (await browser.get("/erreur")).text]
    await browser.sign_in("ada")
    pages += [(await browser.get(path)).text for path in ("/", "/compte")]
    for page in pages:
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?://", page)
        assert page.count("<h1>") == 1
        assert '<a class="gamf-skip" href="#contenu">' in page
        assert 'aria-live="polite"' in page


async def test_what_goes_wrong_is_said_in_the_language_of_whoever_reads(browser: Browser) -> None:
    away = (await browser.get("/temporal")).text
    assert "Temporal ne répond pas" in away
    assert "Rien de ce qui était consigné n’est perdu" in away
    wrong = (await browser.get("/erreur")).text
    assert "Erreur imprévue" in wrong
    assert "Zéphyrin" not in wrong
    await browser.get("/langue/en")
    away = (await browser.get("/temporal")).text
    assert "Temporal does not answer" in away
    assert "Nothing that was recorded is lost" in away


async def test_from_what_goes_wrong_whoever_is_signed_in_goes_on_by_the_menu(
    browser: Browser, add_account: AddAccount
) -> None:
    failing = ("/nulle-part", "/deconnexion", "/langue/de", "/journal", "/temporal", "/erreur")
    for path in failing:
        assert 'href="/compte"' not in (await browser.get(path)).text, path
    await add_account("ada", grant(Role.RAMQ))
    await browser.sign_in("ada")
    for path, status in zip(failing, (404, 405, 422, 403, 503, 500), strict=True):
        answer = await browser.get(path)
        assert answer.status_code == status, path
        assert '<a href="/compte">Mon compte</a>' in answer.text, path
        assert '<a href="/journal">' not in answer.text, path
        assert 'href="/langue/en?suite=/"' in answer.text, path
    refused = await browser.post("/blocs/2026-0001/rien", browser.form("/deconnexion"))
    assert (refused.status_code, '<a href="/compte">' in refused.text) == (404, True)
    assert (await browser.send("/deconnexion")).headers["location"].startswith("/connexion")
    assert 'href="/compte"' not in (await browser.get("/nulle-part")).text


async def test_where_it_cannot_be_known_who_looks_the_page_of_failure_is_shown_all_the_same(
    desk: Desk,
) -> None:
    async with browsing(make_app(Desk(cast("Pool", object()), desk.temporal))) as browser:
        browser.client.cookies.set("gamf_session", "inventé".encode().hex())
        for path, status in (("/compte", 500), ("/nulle-part", 404)):
            answer = await browser.get(path)
            assert (answer.status_code, "gamf-menu" in answer.text) == (status, False)


async def test_english_is_at_a_click_and_stays(browser: Browser, add_account: AddAccount) -> None:
    await add_account("ada", grant(Role.AUDITOR))
    await browser.sign_in("ada")
    page = (await browser.get("/compte")).text
    assert '<html lang="fr">' in page
    assert "Changer mon mot de passe" in page
    assert 'href="/langue/en?suite=/compte"' in page
    answer = await browser.get("/langue/en?suite=/compte")
    assert (answer.status_code, answer.headers["location"]) == (303, "/compte")
    page = (await browser.get("/compte")).text
    assert '<html lang="en">' in page
    assert "Change my password" in page
    assert "mot de passe" not in page
    assert (await browser.get("/langue/fr")).headers["location"] == "/"
    assert '<html lang="fr">' in (await browser.get("/")).text


@pytest.mark.parametrize(
    "path", ["//ailleurs.test", "https://ailleurs.test", "/\\ailleurs.test", "ailleurs", "/a\nb"]
)
async def test_nobody_is_led_elsewhere(browser: Browser, add_account: AddAccount, path: str) -> None:
    answer = await browser.client.get("/langue/en", params={"suite": path})
    assert answer.headers["location"] == "/"
    await add_account("ada", grant(Role.AUDITOR))
    await browser.get("/connexion")
    fields = {**browser.form("/connexion"), "account": "ada", "password": "trois petits chats", "suite": path}
    assert (await browser.post("/connexion", fields)).headers["location"] == "/"


async def test_my_tasks_are_mine_the_most_urgent_first_and_close_at_a_click(
    pool: Pool, browser: Browser, add_account: AddAccount
) -> None:
    async with pool.acquire() as conn:
        here, elsewhere = await add_network(conn), await add_network(conn)
    for rls, due in ((here, NOON + timedelta(days=1)), (here, NOON), (elsewhere, NOON)):
        await a_task(pool, rls, due=due)
    await add_account("ada", grant(Role.GACO, [here]))
    await browser.sign_in("ada")
    page = (await browser.get("/")).text
    assert re.findall(r'<time datetime="([^"]+)"', page) == [
        "2026-06-01T16:00:00+00:00",
        "2026-06-02T16:00:00+00:00",
    ]
    assert "1er juin 2026, 12 h" in page.replace("\u00a0", " ")
    assert page.count("motif discriminatoire rapporté") == 4
    actions = re.findall(r'action="(/taches/\d+/fermer)"', page)
    answer = await browser.send(actions[0])
    assert answer.headers["location"] == "/?dit=task_done"
    page = (await browser.get("/?dit=task_done")).text
    assert "La tâche est fermée." in page
    assert actions[0] not in page
    async with pool.acquire() as conn:
        closed = await conn.fetch("SELECT closed_by FROM tasks WHERE closed_at IS NOT NULL")
    assert [row["closed_by"] for row in closed] == ["ada"]


async def test_two_people_close_the_same_task_and_the_second_is_told(
    pool: Pool, app: FastAPI, add_account: AddAccount
) -> None:
    async with pool.acquire() as conn:
        rls = await add_network(conn)
    number = await a_task(pool, rls)
    for account in ("ada", "bob"):
        await add_account(account, grant(Role.GACO, [rls]))
    action = f"/taches/{number}/fermer"
    async with browsing(app) as first, browsing(app) as second:
        for browser, account in ((first, "ada"), (second, "bob")):
            await browser.sign_in(account)
            await browser.get("/")
        assert (await first.send(action)).headers["location"] == "/?dit=task_done"
        assert (await second.send(action)).headers["location"] == "/?dit=task_was_done"


async def test_a_role_without_tasks_has_a_first_screen_all_the_same(
    browser: Browser, add_account: AddAccount
) -> None:
    await add_account("ada", grant(Role.RAMQ))
    await browser.sign_in("ada")
    answer = await browser.get("/")
    assert (answer.status_code, "Votre rôle n’a pas de tâches" in answer.text) == (200, True)


async def test_a_training_says_so_on_every_page(desk: Desk) -> None:
    async with browsing(make_app(desk, Options(training=True))) as browser:
        assert "Formation" in (await browser.get("/connexion")).text
    async with browsing(make_app(desk)) as browser:
        assert "Formation" not in (await browser.get("/connexion")).text


async def test_without_the_design_system_the_page_is_plain_and_with_it_dressed(
    desk: Desk, tmp_path: Path
) -> None:
    async with browsing(make_app(desk, Options(design_system=tmp_path / "none"))) as browser:
        page = (await browser.get("/connexion")).text
        assert "qc-sdg" not in page
        assert "/static/gamf/gamf.css" in page
        assert (await browser.get("/static/qc/css/qc-sdg.min.css")).status_code == 404
    css = tmp_path / "css"
    css.mkdir()
    (css / "qc-sdg.min.css").write_text("a{}", encoding="utf-8")
    (css / "qc-sdg-dark.css").write_text("b{}", encoding="utf-8")
    async with browsing(make_app(desk, Options(design_system=tmp_path))) as browser:
        sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', (await browser.get("/connexion")).text)
        assert len(sheets) == 3
        for sheet in sheets:
            assert (await browser.get(sheet)).status_code == 200
        assert (await browser.get("/static/qc/../../../pyproject.toml")).status_code == 404


@pytest.fixture
async def folder() -> AsyncGenerator[Path]:
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        yield Path(name)


async def test_postgresql_away_the_page_says_so_and_back_it_works_again(
    folder: Path, temporal: EmbeddedTemporal
) -> None:
    client = await connect(address=temporal.address)
    async with EmbeddedPostgres(folder, durable=False) as server:
        url = server.url
        pool_of_it = database_pool(Settings(database_pool_max=2), url=url, application="test")
        pool = await pool_of_it.__aenter__()
        async with pool.acquire() as conn:
            await migrate(conn)
            password = await use_cases.add(conn, the_operator(), "ada", [grant(Role.AUDITOR)])
        site = browsing(make_app(Desk(pool, client)))
        browser = await site.__aenter__()
        await browser.sign_in("ada", password)
        assert (await browser.get("/compte")).status_code == 200
    assert (await browser.get("/nulle-part")).status_code == 404
    answer = await browser.get("/compte")
    assert answer.status_code == 503
    assert "gamf-menu" not in answer.text
    assert "PostgreSQL ne répond pas" in answer.text
    assert "Rien de ce qui était consigné n’est perdu" in answer.text
    async with EmbeddedPostgres(folder, durable=False) as server:
        assert server.url == url
        assert (await browser.get("/compte")).status_code == 200
        await site.__aexit__(None, None, None)
        await pool_of_it.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("day", "fr", "en"),
    [
        (date(2026, 5, 1), "1er mai 2026", "May 1, 2026"),
        (date(2028, 2, 29), "29 février 2028", "February 29, 2028"),
    ],
)
def test_a_date_is_as_quebec_writes_it(day: date, fr: str, en: str) -> None:
    assert writing.day_words(day) == fr
    with speaking("en"):
        assert writing.day_words(day) == en


def test_an_instant_is_on_the_clock_of_the_rls() -> None:
    instant = datetime(2026, 3, 9, 17, 5, tzinfo=UTC)
    assert writing.instant_words(instant).replace("\u00a0", " ") == "9 mars 2026, 13 h 05"
    assert writing.instant_words(instant, "America/Halifax").replace("\u00a0", " ") == "9 mars 2026, 14 h 05"
    with speaking("en"):
        assert writing.instant_words(instant).replace("\u00a0", " ") == "March 9, 2026, 1:05 p.m."


def test_a_day_ends_at_24_h() -> None:
    end = datetime(2026, 12, 2, 5, tzinfo=UTC)
    assert writing.deadline_words(end).replace("\u00a0", " ") == "1er décembre 2026, 24 h"
    assert writing.deadline_words(end, "America/Halifax").replace("\u00a0", " ") == "2 décembre 2026, 1 h"
    with speaking("en"):
        assert writing.deadline_words(end) == "December 1, 2026, end of the day"


@pytest.mark.parametrize(
    ("host", "only_here"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("192.0.2.1", False),
        ("::", False),
        ("gamf", False),
    ],
)
def test_beyond_this_machine_cookies_are_for_tls(host: str, *, only_here: bool) -> None:
    assert is_loopback(host) == only_here


async def test_an_account_is_shown_with_its_limits(
    browser: Browser, connection: Connection, add_account: AddAccount
) -> None:
    rls = await add_network(connection)
    await add_account("ada", grant(Role.COORDINATOR, [rls]))
    await browser.sign_in("ada")
    assert f"coordonnateur d’un RLS ({rls})" in (await browser.get("/compte")).text
