"""Facts in bulk: each line's outcome once, however the feed is stopped, and each fact once."""

import asyncio
import io
import json
import os
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gamf.client import acting, feed, lines
from gamf.client.acting import Desk
from gamf.client.errors import FileRefusedError
from gamf.client.feed import FeedUnderWayError, Outcome, Reporter
from gamf.client.pacing import Pace
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.polling import until
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.storage import feeds
from tests.client.blocks import attributed, ids
from tests.client.command import GAMF, Terminal, environment
from tests.clock import now
from tests.system import System, running

BY = "clinique"


def line(**fact: str) -> bytes:
    return json.dumps(fact).encode() + b"\n"


@dataclass(frozen=True)
class Place:
    """A whole system, and a terminal that reaches it."""

    system: System
    terminal: Terminal


@pytest.fixture(scope="module")
async def place(postgres: EmbeddedPostgres) -> AsyncGenerator[Place]:
    url = await postgres.create_database(f"feed_{uuid4().hex}", template="migrated")
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        folder = Path(name)
        async with (
            EmbeddedTemporal(folder, ui_port=None, durable=False) as temporal,
            running(url, temporal.address, folder / "outbox") as system,
        ):
            address = temporal.address
            variables = {"GAMF_DATABASE_URL": url, "TEMPORAL_ADDRESS": address, "GAMF_ACCOUNT": BY}
            yield Place(system, Terminal(folder, variables))


@pytest.fixture
def system(place: Place) -> System:
    return place.system


@pytest.fixture
def reporter(system: System) -> Reporter:
    return Reporter(Desk(system.pool, system.client), BY, now, Pace())


async def a_block(reporter: Reporter, system: System, size: int) -> list[str]:
    return ids(await attributed(system, reporter.desk, size, BY))


async def fed(
    reporter: Reporter, given: Sequence[bytes], name: str | None = None, *, anew: bool = False
) -> list[Outcome]:
    return [each async for each in feed.feed(reporter, iter(given), name, anew=anew)]


async def stopped_after(reporter: Reporter, given: Sequence[bytes], name: str, count: int) -> list[Outcome]:
    """Feed, and stop when so many outcomes were given."""
    found: list[Outcome] = []
    async with aclosing(feed.feed(reporter, iter(given), name)) as outcomes:
        async for each in outcomes:
            found.append(each)
            if len(found) == count:
                break
    return found


# --- lines ----------------------------------------------------------------------------------------------------------


async def test_lines_are_numbered_as_in_the_file_and_blank_ones_left_out() -> None:
    source = io.BytesIO(b'\xef\xbb\xbf{"a": 1}\r\n\n   \n{"b": 2}')
    assert [each async for each in lines.read(source)] == [(1, b'{"a": 1}'), (4, b'{"b": 2}')]


async def test_a_source_that_breaks_says_so() -> None:
    def breaking() -> Iterator[bytes]:
        yield b"first\n"
        raise OSError("gone")

    async with aclosing(lines.read(breaking())) as read:
        assert (await anext(read)).content == b"first"
        with pytest.raises(OSError, match="gone"):
            await anext(read)


async def test_no_more_is_read_than_a_little_ahead() -> None:
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield b"x\n"

    async with aclosing(lines.read(endless())) as read:
        assert (await anext(read)).number == 1
    assert len(taken) < 200


async def test_an_outcome_does_not_wait_for_the_next_line(reporter: Reporter) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as pipe:
        async with aclosing(feed.feed(reporter, source)) as outcomes:
            pipe.write(b"not JSON\n")
            assert (await anext(outcomes)).outcome == "refused"
            pipe.write(line(attribution_id="2020-000001", fact="accepted"))
            assert (await anext(outcomes)).outcome == "not_found"
            pipe.close()
            assert await anext(outcomes, None) is None


@pytest.mark.parametrize("name", [None, "sans fin"])
async def test_a_feed_without_end_is_let_go_of_at_once(reporter: Reporter, name: str | None) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as pipe:
        pipe.write(b"not JSON\n")
        async with aclosing(feed.feed(reporter, source, name, anew=True)) as outcomes:
            assert (await anext(outcomes)).line == 1
        # The read ends with what is read.
        pipe.close()


# --- a feed that is stopped -----------------------------------------------------------------------------------------


