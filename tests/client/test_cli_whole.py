"""The command line on a real `gamf up`: a life from the file to MF, every way to end, a stop and a restart."""

import asyncio
import json
import re
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Generator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from gamf.client import sample
from gamf.domain.calendar import PROVINCE, local_date
from gamf.runtime.polling import until
from tests.client.blocks import ids
from tests.client.command import GAMF, Terminal, Up, environment, up
from tests.clock import today

# Servers and processes begin and end in each: together they take longer than `make test` may.
pytestmark = pytest.mark.long

ADDED = 60
PEOPLE = sample.PEOPLE + ADDED
# The invented RLS in which most of the invented people live, and its physician.
PHYSICIAN = "90001"
# Of another one, on the same clock.
LEAVER = "90003"


@pytest.fixture(scope="module")
def terminal() -> Generator[Terminal]:
    """Return a second terminal: in the folder where `gamf up` runs, with nothing set."""
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        # As root, PostgreSQL runs as another user, which must pass through.
        Path(name).chmod(0o711)
        yield Terminal(Path(name), {"GAMF_ACCOUNT": "coordination"})


@pytest.fixture(scope="module")
def running(terminal: Terminal) -> Generator[Up]:
    with up(terminal, "--training", "--with-sample") as started:
        yield started


@pytest.fixture(scope="module")
def imported(terminal: Terminal, running: Up) -> list[dict[str, Any]]:
    """Take three files in, which hold those of the sample and some more; return what each import printed."""
    assert running.process.poll() is None
    attributed = terminal.json("attribution", "list", "--limit", "1")[0]["attributed_at"]
    day = local_date(datetime.fromisoformat(attributed), PROVINCE)
    words = ("--today", day.isoformat(), "--physicians", str(sample.PHYSICIANS), "--to", "files")
    files = terminal.json("people", "generate", str(PEOPLE), *words)
    kinds = (("network", "networks"), ("physician", "physicians"), ("register", "register"))
    return [terminal.json(command, "import", files[name]) for command, name in kinds]


@pytest.fixture(scope="module")
def block(terminal: Terminal, imported: list[dict[str, Any]]) -> dict[str, Any]:
    """Request a block of six and approve it."""
    assert imported
    drawn = terminal.json("block", "request", "--physician", PHYSICIAN, "--size", "6")
    assert (drawn["state"], drawn["counts"]) == ("drawn", {"drawn": 6})
    approved: dict[str, Any] = terminal.json("block", "approve", drawn["block_id"])
    return approved


def test_the_addresses_are_printed_on_one_line_and_kept_for_the_owner(
    terminal: Terminal, running: Up
) -> None:
    assert list(running.addresses) == ["temporal", "namespace", "ui", "console", "database"]
    assert running.addresses["console"].startswith("http://127.0.0.1:")
    file = terminal.folder / "data" / "addresses.json"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_second_up_on_the_same_folder_says_so(terminal: Terminal, running: Up) -> None:
    ran = terminal.process("up", "--temporal-port", "0", "--ui-port", "0", "--json")
    assert ran.status == 2
    assert "--data" in ran.error()["fr"]
    assert running.process.poll() is None


def test_files_are_taken_in_once(terminal: Terminal, imported: list[dict[str, Any]]) -> None:
    assert [(each["taken"], each["faulty"]) for each in imported] == [(True, 0)] * 3
    assert [each["added"] for each in imported] == [0, 0, ADDED]
    again = terminal.json("register", "import", "files/register.csv")
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, PEOPLE)


def test_a_faulty_file_is_refused_whole_and_its_good_lines_can_be_taken(
    terminal: Terminal, imported: list[dict[str, Any]]
) -> None:
    assert imported
    good = (terminal.folder / "files" / "physicians.csv").read_text(encoding="utf-8").splitlines()
    faulty = terminal.folder / "faulty.csv"
    faulty.write_text("\n".join([good[0], good[1].replace("90001", "9000"), good[2]]), encoding="utf-8")
    status, error = terminal.error("physician", "import", "faulty.csv")
    assert (status, error["rule"]) == (3, "form")
    assert "Ligne 2, licence" in terminal.run("physician", "import", "faulty.csv").err
    taken = terminal.json("physician", "import", "faulty.csv", "--skip-faulty")
    assert (taken["taken"], taken["faulty"], taken["unchanged"]) == (True, 1, 1)
    assert Path(terminal.folder, taken["faulty_file"]).is_file()


