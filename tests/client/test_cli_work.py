"""`gamf stats`, `gamf digest`, `gamf network contact` and `gamf task list`, as typed, over a real database."""

import asyncio
import csv
from pathlib import Path
from typing import Any

import pytest

from gamf.storage.connection import Pool
from tests.client.command import Terminal
from tests.system import add_network, add_patients, add_physician


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, {"GAMF_DATABASE_URL": database_url, "GAMF_ACCOUNT": "coordo"})


@pytest.fixture
async def rls(pool: Pool) -> str:
    async with pool.acquire() as conn:
        made = await add_network(conn)
        await add_patients(conn, made, 7)
        return made


async def run(terminal: Terminal, *words: str) -> Any:  # noqa: ANN401 - whatever was printed
    """Run one command in a thread of its own: it has a loop of its own."""
    return await asyncio.to_thread(terminal.run, *words)


async def test_the_indicators_as_a_table_as_json_as_csv_and_as_a_picture(
    terminal: Terminal, rls: str
) -> None:
    ran = await run(
        terminal, "stats", "--from", "2024-06", "--to", "2024-07", "--csv", "s.csv", "--plot", "s.png"
    )
    assert ran.status == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0].split()[:2] == ["RLS", "Mois"]
    assert [line.split("  ")[0] for line in lines[1:5]] == [rls, "Ensemble", rls, "Ensemble"]
    assert "x\u00a0: donnée confidentielle" in lines[-1]
    rows = list(csv.DictReader((terminal.folder / "s.csv").read_text("utf-8").splitlines()))
    assert [(row["month"], row["waiting"], row["attributed"]) for row in rows[::2]] == [
        ("2024-06", "7", "x"),
        ("2024-07", "7", "x"),
    ]
    assert (terminal.folder / "s.png").read_bytes().startswith(b"\x89PNG")
    english = await run(
        terminal, "--lang", "en", "stats", "--from", "2024-06", "--to", "2024-06", "--rls", rls
    )
    assert english.out.splitlines()[0].split()[:3] == ["RLS", "Month", "Waiting"]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("stats --plot s.gif", 2),
        ("stats --from 2026-13", 2),
        ("stats --rls none", 4),
        ("digest preview", 2),
        ("digest preview --rls none", 4),
        ("digest preview --physician 99999", 4),
        ("network contact none --email a@exemple.test", 4),
        ("network contact none --email x", 2),
    ],
)
async def test_what_cannot_be_asked_has_its_status(terminal: Terminal, words: str, status: int) -> None:
    assert (await run(terminal, *words.split())).status == status


async def test_a_coordinator_s_address_is_kept_once(terminal: Terminal, rls: str, pool: Pool) -> None:
    words = ("network", "contact", rls, "--email", "coordo@exemple.test", "--json")
    assert [(await run(terminal, *words)).json()["changed"] for _ in range(2)] == [True, False]
    networks = (await run(terminal, "network", "list", "--json")).json()
    assert networks[0]["coordinator_email"] == "coordo@exemple.test"
    written = "SELECT count(*) FROM records WHERE subject = 'network' AND event = 'changed' AND by = 'coordo'"
    assert await pool.fetchval(written) == 1
    # The record says that it changed, not to what.
    assert "exemple" not in str(await pool.fetch("SELECT argument FROM records"))


async def test_a_digest_is_shown_without_being_sent(terminal: Terminal, rls: str, pool: Pool) -> None:
    async with pool.acquire() as conn:
        licence = await add_physician(conn, rls)
        (patient_id,) = await add_patients(conn, rls)
        await conn.execute(
            """
            INSERT INTO tasks (patient_id, kind, owner, due, transition, opened_at)
            VALUES ($1, 'announced_fact', 'gaco', '2026-06-03T04:00:00Z', 1, '2026-05-29T04:00:00Z')
            """,
            patient_id,
        )
    shown = await run(terminal, "digest", "preview", "--rls", rls, "--on", "2026-06-01")
    assert "Fait annoncé à revoir (GACO), avant 2026-06-02 24:00 (1)" in shown.out
    assert patient_id not in shown.out
    quiet = await run(terminal, "digest", "preview", "--physician", licence, "--on", "2026-06-01")
    assert "Rien à dire" in quiet.out
    sunday = await run(terminal, "digest", "preview", "--rls", rls, "--on", "2026-05-31", "--json")
    assert (sunday.json()["working_day"], sunday.json()["sent"]) == (False, False)
    assert await pool.fetchval("SELECT count(*) FROM digests") == 0
