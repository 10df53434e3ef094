"""Every way in which a person is shown, from the command line, the console and the API, has its line in the log."""

import asyncio
import json
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import pytest
from dateutil.relativedelta import relativedelta

from gamf.client import deciding, reconciling, tokens
from gamf.client.access import Seat
from gamf.client.acting import Desk
from gamf.client.console.app import make_app
from gamf.client.passwords import Passwords
from gamf.domain.access import Channel
from gamf.domain.reconciliation import Difference, Mend
from gamf.domain.roles import Role, UseCase, grant, operator
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.settings import HostPort
from gamf.runtime.web import serving
from gamf.storage import accounts, tasks
from tests.client.command import Terminal
from tests.client.console.browser import PASSWORD, Browser, another
from tests.client.seats import the_operator
from tests.system import System

_ACCOUNT: Final = "exploitante"
_NOW: Final = datetime.now(UTC)


class Place(NamedTuple):
    """Somebody attributed and accepted, about whom there is a task, and a block with its list drawn."""

    rls: str
    physician: str
    patient: str
    attribution: str
    task_id: int
    block_id: str
    drawn: str


class Way(NamedTuple):
    """A way to be shown somebody: what is asked, as which use case it is logged, and whom it shows."""

    asked: str
    use_case: UseCase
    patient: str
    body: dict[str, Any] | None = None


NOBODY: Final = frozenset(
    {
        UseCase.PROFILE_SHOW,
        UseCase.PROFILE_SET,
        UseCase.REGISTER_IMPORT,
        UseCase.RETRO_IMPORT,
        UseCase.PHYSICIAN_LIST,
        UseCase.PHYSICIAN_SHOW,
        UseCase.PHYSICIAN_IMPORT,
        UseCase.NETWORK_LIST,
        UseCase.NETWORK_IMPORT,
        UseCase.INDICATORS_SHOW,
        UseCase.RAMQ_LISTS_SEND,
        UseCase.OWN_ACCOUNT,
        UseCase.ACCOUNT_MANAGE,
        UseCase.TASK_DONE,
    }
)
"""What tells nothing of anybody: counts, physicians, accounts, what was given by whoever asks."""
LIKE_ANOTHER: Final = {
    # A block's answers show the block; facts are logged as themselves by the code that logs those below.
    UseCase.BLOCK_REQUEST: UseCase.BLOCK_SHOW,
    UseCase.APPROVED: UseCase.BLOCK_SHOW,
    UseCase.WITHDRAWN: UseCase.BLOCK_SHOW,
    UseCase.LIST_ACCEPTED: UseCase.BLOCK_SHOW,
    UseCase.LIST_REFUSED: UseCase.BLOCK_SHOW,
    UseCase.ACCEPTED: UseCase.SV_ENTERED,
    UseCase.REFUSED: UseCase.SV_ENTERED,
    UseCase.CANCELLED: UseCase.SV_ENTERED,
    UseCase.WINDOW_REOPENED: UseCase.SV_ENTERED,
    UseCase.PATIENT_REFUSED: UseCase.SV_ENTERED,
    UseCase.MF_SIGNED: UseCase.SV_ENTERED,
    UseCase.PHYSICIAN_LEFT: UseCase.SV_ENTERED,
    UseCase.PHYSICIAN_DEPARTURE: UseCase.SV_ENTERED,
}
APART: Final = frozenset({UseCase.ADVANCE, UseCase.RAMQ_LISTS_SHOW, UseCase.RECONCILE})
"""What needs a training or two sides that differ, at the end of this file; or a closed block."""


@pytest.fixture
async def place(system: System) -> Place:
    life = await system.attribute()
    await life.reaches("proposed")
    await life.record("accepted", by="coordo")
    block = await system.request(*await _waiting(system), 1)
    (drawn,) = [each["patient_id"] for each in (await block.query("view"))["list"]]
    async with system.pool.acquire() as conn:
        await tasks.open_about_patient(
            conn, life.start.patient_id, "discriminatory_ground", "gaco", 1, _NOW, _NOW
        )
        sql = "SELECT max(task_id) FROM tasks WHERE patient_id = $1"
        number: int = await conn.fetchval(sql, life.start.patient_id)
    start, block_id = life.start, block.id.removeprefix("block-")
    return Place(start.rls, start.physician, start.patient_id, start.attribution_id, number, block_id, drawn)


