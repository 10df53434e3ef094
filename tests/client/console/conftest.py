"""A console over a real PostgreSQL, and accounts that have chosen their password."""

import io
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from gamf.client import passwords
from gamf.client.acting import Desk
from gamf.client.console.app import make_app
from gamf.client.passwords import Passwords
from gamf.domain.roles import Grant
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.telemetry import configure_logging
from gamf.runtime.temporal import connect
from gamf.storage import accounts
from gamf.storage.connection import Pool
from tests.client.console.browser import PASSWORD, Browser, browsing
from tests.client.seats import NOON

AddAccount = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encode with less memory and time than in earnest."""
    hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    monkeypatch.setattr(passwords, "_nobodys", lambda: hasher.hash("personne"))


@pytest.fixture
async def desk(pool: Pool, temporal: EmbeddedTemporal) -> Desk:
    return Desk(pool, await connect(address=temporal.address))


@pytest.fixture
def app(desk: Desk) -> FastAPI:
    return make_app(desk)


@pytest.fixture
async def browser(app: FastAPI) -> AsyncGenerator[Browser]:
    async with browsing(app) as opened:
        yield opened


@pytest.fixture
def add_account(pool: Pool) -> AddAccount:
    """Add an account that has chosen its password."""

    async def add(account: str, *grants: Grant) -> None:
        encoded = await Passwords().encode(PASSWORD)
        async with pool.acquire() as conn:
            await accounts.add(conn, account, encoded, NOON)
            await accounts.set_password(conn, account, encoded, NOON, must_change=False)
            await accounts.set_grants(conn, account, grants)

    return add


@pytest.fixture
def log() -> Generator[io.StringIO]:
    """Return what the process logs, as it does in earnest."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logging("debug", "json", written)
    yield written
    root.handlers[:], root.level = handlers, level
