"""A departure of 2,000 attributions whose worker is killed half way: each is told once (A16)."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.testing import TimeSkipper

from gamf.client import departing
from gamf.client.acting import Desk
from gamf.domain.calendar import local_date
from gamf.domain.facts import PhysicianLeft
from gamf.domain.names import departure_workflow_id
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.errors import ServiceUnreachable
from gamf.runtime.polling import until
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.storage.invariants import violations
from gamf.workflows import visibility
from tests.client.command import GAMF, environment
from tests.faulty_carrier import FaultyCarrier
from tests.system import System, add_patients

BY = "coordo"
BLOCKS = 2
SIZE = 1_000
EVERYBODY = BLOCKS * SIZE
A_CROWD = 100
"""People registered a day after each other: so many that none is registered in the future."""
KILLED_AFTER = 200
WITHIN_SECONDS = 600


@asynccontextmanager
async def worker(variables: dict[str, str]) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run `gamf worker` as a process of its own, stopped at the end if it was not killed."""
    process = await asyncio.create_subprocess_exec(
        GAMF,
        "worker",
        env=environment(**variables),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest.fixture
async def site(postgres: EmbeddedPostgres) -> AsyncGenerator[tuple[System, dict[str, str]]]:
    """Return both servers without any worker, and what a worker's environment names them by."""
    url = await postgres.create_database(f"departure_{uuid4().hex}", template="migrated")
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        folder = Path(name)
        server = EmbeddedTemporal(folder, ui_port=None, durable=False)
        async with server, database_pool(Settings(), url=url, application="test") as pool:
            client = await connect(address=server.address)
            await register_search_attributes(client, visibility.ALL_KEYS)
            variables = {
                "TEMPORAL_ADDRESS": server.address,
                "GAMF_DATABASE_URL": url,
                "GAMF_OUTBOX_DIR": str(folder / "outbox"),
                "GAMF_GRACEFUL_SHUTDOWN_SECONDS": "5",
            }
            yield System(pool, client, TimeSkipper(client), folder, FaultyCarrier(folder)), variables


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a16_a_worker_killed_half_way_and_each_of_2000_is_told_once(
    site: tuple[System, dict[str, str]],
) -> None:
    system, variables = site
    desk = Desk(system.pool, system.client)
    rls, licence, _ = await system.people(A_CROWD)
    async with system.pool.acquire() as conn:
        for _ in range(EVERYBODY // A_CROWD - 1):
            await add_patients(conn, rls, A_CROWD)
    now = datetime.now(UTC)
    async with worker(variables) as first:
        for _ in range(BLOCKS):
            block = await system.request(rls, licence, SIZE)
            await block.execute_update("record", {"fact": "approved", "by": BY})
        yesterday = local_date(now, "America/Toronto") - timedelta(days=1)
        fact = PhysicianLeft(by=BY, on=yesterday, cause="deceased")
        await until(lambda: _announced(desk, licence, fact, now), within_seconds=WITHIN_SECONDS)
        await until(lambda: _more_than(system, KILLED_AFTER), within_seconds=WITHIN_SECONDS)
        first.send_signal(signal.SIGKILL)
        assert await first.wait() == -signal.SIGKILL
    (told,) = await system.rows("SELECT count(*) FROM departure_reached")
    assert KILLED_AFTER < told["count"] < EVERYBODY
    async with system.pool.acquire() as conn:
        (late,) = await add_patients(conn, rls)
    # One more begins while nobody tells anybody anything.
    await system.attribute(patient=(rls, licence, late))
    async with worker(variables):
        done = await system.client.get_workflow_handle(departure_workflow_id(f"{licence}-1")).result()
        assert (done["state"], done["reached"], done["remaining"]) == ("done", EVERYBODY + 1, 0)
        await until(lambda: _all_ended(system), within_seconds=WITHIN_SECONDS)
    rows = await system.rows(
        """
        SELECT r.refused, count(*), count(DISTINCT r.subject_id) AS attributions FROM records r
        WHERE r.subject = 'attribution' AND r.event = 'physician_left' GROUP BY 1
        """
    )
    assert [tuple(row) for row in rows] == [(False, EVERYBODY + 1, EVERYBODY + 1)]
    places = await system.rows("SELECT place, count(*) FROM patients GROUP BY 1")
    assert [tuple(row) for row in places] == [("waiting", EVERYBODY + 1)]
    async with system.pool.acquire() as conn:
        assert await violations(conn) == []


async def _announced(desk: Desk, licence: str, fact: PhysicianLeft, now: datetime) -> bool:
    """Announce it, again as long as a worker that has two thousand starts to make gives no answer in time."""
    try:
        await departing.announce(desk, licence, fact, now=now)
    except ServiceUnreachable:
        return False
    return True


async def _more_than(system: System, number: int) -> bool:
    (row,) = await system.rows("SELECT count(*) FROM departure_reached")
    return bool(row["count"] > number)


async def _all_ended(system: System) -> bool:
    (row,) = await system.rows("SELECT count(*) FROM attributions WHERE ended_on IS NULL")
    return bool(row["count"] == 0)