async def _waiting(system: System) -> tuple[str, str]:
    rls, licence, _ = await system.people(1)
    return rls, licence


async def log_begins(system: System) -> int:
    (row,) = await system.rows("SELECT coalesce(max(look_id), 0) AS last FROM looks")
    return int(row["last"])


async def is_logged(system: System, channel: str, way: Way, after: int) -> bool:
    sql = """
        SELECT l.account, l.address FROM looks l JOIN looked_at USING (look_id)
        WHERE l.look_id > $1 AND channel = $2 AND use_case = $3 AND patient_id = $4
    """
    rows = await system.rows(sql, after, channel, way.use_case.value, way.patient)
    return bool(rows) and all(row["account"] == _ACCOUNT for row in rows)


# --- the ways -------------------------------------------------------------------------------------------------------


def of_command_line(p: Place, file: Path) -> list[Way]:
    """Return the commands that show somebody; as they are typed."""
    day, physician, rls = f"{_NOW:%Y-%m-%d}", p.physician, p.rls
    return [
        Way(f"register show {p.patient}", UseCase.REGISTER_SHOW, p.patient),
        Way(f"register list --rls '{rls}'", UseCase.REGISTER_LIST, p.patient),
        Way(f"register export --rls '{rls}' --to x.csv", UseCase.REGISTER_EXPORT, p.patient),
        Way(f"register correct {p.patient} phone= --reason x", UseCase.REGISTER_CORRECT, p.patient),
        Way(f"register move {p.patient} --to 9999 --on {day} --reason x", UseCase.REGISTER_MOVE, p.patient),
        Way(f"register reinstate {p.patient} --reason x", UseCase.REGISTER_REINSTATE, p.patient),
        Way(f"register condition list {p.patient}", UseCase.CONDITION_SHOW, p.patient),
        Way(f"register condition add {p.patient} CHRONIQUE --on {day}", UseCase.CONDITION_RECORD, p.patient),
        Way(f"attribution list --physician {physician}", UseCase.ATTRIBUTION_LIST, p.patient),
        Way(f"attribution show {p.attribution}", UseCase.ATTRIBUTION_SHOW, p.patient),
        Way(f"letter show {p.attribution}", UseCase.LETTER_SHOW, p.patient),
        Way(f"block show {p.block_id}", UseCase.BLOCK_SHOW, p.drawn),
        Way("block list --json", UseCase.BLOCK_LIST, p.drawn),
        Way(f"block approve {p.block_id}", UseCase.BLOCK_SHOW, p.drawn),
        Way(f"task show {p.task_id}", UseCase.TASK_LIST, p.patient),
        Way(f"task list --rls '{rls}'", UseCase.TASK_LIST, p.patient),
        Way(f"digest preview --rls '{rls}'", UseCase.TASK_LIST, p.patient),
        Way(f"physician sv {physician}", UseCase.SV_ENTERED, p.patient),
        Way(f"attribution record {p.attribution} sv_entered", UseCase.SV_ENTERED, p.patient),
        Way(f"feed {file}", UseCase.SV_ENTERED, p.patient),
        Way(f"access-log --patient {p.patient} --limit 1", UseCase.ACCESS_LOG_SHOW, p.patient),
        Way(
            f"register enrolled {p.patient} --physician 54321 --on {day} --basis x",
            UseCase.ENROLLED_ELSEWHERE,
            p.patient,
        ),
        Way(f"register left {p.patient} --on {day} --cause deceased", UseCase.PATIENT_LEFT, p.patient),
    ]


