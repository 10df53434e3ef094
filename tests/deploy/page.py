"""The page of metrics of a real worker that has done some work."""

import asyncio
import re
import socket
import tempfile
import urllib.request
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from temporalio.testing import TimeSkipper

from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.polling import until
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.telemetry import temporal_runtime
from gamf.runtime.temporal import connect
from gamf.workers import gauges
from gamf.workers.lifecycle import polling
from gamf.workers.registry import build
from gamf.workflows import visibility
from tests.faulty_carrier import FaultyCarrier
from tests.system import System

_LATEST = {"gamf_attributions_open", "temporal_activity_execution_latency_seconds_bucket"}
"""The gauges are told from time to time, and the activity that sent the letter is counted once Temporal knows of it."""


async def metric_names(postgres: EmbeddedPostgres) -> set[str]:
    """Run a worker with its page of metrics, live the beginning of an attribution, and return what is shown.

    On a Temporal server of its own: on the session's, the worker of `system` would take what this one must show.
    """
    url = await postgres.create_database(f"metrics_{uuid4().hex}", template="migrated")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    runtime = temporal_runtime(address)
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        folder, settings = Path(name), Settings(outbox_dir=Path(name))
        async with EmbeddedTemporal(folder, durable=False) as temporal:
            client = await connect(address=temporal.address, runtime=runtime)
            await register_search_attributes(client, visibility.ALL_KEYS)
            carrier = FaultyCarrier(folder)
            async with (
                database_pool(settings, url=url, application="test") as pool,
                polling(pool, client, settings, build(pool, client, settings, carrier)),
                gauges.telling(pool, runtime.metric_meter),
            ):
                life = await System(pool, client, TimeSkipper(client), folder, carrier).attribute()
                await life.reaches("proposed")
                await life.record("accepted")
                await life.record("sv_entered")

                async def letter_gone() -> bool:
                    return bool(await pool.fetchval("SELECT count(*) FROM letters WHERE state = 'sent'"))

                await until(letter_gone, within_seconds=20)
                return await _names(f"http://{address}/metrics")


async def _names(url: str) -> set[str]:
    names: set[str] = set()

    async def complete() -> bool:
        names.update(re.findall(r"^(\w+)(?:\{.*\})? \S+$", await asyncio.to_thread(_read, url), re.MULTILINE))
        return names >= _LATEST

    await until(complete, within_seconds=20)
    return names


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own process's page
        return str(answer.read(), "utf-8")
