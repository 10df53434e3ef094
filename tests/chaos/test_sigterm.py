"""SIGTERM to a worker in the midst of its work, also when it is the first process of a container."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import psutil
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.testing import TimeSkipper

from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.polling import until
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.workflows import visibility
from tests.client.command import GAMF, environment
from tests.faulty_carrier import FaultyCarrier
from tests.figures import Figures
from tests.system import Life, System

MANY: Final = 120
GRACE_SECONDS: Final = 20
FIRST_OF_ITS_OWN: Final = ("unshare", "--pid", "--fork", "--kill-child")
"""As in a container: its process is number 1, to which the kernel sends no signal that it has no handler for."""
_LOST: Final = EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT
"""Written when a worker took an activity and was never heard of again."""


def start(prefix: Sequence[str], folder: Path, variables: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*prefix, GAMF, "worker"], cwd=folder, env=environment(**variables), stderr=subprocess.PIPE, text=True
    )


def wait_started(process: "subprocess.Popen[str]") -> None:
    assert process.stderr is not None
    while "worker started" not in (line := process.stderr.readline()):
        assert line, "it ended before it had started"


def worker_of(process: "subprocess.Popen[str]", prefix: Sequence[str]) -> psutil.Process:
    """Return the worker itself, past what made it the first process."""
    outer = psutil.Process(process.pid)
    if not prefix:
        return outer
    (inner,) = outer.children()
    numbers = (
        Path("/proc", str(inner.pid), "status").read_text(encoding="ascii").split("NSpid:")[1].split("\n")[0]
    )
    assert numbers.split()[-1] == "1"
    return inner


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("prefix", [(), FIRST_OF_ITS_OWN], ids=["a process", "process 1"])
async def test_a_busy_worker_drains_on_sigterm_and_loses_no_activity(
    database_url: str, prefix: Sequence[str], figures: Figures
) -> None:
    if prefix and os.geteuid() != 0:
        prefix = ("unshare", "--user", "--map-root-user", *prefix[1:])
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        folder = Path(name)
        async with (
            EmbeddedTemporal(folder, durable=False, time_skipping=True) as temporal,
            database_pool(Settings(), url=database_url, application="test") as pool,
        ):
            client = await connect(address=temporal.address)
            await register_search_attributes(client, visibility.ALL_KEYS)
            variables = {
                "GAMF_DATABASE_URL": database_url,
                "TEMPORAL_ADDRESS": temporal.address,
                "GAMF_GRACEFUL_SHUTDOWN_SECONDS": str(GRACE_SECONDS),
            }
            what = System(pool, client, TimeSkipper(client), folder, FaultyCarrier(folder))
            process = start(prefix, folder, variables)
            await asyncio.to_thread(wait_started, process)
            lives = [await what.attribute() for _ in range(MANY)]
            for life in lives:
                await life.signal("accepted", {"by": "coordo"})

            await until(partial(_some_letters_have_gone, what), within_seconds=60)
            busy = MANY - await _sent(what)
            asked = time.monotonic()
            worker_of(process, prefix).send_signal(signal.SIGTERM)
            _, said = await asyncio.to_thread(process.communicate, None, GRACE_SECONDS + 30)
            took = time.monotonic() - asked
            assert process.returncode == 0, said
            assert took < GRACE_SECONDS
            assert "worker draining" in said
            assert busy, "it was not busy any more"
            left = MANY - await _sent(what)
            await _another_ends_the_work(what, lives, start((), folder, variables))
    figures.add(faults=1, lives=MANY)
    figures.say(f"{sys.platform}: drained in {took:.1f} s, of {busy} letters {left} left to the next worker")


async def _sent(what: System) -> int:
    (row,) = await what.rows("SELECT count(*) FROM letters WHERE state = 'sent'")
    return int(row["count"])


async def _some_letters_have_gone(what: System) -> bool:
    return await _sent(what) > 0


async def _another_ends_the_work(what: System, lives: list[Life], process: "subprocess.Popen[str]") -> None:
    """Let another worker go on; every letter went once, and no history tells of an activity that was lost."""
    with process:

        async def all_done() -> bool:
            return await _sent(what) == MANY

        try:
            await until(all_done, within_seconds=60)
        finally:
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.communicate, None, 60)
    assert process.returncode == 0
    letters = (what.outbox / "data" / "outbox" / "manifest.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(letters) == len({line.split(",")[0] for line in letters}) == MANY
    for life in lives:
        assert _LOST not in [event.event_type async for event in life.handle.fetch_history_events()]
