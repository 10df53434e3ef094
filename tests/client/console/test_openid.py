"""Signing in through a real identity provider, in a process of its own, as a person with a browser does."""

import io
import re
import tempfile
from collections.abc import AsyncGenerator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Final

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from structlog.testing import capture_logs

from gamf.client import accounts, identities
from gamf.client.acting import Desk
from gamf.client.console import forms
from gamf.client.console.app import make_app
from gamf.client.console.options import Options
from gamf.client.console.server import running_console
from gamf.domain import signing_in
from gamf.domain.roles import Role, grant
from gamf.runtime.settings import HostPort, Settings
from gamf.runtime.web import serving
from gamf.storage.connection import Connection, Pool
from tests.client.console.browser import PASSWORD, another, browsing
from tests.client.console.conftest import AddAccount
from tests.client.seats import the_operator
from tests.openid.process import SECRET, ProviderProcess, a_key
from tests.openid.walk import Walker, changed, value, walking

# Servers and processes begin and end in each: together they take longer than `make test` may.
pytestmark = pytest.mark.long

ADA: Final = "ada-7f3a"
"""What the provider calls somebody; here she is `ada`."""


@pytest.fixture(scope="module")
async def provider() -> AsyncGenerator[ProviderProcess]:
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        process = ProviderProcess(Path(name))
        await process.start()
        yield process
        await process.kill()


@pytest.fixture
def app(desk: Desk, provider: ProviderProcess) -> FastAPI:
    return make_app(desk, Options(openid=provider.registration()))


@pytest.fixture
async def walker(app: FastAPI, provider: ProviderProcess) -> AsyncGenerator[Walker]:
    async with (
        serving(app, HostPort("127.0.0.1", provider.console_port), "test"),
        walking(provider.console) as opened,
    ):
        yield opened


@pytest.fixture
async def ada(pool: Pool, add_account: AddAccount, provider: ProviderProcess) -> None:
    """Have an account that is linked to somebody at the provider."""
    await add_account("ada", grant(Role.AUDITOR))
    async with pool.acquire() as conn:
        await identities.link(conn, the_operator(), "ada", identities.Person(provider.issuer, ADA))


async def events(conn: Connection) -> list[tuple[str, str]]:
    rows = await conn.fetch("SELECT event, account FROM account_records ORDER BY record_id")
    return [(row["event"], row["account"]) for row in rows]


@pytest.mark.usefixtures("ada")
async def test_whoever_is_linked_signs_in_and_is_led_to_where_they_wanted(
    walker: Walker, connection: Connection
) -> None:
    assert "Continuer avec le compte de mon organisation" in (await walker.get("/connexion")).text
    answer = await walker.sign_in(ADA, "/compte?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/compte?x=1")
    assert "ada" in (await walker.get("/compte")).text
    assert await events(connection) == [("identity_linked", "ada"), ("signed_in", "ada")]


async def is_signed_in(walker: Walker) -> bool:
    return (await walker.get("/compte")).status_code == 200


async def refused(walker: Walker, address: str, words: str) -> str:
    """Come back to that address, be refused with these words, and not be signed in."""
    answer = await walker.client.get(address)
    assert answer.status_code == 401
    assert words in answer.text
    assert "Aucune session n’est ouverte et rien n’a changé" in answer.text
    assert not await is_signed_in(walker)
    return answer.text


@pytest.mark.usefixtures("ada")
async def test_an_answer_is_good_once(walker: Walker) -> None:
    there = await walker.sign_in_there(await walker.leave(), ADA)
    assert (await walker.client.get(there)).status_code == 303
    assert (await walker.sign_out()).status_code == 303
    await refused(walker, there, "a déjà servi")


@pytest.mark.usefixtures("ada")
async def test_an_answer_with_another_state_or_for_another_browser_is_refused(
    walker: Walker, provider: ProviderProcess
) -> None:
    there = await walker.sign_in_there(await walker.leave(), ADA)
    await refused(walker, changed(there, state="autre"), "demandée par un autre navigateur")
    await refused(walker, there.partition("?")[0], "demandée par un autre navigateur")
    async with walking(provider.console) as second:
        await second.leave()
        await refused(second, there, "demandée par un autre navigateur")
    assert (await walker.client.get(there)).status_code == 303


