"""`gamf up`, fifty attributions in every state, SIGKILL to every process, `gamf up` again: nothing has changed."""

import asyncio
import signal
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from temporalio.testing import TimeSkipper

from gamf.client.acting import Desk
from gamf.domain.states import State
from gamf.runtime.database import database_pool
from gamf.runtime.polling import until
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.storage.invariants import violations
from tests.chaos.house import with_nobody_there
from tests.client.command import GAMF, Terminal, Up, environment, up
from tests.faulty_carrier import FaultyCarrier
from tests.figures import Figures
from tests.replay.plays import PLAYS
from tests.system import Life, System

MANY: Final = 50
DUE: Final = 6
"""Attributions whose 72 hours end while nothing runs."""
_LEFT: Final = timedelta(seconds=3)
_ATTRIBUTIONS: Final = [play for name, play in PLAYS.items() if name.startswith("attribution-")]


@asynccontextmanager
async def system(started: Up, folder: Path) -> AsyncGenerator[System]:
    """Hold what runs as the tests do."""
    client = await connect(address=started.addresses["temporal"])
    url = started.addresses["database"]
    async with database_pool(Settings(), url=url, application="test") as pool:
        yield System(pool, client, TimeSkipper(client), folder, FaultyCarrier(folder))


async def views(what: System, ids: list[str]) -> dict[str, Any]:
    """Return the view of each workflow."""
    desk = Desk(what.pool, what.client)
    answers = [await desk.temporal.get_workflow_handle(each).query("view") for each in ids]
    return dict(zip(ids, answers, strict=True))


async def played(what: System, started: Up) -> list[str]:
    """Bring fifty attributions to every state and ending there is."""
    assert started.process.poll() is None
    places = asyncio.Semaphore(8)

    async def one(play: Any) -> str:  # noqa: ANN401 - a play
        async with places:
            return str(await play(what))

    return list(await asyncio.gather(*(one(play) for play in islice(cycle(_ATTRIBUTIONS), MANY))))


async def almost_due(what: System) -> list[Life]:
    """Bring some to a few seconds before the end of their 72 hours."""
    lives = [await what.attribute() for _ in range(DUE)]
    for life in lives:
        await life.reaches("proposed")

        async def written(life: Life = life) -> bool:
            return bool(
                await what.rows(
                    "SELECT FROM attributions WHERE attribution_id = $1", life.start.attribution_id
                )
            )

        await until(written, within_seconds=20)
    await asyncio.gather(*(_move_near(what, life) for life in lives))
    return lives


async def _move_near(what: System, life: Life) -> None:
    deadline = datetime.fromisoformat((await life.view())["deadline"])
    await life.skip(deadline - _LEFT - await what.skipper.get_current_time(life.handle))


def one_more_worker(folder: Path) -> "subprocess.Popen[str]":
    """Start a worker that shares the work with the one of `gamf up`."""
    return subprocess.Popen(
        [GAMF, "worker"], cwd=folder, env=environment(), stderr=subprocess.DEVNULL, text=True
    )


def kill_everything(started: Up, worker: "subprocess.Popen[str]") -> int:
    """Send SIGKILL to every process, none of which can say goodbye; return how many there were."""
    everything = [psutil.Process(worker.pid), psutil.Process(started.process.pid)]
    everything += everything[1].children(recursive=True)
    names = {each.name() for each in everything}
    assert {"postgres", "temporal"} <= names, names
    for process in everything:
        with_nobody_there(process)
    worker.wait()
    started.process.wait()
    psutil.wait_procs(everything, timeout=30)
    return len(everything)


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_after_sigkill_to_every_process_the_views_are_the_same_and_timers_fire_once(
    figures: Figures,
) -> None:
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        folder = Path(name)
        terminal = Terminal(folder)
        with up(terminal, "--training") as started:
            worker = one_more_worker(folder)
            async with system(started, folder) as what:
                ids = await played(what, started)
                before = await views(what, ids)
                assert {view["state"] for view in before.values()} == set(State)
                due = [life.start.attribution_id for life in await almost_due(what)]
            killed = kill_everything(started, worker)
        assert started.process.returncode == worker.returncode == -signal.SIGKILL
        with up(terminal, "--training") as again:
            async with system(again, folder) as what:
                assert await views(what, ids) == before
                await _fired_once(what, due)
                async with what.pool.acquire() as conn:
                    assert await violations(conn) == []
            assert again.stop() == 0
    figures.add(faults=killed, lives=MANY + DUE)


async def _fired_once(what: System, due: list[str]) -> None:
    """Wait for what came due while nothing ran; each is dated when it was due, and left one task and one record."""
    for attribution_id in due:
        handle = what.life(attribution_id)

        async def moved(handle: Any = handle) -> bool:  # noqa: ANN401 - a handle
            return bool((await handle.query("view"))["state"] == "unanswered")

        await until(moved, within_seconds=60)
        view = await handle.query("view")
        (passed,) = view["passed"]
        attributed = datetime.fromisoformat(view["attributed_at"])
        assert datetime.fromisoformat(passed["at"]) == attributed + timedelta(hours=72)
        (counts,) = await what.rows(
            """
            SELECT (SELECT count(*) FROM tasks WHERE attribution_id = $1) AS tasks,
                   (SELECT count(*) FROM records WHERE subject_id = $1 AND event = 'answer_due') AS records
            """,
            attribution_id,
        )
        assert tuple(counts) == (1, 1)
