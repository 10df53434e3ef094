"""What is printed: plain outside a terminal, fitted to one inside, JSON that is complete; nothing cut silently."""

import io
import json
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from gamf.client import sample
from gamf.client.cli import output, up
from gamf.client.cli.language import speaking


class Terminal(io.StringIO):
    """Text that is written to a terminal of 60 columns."""

    def isatty(self) -> bool:
        return True


class Model(BaseModel):
    name: str
    day: date


ROWS = [("2026-000001", "x" * 80), ("2026-000002", None)]


def test_outside_a_terminal_a_table_is_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(["Attribution", "Mot"], ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [
        ["Attribution", "Mot"],
        ["2026-000001", "x" * 80],
        ["2026-000002"],
    ]


def test_in_a_terminal_a_table_fits_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    output.print_table(["Attribution", "Mot"], ROWS)
    text = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    assert max(map(len, text.splitlines())) <= 60
    assert text.count("x") == 80


def test_a_table_of_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(["Mot"], [])
    assert capsys.readouterr().out == "(rien)\n"
    with speaking("en"):
        output.print_table(["Word"], [])
    assert capsys.readouterr().out == "(nothing)\n"


def test_a_record_leaves_out_what_has_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_fields([("Nom", "Zoé"), ("Vide", None), ("Vulnérable", False), ("Patients", 0)])
    assert capsys.readouterr().out == "Nom         Zoé\nVulnérable  non\nPatients    0\n"


def test_json_keeps_accents_and_dates(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json([Model(name="Zoé", day=date(2026, 2, 1))])
    text = capsys.readouterr().out
    assert "Zoé" in text
    assert json.loads(text) == [{"name": "Zoé", "day": "2026-02-01"}]


def test_an_instant_is_shown_with_its_offset() -> None:
    shown = output.shown(datetime(2026, 3, 9, 17, 0, tzinfo=UTC))
    assert datetime.strptime(shown, "%Y-%m-%d %H:%M %z") == datetime(2026, 3, 9, 17, 0, tzinfo=UTC)


def test_progress_is_for_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with output.progress("Lecture", 3) as move:
        move(1, 3)
    assert capsys.readouterr() == ("", "")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with output.progress("Lecture", 3) as move:
        move(3, 3)
    assert "Lecture" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_what_speaks_of_people_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    target = tmp_path / "register.csv"
    with output.private_output(target) as file:
        file.write(b"nam\n")
    assert target.read_bytes() == b"nam\n"
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_commands_to_try_can_be_pasted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [".venv/bin/gamf"])
    # The README has whoever works here put `gamf` in reach, where it goes by its name alone.
    monkeypatch.setenv("PATH", "")
    commands = [
        sample.Try("task list", "les tâches", "the tasks"),
        sample.Try("block list", "les blocs", "blocks"),
    ]
    up.print_to_try(commands, Path("my data"))
    lines = capsys.readouterr().out.split("\n")
    assert "  export GAMF_DATA_DIR='my data'" in lines
    assert "  .venv/bin/gamf task list   # les tâches" in lines
    up.print_to_try(commands, Path("data"))
    assert "GAMF_DATA_DIR" not in capsys.readouterr().out
    up.print_to_try([], Path("data"))
    assert capsys.readouterr().out == ""
