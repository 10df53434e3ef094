"""What the tests of several use cases need beside the system at work."""

import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from temporalio.client import Client

from gamf.client.acting import Desk
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.temporal import connect
from tests.system import System


@pytest.fixture
def desk(system: System) -> Desk:
    """Return what the use cases act with, of the system at work."""
    return Desk(system.pool, system.client)


@pytest.fixture(scope="session")
async def alone() -> AsyncGenerator[Client]:
    """Return a client of another Temporal: it knows of nothing, has no worker and lets no clock move."""
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with EmbeddedTemporal(Path(name), ui_port=None, durable=False) as server:
            yield await connect(address=server.address)