async def test_a_feed_that_was_stopped_goes_on_and_gives_every_outcome_once(
    system: System, reporter: Reporter
) -> None:
    ids = await a_block(reporter, system, 3)
    given = [line(attribution_id=each, fact="accepted") for each in ids]
    given += [b"\n", b"not JSON\n", line(attribution_id="2020-000001", fact="accepted")]
    given += [line(attribution_id=each, fact="sv_entered") for each in ids]
    name = uuid4().hex
    for count in (2, 5):
        first = await stopped_after(reporter, given, name, count)
        assert [each.outcome for each in first] == ["taken", "taken", "taken", "refused", "not_found"][:count]
    again = await fed(reporter, given, name)
    assert [each.line for each in again] == [1, 2, 3, 5, 6, 7, 8, 9]
    assert Counter(each.outcome for each in again) == {"taken": 6, "refused": 1, "not_found": 1}
    rows = await system.rows(
        "SELECT event FROM records WHERE subject_id = ANY ($1::text[]) AND number > 0", ids
    )
    assert Counter(row["event"] for row in rows) == {"accepted": 3, "sv_entered": 3}


async def test_a_finished_feed_begins_again_and_so_does_one_wanted_anew(
    system: System, reporter: Reporter
) -> None:
    (attribution_id,) = await a_block(reporter, system, 1)
    entered = line(attribution_id=attribution_id, fact="sv_entered")
    name = uuid4().hex
    assert [each.outcome for each in await fed(reporter, [entered], name)] == ["refused"]
    await acting.record_fact(reporter.desk, attribution_id, "accepted", {"by": BY}, now=now())
    assert [each.outcome for each in await fed(reporter, [entered], name)] == ["taken"]
    other = line(attribution_id="2020-000001", fact="accepted")
    assert len(await stopped_after(reporter, [other, entered], name, 1)) == 1
    assert [each.outcome for each in await fed(reporter, [entered], name, anew=True)] == ["taken"]


@pytest.mark.parametrize("given", [[b"other\n", b"second\n"], [b"\n", b"first\n", b"second\n"], []])
async def test_other_lines_under_the_same_name_are_not_taken_for_the_first(
    reporter: Reporter, given: list[bytes]
) -> None:
    name = uuid4().hex
    assert len(await stopped_after(reporter, [b"first\n", b"second\n"], name, 1)) == 1
    with pytest.raises(FileRefusedError, match="ligne 1"):
        await fed(reporter, given, name)
    assert [each.line for each in await fed(reporter, [b"first\n", b"second\n"], name)] == [1, 2]


async def test_a_name_is_fed_by_one_process_at_a_time(system: System, reporter: Reporter) -> None:
    name = uuid4().hex
    async with system.pool.acquire() as conn:
        assert await feeds.hold(conn, name)
        with pytest.raises(FeedUnderWayError):
            await fed(reporter, [b"x\n"], name)
        await feeds.let_go(conn, name)
    assert len(await fed(reporter, [b"x\n"], name)) == 1


async def test_the_journal_of_a_finished_feed_goes_after_a_while(system: System, reporter: Reporter) -> None:
    name, other = uuid4().hex, uuid4().hex
    await fed(reporter, [b"x\n"], name)
    later = Reporter(reporter.desk, BY, lambda: now() + feed.JOURNAL_KEPT + timedelta(days=1), Pace())
    await fed(later, [b"x\n"], other)
    rows = await system.rows("SELECT feed FROM feeds WHERE feed = ANY ($1::text[])", [name, other])
    assert [row["feed"] for row in rows] == [other]


async def test_an_attribution_without_its_workflow_fails_its_own_line_alone(
    system: System, reporter: Reporter
) -> None:
    first, second = await a_block(reporter, system, 2)
    await system.life(first).terminate("à la main")
    given = [line(attribution_id=each, fact="accepted") for each in (first, second)]
    outcomes = await fed(reporter, given)
    assert [each.outcome for each in outcomes] == ["failed", "taken"]
    assert outcomes[0].reason is not None
    assert first in outcomes[0].reason.fr


async def test_what_names_no_attribution_and_no_fact_is_not_repeated(reporter: Reporter) -> None:
    given = [
        line(attribution_id="TREM04121925", fact="accepted"),
        line(attribution_id="2026-\x00", fact="accepted"),
        line(attribution_id="2020-000001", fact="Zéphyrin-Inventé"),
        b'{"attribution_id": "2020-000001", "fact": "\xff"}\n',
    ]
    outcomes = await fed(reporter, given)
    assert [each.outcome for each in outcomes] == ["refused"] * 4
    assert not any(word in str(outcomes) for word in ("TREM04121925", "Zéphyrin"))


# --- the command ----------------------------------------------------------------------------------------------------


def mixed(ids: Sequence[str], count: int) -> list[tuple[bytes, str]]:
    """Return so many lines with the outcome of each: good, repeated, refused, malformed and unknown ones."""
    steps: list[tuple[dict[str, str], str]] = [
        ({"fact": "window_reopened", "opens_on": "2026-06-01", "reason": "x"}, "refused"),
        ({"fact": "accepted"}, "taken"),
        ({"fact": "accepted", "by": "another"}, "refused"),
        ({"fact": "accepted"}, "taken"),
        ({"fact": "sv_entered"}, "taken"),
        ({"fact": "cancelled", "reason": "x"}, "refused"),
    ]
    known = [(line(attribution_id=each, **fact), outcome) for fact, outcome in steps for each in ids]
    others = [
        (b"not JSON\n", "refused")
        if n % 2
        else (line(attribution_id=f"2020-{n:06d}", fact="accepted"), "not_found")
        for n in range(1, count - len(known) + 1)
    ]
    share = len(others) // len(known)
    made = [each for n, one in enumerate(known) for each in (one, *others[n * share : (n + 1) * share])]
    return [*made, *others[len(known) * share :]]