def of_api(p: Place) -> list[Way]:
    """Return the calls that show somebody: the path, with a body what is posted to it."""
    day, rls, of = f"{_NOW:%Y-%m-%d}", p.rls, f"/api/patients/{p.patient}"
    fact = {"fact": "sv_entered"}
    return [
        Way(of, UseCase.REGISTER_SHOW, p.patient),
        Way(f"/api/register?rls={rls}", UseCase.REGISTER_LIST, p.patient),
        Way(f"{of}/contact", UseCase.REGISTER_CORRECT, p.patient),
        Way(f"{of}/corrections", UseCase.REGISTER_CORRECT, p.patient, {"reason": "x", "phone": ""}),
        Way(f"{of}/moves", UseCase.REGISTER_MOVE, p.patient, {"to": "9999", "on": day, "reason": "x"}),
        Way(f"{of}/reinstatements", UseCase.REGISTER_REINSTATE, p.patient, {"reason": "x"}),
        Way(f"{of}/conditions", UseCase.CONDITION_SHOW, p.patient),
        Way(f"{of}/conditions", UseCase.CONDITION_RECORD, p.patient, {"code": "CHRONIQUE", "on": day}),
        Way("/api/attributions?limit=500", UseCase.ATTRIBUTION_LIST, p.patient),
        Way("/api/changes", UseCase.ATTRIBUTION_LIST, p.patient),
        Way(f"/api/attributions/{p.attribution}", UseCase.ATTRIBUTION_SHOW, p.patient),
        Way(f"/api/attributions/{p.attribution}/letters", UseCase.LETTER_SHOW, p.patient),
        Way(f"/api/blocks/{p.block_id}", UseCase.BLOCK_SHOW, p.drawn),
        Way("/api/tasks?limit=500", UseCase.TASK_LIST, p.patient),
        Way(f"/api/access-log?patient={p.patient}", UseCase.ACCESS_LOG_SHOW, p.patient),
        Way(f"/api/attributions/{p.attribution}/facts", UseCase.SV_ENTERED, p.patient, fact),
        Way(
            "/api/facts",
            UseCase.SV_ENTERED,
            p.patient,
            {"facts": [{"attribution_id": p.attribution, **fact}]},
        ),
        Way(
            f"{of}/enrolments",
            UseCase.ENROLLED_ELSEWHERE,
            p.patient,
            {"physician": "54321", "effective_on": day, "basis": "x"},
        ),
        Way(f"{of}/departures", UseCase.PATIENT_LEFT, p.patient, {"on": day, "cause": "deceased"}),
    ]


def of_console(p: Place) -> list[Way]:
    """Return the pages that show somebody."""
    return [
        Way("/", UseCase.TASK_LIST, p.patient),
        Way(f"/liste/{p.patient}", UseCase.REGISTER_SHOW, p.patient),
        Way(f"/liste?rls={p.rls}&place=", UseCase.REGISTER_LIST, p.patient),
        Way(f"/liste/{p.patient}/coordonnees", UseCase.REGISTER_CORRECT, p.patient),
        Way(f"/liste/{p.patient}/conditions", UseCase.CONDITION_SHOW, p.patient),
        Way(f"/attributions?medecin={p.physician}", UseCase.ATTRIBUTION_LIST, p.patient),
        Way(f"/attributions/{p.attribution}", UseCase.ATTRIBUTION_SHOW, p.patient),
        Way(f"/attributions/{p.attribution}", UseCase.LETTER_SHOW, p.patient),
        Way(f"/blocs/{p.block_id}", UseCase.BLOCK_SHOW, p.drawn),
        Way(f"/medecins/{p.physician}", UseCase.ATTRIBUTION_LIST, p.patient),
        Way("/ramq/lettres", UseCase.OUTBOX_SHOW, p.patient),
        Way(f"/journal?patient={p.patient}", UseCase.ACCESS_LOG_SHOW, p.patient),
    ]


def test_every_use_case_is_walked_or_is_said_to_tell_of_nobody() -> None:
    place = Place("r", "p", "x", "a", 1, "b", "y")
    walked = {
        way.use_case for way in (*of_command_line(place, Path("f")), *of_api(place), *of_console(place))
    }
    assert walked.isdisjoint(NOBODY)
    assert set(LIKE_ANOTHER.values()) <= walked
    assert walked | NOBODY | set(LIKE_ANOTHER) | APART == set(UseCase)


