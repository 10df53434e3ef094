"""Whose clock counts: the server's. A worker that was off, or whose own clock is wrong, changes no date."""

import asyncio
import csv
import signal
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from temporalio.testing import TimeSkipper

from gamf.domain import attribution as rules
from gamf.domain import facts
from gamf.domain.calendar import local_date
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.polling import until
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.workers.lifecycle import polling
from gamf.workers.registry import build
from gamf.workflows import visibility
from tests.client.command import GAMF, environment
from tests.faulty_carrier import FaultyCarrier
from tests.figures import Figures
from tests.system import Life, System

_FAKETIME: Final = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
_WRONG: Final = ("+400d", "-400d")
_ZONE: Final = "America/Toronto"
_FOUR_DAYS: Final = timedelta(days=4)


@asynccontextmanager
async def nobody_works(database_url: str) -> AsyncGenerator[System]:
    """Run a Temporal server of our own with no worker."""
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with (
            EmbeddedTemporal(Path(name), durable=False, time_skipping=True) as temporal,
            database_pool(Settings(), url=database_url, application="test") as pool,
        ):
            client = await connect(address=temporal.address)
            await register_search_attributes(client, visibility.ALL_KEYS)
            outbox = Path(name) / "outbox"
            yield System(pool, client, TimeSkipper(client), outbox, FaultyCarrier(outbox))


@asynccontextmanager
async def a_worker(what: System) -> AsyncGenerator[None]:
    """Run a worker within the block."""
    settings = Settings(outbox_dir=what.outbox)
    async with polling(
        what.pool, what.client, settings, build(what.pool, what.client, settings, what.carrier)
    ):
        yield


def last_friday_noon() -> datetime:
    """Return noon of the Friday before last: 72 hours later it is Monday, and the grace ends in the same week."""
    today = datetime.now(UTC).replace(hour=17, minute=0, second=0, microsecond=0)
    return today - timedelta(days=(today.weekday() - 4) % 7 + 7)


async def _is_written(life: Life, *states: str) -> None:
    """Wait until the database has it in one of those states: a query would need a worker that is known already."""

    async def there() -> bool:
        sql = "SELECT state FROM attributions WHERE attribution_id = $1"
        rows = await life.system.rows(sql, life.start.attribution_id)
        return bool(rows) and rows[0]["state"] in states

    await until(there, within_seconds=90)


@pytest.mark.long
async def test_a_worker_that_was_off_for_four_days_finds_what_came_due_in_order_dated_when_it_was_due(
    database_url: str,
) -> None:
    async with nobody_works(database_url) as what:
        begun = datetime.now(UTC)
        async with a_worker(what):
            lives = [
                await what.attribute(attributed_at=begun - timedelta(hours=hours))
                for hours in (71, 48, 24, 1)
            ]
            accepted = await what.attribute()
            for life in (*lives, accepted):
                await _is_written(life, "proposed")
            await accepted.record("accepted")
            await accepted.skip(timedelta(days=12))
        clocks = [await what.skipper.get_current_time(life.handle) for life in (*lives, accepted)]
        # Nobody works: what comes due is only noted by the server, whose clocks go on.
        await asyncio.gather(
            *(_let_pass(what, life, _FOUR_DAYS) for life in (*lives, accepted)),
        )
        async with a_worker(what):
            for life in lives:
                await _is_written(life, "unanswered", "lapsed")
            await _is_written(accepted, "overdue")
            for life, clock in zip((*lives, accepted), clocks, strict=True):
                await _as_the_rules_say(life, clock + _FOUR_DAYS)
            passed = [(await life.view())["passed"][0]["at"] for life in lives]
            assert passed == sorted(passed)


async def _let_pass(what: System, life: Life, length: timedelta) -> None:
    """Move the server's clock for it; with no worker there, whoever asked does not hear that it is done."""
    before = await what.skipper.get_current_time(life.handle)
    asking = asyncio.create_task(what.skipper.fast_forward(life.handle, length))

    async def passed() -> bool:
        return asking.done() or await what.skipper.get_current_time(life.handle) > before + timedelta(hours=1)

    try:
        await until(passed, within_seconds=30)
    finally:
        asking.cancel()
        await asyncio.wait([asking])