@pytest.mark.usefixtures("ada")
async def test_after_ten_minutes_one_begins_again(walker: Walker, connection: Connection) -> None:
    there = await walker.sign_in_there(await walker.leave(), ADA)
    late = signing_in.AT_THE_PROVIDER + timedelta(seconds=1)
    await connection.execute("UPDATE sign_in_flows SET began_at = began_at - $1::interval", late)
    await refused(walker, there, "plus de 10 minutes")
    assert await connection.fetchval("SELECT count(*) FROM sign_in_flows") == 0


@pytest.mark.usefixtures("ada")
async def test_an_identity_token_for_another_sign_in_is_refused(walker: Walker) -> None:
    there = await walker.sign_in_there(changed(await walker.leave(), nonce="autre"), ADA)
    await refused(walker, there, "ne peut être vérifiée")


@pytest.mark.usefixtures("ada")
async def test_a_code_of_another_sign_in_is_refused_by_its_proof_key(
    walker: Walker, provider: ProviderProcess
) -> None:
    async with walking(provider.console) as second:
        stolen = await second.sign_in_there(await second.leave(), ADA)
    there = await walker.sign_in_there(await walker.leave(), "bob-91c2")
    await refused(walker, changed(there, code=value(stolen, "code")), "ne peut être vérifiée")


@pytest.mark.usefixtures("ada")
async def test_an_answer_that_another_provider_says_is_its_own_is_refused(walker: Walker) -> None:
    for values in ({"iss": "https://autre.example"}, {"iss": ""}):
        there = await walker.sign_in_there(await walker.leave(), ADA)
        await refused(walker, changed(there, **values), "ne peut être vérifiée")


@pytest.mark.usefixtures("ada")
async def test_whoever_gives_up_there_is_told_so(walker: Walker) -> None:
    page = await walker.client.get(await walker.leave(), follow_redirects=True)
    found = re.search(r'href="(?P<abort>[^"]+/abort)"', page.text)
    assert found is not None
    there = await walker.sign_in_there(found["abort"], ADA)
    assert value(there, "error") == "access_denied"
    await refused(walker, there, "vous avez renoncé")


async def test_whoever_no_account_is_linked_to_is_told_what_to_do_and_the_log_does_not_say_who(
    walker: Walker, connection: Connection
) -> None:
    with capture_logs() as logs:
        there = await walker.sign_in_there(await walker.leave(), "eve-0d11")
        page = await refused(walker, there, "demandez à l’exploitant de lier votre compte")
    assert "<code>eve-0d11</code>" in page
    assert {"address": "127.0.0.1", "status": 401}.items() <= logs[-1].items()
    assert "eve-0d11" not in str(logs)
    assert await events(connection) == []
    assert await connection.fetchval("SELECT count(*) FROM sign_in_attempts") == 1


@pytest.mark.usefixtures("ada")
async def test_a_closed_account_is_told_so_and_it_is_kept_that_somebody_tried(
    walker: Walker, connection: Connection
) -> None:
    await accounts.disable(connection, the_operator(), "ada")
    there = await walker.sign_in_there(await walker.leave(), ADA)
    await refused(walker, there, "votre compte d’ici est fermé")
    assert (await events(connection))[-1] == ("sign_in_refused", "ada")


@pytest.mark.usefixtures("ada")
async def test_attempts_that_fail_are_counted_and_one_that_succeeds_is_not(
    walker: Walker, connection: Connection
) -> None:
    await walker.sign_in(ADA)
    assert await connection.fetchval("SELECT count(*) FROM sign_in_attempts") == 0
    await walker.sign_out()
    there = await walker.sign_in_there(await walker.leave(), ADA)
    for _ in range(signing_in.ATTEMPTS_BY_NAME):
        await refused(walker, changed(there, state="autre"), "a déjà servi")
    answer = await walker.client.get(there)
    assert (answer.status_code, "Trop d’essais" in answer.text) == (401, True)


