"""The command line without servers: how it ends, what it says in JSON, what it loads, what a shell completes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import click
import pytest

from gamf.client.cli import errors, main, session
from gamf.client.cli.language import Text
from gamf.client.cli.main import run
from gamf.client.cli.ways import with_way
from gamf.client.errors import NotFoundError
from gamf.domain.orders import Listing, written
from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.errors import ServiceUnreachable
from tests.client.command import GAMF, Terminal, environment


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run in an empty folder, without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("GAMF_DATABASE_URL", "GAMF_DATA_DIR", "GAMF_LANG", "TEMPORAL_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


def error_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    captured = capsys.readouterr()
    assert captured.out == ""
    error: dict[str, Any] = json.loads(captured.err)["error"]
    return error


@pytest.mark.parametrize(
    ("line", "rule", "field", "command"),
    [
        ("physician leaves 12345 --on 2026-07-01 --cause retired", "A20", "on", "gamf physician stays"),
        ("--lang en physician returns 12345", "A16", None, "gamf physician stays"),
        ("attribution record 2026-000001 mf_signed", "A24", "signed_on", "gamf register enrolled"),
        ("register condition add p --code X", "R13", "code", "gamf register condition codes"),
        ("physician stays 12345", "A16", None, None),
        ("physician returns 12345", "A16", "on", None),
    ],
)
def test_the_command_line_names_the_command_that_goes_on_from_a_refusal(
    line: str, rule: str, field: str | None, command: str | None
) -> None:
    said = with_way(Text("Non.", "No."), line.split(), rule, field)
    there = (f"Non. Voyez «\u00a0{command}\u00a0».", f"No. See “{command}”.") if command else ("Non.", "No.")
    assert (said.fr.replace("« ", "«\u00a0").replace(" »", "\u00a0»"), said.en) == there


def test_help_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert "Commandes" in capsys.readouterr().out


def test_the_bare_command_shows_its_help(tmp_path: Path) -> None:
    ran = Terminal(tmp_path).process()
    assert (ran.status, "Commandes" in ran.err) == (2, True)


def test_help_imports_nothing_slow() -> None:
    slow = {"asyncpg", "rich", "structlog", "temporalio", "typst", "holidays"}
    code = f"import sys; from gamf.client.cli.main import run; run(['--help']); print({slow!r} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_what_was_typed_wrong_is_said_in_both_languages_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["block", "show", "--json"]) == 2
    assert error_of(capsys) == {
        "rule": "usage",
        "fr": "Il manque l’argument 'BLOC'.",
        "en": "Missing argument 'BLOCK'.",
        "field": "block_id",
    }


@pytest.mark.parametrize("cause", [UnicodeEncodeError("utf-8", "\udcff", 0, 1, "no"), OverflowError()])
def test_a_value_that_the_database_cannot_be_asked_for_is_wrong_usage(cause: Exception) -> None:
    error = asyncpg.DataError("invalid input for query argument $1: 'Ozanne'")
    assert errors.ending(error) is None
    error.__cause__ = cause
    end = errors.ending(error)
    assert end is not None
    assert (end.status, end.rule, "Ozanne" in end.words.fr) == (errors.USAGE, "usage", False)


@pytest.mark.parametrize("path", ["/proc/lettre.pdf", "/no/such/folder/lettre.pdf"])
def test_a_file_that_cannot_be_written_is_named(path: str) -> None:
    with pytest.raises(OSError, match="lettre") as caught:
        Path(path).write_bytes(b"")
    end = errors.ending(caught.value)
    assert end is not None
    assert all(path in words for words in (end.words.fr, end.words.en))


@pytest.mark.parametrize(("where", "status"), [(">/dev/full", 1), (">&-", 0)])
@pytest.mark.parametrize("words", ["completion bash", "--help"])
def test_an_output_that_takes_nothing_is_no_fault_of_the_program(words: str, where: str, status: int) -> None:
    command = ["bash", "-c", f'"$0" {words} {where}', GAMF]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == status
    assert "imprévue" not in ran.stderr
    assert "uncaught" not in ran.stderr


def test_an_order_that_a_list_has_not_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for group, listing in (
        ("attribution", Listing.ATTRIBUTIONS),
        ("block", Listing.BLOCKS),
        ("task", Listing.TASKS),
        ("register", Listing.REGISTER),
        ("ramq", Listing.RAMQ_FILES),
    ):
        assert run([group, "list", "--sort", "adresse", "--json"]) == 2
        error = error_of(capsys)
        assert error["field"] == "sort"
        assert all(f"'{each}'" in error["fr"] for each in written(listing))


def test_reading_a_bad_line_again_does_not_do_what_it_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The first reading fails, as if the file came a moment later; the second one would go through.
    calls: list[str] = []

    @click.command("once", cls=type(main.cli.commands["setup"]), words=Text("Une fois.", "Once."))
    @click.option("--json", is_flag=True)
    def once(**_: bool) -> None:
        calls.append("done")
        if len(calls) == 1:
            raise click.UsageError("trop tôt")

    monkeypatch.setitem(main.cli.commands, "once", once)
    assert run(["once", "--json"]) == 2
    assert error_of(capsys)["rule"] == "usage"
    assert calls == ["done"]


def test_nothing_that_runs_is_status_5_and_says_what_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["network", "list"]) == 5
    said = capsys.readouterr().err
    assert "PostgreSQL" in said
    assert "gamf\u00a0up" in said or "gamf up" in said


@pytest.mark.parametrize("line", [["network", "list", "--json"], ["advance", "2026-000001", "72h", "--json"]])
def test_nothing_that_runs_is_an_object_in_json(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line) == 5
    error = error_of(capsys)
    assert error["rule"] == "service"
    assert "gamf up" in error["en"]


def test_a_server_that_is_gone_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAMF_DATABASE_URL", "postgresql://somebody:secret@127.0.0.1:1/gamf")
    assert run(["network", "list", "--json"]) == 5
    error = error_of(capsys)
    assert "127.0.0.1:1/gamf" in error["fr"]
    assert "secret" not in str(error)


def test_a_faulty_setting_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAMF_LOG_LEVEL", "shout")
    assert run(["network", "list"]) == 2
    assert "GAMF_LOG_LEVEL" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "rule", "field"),
    [
        (["accepted", "at=demain"], 2, "form", "at"),
        (["accepted", "nom=x"], 2, "form", None),
        (["mf_signed"], 2, "form", "signed_on"),
        (["sv_entered", "on=2026-02-30"], 2, "form", "on"),
        (["refused"], 3, "A4", "reason"),
    ],
)
def test_a_fact_is_looked_at_before_it_is_sent(
    words: list[str], status: int, rule: str, field: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["attribution", "record", "2026-000001", *words, "--json"]) == status
    error = error_of(capsys)
    assert (error["rule"], error["field"]) == (rule, field)


@pytest.mark.parametrize(
    ("error", "status", "rule"),
    [
        (RefusedByRuleError("R3", "non", "no", "physician"), 3, "R3"),
        (RefusedByRuleError("form", "non", "no"), 2, "form"),
        (NotFoundError(fr="rien", en="nothing"), 4, "not_found"),
        (ServiceUnreachable("PostgreSQL", fr="parti", en="gone"), 5, "service"),
        (asyncpg.UndefinedTableError("relation"), 5, "service"),
        (asyncpg.ConnectionDoesNotExistError("closed"), 5, "service"),
        (ConnectionResetError(), 5, "service"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_has_its_status(error: Exception, status: int, rule: str) -> None:
    end = errors.ending(error)
    assert end is not None
    assert (end.status, end.rule) == (status, rule)
    assert end.words.fr
    assert end.words.en


def _nothing(*_: object) -> None:
    """Leave the logs of the tests as they are."""


def test_what_nobody_foresaw_is_said_without_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise asyncpg.UniqueViolationError("Key (nam)=(TREM04121925) already exists")

    monkeypatch.setattr(session, "read", fail)
    monkeypatch.setattr("gamf.runtime.telemetry.configure_logging", _nothing)
    assert run(["network", "list"]) == 1
    captured = capsys.readouterr()
    assert "TREM04121925" not in captured.out + captured.err
    assert "imprévue" in captured.err


def test_a_reader_who_leaves_early_hears_no_complaint() -> None:
    with subprocess.Popen(
        [GAMF, "--help"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_invented_people_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    for folder in ("one", "two"):
        made = terminal.json(
            "people", "generate", "20", "--seed", "7", "--today", "2026-06-01", "--to", folder
        )
        assert made == {name: f"{folder}/{name}.csv" for name in ("networks", "physicians", "register")}
    texts = [(tmp_path / folder / "register.csv").read_text(encoding="utf-8") for folder in ("one", "two")]
    assert texts[0] == texts[1]
    assert len(texts[0].splitlines()) == 21


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_completion(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert f"_GAMF_COMPLETE={shell}_complete" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("gamf bl", "plain,block"),
        ("gamf block app", "plain,approve"),
        ("gamf block request --si", "plain,--size"),
        ("gamf attribution record 2026-000001 mf", "plain,mf_signed"),
        ("gamf register list --place wai", "plain,waiting"),
    ],
)
def test_bash_completes(typed: str, expected: str) -> None:
    variables = environment(
        _GAMF_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(len(typed.split()) - 1)
    )
    done = subprocess.run([GAMF], env=variables, capture_output=True, text=True, check=True)
    assert expected in done.stdout.splitlines()


def test_zsh_is_told_what_a_command_does() -> None:
    variables = environment(_GAMF_COMPLETE="zsh_complete", COMP_WORDS="gamf net", COMP_CWORD="1")
    done = subprocess.run([GAMF], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[:2] == ["plain", "network"]
    assert "réseaux" in done.stdout
