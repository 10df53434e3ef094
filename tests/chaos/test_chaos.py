"""300 attributions through their whole life in training time, while everything that can end is killed."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import pytest

from gamf.client import acting
from gamf.client.acting import Desk
from gamf.domain.names import block_workflow_id
from gamf.runtime.polling import until
from tests.chaos import accounts
from tests.chaos.board import Board, watching
from tests.chaos.house import House, house, last_words
from tests.chaos.lives import StormyLife, insist
from tests.chaos.storm import SlowMailbox, Storm
from tests.figures import Figures
from tests.system import add_network, add_patients, add_physician

BLOCK: Final = 25
SPARE: Final = 60
"""People who wait, to replace those whose attribution is cancelled (A17)."""
_PATIENCE_SECONDS: Final = 500
_DISK: Final = "64m"


@contextmanager
def small_disk(folder: Path) -> Generator[Path]:
    """Mount a small disk of its own, which can be filled without harm to anybody; only root may."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def attribute(desk: Desk, blocks: int) -> tuple[list[str], int]:
    """Have the lists of so many blocks drawn, each of its own RLS; return them and how many people there are."""
    drawn: list[str] = []
    for _ in range(blocks):
        async with desk.pool.acquire() as conn:
            rls = await add_network(conn)
            licence = await add_physician(conn, rls)
            await add_patients(conn, rls, BLOCK + SPARE // blocks)
        view = await acting.request_block(desk, licence, BLOCK, by="coordo", now=datetime.now(UTC))
        drawn.append(view["block_id"])
    return drawn, blocks * (BLOCK + SPARE // blocks)


async def approve(desk: Desk, block_id: str) -> None:
    """Approve a list, as often as it takes; repeated, it is refused and changes nothing."""
    block = desk.temporal.get_workflow_handle(block_workflow_id(block_id))
    await insist(lambda: block.signal("approved", {"by": "coordo"}))


async def live_them_all(board: Board, seed: int) -> list[StormyLife]:
    """Live every attribution there is, the replacements too, until none is open and every block is closed."""
    lives: dict[str, StormyLife] = {}
    async with asyncio.TaskGroup() as group:

        async def over() -> bool:
            for name in board.standings.keys() - lives.keys():
                chance = Random(f"{seed} {name}")  # noqa: S311 - repeatable on purpose
                lives[name] = StormyLife(board.desk, board, name, chance)
                group.create_task(lives[name].live())
            return board.over

        try:
            await until(over, within_seconds=_PATIENCE_SECONDS)
        except TimeoutError:
            still = [(life.stands, life.told) for life in lives.values() if not life.stands.ended_on]
            raise AssertionError(
                f"{board.blocks_open} blocks and {len(still)} lives open: {still[:5]}"
            ) from None
    return list(lives.values())


@dataclass(frozen=True)
class Weather:
    """One storm: where the letters go."""

    house: House
    storm: Storm
    handed: Callable[[], Sequence[str]]


@asynccontextmanager
async def by_outbox(seed: int) -> AsyncGenerator[Weather]:
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name, small_disk(Path(name, "outbox")) as outbox:
        async with house(Path(name), seed, {"GAMF_OUTBOX_DIR": str(outbox)}) as made:
            storm = Storm(made, Random(seed), outbox=outbox)  # noqa: S311 - repeatable on purpose
            yield Weather(made, storm, lambda: accounts.in_the_outbox(outbox))


@asynccontextmanager
async def by_mail(seed: int) -> AsyncGenerator[Weather]:
    mailbox = SlowMailbox()
    server = await mailbox.serve()
    variables = {
        "GAMF_CARRIER": "smtp",
        "GAMF_SMTP_HOST": "127.0.0.1",
        "GAMF_SMTP_PORT": str(server.sockets[0].getsockname()[1]),
        "GAMF_SMTP_SECURITY": "none",
        "GAMF_SMTP_FROM": "gamf@exemple.test",
        "GAMF_SMTP_MAILBOX": "imprimerie@exemple.test",
        "GAMF_SMTP_TIMEOUT_SECONDS": "2",
    }
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with server, house(Path(name), seed, variables | {"GAMF_OUTBOX_DIR": f"{name}/outbox"}) as made:
            storm = Storm(made, Random(seed), mailbox=mailbox)  # noqa: S311 - repeatable on purpose
            # The same Message-ID twice is one letter (see `SmtpCarrier`): the printing service drops the repeat.
            yield Weather(made, storm, lambda: list(mailbox.messages))


async def through(w: Weather, drawn: list[str], faults: int, seed: int) -> list[StormyLife]:
    """Approve the lists and live everybody's life while the faults come, and on to the end when they are over."""
    try:
        async with watching(w.house.desk) as board, asyncio.TaskGroup() as group:
            raging = group.create_task(w.storm.rage(faults))
            for block_id in drawn:
                group.create_task(approve(board.desk, block_id))
            living = group.create_task(live_them_all(board, seed))
            await raging
            (w.house.folder / "calm").touch()
            while not living.done():
                await w.house.mind_worker()
                await asyncio.wait([living], timeout=1)
            await board.read()
    except BaseException:
        sys.stderr.write(last_words(w.house.folder))
        raise
    return living.result()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("weather", "blocks", "faults"), [(by_outbox, 8, 20), (by_mail, 4, 14)])
async def test_whole_lives_survive_a_storm_and_nobody_is_lost(
    weather: Callable[[int], AbstractAsyncContextManager[Weather]],
    blocks: int,
    faults: int,
    seed: int,
    figures: Figures,
) -> None:
    began = time.monotonic()
    async with weather(seed) as w:
        desk = w.house.desk
        drawn, people = await attribute(desk, blocks)
        before = await accounts.registered(desk)
        assert len(before) == people
        lives = await through(w, drawn, faults, seed)
        await accounts.nobody_is_lost(desk, before)
        ends = await accounts.temporal_says_the_same(desk)
        letters = await accounts.each_letter_went_once(desk, w.handed())
        answers = await accounts.each_fact_has_its_answer(desk, lives)
        failures = (w.house.folder / "failures").read_text(encoding="utf-8").splitlines()
    assert len(lives) >= blocks * BLOCK
    assert w.storm.faults.total() == faults
    assert {"before", "after"} <= set(failures)
    figures.add(
        faults=faults + len(failures),
        lives=len(lives),
        letters=letters,
        facts=sum(life.told.acknowledged for life in lives),
        seconds=round(time.monotonic() - began),
    )
    figures.say(f"seed {seed}: " + ", ".join(f"{name} {n}" for name, n in w.storm.faults.most_common()))
    figures.say(f"activities failed {len(failures)}, workers started {w.house.started}")
    figures.say(
        f"facts taken {answers['taken']}, refused {answers['refused']}, late {sum(x.told.at_the_door for x in lives)}"
    )
    figures.say(", ".join(f"{state} {number}" for state, number in ends.most_common()))