async def test_so_many_begin_from_one_address_and_no_more(
    walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "AT_THE_PROVIDER_BY_ADDRESS", 2)
    for _ in range(2):
        await walker.leave()
    answer = await walker.get("/connexion/openid")
    assert (answer.status_code, "Trop d’essais" in answer.text) == (401, True)


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    "suite", ["https://ailleurs.example", "//ailleurs.example", "/\\ailleurs.example", "/\t/ailleurs.example"]
)
async def test_nobody_is_led_elsewhere(walker: Walker, suite: str) -> None:
    assert (await walker.sign_in(ADA, suite)).headers["location"] == "/"


@pytest.mark.usefixtures("ada")
async def test_a_session_is_as_one_with_a_password_and_no_password_is_asked_for(
    walker: Walker, connection: Connection
) -> None:
    await accounts.set_password(connection, the_operator(), "ada")
    answer = await walker.sign_in(ADA)
    (cookie,) = (each for each in answer.headers.get_list("set-cookie") if each.startswith("gamf_session"))
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert await is_signed_in(walker)
    row = await connection.fetchrow("SELECT expires_at - began_at AS lasts, issuer FROM sessions")
    assert row is not None
    assert row["lasts"] == signing_in.IDLE


@pytest.mark.usefixtures("ada")
async def test_signing_out_leads_on_to_the_end_of_the_session_of_the_provider(
    walker: Walker, provider: ProviderProcess
) -> None:
    await walker.sign_in(ADA)
    answer = await walker.sign_out()
    assert (answer.status_code, answer.headers["location"]) == (303, "/connexion/openid/fin")
    page = (await walker.get("/connexion/openid/fin")).text
    found = re.search(r'http-equiv="refresh" content="0; url=(?P<way>[^"]+)"', page)
    assert found is not None
    there = unescape(found["way"])
    assert there.startswith(provider.issuer)
    assert await walker.sign_in_there(there, ADA) == f"{provider.console}/connexion/openid/sortie"
    answer = await walker.get("/connexion/openid/sortie")
    assert answer.headers["location"] == "/connexion?dit=signed_out"
    # The provider knows nobody any more: it asks who it is.
    page = (await walker.client.get(await walker.leave(), follow_redirects=True)).text
    assert 'name="login"' in page


async def test_a_session_of_a_password_does_not_go_to_the_provider(
    app: FastAPI, add_account: AddAccount
) -> None:
    await add_account("bob", grant(Role.AUDITOR))
    async with browsing(app) as browser:
        await browser.sign_in("bob")
        await browser.get("/")
        assert (await browser.send("/deconnexion")).headers["location"] == "/connexion?dit=signed_out"


@pytest.mark.usefixtures("ada")
async def test_the_provider_away_is_said_and_back_it_works_again(
    walker: Walker, provider: ProviderProcess, connection: Connection
) -> None:
    there = await walker.sign_in_there(await walker.leave(), ADA)
    await provider.kill()
    for address in ("/connexion/openid", there):
        answer = await walker.get(address)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "Le fournisseur d’identité ne répond pas" in answer.text
        assert "vous pouvez entrer votre mot de passe en attendant" in answer.text
    assert (await walker.get("/connexion/openid/fin")).headers["location"] == "/connexion?dit=signed_out_here"
    assert await connection.fetchval("SELECT count(*) FROM sign_in_attempts") == 0
    # It is back with another key, as after a rotation; the console holds the one of before.
    provider.keys = [a_key()]
    await provider.start()
    assert (await walker.sign_in(ADA)).headers["location"] == "/"
    assert await is_signed_in(walker)


@pytest.mark.usefixtures("ada")
async def test_a_key_that_comes_while_the_console_runs_is_fetched(
    walker: Walker, provider: ProviderProcess
) -> None:
    await walker.sign_in(ADA)
    await walker.sign_out()
    await provider.kill()
    provider.keys = [a_key(), *provider.keys]
    await provider.start()
    assert (await walker.sign_in(ADA)).headers["location"] == "/"


