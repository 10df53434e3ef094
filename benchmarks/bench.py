"""What every measure is taken on: both servers and a worker as shipped, and beside them a worker of the floor."""

import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client, WorkflowHandle
from temporalio.runtime import Runtime
from temporalio.worker import Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from benchmarks.bare import QUEUE, BareActivities, BareBlock, BareLife, Bulk
from gamf.client import acting
from gamf.client.acting import Desk
from gamf.domain.names import attribution_workflow_id
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import embedded_servers
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.telemetry import temporal_runtime
from gamf.runtime.temporal import connect
from gamf.storage.migrate import migrate
from gamf.workers.lifecycle import polling
from gamf.workers.registry import build
from gamf.workflows import visibility

_AT_ONCE: Final = 50_000
"""People written by one statement: well within the time that one is given."""
_PEER: Final = "peer"
BY: Final = "banc"
"""The account that reports."""
_LICENCES: Final = count(10_001)
_BULKS: Final = count(1)
_STICKY_TIMEOUT: Final = timedelta(seconds=2)
_NETWORK: Final = """
    INSERT INTO networks (rls, name, region, time_zone, gaco_name, gaco_phone, coordinator)
    VALUES ($1, 'RLS inventé', 'Région inventée', 'America/Toronto', 'GACO inventé', '418 555-0101', 'banc')
"""
_PHYSICIAN: Final = """
    INSERT INTO physicians (licence, last_name, first_name, rls, status, place, address, city, postal_code)
    VALUES ($1, 'Inventé', 'Médecin', $1, 'participating', 'Clinique inventée', '1, rue Inventée', 'Québec', 'G1A 1A1')
"""
_PATIENTS: Final = """
    INSERT INTO patients (nam, last_name, first_name, birth_date, sex, address, city, postal_code, language,
                          english_attested, rls, registered_on, priority, vulnerable)
    SELECT $1 || lpad(n::text, 7, '0'), 'Inventé', 'Patient', '1980-01-02', 'X', '1, rue Inventée', 'Québec',
           'G1A 1A1', 'fr', false, $1, date '2020-01-01' + (n * 7919 % 2000)::int,
           substr('ABCDE', (1 + n % 5)::int, 1), n % 2 = 0
    FROM generate_series($2::bigint, $3::bigint) AS n
"""


@dataclass(frozen=True)
class Scale:
    """How much is measured, and how many times."""

    size: int
    rounds: int

    @property
    def waiting(self) -> int:
        """Return how long the list is: 100,300 people for a block of 850."""
        return 118 * self.size

    @property
    def rows(self) -> int:
        """Return how many rows the long tables have: 1,020,000 for a block of 850."""
        return 1_200 * self.size

    @property
    def waiting_lives(self) -> int:
        """Return how many lives wait at once: 10,200 for a block of 850."""
        return 12 * self.size

    @property
    def lives(self) -> int:
        """Return how many whole lives a round has: 212 for a block of 850."""
        return max(self.size // 4, 1)


@dataclass(frozen=True)
class Bench:
    """The servers at work, and how much is asked of them."""

    desk: Desk
    bare: Client
    scale: Scale
    folder: Path
    cached: int
    """Workflows that each of the two workers keeps in memory."""
    peer_url: str
    """A database of the peer's own, on the same PostgreSQL."""

    async def physician(self, waiting: int) -> str:
        """Write a network where that many invented people wait, and its physician; return the licence."""
        licence = str(next(_LICENCES))
        async with self.desk.pool.acquire() as conn:
            await conn.execute(_NETWORK, licence)
            await conn.execute(_PHYSICIAN, licence)
            for done in range(0, waiting, _AT_ONCE):
                await conn.execute(_PATIENTS, licence, done + 1, min(done + _AT_ONCE, waiting))
            await conn.execute("ANALYZE")
        return licence

    async def drawn_block(self, size: int) -> str:
        """Have a block drawn, ready to be approved; return its id."""
        licence = await self.physician(size)
        view = await acting.request_block(self.desk, licence, size, by=BY, now=datetime.now(UTC))
        return str(view["block_id"])

    async def approve(self, block_id: str) -> list[str]:
        """Approve a block; return the workflow ids of its attributions, all of them started."""
        view = await acting.approve_block(self.desk, block_id, by=BY)
        return [attribution_workflow_id(each["attribution_id"]) for each in view["list"]]

    async def start_bare(self, size: int) -> Bulk:
        """Start that many bare lives in bulk."""
        bulk = self.next_bulk(size)
        await self.bare.execute_workflow(BareBlock.run, bulk, id=f"bulk-{bulk.prefix}", task_queue=QUEUE)
        return bulk

    def next_bulk(self, size: int) -> Bulk:
        """Return so many workflow ids that were never used."""
        return Bulk(f"bare{next(_BULKS)}", size)

    def life(self, workflow_id: str) -> WorkflowHandle[Any, Any]:
        """Return the workflow of an attribution."""
        return self.desk.temporal.get_workflow_handle(workflow_id)


@asynccontextmanager
async def bench(scale: Scale, *, durable: bool = True) -> AsyncGenerator[Bench]:
    """Start everything, in a folder of its own that goes with it."""
    with tempfile.TemporaryDirectory(prefix="gamf-bench-") as name:
        settings = Settings(data_dir=Path(name))
        servers = embedded_servers(Path(name), temporal_port=0, ui_port=None, durable=durable)
        async with servers as at, database_pool(settings, url=at.database, application="bench") as pool:
            async with pool.acquire() as conn:
                await migrate(conn)
            # The SDK's own log would go to the standard output, where the report goes.
            runtime = temporal_runtime()
            client = await connect(address=at.temporal, runtime=runtime)
            await register_search_attributes(client, visibility.ALL_KEYS)
            async with (
                polling(pool, client, settings, build(pool, client, settings)),
                _floor(at.temporal, settings, runtime) as bare,
            ):
                peer = at.database.replace("/gamf?", f"/{_PEER}?")
                await pool.execute(f"CREATE DATABASE {_PEER}")
                yield Bench(Desk(pool, client), bare, scale, Path(name), settings.max_cached_workflows, peer)


def bare_runner() -> WorkflowRunner:
    """Return the SDK's default, its sandbox; what the floor tells this process is let through."""
    return SandboxedWorkflowRunner(
        SandboxRestrictions.default.with_passthrough_modules("benchmarks.progress")
    )


@asynccontextmanager
async def _floor(address: str, settings: Settings, runtime: Runtime) -> AsyncGenerator[Client]:
    """Run a worker with the settings of ours, the SDK's own converter and its default runner, the sandbox."""
    client = await Client.connect(address, runtime=runtime)
    activities = BareActivities(client)
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[BareLife, BareBlock],
        activities=[activities.nothing, activities.start_all],
        workflow_runner=bare_runner(),
        max_cached_workflows=settings.max_cached_workflows,
        max_concurrent_activities=settings.max_concurrent_activities,
        sticky_queue_schedule_to_start_timeout=_STICKY_TIMEOUT,
    )
    async with worker:
        yield client