async def killed_half_way(terminal: Terminal, file: Path, total: int) -> list[dict[str, Any]]:
    """Feed in a process of its own, kill it when half is done, and return what it had printed whole."""
    printed = terminal.folder / "first.ndjson"
    with printed.open("wb") as out:
        process = subprocess.Popen(  # noqa: ASYNC220 - it starts at once, and is only waited for once killed
            [GAMF, "feed", file.name, "--json"],
            cwd=terminal.folder,
            env=environment(**terminal.variables),
            stdout=out,
            stderr=subprocess.DEVNULL,
        )
        try:

            async def half() -> bool:
                assert process.poll() is None, "it ended before it was killed"
                return printed.read_bytes().count(b"\n") >= total // 2

            await until(half, within_seconds=200)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
    return [
        json.loads(each) for each in printed.read_bytes().splitlines(keepends=True) if each.endswith(b"\n")
    ]


async def check_resumed(place: Place, size: int, total: int) -> None:
    reporter = Reporter(Desk(place.system.pool, place.system.client), BY, now, Pace())
    ids = await a_block(reporter, place.system, size)
    given = mixed(ids, total)
    file = place.terminal.folder / f"{uuid4().hex}.ndjson"
    file.write_bytes(b"".join(each for each, _ in given))
    first = await killed_half_way(place.terminal, file, total)
    assert total // 2 <= len(first) < total
    ran = await asyncio.to_thread(place.terminal.process, "feed", file.name, "--outcomes", "out.ndjson")
    assert ran.status == 3, ran.err
    outcomes = [json.loads(each) for each in (place.terminal.folder / "out.ndjson").read_text().splitlines()]
    assert [each["line"] for each in outcomes] == list(range(1, total + 1))
    assert [each["outcome"] for each in outcomes] == [outcome for _, outcome in given]
    assert outcomes[: len(first)] == first
    rows = await place.system.rows(
        "SELECT event FROM records WHERE subject_id = ANY ($1::text[]) AND number > 0 AND NOT refused", ids
    )
    assert Counter(row["event"] for row in rows) == {"accepted": size, "sv_entered": size}


async def test_a_feed_killed_half_way_through_hundreds_of_lines_gives_each_outcome_once(place: Place) -> None:
    await check_resumed(place, 4, 400)


@pytest.mark.long
async def test_a_feed_killed_half_way_through_10_000_lines_gives_each_outcome_once(place: Place) -> None:
    await check_resumed(place, 150, 10_000)


@pytest.mark.long
async def test_the_standard_input_is_fed_and_resumed_under_a_name(place: Place) -> None:
    text = b"not JSON\n" + line(attribution_id="2020-000001", fact="accepted")
    for words in ((), ("--feed", "nuit"), ("--feed", "nuit")):
        done = await asyncio.to_thread(
            subprocess.run,
            [GAMF, "feed", "-", "--json", *words],
            cwd=place.terminal.folder,
            env=environment(**place.terminal.variables),
            input=text,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 3, done.stderr
        outcomes = [json.loads(each)["outcome"] for each in done.stdout.splitlines()]
        assert outcomes == ["refused", "not_found"]
        assert b"2 ligne(s)" in done.stderr


@pytest.mark.long
async def test_a_feed_waits_for_a_worker_and_says_so(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    url = await postgres.create_database(f"feed_{uuid4().hex}", template="migrated")
    said: list[str] = []
    async with EmbeddedTemporal(tmp_path, ui_port=None, durable=False) as temporal:
        async with running(url, temporal.address, tmp_path / "outbox") as system:
            ids = await a_block(Reporter(Desk(system.pool, system.client), BY, now, Pace()), system, 3)
        client = await connect(address=temporal.address)
        async with database_pool(Settings(), url=url, application="test") as pool:
            pace = Pace(told=lambda _, why: said.append(why.service))
            given = [line(attribution_id=each, fact="accepted") for each in ids]
            feeding = asyncio.create_task(fed(Reporter(Desk(pool, client), BY, now, pace), given))

            async def waiting() -> bool:
                return bool(said)

            await until(waiting, within_seconds=100)
            async with running(url, temporal.address, tmp_path / "outbox"):
                assert [each.outcome for each in await feeding] == ["taken"] * 3
    assert set(said) == {"worker"}
