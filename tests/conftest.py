"""Real servers, one of each a session, on free ports and in folders that go with the session."""

import os
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final
from uuid import uuid4

import asyncpg
import pytest

from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.settings import Settings
from gamf.storage.connection import Connection, Pool
from gamf.storage.migrate import migrate
from tests.figures import Figures, summary
from tests.system import System, running

_TEMPLATE = "migrated"
_SEED = 321


_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a file system in memory, where each makes a folder of its own
_ROOM: Final = 6 * 2**30
"""Bytes, several times what all the tests keep at once."""


def pytest_configure() -> None:
    """Write in memory where there is room: a database is a thousand files, and most tests have one of their own."""
    if "TMPDIR" not in os.environ and _room(_MEMORY) > _ROOM:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None


def _room(folder: Path) -> int:
    """Return how many bytes may be written there, and are free in memory."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return 0
    free = os.statvfs(folder)
    return min(free.f_bavail * free.f_frsize, os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--seed", type=int, default=_SEED, help="what the storms, the fuzzing and the year draw from"
    )
    parser.addoption("--year-plot", metavar="FILE", help="where to draw the simulated year, as PNG or SVG")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that may take longest, so that no core is left alone with one of them at the end."""
    longest = dict[Path, float]()
    for item in items:
        marker = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0), float(marker.args[0]) if marker else 0)
    items.sort(key=lambda item: -longest[item.path])


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [each for each in terminalreporter.getreports("passed") if isinstance(each, pytest.TestReport)]
    if lines := summary(reports):
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> int:
    """Return the number that everything drawn by chance begins from (`--seed`), so that it can be done again."""
    return int(str(pytestconfig.getoption("--seed")))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Return what this test counts, for the lines at the end of the run."""
    return Figures(request.node.user_properties)


@pytest.fixture(scope="session")
async def postgres() -> AsyncGenerator[EmbeddedPostgres]:
    """PostgreSQL, with one migrated database to copy."""
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        # Two hundred draws at once have a connection each.
        async with EmbeddedPostgres(Path(name), durable=False, max_connections=300) as server:
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
        async with running(url, temporal.address, Path(name)) as system:
            yield system
