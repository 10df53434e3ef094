"""Two versions of the worker side by side: what one began the other goes on with, and back again."""

import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import RoutingConfigUpdateState
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentRampingVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.polling import until
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.storage.connection import Pool
from gamf.workers.lifecycle import DEPLOYMENT, polling
from gamf.workers.registry import build
from gamf.workflows import visibility
from tests.faulty_carrier import FaultyCarrier
from tests.system import Life, System

# Servers and processes begin and end in each: together they take longer than `make test` may.
pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Site:
    """A Temporal server and a database of their own, with no worker yet."""

    pool: Pool
    client: Client
    folder: Path

    @asynccontextmanager
    async def worker(self, version: str) -> AsyncGenerator[None]:
        """Run a worker of that version."""
        settings = Settings(build_id=version, outbox_dir=self.folder)
        what = build(self.pool, self.client, settings, FaultyCarrier(self.folder))
        async with polling(self.pool, self.client, settings, what):
            yield

    async def route(self, version: str) -> None:
        """Make a version the current one, as `temporal worker deployment set-current-version` does."""
        service = self.client.workflow_service
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=self.client.namespace, deployment_name=DEPLOYMENT, build_id=version
        )
        await self._once_known(lambda: service.set_worker_deployment_current_version(request))

    async def ramp(self, version: str, percentage: float) -> None:
        """Send a share of what begins and goes on to a version."""
        service = self.client.workflow_service
        request = SetWorkerDeploymentRampingVersionRequest(
            namespace=self.client.namespace,
            deployment_name=DEPLOYMENT,
            build_id=version,
            percentage=percentage,
        )
        await self._once_known(lambda: service.set_worker_deployment_ramping_version(request))

    async def _once_known(self, ask: Callable[[], Awaitable[object]]) -> None:
        """Ask once the server has seen a worker of that version, and wait until its task queues have heard."""

        async def asked() -> bool:
            try:
                await ask()
            except RPCError:
                return False
            return True

        async def heard() -> bool:
            request = DescribeWorkerDeploymentRequest(
                namespace=self.client.namespace, deployment_name=DEPLOYMENT
            )
            answer = await self.client.workflow_service.describe_worker_deployment(request)
            state = answer.worker_deployment_info.routing_config_update_state
            return state == RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_COMPLETED

        await until(asked, within_seconds=20)
        await until(heard, within_seconds=20)

    def system(self) -> System:
        """Return what tests attribute people with."""
        carrier = FaultyCarrier(self.folder)
        return System(self.pool, self.client, TimeSkipper(self.client), self.folder, carrier)


@pytest.fixture
async def site(postgres: EmbeddedPostgres) -> AsyncGenerator[Site]:
    url = await postgres.create_database(f"versions_{uuid4().hex}", template="migrated")
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        server = EmbeddedTemporal(Path(name), ui_port=None, durable=False, time_skipping=True)
        async with server, database_pool(Settings(), url=url, application="test") as pool:
            client = await connect(address=server.address)
            await register_search_attributes(client, visibility.ALL_KEYS)
            yield Site(pool, client, Path(name))


async def ran_on(life: Life) -> str:
    """Return the version whose worker did the attribution's last workflow task."""
    versioning = (await life.handle.describe()).raw_description.workflow_execution_info.versioning_info
    return versioning.deployment_version.build_id


async def test_what_one_version_began_the_next_goes_on_with_and_back(site: Site) -> None:
    async with site.worker("v1"):
        await site.route("v1")
        life = await site.system().attribute()
        await life.reaches("proposed")
        await life.record("accepted")
        assert await ran_on(life) == "v1"
        async with site.worker("v2"):
            await site.route("v2")
            assert (await life.record("sv_entered"))["state"] == "enrolled_sv"
            assert await ran_on(life) == "v2"
            # Rolled back: what both have read goes on with the older one.
            await site.route("v1")
            assert (await life.record("patient_refused", ground="préfère attendre"))[
                "state"
            ] == "patient_refused"
            assert await ran_on(life) == "v1"


async def test_a_ramp_of_all_sends_what_begins_to_the_new_version(site: Site) -> None:
    async with site.worker("v1"), site.worker("v2"):
        await site.route("v1")
        await site.ramp("v2", 100)
        system = site.system()

        async def begins_on_the_new_one() -> bool:
            life = await system.attribute()
            await life.reaches("proposed")
            return await ran_on(life) == "v2"

        # A task queue may hear of it a moment after the server has said so.
        await until(begins_on_the_new_one, within_seconds=20)