def test_the_commands_that_the_sample_prints_lead_to_mf(terminal: Terminal, running: Up) -> None:
    assert running.process.poll() is None
    (block,) = terminal.json("block", "list")
    made = sample.Made(block["physician"], block["block_id"], tuple(ids(block)))
    commands = [shlex.split(each.words) for each in sample.to_try(made, datetime.now(UTC))]
    assert [terminal.run(*words).status for words in commands] == [0] * len(commands)
    states = [each["state"] for each in terminal.json("block", "show", block["block_id"])["list"][:4]]
    assert states == ["enrolled_mf", "refused", "unanswered", "proposed"]


def test_a_life_from_the_list_to_mf(terminal: Terminal, block: dict[str, Any]) -> None:
    attribution_id = ids(block)[0]
    accepted = terminal.json("attribution", "record", attribution_id, "accepted")
    assert (accepted["state"], accepted["history"][-1]["by"]) == ("confirmed", "coordination")
    enrolled = terminal.json("attribution", "record", attribution_id, "sv_entered")
    moved = terminal.json("advance", attribution_id, "30d")
    assert (moved["state"], moved["sv"]) == ("enrolled_sv", enrolled["sv"])
    signed = date.fromisoformat(enrolled["sv"]["start"]) + timedelta(days=20)
    ended = terminal.json("attribution", "record", attribution_id, "mf_signed", f"signed_on={signed}")
    assert (ended["state"], ended["mf"]["start"]) == ("enrolled_mf", signed.isoformat())
    assert ended["sv"]["end"] == (signed - timedelta(days=1)).isoformat()
    patient = terminal.json("register", "show", ended["patient_id"])
    assert (patient["place"], len(patient["letters"])) == ("enrolled", 1)
    ran = terminal.process("attribution", "show", attribution_id, "--json")
    assert (ran.status, ran.json(), ran.err) == (0, ended, "")


def test_the_letter_is_written_for_its_owner_alone(terminal: Terminal, block: dict[str, Any]) -> None:
    attribution_id = ids(block)[1]
    terminal.json("attribution", "record", attribution_id, "accepted")
    ran = terminal.run("letter", "show", attribution_id, "--pdf", "lettre.pdf")
    assert ran.status == 0, ran.err
    pdf = terminal.folder / "lettre.pdf"
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert pdf.stat().st_mode & 0o777 == 0o600
    (letter,) = terminal.json("letter", "show", attribution_id)
    assert (letter["attribution_id"], letter["kind"]) == (attribution_id, "attribution")


def test_silence_makes_a_task_that_the_answer_closes(terminal: Terminal, block: dict[str, Any]) -> None:
    attribution_id = ids(block)[2]
    silent = terminal.json("advance", attribution_id, "72h")
    assert (silent["state"], silent["waiting_for"]) == ("unanswered", "coordinator")
    tasks = terminal.json("task", "list", "--owner", "coordinator")
    (task,) = [each for each in tasks if each["attribution_id"] == attribution_id]
    terminal.json("attribution", "record", attribution_id, "refused", "reason=congé")
    assert task not in terminal.json("task", "list")
    assert terminal.json("task", "show", str(task["task_id"]))["closed_by"] is not None
    assert terminal.json("task", "list", "--rls", task["rls"], "--due-before", "2026-01-01") == []
    shown = terminal.run("task", "show", str(task["task_id"])).out
    assert " 24:00 -0" in shown
    assert terminal.json("task", "done", str(task["task_id"])) == {
        "task_id": task["task_id"],
        "was_open": False,
    }


