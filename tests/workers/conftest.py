"""Real servers for the worker's tests, in folders that only these use."""

import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from gamf.runtime.embedded import EmbeddedServers, embedded_servers


@pytest.fixture(scope="session")
async def servers() -> AsyncGenerator[EmbeddedServers]:
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with embedded_servers(Path(name), 0, None, durable=False) as both:
            yield both
