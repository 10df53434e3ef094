"""The same abuse against the whole: real workflows, the real database, the real command line."""

import asyncio
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.common import RawValue

from gamf.client import people
from gamf.client.files import NETWORKS, REGISTER, Layout
from gamf.domain.facts import FACTS
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.polling import until
from gamf.runtime.settings import Settings, settings_table
from gamf.storage.connection import Pool
from gamf.storage.invariants import violations
from tests.abuse.targets import examples
from tests.client.command import Ran, Terminal
from tests.figures import Figures
from tests.system import Life, System

SIGNALS: Final = 400
LIVES: Final = 8
FILES: Final = 60
COMMANDS: Final = 80
_ENCODINGS: Final = (b"json/plain", b"binary/null", b"binary/plain", b"json/protobuf", b"nonsense", b"")
_ANSWERED: Final = frozenset({0, 2, 3, 4, 5})
"""The statuses of contract.md: 1 would be an error that nobody foresaw."""


def spoilt(chance: Random, data: bytes) -> bytes:
    """Cut, double and replace parts of something good."""
    for _ in range(chance.randint(0, 4)):
        place, end = sorted(chance.randint(0, len(data)) for _ in range(2))
        end = min(end, place + 30)
        data = (
            data[:place]
            + chance.choice((b"", chance.randbytes(5), data[place:end] * 2, b'"', b"\n", b"\0"))
            + data[end:]
        )
    return data


def payloads(chance: Random) -> list[Payload]:
    """Return what nobody should send as the arguments of a signal."""
    number = chance.choice((1, 1, 1, 1, 1, 1, 0, 2))
    return [
        Payload(metadata={"encoding": chance.choice(_ENCODINGS[:1] * 5 + _ENCODINGS)}, data=_content(chance))
        for _ in range(number)
    ]


def _content(chance: Random) -> bytes:
    deep: Any = "x"
    for _ in range(chance.choice((1, 30, 300))):
        deep = [deep] if chance.random() < 0.5 else {"by": deep}
    example = chance.choice(examples()["fact"])[1:]
    return chance.choice(
        (spoilt(chance, example), json.dumps(deep).encode(), b'{"by": "' + b"z" * 5000 + b'"}')
    )


