"""The life of a worker: it connects, polls, tells its health, drains when asked, and says when it failed."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import Runtime
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from gamf.runtime.database import database_pool
from gamf.runtime.health import Probes, health_server
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import check_namespace, connect
from gamf.workers import gauges, registry
from gamf.workers.registry import Registry

if TYPE_CHECKING:
    from gamf.runtime.database import Pool

TASK_QUEUE = "gamf"
DEPLOYMENT = "gamf"
"""The worker deployment, whose versions are told apart by `GAMF_BUILD_ID`."""
# A killed worker's cached workflows wait this long before another takes them (10 s as shipped).
_STICKY_TIMEOUT = timedelta(seconds=2)
# Pure and deterministic, and costly to import anew for every workflow.
_PASSED_THROUGH = ("annotated_types", "dateutil", "gamf.domain", "holidays", "pydantic", "pydantic_core")

# Dropping the native part of a worker that failed may hang: it is kept until `end_process`.
_KEPT: list[Worker] = []

Build: TypeAlias = Callable[["Pool", Client, Settings], Registry]


@dataclass(frozen=True)
class RunningWorker:
    """A worker that polls, with what it works on."""

    pool: "Pool"
    client: Client
    worker: Worker
    _run: asyncio.Task[None]

    @property
    def failure(self) -> BaseException | None:
        """Return what ended it although nobody asked, or nothing."""
        if not self._run.done() or self._run.cancelled():
            return None
        return self._run.exception()

    async def wait_ended(self) -> None:
        """Return when it has ended, whatever the reason."""
        await asyncio.wait([self._run])

    async def polls(self) -> bool:
        """Ask Temporal whether it has seen this worker poll."""
        request = DescribeTaskQueueRequest(
            namespace=self.client.namespace,
            task_queue=TaskQueue(name=TASK_QUEUE),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        seen = await self.client.workflow_service.describe_task_queue(request)
        return self.worker.is_running and self.client.identity in {poller.identity for poller in seen.pollers}

    def probes(self) -> Probes:
        """Return what its health pages ask."""
        return Probes(
            live=lambda: self.failure is None,
            ready={
                "PostgreSQL": self._database_answers,
                "Temporal": self.client.service_client.check_health,
                "worker": self.polls,
            },
        )

    async def _database_answers(self) -> bool:
        return await self.pool.fetchval("SELECT true") is True


@asynccontextmanager
async def running_worker(
    settings: Settings,
    *,
    build: Build = registry.build,
    temporal_address: str | None = None,
    database_url: str | None = None,
    runtime: Runtime | None = None,
) -> AsyncGenerator[RunningWorker]:
    """Connect to both servers (the embedded ones where an address is given), poll, and drain at the end.

    Raises:
        SettingsFault: a setting is missing or malformed.
        ServiceUnreachable: PostgreSQL or Temporal does not answer.
    """
    async with database_pool(settings, url=database_url, application="gamf-worker") as pool:
        client = await connect(address=temporal_address, runtime=runtime)
        await check_namespace(client)
        async with polling(pool, client, settings, build(pool, client, settings)) as running:
            yield running


@asynccontextmanager
async def polling(
    pool: "Pool", client: Client, settings: Settings, what: Registry
) -> AsyncGenerator[RunningWorker]:
    """Poll with a client and a pool that are there already, and drain at the end."""
    worker = make_worker(client, settings, what)
    run = asyncio.create_task(worker.run())
    running = RunningWorker(pool, client, worker, run)
    try:
        yield running
    finally:
        if not run.done():
            await worker.shutdown()
        await running.wait_ended()
        if running.failure is not None:
            _KEPT.append(worker)


def make_worker(client: Client, settings: Settings, what: Registry) -> Worker:
    """Make the worker of the task queue `gamf`."""
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=what.workflows,
        activities=what.activities,
        workflow_runner=workflow_runner(settings),
        max_cached_workflows=settings.max_cached_workflows,
        max_concurrent_activities=settings.max_concurrent_activities,
        sticky_queue_schedule_to_start_timeout=_STICKY_TIMEOUT,
        graceful_shutdown_timeout=timedelta(seconds=settings.graceful_shutdown_seconds),
        deployment_config=_deployment(settings),
    )


def _deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """Return the version that the worker announces; what is under way goes on with whichever is current.

    An attribution lives for three years, longer than any version is kept running: so none is pinned to the one that
    began it, and patches tell the old histories from the new.
    """
    if settings.build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )


def workflow_runner(settings: Settings) -> WorkflowRunner:
    """Return no sandbox, or the SDK's, with what is pure let through, where the setting asks for it.

    It catches code that is not deterministic when that is written, and costs the most of a worker's work each time that
    it runs: so the tests and the replay of the saved histories run in it, and a worker does not.
    """
    if not settings.sandbox:
        return UnsandboxedWorkflowRunner()
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_PASSED_THROUGH)
    return SandboxedWorkflowRunner(restrictions=restrictions)


@asynccontextmanager
async def watched(
    running: RunningWorker, settings: Settings, runtime: Runtime | None
) -> AsyncGenerator[None]:
    """Serve the worker's health, and tell what waits in the database, where the settings ask for them.

    Raises:
        PortInUse: nothing can listen where its health is to be served.
    """
    async with AsyncExitStack() as stack:
        if settings.health_address is not None:
            await stack.enter_async_context(health_server(settings.health_address, running.probes()))
        if settings.metrics_address is not None and runtime is not None:
            await stack.enter_async_context(gauges.telling(running.pool, runtime.metric_meter))
        yield


async def run_worker(
    settings: Settings,
    *,
    stop: asyncio.Event,
    build: Build = registry.build,
    runtime: Runtime | None = None,
) -> int:
    """Work until `stop` is set and what is under way is done (0), or until the worker fails (1).

    Raises:
        Fault: a setting is missing, a server does not answer, a port is taken.
    """
    log = structlog.get_logger("gamf.workers")
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(running_worker(settings, build=build, runtime=runtime))
        await stack.enter_async_context(watched(running, settings, runtime))
        log.info("worker started", task_queue=TASK_QUEUE, namespace=running.client.namespace)
        await _first(stop.wait(), running.wait_ended())
        log.info("worker draining", task_queue=TASK_QUEUE)
    if running.failure is not None:
        log.error("worker failed", exc_info=running.failure)
        return 1
    return 0


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    """Return when one of them has ended, and let go of the others."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
