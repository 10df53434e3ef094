"""The API over the real system, on a free port, and accounts with a token each."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from typing import Final

import httpx
import pytest

from gamf.client import tokens
from gamf.client.acting import Desk
from gamf.client.console.app import make_app
from gamf.client.console.options import Limits, Options
from gamf.domain.roles import Grant
from gamf.runtime.polling import until
from gamf.runtime.settings import HostPort
from gamf.runtime.web import serving
from gamf.storage import accounts
from gamf.storage.connection import Pool
from tests.client.seats import the_operator
from tests.system import Life, System

Login = Callable[..., Awaitable[httpx.AsyncClient]]
_SERIAL: Final = count(1)
MANY: Final = Options(limits=Limits(per_second=10_000, burst=10_000))
"""Limits that no test meets, unless it is about them."""


async def new_account(pool: Pool, *grants: Grant) -> str:
    """Add an account, which never signs in to the console."""
    account = f"logiciel-{next(_SERIAL)}"
    async with pool.acquire() as conn:
        await accounts.add(conn, account, "aucun", datetime.now(UTC))
        await accounts.set_grants(conn, account, grants)
    return account


async def new_token(pool: Pool, account: str, *, now: datetime | None = None, days: int = 30) -> str:
    """Make a token for that account, and return what is shown once."""
    async with pool.acquire() as conn:
        seat = the_operator(now or datetime.now(UTC))
        secret, _ = await tokens.add(conn, seat, account, "essais", days)
    return secret


async def attributed(system: System) -> Life:
    """Attribute one patient, and wait until the database knows."""
    life = await system.attribute()

    async def written() -> bool:
        sql = "SELECT FROM attributions WHERE attribution_id = $1"
        return bool(await system.rows(sql, life.start.attribution_id))

    await until(written, within_seconds=20)
    return life


@pytest.fixture
async def url(desk: Desk) -> AsyncGenerator[str]:
    async with serving(make_app(desk, MANY), HostPort("127.0.0.1", 0), "test") as server:
        yield server.url


@pytest.fixture
async def stranger(url: str) -> AsyncGenerator[httpx.AsyncClient]:
    """Return a client without a token."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
async def login(url: str, desk: Desk) -> AsyncGenerator[Login]:
    """Open a client with the token of a new account, which its header `X-Account` names for the test."""
    opened: list[httpx.AsyncClient] = []

    async def enter(*grants: Grant) -> httpx.AsyncClient:
        account = await new_account(desk.pool, *grants)
        headers = {"Authorization": f"Bearer {await new_token(desk.pool, account)}", "X-Account": account}
        opened.append(httpx.AsyncClient(base_url=url, timeout=60, headers=headers))
        return opened[-1]

    yield enter
    for client in opened:
        await client.aclose()
