"""Signing in and out in a browser: from the one-time password to the end of the session."""

import io

from fastapi import FastAPI

from gamf.client import accounts
from gamf.client.acting import Desk
from gamf.client.console.app import make_app
from gamf.client.console.options import Options
from gamf.domain.roles import Role, grant
from gamf.domain.signing_in import ATTEMPTS_BY_NAME
from gamf.storage.connection import Connection
from tests.client.console.browser import PASSWORD, Browser, another, browsing
from tests.client.console.conftest import AddAccount
from tests.client.seats import the_operator

ANOTHER = "quatre gros chiens"


async def test_a_stranger_is_led_to_the_sign_in_page_and_back_to_where_they_wanted(
    browser: Browser, add_account: AddAccount
) -> None:
    await add_account("ada", grant(Role.AUDITOR))
    answer = await browser.get("/compte?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/connexion?suite=%2Fcompte%3Fx%3D1")
    await browser.get(answer.headers["location"])
    answer = await browser.send("/connexion", account=" ADA ", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/compte?x=1")
    assert "ada" in (await browser.get("/compte")).text


async def test_a_one_time_password_is_changed_before_anything_else(
    browser: Browser, connection: Connection
) -> None:
    password = await accounts.add(connection, the_operator(), "ada", [grant(Role.AUDITOR)])
    assert (await browser.sign_in("ada", password)).headers["location"] == "/compte"
    assert (await browser.get("/")).headers["location"] == "/compte"
    await browser.get("/compte")
    for before, after, again in (
        ("autre", ANOTHER, ANOTHER),
        (password, ANOTHER, ANOTHER + "s"),
        (password, "zzyzx", "zzyzx"),
    ):
        answer = await browser.send("/compte/mot-de-passe", before=before, after=after, again=again)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
        assert after not in answer.text
    answer = await browser.send("/compte/mot-de-passe", before=password, after=ANOTHER, again=ANOTHER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?dit=password_changed")
    assert "Votre mot de passe est changé" in (await browser.get("/?dit=password_changed")).text


async def test_what_a_stranger_is_told_is_the_same_whatever_is_wrong(
    browser: Browser, add_account: AddAccount
) -> None:
    await add_account("ada", grant(Role.AUDITOR))
    pages = set[str]()
    for account in ("ada", "bob"):
        answer = await browser.sign_in(account, "un autre mot de passe")
        assert answer.status_code == 401
        pages.add(browser.page.replace(account, "…").replace(browser.form("/connexion")["form"], "…"))
    assert len(pages) == 1
    assert "ne vont pas ensemble" in pages.pop()


async def test_after_so_many_attempts_one_waits(browser: Browser, add_account: AddAccount) -> None:
    await add_account("ada", grant(Role.AUDITOR))
    for _ in range(ATTEMPTS_BY_NAME):
        await browser.sign_in("ada", "un autre mot de passe")
    answer = await browser.sign_in("ada")
    assert (answer.status_code, "Trop d’essais" in answer.text) == (401, True)


async def test_signing_out_ends_the_session_and_its_pages(browser: Browser, add_account: AddAccount) -> None:
    await add_account("ada", grant(Role.AUDITOR))
    await browser.sign_in("ada")
    await browser.get("/")
    form = browser.form("/deconnexion")
    cookie = browser.client.cookies["gamf_session"]
    answer = await browser.send("/deconnexion")
    assert (answer.status_code, answer.headers["location"]) == (303, "/connexion?dit=signed_out")
    assert "gamf_session" not in browser.client.cookies
    # The cookie and the form of before, had somebody kept them.
    browser.client.cookies.set("gamf_session", cookie)
    assert (await browser.get("/")).headers["location"] == "/connexion"
    answer = await browser.post("/deconnexion", form)
    assert answer.headers["location"] == "/connexion?dit=session_over"
    assert "Votre session était terminée" in (await browser.get("/connexion?dit=session_over")).text


async def test_a_session_begins_with_a_cookie_of_its_own_that_no_script_reads(
    browser: Browser, add_account: AddAccount
) -> None:
    await add_account("ada", grant(Role.AUDITOR))
    browser.client.cookies.set("gamf_session", "choisi-par-un-autre")
    answer = await browser.sign_in("ada")
    set_cookie = next(
        each for each in answer.headers.get_list("set-cookie") if each.startswith("gamf_session")
    )
    assert "choisi" not in set_cookie
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in set_cookie.split(";")}
    assert "Domain" not in set_cookie


async def test_over_tls_a_cookie_is_for_tls_and_for_this_host_alone(desk: Desk) -> None:
    async with browsing(make_app(desk, Options(secure=True))) as browser:
        answer = await browser.get("/connexion")
        assert answer.headers["set-cookie"].startswith("__Host-gamf_before=")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")


async def test_two_browsers_have_two_sessions(browser: Browser, add_account: AddAccount) -> None:
    await add_account("ada", grant(Role.AUDITOR))
    await browser.sign_in("ada")
    async with another(str(browser.client.base_url)) as second:
        await second.sign_in("ada")
        await browser.get("/")
        await browser.send("/deconnexion")
        assert (await second.get("/")).status_code == 200


async def test_no_password_and_no_token_is_in_the_log(
    app: FastAPI, add_account: AddAccount, log: io.StringIO
) -> None:
    await add_account("ada", grant(Role.AUDITOR))
    async with browsing(app) as browser:
        await browser.sign_in("ada", "un autre mot de passe")
        await browser.sign_in("ada")
        cookie = browser.client.cookies["gamf_session"]
        await browser.get("/")
        form = browser.form("/deconnexion")["form"]
        assert (await browser.post("/deconnexion", {"form": "forgé"})).status_code == 403
    written = log.getvalue()
    assert "a request was refused" in written
    for secret in (PASSWORD, "un autre mot de passe", cookie, form, "forgé"):
        assert secret not in written
