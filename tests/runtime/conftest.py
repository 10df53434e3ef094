"""Real servers, one of each a session, in folders that only these tests use."""

import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal


@pytest.fixture
def folder() -> Generator[Path]:
    # Not pytest's own: as root, PostgreSQL runs as another user, from whom pytest closes its folders.
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
async def postgres() -> AsyncGenerator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with EmbeddedPostgres(Path(name), durable=False) as server:
            yield server


@pytest.fixture(scope="session")
async def temporal() -> AsyncGenerator[EmbeddedTemporal]:
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with EmbeddedTemporal(Path(name), durable=False, time_skipping=True) as server:
            yield server