def test_lists_are_arrays_of_what_show_prints(terminal: Terminal, block: dict[str, Any]) -> None:
    listed = terminal.json("attribution", "list", "--block", block["block_id"])
    assert [each["attribution_id"] for each in listed] == ids(block)
    found, _ = terminal.json("block", "list", "--physician", PHYSICIAN)
    shown = terminal.json("block", "show", block["block_id"])
    assert {name: shown[name] for name in ("block_id", "state", "list")} == {
        name: found[name] for name in ("block_id", "state", "list")
    }
    later = (today() + timedelta(days=30)).isoformat()
    due = terminal.json("attribution", "list", "--state", "proposed", "--due-before", later)
    assert {each["state"] for each in due} == {"proposed"}
    people = terminal.json("register", "list")
    assert len(people) == PEOPLE
    assert len(terminal.json("register", "list", "--limit", "3")) == 3
    turned = terminal.json("attribution", "list", "--block", block["block_id"], "--sort", "-reference")
    assert turned == listed[::-1]
    turned = terminal.json("register", "list", "--sort", "-line")
    assert turned == people[::-1]
    assert len(terminal.json("network", "list")) == 4
    assert terminal.json("physician", "show", PHYSICIAN)["licence"] == PHYSICIAN


def test_a_nam_names_a_patient_and_what_is_exported_can_be_taken_in(
    terminal: Terminal, imported: list[dict[str, Any]]
) -> None:
    assert imported
    exported = terminal.run("register", "export", "--to", "export.csv")
    assert exported.status == 0, exported.err
    assert (terminal.folder / "export.csv").stat().st_mode & 0o777 == 0o600
    text = (terminal.folder / "export.csv").read_text(encoding="utf-8")
    assert terminal.process("register", "export").out.splitlines() == text.splitlines()
    assert terminal.json("register", "import", "export.csv")["unchanged"] == PEOPLE
    nam = text.splitlines()[1].split(",")[0]
    assert terminal.json("register", "show", nam)["place"] in {"waiting", "attributed", "enrolled"}


def test_a_feed_prints_an_outcome_a_line(terminal: Terminal, block: dict[str, Any]) -> None:
    attribution_id = ids(block)[3]
    lines = [
        {"attribution_id": attribution_id, "fact": "accepted"},
        {"attribution_id": attribution_id, "fact": "sv_entered"},
        {"attribution_id": attribution_id, "fact": "accepted", "by": "another"},
    ]
    file = terminal.folder / "facts.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    ran = terminal.run("feed", "facts.ndjson", "--json")
    outcomes = [json.loads(line) for line in ran.out.splitlines()]
    assert [each["outcome"] for each in outcomes] == ["taken", "taken", "refused"]
    assert outcomes[2]["reason"]["rule"] == "R6"
    assert (ran.status, ran.error()["rule"]) == (3, "feed")


def test_r8_a_clinic_enters_the_sv_of_a_whole_block_but_one(
    terminal: Terminal, imported: list[dict[str, Any]]
) -> None:
    assert imported
    drawn = terminal.json("block", "request", "--physician", "90002", "--size", "3")["block_id"]
    first, second, third = ids(terminal.json("block", "approve", drawn))
    terminal.json("attribution", "record", third, "refused", "reason=congé")
    ran = terminal.run("block", "sv", drawn, "--json")
    assert [each["outcome"] for each in ran.json()] == ["ended", "refused", "refused"]
    assert (ran.status, ran.error()["rule"]) == (3, "R8")
    terminal.json("block", "accept", drawn)
    made = terminal.json("block", "sv", drawn, "--except", second)
    assert [(each["attribution_id"], each["outcome"]) for each in made] == [
        (third, "ended"),
        (first, "entered"),
    ]
    again = terminal.json("block", "sv", drawn, "--except", second)
    assert {each["attribution_id"]: each["outcome"] for each in again} == {first: "already", third: "ended"}
    assert terminal.error("block", "sv", drawn, "--except", "2020-000001")[0] == 2
    assert terminal.error("block", "sv", "2020-0001")[0] == 4
    assert terminal.error("physician", "sv", "11111")[0] == 4
    (entered,) = terminal.json("physician", "sv", "90002")
    assert (entered["attribution_id"], entered["outcome"], entered["state"]) == (
        second,
        "entered",
        "enrolled_sv",
    )
    assert terminal.json("physician", "sv", "90002") == []


