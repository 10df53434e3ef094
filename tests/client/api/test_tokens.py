"""Who comes with a token: its account, as it is granted now; and nobody with any other."""

import io
import logging
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi.routing import APIRoute

from gamf.client import accounts, tokens
from gamf.client.acting import Desk
from gamf.client.api.app import SUBJECTS
from gamf.client.api.call import called, sent
from gamf.client.errors import NotFoundError
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Role, UseCase, grant
from gamf.domain.tokens import LONGEST_DAYS, PREFIX
from gamf.runtime.telemetry import configure_logging
from gamf.storage import accounts as stored
from gamf.storage.connection import Connection
from tests.client.api.conftest import Login, new_account, new_token
from tests.client.seats import NOON, a_seat, the_operator


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_without_a_valid_token_nothing_is_said_but_so(desk: Desk, stranger: httpx.AsyncClient) -> None:
    account = await new_account(desk.pool, grant(Role.AUDITOR))
    token = await new_token(desk.pool, account)
    assert (await stranger.get("/api/me", headers=bearer(token))).status_code == 200
    closed = await new_account(desk.pool, grant(Role.AUDITOR))
    of_closed = await new_token(desk.pool, closed)
    over = await new_token(desk.pool, account, now=datetime.now(UTC) - timedelta(days=2), days=1)
    revoked = await new_token(desk.pool, account)
    async with desk.pool.acquire() as conn:
        await accounts.disable(conn, the_operator(), closed)
        (latest,) = (await tokens.list_tokens(conn, the_operator(), account, limit=1)).items
        assert await tokens.revoke(conn, the_operator(), latest.token_id)
        assert not await tokens.revoke(conn, the_operator(), latest.token_id)
    said = set[str]()
    for headers in (
        {},
        {"Authorization": f"Basic {token}"},
        {"Authorization": "Bearer"},
        bearer(token[:-1]),
        bearer(f"{token}x"),
        bearer(PREFIX),
        bearer(of_closed),
        bearer(over),
        bearer(revoked),
    ):
        answer = await stranger.get("/api/me", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), (
            headers
        )
        assert answer.headers["www-authenticate"] == 'Bearer realm="gamf"'
        said.add(answer.text)
    assert len(said) == 1


async def test_a_token_ends_to_the_second(connection: Connection) -> None:
    await stored.add(connection, "ada", "aucun", NOON)
    secret, view = await tokens.add(connection, the_operator(NOON), "ada", " dossiers ", 1)
    assert (view.purpose, view.expires_at, view.added_by) == (
        "dossiers",
        NOON + timedelta(days=1),
        "exploitante",
    )
    for seconds, valid in ((-1, True), (0, False), (1, False)):
        found = await tokens.bearer(connection, secret, now=view.expires_at + timedelta(seconds=seconds))
        assert (found is not None) == valid, seconds


async def test_what_is_kept_of_a_token_does_not_open(connection: Connection) -> None:
    await stored.add(connection, "ada", "aucun", NOON)
    secret, _ = await tokens.add(connection, the_operator(), "ada", "dossiers")
    kept = str([dict(row) for row in await connection.fetch("SELECT * FROM api_tokens")])
    kept += str([dict(row) for row in await connection.fetch("SELECT * FROM account_records")])
    assert secret not in kept
    assert secret.removeprefix(PREFIX) not in kept
    assert "token_added" in kept


async def test_the_last_use_is_known_to_the_minute(connection: Connection) -> None:
    await stored.add(connection, "ada", "aucun", NOON)
    secret, _ = await tokens.add(connection, the_operator(), "ada", "dossiers")
    for seconds, used in ((0, 0), (59, 0), (60, 60), (61, 60)):
        await tokens.bearer(connection, secret, now=NOON + timedelta(seconds=seconds))
        (view,) = (await tokens.list_tokens(connection, the_operator(), "ada")).items
        assert view.used_at == NOON + timedelta(seconds=used)


@pytest.mark.parametrize(
    ("purpose", "days"),
    [("", 1), (" ", 1), ("x" * 101, 1), ("a\nb", 1), ("x", 0), ("x", LONGEST_DAYS + 1)],
)
async def test_a_token_has_a_purpose_and_an_end(connection: Connection, purpose: str, days: int) -> None:
    await stored.add(connection, "ada", "aucun", NOON)
    with pytest.raises(RefusedByRuleError):
        await tokens.add(connection, the_operator(), "ada", purpose, days)
    assert (await tokens.list_tokens(connection, the_operator())).items == ()


async def test_tokens_are_the_operator_s_to_give(connection: Connection) -> None:
    await stored.add(connection, "ada", "aucun", NOON)
    for seat in (a_seat(Role.COORDINATOR, ["RLS 1"]), a_seat(Role.RAMQ), a_seat(Role.AUDITOR)):
        with pytest.raises(RefusedByRuleError):
            await tokens.add(connection, seat, "ada", "dossiers")
        with pytest.raises(RefusedByRuleError):
            await tokens.revoke(connection, seat, "1")
        with pytest.raises(RefusedByRuleError):
            await tokens.list_tokens(connection, seat)
    with pytest.raises(NotFoundError):
        await tokens.add(connection, the_operator(), "personne", "dossiers")
    with pytest.raises(NotFoundError):
        await tokens.revoke(connection, the_operator(), "1")


async def test_a_role_that_is_taken_away_holds_at_the_next_request(desk: Desk, login: Login) -> None:
    client = await login(grant(Role.AUDITOR))
    answer = (await client.get("/api/me")).json()
    assert UseCase.ACCESS_LOG_SHOW in answer["may"]
    assert answer["account"] == client.headers["x-account"]
    assert (await client.get("/api/register")).status_code == 200
    async with desk.pool.acquire() as conn:
        await stored.set_grants(conn, answer["account"], [grant(Role.CLINIC, ["90001"])])
    answer = await client.get("/api/register")
    assert (answer.status_code, answer.json()["rule"]) == (403, "access")


def test_every_route_asks_who_calls_and_what_is_done_takes_a_key() -> None:
    routes = [each for subject in SUBJECTS for each in subject.router.routes if isinstance(each, APIRoute)]
    assert len(routes) > 15
    for route in routes:
        calls = [dependency.call for dependency in route.dependant.dependencies]
        reads = route.methods == {"GET"} or route.path == "/patients/search"
        assert (called if reads else sent) in calls, route.path


@pytest.fixture
def log() -> Generator[io.StringIO]:
    """Return what the process logs, as it does in earnest."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logging("debug", "json", written)
    yield written
    root.handlers[:], root.level = handlers, level


async def test_no_token_is_in_the_log(desk: Desk, stranger: httpx.AsyncClient, log: io.StringIO) -> None:
    token = await new_token(desk.pool, await new_account(desk.pool, grant(Role.AUDITOR)))
    for tried in (token, f"{token}x"):
        await stranger.get("/api/me", headers=bearer(tried))
    assert "a request was refused" in log.getvalue()
    assert token not in log.getvalue()