async def _as_the_rules_say(life: Life, now: datetime) -> None:
    """Compare what passed with the rules, which were asked at once: the same deadlines in the same order."""
    view = await life.view()
    model = rules.begin(life.start).attribution
    for entry in view["history"]:
        fact = facts.parse(entry["fact"], {"by": entry["by"]})
        model = rules.take(model, fact, datetime.fromisoformat(entry["at"])).attribution
    expected = rules.pass_deadlines(model, now)[0]
    due = [(entry.fact, entry.at) for entry in expected.passed if entry.at <= now]
    found = [(entry["fact"], datetime.fromisoformat(entry["at"])) for entry in view["passed"]]
    assert found[: len(due)] == due
    rows = await life.system.rows(
        "SELECT event, at FROM records WHERE subject_id = $1 AND event = ANY($2) ORDER BY number",
        life.start.attribution_id,
        [name for name, _ in found],
    )
    assert [tuple(row) for row in rows] == found


@pytest.mark.long
async def test_what_came_due_in_two_steps_while_nobody_worked_is_taken_in_both(database_url: str) -> None:
    async with nobody_works(database_url) as what:
        life = await what.attribute(attributed_at=last_friday_noon())
        async with a_worker(what):
            await _is_written(life, "lapsed")
            view = await life.view()
            await _as_the_rules_say(life, datetime.now(UTC))
        answer, grace = (datetime.fromisoformat(entry["at"]) for entry in view["passed"])
        assert answer == last_friday_noon() + timedelta(hours=72)
        # 24:00 of the second working day after that Monday (A2), or later where there are holidays.
        assert grace - answer > timedelta(days=2)
        assert (await life.row())["ended_on"] == local_date(grace, _ZONE)


@pytest.mark.long
@pytest.mark.parametrize("wrong", _WRONG)
async def test_a_worker_whose_clock_is_wrong_changes_no_date(
    database_url: str, wrong: str, figures: Figures
) -> None:
    assert _FAKETIME, "libfaketime is missing: apt-get install libfaketime"
    async with nobody_works(database_url) as what:
        variables = {
            "GAMF_DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": what.client.service_client.config.target_host,
            "GAMF_OUTBOX_DIR": str(what.outbox),
            "LD_PRELOAD": str(_FAKETIME[-1]),
            "FAKETIME": wrong,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        before = datetime.now(UTC)
        with _process(variables) as process:
            try:
                life = await _a_whole_life(what)
            finally:
                process.send_signal(signal.SIGTERM)
                said = (await asyncio.to_thread(process.communicate, None, 60))[1]
        # Its own log is dated by its own clock: that is how one sees that it was wrong.
        skewed = datetime.fromisoformat(said.splitlines()[0].split()[0])
        assert abs(skewed - before) > timedelta(days=399)
        async with a_worker(what):
            await _every_date_is_true(what, life, before)
    figures.add(faults=1, lives=1)


def _process(variables: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen([GAMF, "worker"], env=environment(**variables), stderr=subprocess.PIPE, text=True)


async def _a_whole_life(what: System) -> Life:
    life = await what.attribute()
    await _is_written(life, "proposed")
    await life.record("accepted")
    await life.record("sv_entered")
    await life.record("mf_signed", signed_on=local_date(datetime.now(UTC), _ZONE).isoformat())

    async def sent() -> bool:
        return bool(await what.rows("SELECT FROM letters WHERE state = 'sent'"))

    await until(sent, within_seconds=60)
    await life.handle.result()
    return life


async def _every_date_is_true(what: System, life: Life, before: datetime) -> None:
    """Look at every date that the life has left: each lies between its beginning and now."""
    now = datetime.now(UTC)
    today = {local_date(before, _ZONE), local_date(now, _ZONE)}
    view = await life.view()
    instants: list[datetime] = [datetime.fromisoformat(entry["at"]) for entry in view["history"]]
    days = [date.fromisoformat(view[each]["start"]) for each in ("sv", "mf")]
    for row in await what.rows("SELECT at, recorded_at FROM records WHERE subject = 'attribution'"):
        instants += [row["at"], row["recorded_at"]]
    for row in await what.rows("SELECT queued_at, sent_at, dated FROM letters"):
        instants += [row["queued_at"], row["sent_at"]]
        days.append(row["dated"])
    with (what.outbox / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        instants += [datetime.fromisoformat(row["handed_at"]) for row in csv.DictReader(stream)]
    second = timedelta(seconds=1)
    assert [each for each in instants if not before - second <= each <= now + second] == []
    assert set(days) <= today
    for letter in what.outbox.glob("*.pdf"):
        content = letter.read_bytes()
        assert str(before.year + 1).encode() not in content.split(b"/CreationDate")[-1][:30]