async def test_where_there_is_no_provider_nothing_of_it_is_shown_or_answers(desk: Desk) -> None:
    async with browsing(make_app(desk)) as browser:
        assert "/connexion/openid" not in (await browser.get("/connexion")).text
        for path in ("/connexion/openid", "/connexion/openid/retour", "/connexion/openid/fin"):
            assert (await browser.get(path)).status_code == 404


@pytest.mark.usefixtures("ada")
async def test_passwords_may_be_turned_off(desk: Desk, provider: ProviderProcess) -> None:
    app = make_app(desk, Options(openid=provider.registration(), passwords=False))
    async with (
        serving(app, HostPort("127.0.0.1", provider.console_port), "test"),
        walking(provider.console) as walker,
        another(provider.console) as browser,
    ):
        page = (await browser.get("/connexion")).text
        assert "Continuer avec le compte de mon organisation" in page
        assert 'name="password"' not in page
        await browser.get("/connexion")
        form = forms.new_form(browser.client.cookies["gamf_before"])
        answer = await browser.post("/connexion", {"form": form, "account": "ada", "password": PASSWORD})
        assert (answer.status_code, "seulement avec le compte de votre organisation" in answer.text) == (
            403,
            True,
        )
        await walker.sign_in(ADA)
        page = (await walker.get("/compte")).text
        assert 'name="before"' not in page


async def test_a_claim_names_the_account_once_and_then_the_subject_alone_counts(
    desk: Desk, provider: ProviderProcess, add_account: AddAccount, connection: Connection
) -> None:
    await add_account("ada", grant(Role.AUDITOR))
    await provider.kill()
    provider.claims = {
        "ada-7f3a": {"preferred_username": " ADA "},
        "mallory": {"preferred_username": "ada"},
        "nobody": {"preferred_username": "no-such"},
        "number": {"preferred_username": 7},
    }
    await provider.start()
    there = provider.registration(scopes="openid profile", account_claim="preferred_username")
    app = make_app(desk, Options(openid=there))
    async with (
        serving(app, HostPort("127.0.0.1", provider.console_port), "test"),
        walking(provider.console) as walker,
        walking(provider.console) as second,
        walking(provider.console) as third,
    ):
        assert (await walker.sign_in("ada-7f3a")).headers["location"] == "/"
        assert await is_signed_in(walker)
        for other, who in ((second, "mallory"), (third, "nobody"), (third, "number")):
            address = await other.sign_in_there(await other.leave(), who)
            await refused(other, address, "aucun compte d’ici n’est lié à vous")
            other.client.cookies.clear()
    rows = await connection.fetch("SELECT account, subject FROM account_identities")
    assert [(row["account"], row["subject"]) for row in rows] == [("ada", "ada-7f3a")]
    assert await events(connection) == [("identity_linked", "ada"), ("signed_in", "ada")]


@pytest.mark.usefixtures("ada")
async def test_nothing_of_the_sign_in_is_in_the_log(walker: Walker, log: io.StringIO) -> None:
    leaving = await walker.leave()
    there = await walker.sign_in_there(leaving, ADA)
    await walker.client.get(changed(there, state="autre"))
    await walker.client.get(there)
    written = log.getvalue()
    assert "a sign-in through the provider was refused" in written
    secrets = [value(leaving, name) for name in ("state", "nonce", "code_challenge")]
    for secret in (*secrets, value(there, "code"), SECRET, ADA, walker.client.cookies["gamf_session"]):
        assert secret not in written


async def test_the_settings_make_the_console_so(database_url: str, desk: Desk) -> None:
    settings = Settings(
        console_url="https://gamf.example",
        oidc_issuer="https://fournisseur.example",
        oidc_client_id="gamf",
        oidc_client_secret=SecretStr("hush"),
        password_sign_in=False,
    )
    here = HostPort("127.0.0.1", 0)
    async with (
        running_console(settings, desk.temporal, here, database_url=database_url) as server,
        another(server.url) as browser,
    ):
        answer = await browser.get("/connexion")
        assert 'href="/connexion/openid"' in answer.text
        assert 'name="password"' not in answer.text
        # Browsers reach it over TLS, whatever it listens on.
        assert answer.headers["set-cookie"].startswith("__Host-gamf_before=")
