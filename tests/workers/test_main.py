import asyncio
import signal
import socket
import sys
import urllib.request
import uuid
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest

from gamf.runtime.embedded import EmbeddedServers
from gamf.runtime.polling import until
from gamf.runtime.temporal import connect
from tests.workers.sample import GONE
from tests.workers.sample_workflow import Sample

# Servers and processes begin and end in each: together they take longer than `make test` may.
pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(servers: EmbeddedServers) -> dict[str, str]:
    return {
        "TEMPORAL_ADDRESS": servers.temporal,
        "GAMF_DATABASE_URL": servers.database,
        "GAMF_LOG_FORMAT": "json",
        "GAMF_GRACEFUL_SHUTDOWN_SECONDS": "60",
    }


@asynccontextmanager
async def worker(
    environment: Mapping[str, str], *arguments: str
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a worker as a process of its own; kill it if the test leaves it running."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.workers.sample",
        *arguments,
        cwd=ROOT,
        env=dict(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(environment: Mapping[str, str], *arguments: str) -> tuple[int | None, str]:
    """Return how a worker ends by itself, and what it says."""
    async with worker(environment, *arguments) as process:
        _, said = await process.communicate()
        return process.returncode, said.decode()


async def said(process: asyncio.subprocess.Process, text: str) -> None:
    assert process.stderr is not None
    while text not in (line := (await process.stderr.readline()).decode()):
        assert line, "it ended before it said so"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_drains_it(environment: dict[str, str], number: signal.Signals) -> None:
    async with worker(environment) as process:
        await said(process, "worker started")
        process.send_signal(number)
        await said(process, "worker draining")
        assert await process.wait() == 0


async def test_the_second_signal_ends_it_at_once(
    environment: dict[str, str], servers: EmbeddedServers
) -> None:
    client = await connect(address=servers.temporal)
    async with worker(environment) as process:
        handle = await client.start_workflow(
            Sample.run, "endless", id=f"sample-{uuid.uuid4()}", task_queue="gamf"
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGTERM)
        await said(process, "worker draining")
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 128 + signal.SIGTERM
    await handle.terminate()


async def test_a_bad_setting_is_told_in_both_languages(environment: dict[str, str]) -> None:
    status, text = await ended(environment | {"GAMF_SMTP_PORT": "x-y-z", "GAMF_NOSUCH": "x-y-z"})
    assert status == 2
    assert "GAMF_NOSUCH (variable inconnue); GAMF_SMTP_PORT (attendu\u00a0: un nombre entier)" in text
    assert "GAMF_NOSUCH (unknown variable)" in text
    assert "x-y-z" not in text


async def test_a_server_that_is_away_is_told_in_the_language_of_the_settings(
    environment: dict[str, str],
) -> None:
    status, text = await ended(environment | {"TEMPORAL_ADDRESS": "127.0.0.1:9", "GAMF_LANG": "en"})
    assert status == 5
    assert "Temporal is unreachable: 127.0.0.1:9" in text


async def test_a_fatal_error_ends_it_with_one(environment: dict[str, str]) -> None:
    status, text = await ended(environment | {"TEMPORAL_NAMESPACE": "nosuch"}, GONE)
    assert status == 1
    assert '"event": "worker failed"' in text


async def test_a_namespace_that_is_not_there_is_told(environment: dict[str, str]) -> None:
    status, text = await ended(environment | {"TEMPORAL_NAMESPACE": "nosuch"})
    assert status == 5
    assert "n’a pas d’espace de noms «\u00a0nosuch\u00a0»" in text


async def test_it_serves_its_health_and_its_metrics(environment: dict[str, str]) -> None:
    health, metrics = free_address(), free_address()
    given = {"GAMF_HEALTH_ADDRESS": health, "GAMF_METRICS_ADDRESS": metrics}
    async with worker(environment | given) as process:
        await said(process, "worker started")
        await until(partial(answers, f"http://{health}/ready"), within_seconds=30)
        assert "temporal_worker_start_total" in await asyncio.to_thread(read, f"http://{metrics}/metrics")
        process.terminate()
        await said(process, "worker draining")
        assert await process.wait() == 0


def free_address() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


async def answers(url: str) -> bool:
    try:
        return "ok" in await asyncio.to_thread(read, url)
    except OSError:
        return False


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own process's page
        return str(answer.read(), "utf-8")
