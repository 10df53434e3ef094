import asyncio
import json
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedServers
from gamf.runtime.errors import ServiceUnreachable
from gamf.runtime.health import health_server
from gamf.runtime.polling import until
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.workers import lifecycle
from gamf.workers.lifecycle import RunningWorker, polling, run_worker, running_worker, workflow_runner
from tests.workers.sample import SampleActivities, build, namespace_was_there, registry_of
from tests.workers.sample_workflow import Sample

# Servers and processes begin and end in each: together they take longer than `make test` may.
pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from gamf.runtime.database import Pool


@pytest.fixture(autouse=True)
def _there(servers: EmbeddedServers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", servers.temporal)


@pytest.fixture
def settings(servers: EmbeddedServers) -> Settings:
    return Settings(database_url=SecretStr(servers.database), graceful_shutdown_seconds=30)


@pytest.fixture
async def pool(settings: Settings) -> "AsyncGenerator[Pool]":
    async with database_pool(settings) as opened:
        yield opened


@pytest.fixture
async def client() -> Client:
    return await connect()


async def start(client: Client, name: str) -> WorkflowHandle[Sample, str]:
    return await client.start_workflow(Sample.run, name, id=f"sample-{uuid.uuid4()}", task_queue="gamf")


async def test_it_works_on_what_the_settings_say(settings: Settings) -> None:
    async with running_worker(settings, build=build) as running:
        assert await (await start(running.client, "database")).result() == "gamf"


async def test_it_works_on_the_embedded_servers_it_is_given(servers: EmbeddedServers) -> None:
    where = partial(running_worker, temporal_address=servers.temporal, database_url=servers.database)
    async with where(Settings(), build=build) as running:
        assert await (await start(running.client, "database")).result() == "gamf"


async def test_in_the_sandbox_it_works_too(settings: Settings) -> None:
    sandboxed = settings.model_copy(update={"sandbox": True})
    async with running_worker(sandboxed, build=build) as running:
        assert await (await start(running.client, "database")).result() == "gamf"


def test_the_sandbox_is_for_whoever_asks_for_it() -> None:
    runner = workflow_runner(Settings(sandbox=True))
    assert isinstance(runner, SandboxedWorkflowRunner)
    assert "gamf.domain" in runner.restrictions.passthrough_modules
    assert isinstance(workflow_runner(Settings()), UnsandboxedWorkflowRunner)


async def test_when_asked_to_stop_it_lets_an_activity_finish(
    pool: "Pool", client: Client, settings: Settings
) -> None:
    activities = SampleActivities(pool)
    stop = asyncio.Event()
    working = asyncio.create_task(
        run_worker(settings, stop=stop, build=lambda _pool, _client, _settings: registry_of(activities))
    )
    handle = await start(client, "held")
    await activities.begun.wait()
    stop.set()
    activities.go_on.set()
    assert await working == 0
    async with running_worker(settings, build=build):
        assert await handle.result() == "done"


async def test_an_activity_that_does_not_finish_in_time_is_cancelled(
    pool: "Pool", client: Client, settings: Settings
) -> None:
    activities = SampleActivities(pool)
    hasty = settings.model_copy(update={"graceful_shutdown_seconds": 0.1})
    async with polling(pool, client, hasty, registry_of(activities)):
        handle = await start(client, "held")
        await activities.begun.wait()
    async with running_worker(settings, build=build):
        with pytest.raises(WorkflowFailureError):
            await handle.result()


async def test_a_fatal_error_is_told_and_ends_it_with_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "nosuch")
    monkeypatch.setattr(lifecycle, "check_namespace", namespace_was_there)
    async with running_worker(settings, build=build) as running:
        await running.wait_ended()
        assert running.failure is not None
        assert not running.probes().live()
    assert await run_worker(settings, stop=asyncio.Event(), build=build) == 1


async def test_servers_that_are_away_are_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    away = settings.model_copy(update={"database_url": SecretStr("postgresql://u:p@127.0.0.1:9/x")})
    with pytest.raises(ServiceUnreachable, match="PostgreSQL"):
        await run_worker(away, stop=asyncio.Event(), build=build)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    with pytest.raises(ServiceUnreachable, match="Temporal"):
        await run_worker(settings, stop=asyncio.Event(), build=build)


@asynccontextmanager
async def answering(running: RunningWorker) -> AsyncGenerator[str]:
    async with health_server("127.0.0.1:0", running.probes()) as where:
        yield f"http://{where.host}:{where.port}"


def fetch(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own process's page
            return answer.status, json.load(answer)["away"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["away"]


async def answers(url: str, expected: tuple[int, list[str]]) -> bool:
    return await asyncio.to_thread(fetch, url) == expected


async def test_it_is_ready_once_temporal_has_seen_it_poll(settings: Settings) -> None:
    async with running_worker(settings, build=build) as running, answering(running) as url:
        await until(partial(answers, f"{url}/ready", (200, [])), within_seconds=30)
        assert await answers(f"{url}/live", (200, []))
        await running.worker.shutdown()
        assert await answers(f"{url}/ready", (503, ["worker"]))


async def test_what_is_away_is_named(settings: Settings) -> None:
    async with running_worker(settings, build=build) as running, answering(running) as url:
        await until(partial(answers, f"{url}/ready", (200, [])), within_seconds=30)
        await running.pool.close()
        assert await answers(f"{url}/ready", (503, ["PostgreSQL"]))
        assert await answers(f"{url}/live", (200, []))