@pytest.mark.long
async def test_no_signal_sticks_a_workflow_and_each_has_its_answer(
    system: System, seed: int, figures: Figures
) -> None:
    chance = Random(seed)  # noqa: S311 - repeatable on purpose
    lives = [await system.attribute() for _ in range(LIVES)]
    for life in lives:
        await life.reaches("proposed")
    sent = [await _send(life, chance) for _ in range(SIGNALS // LIVES) for life in lives]
    assert len(sent) == SIGNALS
    for life in lives:
        await _all_answered(life, SIGNALS // LIVES)
        history = [event.event_type async for event in life.handle.fetch_history_events()]
        assert EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in history
        if (await life.view())["ended_on"] is None:
            reason = {"reason": "fin de l'essai"} if (await life.view())["state"] != "enrolled_sv" else {}
            fact = "cancelled" if reason else "patient_refused"
            ended = await life.record(fact, **(reason or {"ground": "other"}))
            assert ended["ended_on"]
    async with system.pool.acquire() as conn:
        ids = {each for life in lives for each in (life.start.attribution_id, life.start.patient_id)}
        assert [found for found in await violations(conn) if found.subject_id in ids] == []
    figures.add(inputs=SIGNALS)


async def _send(life: Life, chance: Random) -> str:
    name = chance.choice((*FACTS, *FACTS, "inconnu", "Zo\u00e9", "x" * 900, "__temporal", "é\u2028"))
    # Ended by a fact that happened to be good, it has nothing more to be told.
    if not name.startswith("__temporal") and (await life.handle.describe()).close_time is None:
        await life.handle.signal(name, args=[RawValue(each) for each in payloads(chance)])
        return name
    return ""


async def _all_answered(life: Life, most: int) -> None:
    """Wait until every signal that is in the history is in the record, taken or refused."""
    if (await life.handle.describe()).close_time is not None:
        return
    signals = [
        event
        async for event in life.handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    ]
    assert len(signals) <= most

    async def answered() -> bool:
        sql = "SELECT count(*) FROM records WHERE subject_id = $1 AND (refused OR number > 0)"
        (row,) = await life.system.rows(sql, life.start.attribution_id)
        return bool(row["count"] >= len(signals))

    await until(answered, within_seconds=60)


def _files(layout: Layout, rows: list[tuple[str, ...]], chance: Random) -> Iterator[bytes]:
    stream = io.StringIO(newline="")
    people.write(stream, layout, rows)
    whole = stream.getvalue().encode()
    for _ in range(FILES):
        yield spoilt(chance, whole)


@pytest.mark.long
async def test_no_file_is_half_taken(
    database_url: str, pool: Pool, temporal: EmbeddedTemporal, seed: int, figures: Figures
) -> None:
    chance = Random(seed)  # noqa: S311 - repeatable on purpose
    with tempfile.TemporaryDirectory(prefix="gamf-abuse-") as name:
        terminal = _terminal(Path(name), database_url, temporal)
        (row,) = await pool.fetch("SELECT current_date AS today")
        crowd = list(people.make_people(20, row["today"]))
        for content in _files(NETWORKS, list(people.networks()), chance):
            _told(await _import(terminal, "network", content))
        # The last one whole, so that there are networks to belong to.
        for layout, command in ((NETWORKS, "network"), (REGISTER, "register")):
            for content in _files(layout, crowd if layout is REGISTER else list(people.networks()), chance):
                before = await pool.fetchval("SELECT count(*) FROM patients")
                ran = await _import(terminal, command, content)
                _told(ran)
                after = await pool.fetchval("SELECT count(*) FROM patients")
                added = ran.json()["added"] if ran.status == 0 and command == "register" else 0
                assert after == before + added
        async with pool.acquire() as conn:
            assert await violations(conn) == []
    figures.add(inputs=3 * FILES)


async def _import(terminal: Terminal, command: str, content: bytes) -> Ran:
    await asyncio.to_thread((terminal.folder / "file.csv").write_bytes, content)
    return await asyncio.to_thread(terminal.run, command, "import", "file.csv", "--json")


def _terminal(folder: Path, database_url: str, temporal: EmbeddedTemporal) -> Terminal:
    return Terminal(folder, {"GAMF_DATABASE_URL": database_url, "TEMPORAL_ADDRESS": temporal.address})


def _told(ran: Ran) -> None:
    """Ask that a person was told in words of ours, and shown nothing of Python."""
    assert ran.status in _ANSWERED, ran.err
    assert "Traceback" not in ran.err
    assert "Erreur imprévue" not in ran.err
    if ran.status:
        error = ran.error()
        assert error["fr"]
        assert error["en"]


@pytest.mark.long
async def test_no_setting_and_no_feed_shows_a_person_a_traceback(
    database_url: str, temporal: EmbeddedTemporal, seed: int, figures: Figures
) -> None:
    chance = Random(seed)  # noqa: S311 - repeatable on purpose
    names = [each.variable for each in settings_table()]
    assert len(names) == len(Settings.model_fields)
    with tempfile.TemporaryDirectory(prefix="gamf-abuse-") as name:
        terminal = _terminal(Path(name), database_url, temporal)
        for _ in range(COMMANDS):
            value = chance.choice(
                ("-1", "0", "1e9", "é", "x:y", "[::1]:70000", "true", " ", "nan", "\u202e", "a=b")
            )
            given = {**terminal.variables, chance.choice([*names, "GAMF_INCONNU"]): value}
            _told(
                await asyncio.to_thread(
                    Terminal(Path(name), given).run, "physician", "show", "11111", "--json"
                )
            )
            line = spoilt(chance, chance.choice(examples()["line"]))
            await asyncio.to_thread((terminal.folder / "facts.ndjson").write_bytes, line)
            _told(await asyncio.to_thread(terminal.run, "feed", "facts.ndjson", "--json"))
    figures.add(inputs=2 * COMMANDS)