def test_r11_the_cohort_is_taken_in_from_a_file(terminal: Terminal, imported: list[dict[str, Any]]) -> None:
    assert imported
    waiting = terminal.run("register", "export", "--place", "waiting", "--rls", "9901").out.splitlines()
    before_2026 = [each for each in waiting if re.search(r",20(1[0-9]|2[0-5])-..-..,[A-E],", each)]
    nams = [each.split(",")[0] for each in before_2026[:2]]
    header = "nam,physician,attributed_on,vulnerable,sv_start,mf_signed_on,mf_effective_on"
    file = terminal.folder / "cohort.csv"
    file.write_text(f"{header}\n{nams[0]},{PHYSICIAN},2026-03-10,,,,\n{nams[1]},{PHYSICIAN},2026-01-31,,,,\n")
    status, error = terminal.error("retro", "import", "cohort.csv")
    assert (status, error["rule"]) == (3, "form")
    assert "[R1]" in terminal.run("retro", "import", "cohort.csv").err
    assert terminal.run("retro", "import", "cohort.csv", "--window-opens-on", "2026-12-01").status == 2
    taken = terminal.json("retro", "import", "cohort.csv", "--skip-faulty")
    assert (taken["added"], taken["faulty"], taken["started"]) == (1, 1, 1)
    shown = terminal.json("register", "show", nams[0])
    assert (shown["place"], shown["registered_on"][:2]) == ("attributed", "20")
    again = terminal.json("retro", "import", "cohort.csv", "--skip-faulty")
    assert (again["added"], again["unchanged"], again["started"]) == (0, 1, 0)


@pytest.mark.parametrize(
    ("words", "status", "rule"),
    [
        ("block request --physician 11111 --size 3", 3, "R3"),
        ("block request --physician 90001 --size 0", 3, "R4"),
        ("block approve {block}", 3, "A21"),
        ("block show 2020-0001", 4, "not_found"),
        ("attribution record {last} sv_entered", 3, "R8"),
        ("attribution record {last} mf_signed signed_on=2199-01-01", 3, "A13"),
        ("attribution record {last} mf_signed signed_on=bientôt", 2, "form"),
        ("attribution record 2020-000001 accepted", 4, "not_found"),
        ("attribution show 2020-000001", 4, "not_found"),
        ("letter show {last} --pdf none.pdf", 4, "not_found"),
        ("register show TREM04121925", 4, "not_found"),
        ("register enrolled nobody --physician 54321 --on 2026-03-02 --basis x", 4, "not_found"),
        ("physician show 11111", 4, "not_found"),
        ("task done 999999", 4, "not_found"),
        ("task show 999999", 4, "not_found"),
        ("task list --rls 99999", 4, "not_found"),
        ("task list --physician 99999", 4, "not_found"),
        ("advance 2020-000001 72h", 4, "not_found"),
    ],
)
def test_each_refusal_has_its_status(
    terminal: Terminal, block: dict[str, Any], words: str, status: int, rule: str
) -> None:
    line = words.format(block=block["block_id"], last=ids(block)[5]).split()
    ended, error = terminal.error(*line)
    assert (ended, error["rule"]) == (status, rule)
    assert error["fr"] != error["en"]


def test_a_refusal_is_the_status_of_the_process(terminal: Terminal, block: dict[str, Any]) -> None:
    ran = terminal.process("block", "approve", block["block_id"], "--json")
    assert (ran.status, ran.out, ran.error()["rule"]) == (3, "", "A21")


def test_an_enrolment_outside_is_registered_by_nam(terminal: Terminal, block: dict[str, Any]) -> None:
    patient_id = terminal.json("attribution", "show", ids(block)[4])["patient_id"]
    yesterday = (today() - timedelta(days=2)).isoformat()
    words = ("--physician", "54321", "--on", yesterday, "--basis", "entente particulière")
    shown = terminal.json("register", "enrolled", patient_id, *words)
    assert (shown["place"], shown["attributions"][-1]["state"]) == ("enrolled", "enrolled_elsewhere")
    assert terminal.json("register", "enrolled", patient_id, *words)["enrolments"] == shown["enrolments"]


