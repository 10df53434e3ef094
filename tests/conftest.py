"""Real servers, one of each a session, on free ports and in folders that go with the session."""

import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from temporalio.testing import TimeSkipper

from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.storage.connection import Connection, Pool
from gamf.storage.migrate import migrate
from gamf.workers.lifecycle import polling
from gamf.workers.registry import build
from gamf.workflows import visibility
from tests.faulty_carrier import FaultyCarrier
from tests.system import System

_TEMPLATE = "migrated"


@pytest.fixture(scope="session")
async def postgres() -> AsyncGenerator[EmbeddedPostgres]:
    """PostgreSQL, with one migrated database to copy."""
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with EmbeddedPostgres(Path(name), durable=False) as server:
            connection = await asyncpg.connect(await server.create_database(_TEMPLATE))
            await migrate(connection)
            await connection.close()
            yield server


@pytest.fixture(scope="session")
async def temporal() -> AsyncGenerator[EmbeddedTemporal]:
    """Return the real Temporal server, which may skip time for one workflow at a time."""
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with EmbeddedTemporal(Path(name), ui_port=None, durable=False, time_skipping=True) as server:
            yield server


@pytest.fixture
async def database_url(postgres: EmbeddedPostgres) -> AsyncGenerator[str]:
    """Return the address of a migrated and empty database, for one test."""
    name = f"test_{uuid4().hex}"
    yield await postgres.create_database(name, template=_TEMPLATE)
    await postgres.drop_database(name)


@pytest.fixture
async def pool(database_url: str) -> AsyncGenerator[Pool]:
    """Return a pool on a migrated and empty database."""
    async with database_pool(Settings(), url=database_url, application="test") as opened:
        yield opened


@pytest.fixture
async def connection(pool: Pool) -> AsyncGenerator[Connection]:
    """Return one connection to a migrated and empty database."""
    async with pool.acquire() as taken:
        yield taken


@pytest.fixture(scope="session")
async def system(postgres: EmbeddedPostgres, temporal: EmbeddedTemporal) -> AsyncGenerator[System]:
    """Return the whole system at work: both servers, a worker, an outbox. Each test brings its own people."""
    url = await postgres.create_database(f"system_{uuid4().hex}", template=_TEMPLATE)
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        settings = Settings(outbox_dir=Path(name), database_pool_max=20, max_concurrent_activities=20)
        carrier = FaultyCarrier(Path(name))
        client = await connect(address=temporal.address)
        await register_search_attributes(client, visibility.ALL_KEYS)
        async with (
            database_pool(settings, url=url, application="test") as pool,
            polling(pool, client, settings, build(pool, client, settings, carrier)),
        ):
            yield System(
                pool=pool, client=client, skipper=TimeSkipper(client), outbox=Path(name), carrier=carrier
            )