# --- walked ---------------------------------------------------------------------------------------------------------


async def test_the_command_line_writes_every_look(
    system: System, temporal: EmbeddedTemporal, place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "faits.ndjson"
    file.write_text(json.dumps({"attribution_id": place.attribution, "fact": "sv_entered"}), "utf-8")
    settings = {
        "GAMF_DATABASE_URL": system.database_url,
        "TEMPORAL_ADDRESS": temporal.address,
        "GAMF_ACCOUNT": _ACCOUNT,
    }
    terminal = Terminal(tmp_path, settings)
    for way in of_command_line(place, file):
        before = await log_begins(system)
        ran = await asyncio.to_thread(terminal.run, *shlex.split(way.asked))
        assert ran.status in {0, 2, 3}, (way.asked, ran.err)
        assert await is_logged(system, "cli", way, before), way.asked


@pytest.fixture
async def account(system: System) -> str:
    """Add an account that may do everything; return its token."""
    async with system.pool.acquire() as conn:
        encoded = await Passwords().encode(PASSWORD)
        if not await conn.fetchval("SELECT EXISTS (SELECT FROM accounts WHERE account = $1)", _ACCOUNT):
            await accounts.add(conn, _ACCOUNT, encoded, _NOW)
            await accounts.set_password(conn, _ACCOUNT, encoded, _NOW, must_change=False)
            await accounts.set_grants(conn, _ACCOUNT, [grant(Role.OPERATOR)])
        secret, _ = await tokens.add(conn, the_operator(_NOW), _ACCOUNT, "essais", 30)
    return secret


async def test_the_api_writes_every_look(system: System, place: Place, account: str) -> None:
    app = make_app(Desk(system.pool, system.client))
    headers = {"Authorization": f"Bearer {account}"}
    async with (
        serving(app, HostPort("127.0.0.1", 0), "test") as server,
        httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as client,
    ):
        for way in of_api(place):
            before = await log_begins(system)
            method = "GET" if way.body is None else "POST"
            answer = await client.request(method, way.asked, json=way.body)
            assert answer.status_code in {200, 409, 422}, (way.asked, answer.text)
            assert await is_logged(system, "api", way, before), way.asked


async def test_the_console_writes_every_look(system: System, place: Place, account: str) -> None:
    assert account
    app = make_app(Desk(system.pool, system.client))
    async with serving(app, HostPort("127.0.0.1", 0), "test") as server, another(server.url) as browser:
        await browser.sign_in(_ACCOUNT)
        await walk(system, browser, of_console(place))


async def walk(system: System, browser: Browser, ways: Sequence[Way]) -> None:
    """Open each page."""
    for way in ways:
        before = await log_begins(system)
        answer = await browser.get(way.asked)
        assert answer.status_code == 200, (way.asked, answer.text)
        assert await is_logged(system, "console", way, before), way.asked


# --- apart ----------------------------------------------------------------------------------------------------------


async def test_moving_a_clock_in_a_training_is_a_look(system: System, place: Place) -> None:
    before = await log_begins(system)
    await deciding.advance(
        Desk(system.pool, system.client), _seat(), place.attribution, relativedelta(hours=1)
    )
    assert await is_logged(system, "cli", Way("", UseCase.ADVANCE, place.patient), before)


async def test_what_differs_between_the_two_sides_is_a_look(system: System, place: Place) -> None:
    before = await log_begins(system)
    found = reconciling.Finding(
        subject="attribution",
        reference=place.attribution,
        difference=Difference.ROW_BEHIND,
        mend=Mend.START,
        outcome="found",
        said_fr="essai",
        said_en="trial",
    )
    async with system.pool.acquire() as conn:
        await reconciling.note(conn, _seat(), [found])
    assert await is_logged(system, "cli", Way("", UseCase.RECONCILE, place.patient), before)


def _seat() -> Seat:
    return Seat(operator(_ACCOUNT), Channel.CLI, datetime.now(UTC))