def test_somebody_dies_by_error_moves_and_is_corrected(
    terminal: Terminal, imported: list[dict[str, Any]]
) -> None:
    assert imported
    yesterday = (today() - timedelta(days=2)).isoformat()
    before = terminal.json("register", "list", "--place", "waiting", "--limit", "1", "--as-of", yesterday)[0]
    patient_id = before["patient_id"]
    assert before["position"] == 1
    waited = date.fromisoformat(yesterday) - date.fromisoformat(before["registered_on"])
    assert before["waiting_days"] == waited.days
    gone = terminal.json("register", "left", patient_id, "--on", yesterday, "--cause", "deceased")
    assert (gone["place"], gone["left_on"]) == ("left", yesterday)
    back = terminal.json("register", "reinstate", patient_id, "--reason", "homonyme")
    assert (back["place"], back["registered_on"]) == ("waiting", before["registered_on"])
    (to, *_) = (each["rls"] for each in terminal.json("network", "list") if each["rls"] != before["rls"])
    words = ("--to", to, "--on", yesterday, "--reason", "déménagement")
    assert terminal.json("register", "move", patient_id, *words)["rls"] == to
    given = ("address=12, rue Inventée", "phone=418 555-0102", "--reason", "déménagement")
    assert terminal.json("register", "correct", patient_id, *given)["changed"] == ["address", "phone"]
    assert terminal.json("register", "correct", patient_id, *given)["changed"] == []
    status, error = terminal.error("register", "condition", "add", patient_id, "chronique", "--on", yesterday)
    assert (status, error["rule"]) == (3, "R13")
    assert terminal.json("register", "condition", "list", patient_id) == []


def test_a_condition_is_recorded_once_there_was_a_visit(
    terminal: Terminal, imported: list[dict[str, Any]]
) -> None:
    assert imported
    patient_id = terminal.json("register", "list", "--place", "waiting", "--limit", "1")[0]["patient_id"]
    visit = today() - timedelta(days=3)
    words = ("--physician", "54321", "--on", visit.isoformat(), "--basis", "entente particulière")
    terminal.json("register", "enrolled", patient_id, *words)
    for on in (visit - timedelta(days=1), date(2199, 1, 1)):
        words = ("condition", "add", patient_id, "chronique", "--on", on.isoformat())
        status, error = terminal.error("register", *words)
        assert (status, error["rule"]) == (3, "R13")
    words = ("condition", "add", patient_id, "chronique", "--on", visit.isoformat())
    (recorded,) = terminal.json("register", *words)
    assert recorded["code"] == "CHRONIQUE"
    withdrawn = ("condition", "withdraw", str(recorded["condition_id"]), "--reason", "mauvais dossier")
    assert terminal.json("register", *withdrawn)[0]["withdrawn_for"] == "mauvais dossier"
    assert "Maladie chronique" in terminal.run("register", "condition", "codes").out


def test_a_physician_leaves_stays_leaves_and_comes_back(
    terminal: Terminal, imported: list[dict[str, Any]]
) -> None:
    assert imported
    drawn = terminal.json("block", "request", "--physician", LEAVER, "--size", "2")
    terminal.json("block", "approve", drawn["block_id"])
    before = terminal.json("physician", "show", LEAVER)
    assert (before["under_way"], before["departures"]) == (2, [])
    day = today()
    notice = ("--mailed-on", day.isoformat(), "--cause", "non_participating")
    announced = terminal.json("physician", "leaves", LEAVER, *notice)
    assert (announced["state"], announced["on"]) == ("announced", (day + timedelta(days=30)).isoformat())
    status, error = terminal.error("block", "request", "--physician", LEAVER, "--size", "1")
    assert (status, error["rule"]) == (3, "A16")
    stays = terminal.json("physician", "stays", LEAVER, "--reason", "avis retiré")
    assert (stays["state"], stays["reached"]) == ("withdrawn", 0)
    words = ("--on", day.isoformat(), "--cause", "retired")
    assert terminal.error("physician", "leaves", LEAVER, *words, "--mailed-on", day.isoformat())[0] == 2
    departure = terminal.json("physician", "leaves", LEAVER, *words)["departure_id"]
    after = asyncio.run(_departed(terminal))
    assert [each["departure_id"] for each in after["departures"]] == [departure, announced["departure_id"]]
    assert (after["departures"][0]["reached"], after["departures"][0]["remaining"]) == (2, 0)
    told = [each["attribution_id"] for each in terminal.json("physician", "reached", LEAVER)]
    assert told == [
        each["attribution_id"] for each in terminal.json("block", "show", drawn["block_id"])["list"]
    ]
    back = terminal.json("physician", "returns", LEAVER, "--on", day.isoformat(), "--reason", "retour")
    assert back["leaves_on"] is None
    assert "terminé" in terminal.run("physician", "show", LEAVER).out
    assert terminal.error("physician", "stays", PHYSICIAN, "--reason", "rien")[0] == 4


