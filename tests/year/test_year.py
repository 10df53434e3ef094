"""A year in an RLS, on the real servers: at the end nobody is lost."""

import tempfile
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import monotonic
from typing import Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from gamf.client.acting import Desk
from gamf.domain.states import State
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.workers.lifecycle import polling
from gamf.workers.registry import build
from gamf.workflows import visibility
from tests.figures import Figures
from tests.year.accounts import (
    each_block_has_ended,
    each_departure_was_told_once,
    each_fact_has_its_answer,
    each_letter_went_once,
    everybody_is_somewhere,
    initial_dates,
    no_invariant_is_broken,
    reconciliation_finds_nothing,
    temporal_says_the_same,
)
from tests.year.clocks import Clocks
from tests.year.list_life import a_week_of_the_list, change_of_mind, departure_takes_effect, notice
from tests.year.picture import draw, everybody_is_on_the_picture
from tests.year.plans import Manner, manners
from tests.year.rls import WEEK, ZONE, Rls

PEOPLE: Final = 30_000
BLOCKS: Final = 40
SIZE: Final = 30
"""A physician's block; 50 take as much longer, and show nothing more."""
WEEKS: Final = 60
"""A year, and the weeks in which the first terms of 12 months and the late forms come."""
_NOTICE_IN: Final = 20
_CHANGE_OF_MIND_IN: Final = 24


@dataclass(frozen=True)
class Year:
    """An RLS whose year begins, and where its letters go."""

    rls: Rls
    outbox: Path


@pytest.fixture
async def year(postgres: EmbeddedPostgres, seed: int) -> AsyncGenerator[Year]:
    """Return an RLS on a database and a Temporal server of its own, since the whole of both is compared."""
    url = await postgres.create_database(f"year_{uuid4().hex}", template="migrated")
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        outbox = Path(name) / "outbox"
        async with EmbeddedTemporal(Path(name), ui_port=None, durable=False, time_skipping=True) as server:
            settings = Settings(outbox_dir=outbox, database_pool_max=20)
            client = await connect(address=server.address)
            await register_search_attributes(client, visibility.ALL_KEYS)
            async with (
                database_pool(settings, url=url, application="test") as pool,
                polling(pool, client, settings, build(pool, client, settings)),
            ):
                clocks = Clocks(client, next_monday(datetime.now(UTC)))
                chance = Random(seed)  # noqa: S311 - repeatable on purpose
                yield Year(Rls(Desk(pool, clocks.starting_today()), clocks, chance, SIZE), outbox)


def next_monday(now: datetime) -> datetime:
    """Return ten o'clock of the next Monday in the RLS."""
    local = now.astimezone(ZoneInfo(ZONE)).replace(hour=10, minute=0, second=0, microsecond=0)
    return (local + WEEK * ((7 - local.weekday()) / 7)).astimezone(UTC)


async def a_week(rls: Rls) -> None:
    """Let a week pass for everybody, those on the list included."""
    await rls.next_week()
    await departure_takes_effect(rls)
    await a_week_of_the_list(rls)
    await rls.note_places()


async def live(rls: Rls, licences: Sequence[str]) -> None:
    """Live the year: a block a week, then what is left of it."""
    how = dict(zip(licences, manners(rls.chance, BLOCKS), strict=True))
    leaver, other = [licence for licence in licences if how[licence] is Manner.ACCEPTS][:2]
    for licence, manner in how.items():
        await rls.block(licence, manner)
        await a_week(rls)
        if rls.week == _NOTICE_IN:
            await notice(rls, leaver)
        if rls.week == _CHANGE_OF_MIND_IN:
            await change_of_mind(rls, other)
    while rls.week < WEEKS:
        await a_week(rls)


@pytest.mark.long
@pytest.mark.timeout(1_200)
async def test_a_year_in_an_rls_and_nobody_is_lost(
    year: Year, tmp_path: Path, pytestconfig: pytest.Config, figures: Figures
) -> None:
    rls, begun = year.rls, monotonic()
    licences = await rls.settle(PEOPLE, BLOCKS)
    registered = await initial_dates(rls)
    await live(rls, licences)
    await no_invariant_is_broken(rls)
    await everybody_is_somewhere(rls, registered)
    await each_fact_has_its_answer(rls)
    await each_block_has_ended(rls)
    await each_departure_was_told_once(rls)
    states = await temporal_says_the_same(rls)
    await reconciliation_finds_nothing(rls)
    letters = await each_letter_went_once(rls, year.outbox)
    # At the end nobody awaits an answer or an SV any more.
    assert set(State) - {State.PROPOSED, State.UNANSWERED, State.CONFIRMED, State.OVERDUE} == states.keys()
    picture = Path(str(pytestconfig.getoption("--year-plot") or tmp_path / "year.png"))
    draw(picture, rls.places)
    everybody_is_on_the_picture(picture, rls.places, PEOPLE)
    figures.say(
        f"{PEOPLE} people, {BLOCKS} blocks of {SIZE}, {WEEKS} weeks, {monotonic() - begun:.0f} s: "
        f"{states.total()} attributions, {letters} letters, {len(rls.moved)} moves"
    )
    figures.say(", ".join(f"{state} {number}" for state, number in states.most_common()))
    figures.say(", ".join(f"{fact} {number}" for fact, number in rls.told.most_common()))
    figures.say(f"where everybody was: {picture}")
