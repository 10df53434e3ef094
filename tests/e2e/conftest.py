"""One console over one stage, and one Chromium, for all that is tried in it."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from playwright.async_api import Browser

from gamf.client import departing
from gamf.domain.facts import PhysicianLeft
from gamf.runtime.embedded import EmbeddedPostgres
from tests.e2e.browser import chromium
from tests.e2e.console import Site, site
from tests.e2e.screens import LEAVES_ON, LEAVING
from tests.e2e.stage import stage


@pytest.fixture(scope="session")
async def where(postgres: EmbeddedPostgres) -> AsyncGenerator[Site]:
    """Return the console, over a stage on which every part is played."""
    url = await postgres.create_database(f"console_{uuid4().hex}")
    async with stage(url) as staged, site(staged) as served:
        leaves = PhysicianLeft(by="coordination", on=LEAVES_ON, cause="retired")
        await departing.announce(staged.desk, LEAVING, leaves, now=datetime.now(UTC))
        yield served


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """Return Debian's Chromium."""
    async with chromium() as opened:
        yield opened