async def _departed(terminal: Terminal) -> dict[str, Any]:
    """Return the physician once the departure is done and nothing of theirs is under way."""
    view: dict[str, Any] = {}

    async def done() -> bool:
        view.update(await asyncio.to_thread(terminal.json, "physician", "show", LEAVER))
        return bool(view["departures"][0]["state"] == "done" and view["under_way"] == 0)

    await until(done, within_seconds=60)
    return view


def test_tables_are_in_the_language_asked_for(terminal: Terminal, block: dict[str, Any]) -> None:
    french = terminal.run("block", "show", block["block_id"]).out
    english = terminal.run("block", "show", block["block_id"], "--lang", "en").out
    assert "Médecin" in french
    assert "Physician" in english
    assert "inscrit en médecine familiale (MF)" in french
    assert "\x1b" not in french


def test_one_more_worker_finds_the_running_servers_and_drains(terminal: Terminal, running: Up) -> None:
    assert running.process.poll() is None
    with subprocess.Popen(
        [GAMF, "worker"], cwd=terminal.folder, env=environment(), stderr=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stderr is not None
        while "worker started" not in (line := worker.stderr.readline()):
            assert line, "it ended before it had started"
        worker.send_signal(signal.SIGTERM)
        assert "worker draining" in worker.stderr.read()
    assert worker.returncode == 0


def test_r4_a_profile_is_shown_set_followed_and_left(
    terminal: Terminal, imported: list[dict[str, Any]]
) -> None:
    assert imported
    rls = terminal.json("physician", "show", PHYSICIAN)["rls"]
    shown = terminal.run("network", "profile", "show", rls, "--csv")
    assert shown.status == 0
    header, *lines = shown.out.splitlines()
    assert (header, len(lines)) == ("vulnerable,ages,share", 12)
    (terminal.folder / "profile.csv").write_text(shown.out, "utf-8")
    assert terminal.json("network", "profile", "set", rls, "profile.csv")["added"] == 12
    assert terminal.json("network", "profile", "set", rls, "profile.csv")["unchanged"] == 12
    view = terminal.json("block", "request", "--physician", PHYSICIAN, "--size", "4")
    assert (view["profile"]["source"], view["profile"]["set_by"]) == ("network", "coordination")
    printed = terminal.run("block", "show", view["block_id"])
    assert "celui du RLS, fixé par coordination" in printed.out
    assert all(each["registered_on"] in printed.out for each in view["list"])
    assert terminal.json("block", "withdraw", view["block_id"], "--reason", "essai")["counts"] == {
        "waiting": 4
    }
    assert terminal.json("network", "profile", "reset", rls)["source"] == "waiting_list"
    assert "liste d’attente" in terminal.run("network", "profile", "reset", rls).out
    (terminal.folder / "profile.csv").write_text("vulnerable;ages;share\ntrue;0-5;beaucoup\n", "utf-8")
    status, error = terminal.error("network", "profile", "set", rls, "profile.csv")
    assert (status, error["rule"]) == (3, "form")
    assert "--skip-faulty" not in error["fr"]
    (terminal.folder / "profile.csv").write_text(f"{header}\n{lines[0]}\n", "utf-8")
    assert terminal.error("network", "profile", "set", rls, "profile.csv")[1]["rule"] == "R4"
    assert terminal.error("network", "profile", "show", "rien")[0] == 4


def test_neither_backup_nor_restore_while_it_runs(terminal: Terminal, running: Up) -> None:
    assert running.process.poll() is None
    for words in (("backup", "now.tgz"), ("restore", "now.tgz")):
        status, error = terminal.error(*words)
        assert status != 0
        assert str(terminal.folder / "data") in error["fr"] or "data" in error["fr"]
    assert not (terminal.folder / "now.tgz").exists()


def test_it_stops_on_ctrl_c_and_the_next_one_finds_what_came_due_meanwhile(
    terminal: Terminal, running: Up, block: dict[str, Any]
) -> None:
    attribution_id = ids(block)[5]
    before = _almost_due(terminal, attribution_id)
    servers = psutil.Process(running.process.pid).children(recursive=True)
    assert servers
    assert running.stop(signal.SIGINT) == 0
    assert psutil.wait_procs(servers, timeout=10)[1] == []
    assert not (terminal.folder / "data" / "addresses.json").exists()
    assert terminal.error("attribution", "show", attribution_id)[0] == 5
    with up(terminal) as again:
        after = asyncio.run(_no_longer_proposed(terminal, attribution_id))
        assert after["state"] == "unanswered"
        (passed,) = after["passed"]
        assert _instant(passed["at"]) == _instant(before["deadline"])
        status, error = terminal.error("advance", attribution_id, "1h")
        assert (status, error["rule"]) == (3, "training")
        assert again.stop(signal.SIGTERM) == 0


def test_what_waits_goes_on_from_a_backup_in_another_folder(
    terminal: Terminal, running: Up, block: dict[str, Any]
) -> None:
    if running.process.poll() is None:
        running.stop()
    with up(terminal):
        before = terminal.json("attribution", "list")
    ran = terminal.process("backup", "sauvegarde.tgz")
    assert ran.status == 0, ran.err
    assert re.search(r"Sauvegardé .* \d+ fichiers, \d{1,3}(\u00a0\d{3})+ octets, ", ran.out)
    assert (terminal.folder / "sauvegarde.tgz").stat().st_mode & 0o777 == 0o600
    elsewhere = ("--data", "elsewhere")
    restored = terminal.process("restore", "sauvegarde.tgz", *elsewhere, "--json")
    assert restored.json()["files"] > 1000
    assert terminal.error("restore", "sauvegarde.tgz", *elsewhere)[0] != 0
    with up(terminal, *elsewhere):
        assert terminal.json("attribution", "list", *elsewhere) == before
        shown = terminal.json("block", "show", block["block_id"], *elsewhere)
        assert ids(shown) == ids(block)


def _almost_due(terminal: Terminal, attribution_id: str) -> dict[str, Any]:
    """Move the clock to a few seconds before the deadline: fewer than a stop and a start take."""
    view = terminal.json("attribution", "show", attribution_id)
    left = _instant(view["deadline"]) - datetime.now(UTC) - timedelta(seconds=2)
    terminal.json("advance", attribution_id, f"{round(left.total_seconds())}s")
    return dict(view)


async def _no_longer_proposed(terminal: Terminal, attribution_id: str) -> dict[str, Any]:
    """Return the view once what came due has been carried out, which takes the new worker a moment."""
    view: dict[str, Any] = {}

    async def moved() -> bool:
        view.update(await asyncio.to_thread(terminal.json, "attribution", "show", attribution_id))
        return bool(view["state"] != "proposed")

    await until(moved, within_seconds=30)
    return view


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_port_that_is_taken_is_named(tmp_path: Path, temporal_port: int) -> None:
    ports = ("--temporal-port", str(temporal_port), "--ui-port", "0")
    ran = Terminal(tmp_path).process("up", *ports, "--json")
    assert ran.status == 2
    assert "--temporal-port" in ran.error()["fr"]


@pytest.fixture
def temporal_port() -> Generator[int]:
    """Return a port that somebody listens at."""
    import socket  # noqa: PLC0415 - only here

    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_ctrl_c_while_it_starts_stops_what_was_started(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        Path(name).chmod(0o711)
        command = [GAMF, "up", "--temporal-port", "0", "--ui-port", "0", "--json"]
        with subprocess.Popen(
            command, cwd=name, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            parent = psutil.Process(process.pid)
            while not (servers := parent.children(recursive=True)):
                assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "")
        assert psutil.wait_procs(servers, timeout=10)[1] == []
