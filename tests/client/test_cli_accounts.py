"""`gamf account` and `gamf access-log` on a real PostgreSQL: what is printed, how they end, what is written."""

from datetime import datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from gamf.runtime.embedded import EmbeddedPostgres
from gamf.storage.connection import Pool
from tests.client.command import Terminal
from tests.system import add_network, add_patients


@pytest.fixture
async def rls(pool: Pool) -> str:
    async with pool.acquire() as conn:
        found = await add_network(conn)
        await add_patients(conn, found, 2)
    return found


@pytest.fixture
def terminal(tmp_path: Path, database_url: str) -> Terminal:
    return Terminal(tmp_path, {"GAMF_DATABASE_URL": database_url, "GAMF_ACCOUNT": "exploitante"})


def test_an_account_from_its_first_password_to_its_end(terminal: Terminal, rls: str) -> None:
    made = terminal.json("account", "add", "mtremblay", "--coordinator", rls)
    assert made["account"] == "mtremblay"
    assert len(made["password"]) > 20
    status, error = terminal.error("account", "add", "mtremblay", "--auditor")
    assert (status, error["rule"], error["field"]) == (3, "account", "account")
    said = terminal.run("account", "password", "mtremblay")
    assert (said.status, made["password"] in said.out) == (0, False)
    roles = terminal.json("account", "roles", "mtremblay", "--gaco", rls, "--ramq")
    assert [(each["role"], each["rls"]) for each in roles["grants"]] == [("gaco", [rls]), ("ramq", [])]
    assert terminal.json("account", "disable", "mtremblay") == {
        "account": "mtremblay",
        "disabled": True,
        "changed": True,
    }
    (listed,) = terminal.json("account", "list")
    assert listed.keys() == {
        "account",
        "grants",
        "must_change",
        "password_set_at",
        "added_at",
        "disabled_at",
        "linked",
    }
    assert listed["disabled_at"] is not None
    assert not terminal.json("account", "disable", "mtremblay", "--undo")["disabled"]
    table = terminal.run("account", "list").out
    assert (f"GACO d’un RLS ({rls})" in table, made["password"] in table) == (True, False)


def test_a_token_is_shown_once_and_revoked(terminal: Terminal) -> None:
    terminal.run("account", "add", "clinique-a", "--auditor")
    made = terminal.json("account", "token", "add", "clinique-a", "--purpose", "dossiers", "--days", "90")
    assert (made["account"], made["purpose"], made["added_by"]) == ("clinique-a", "dossiers", "exploitante")
    said = terminal.run("account", "token", "add", "clinique-a", "--purpose", "rendez-vous")
    assert (said.status, "gamf_" in said.out) == (0, True)
    listed = terminal.json("account", "token", "list", "--account", "clinique-a")
    assert [each["purpose"] for each in listed] == ["rendez-vous", "dossiers"]
    assert made["token"] not in str(listed)
    table = terminal.run("account", "token", "list").out
    assert ("dossiers" in table, "gamf_" in table) == (True, False)
    assert terminal.json("account", "token", "revoke", made["token_id"])["changed"]
    assert not terminal.json("account", "token", "revoke", made["token_id"])["changed"]
    status, error = terminal.error("account", "token", "revoke", "999")
    assert (status, error["rule"]) == (4, "not_found")
    status, error = terminal.error("account", "token", "add", "personne", "--purpose", "dossiers")
    assert (status, error["rule"]) == (4, "not_found")
    status, error = terminal.error("account", "token", "add", "clinique-a", "--purpose", " ")
    assert (status, error["rule"], error["field"]) == (2, "form", "purpose")


def test_a_password_may_be_given_in_a_file_and_is_not_repeated(terminal: Terminal) -> None:
    file = terminal.folder / "secret"
    file.write_text("trois petits chats\n", encoding="utf-8")
    ran = terminal.run("account", "add", "mtremblay", "--auditor", "--password-file", str(file))
    assert (ran.status, "chats" in ran.out + ran.err) == (0, False)
    file.write_text("court\n", encoding="utf-8")
    status, error = terminal.error("account", "password", "mtremblay", "--password-file", str(file))
    assert (status, error["rule"], error["field"]) == (3, "password", "password")


def test_an_account_is_linked_to_a_person_at_the_provider_and_parted_from_it(terminal: Terminal) -> None:
    provider = ("--issuer", "https://fournisseur.example")
    made = terminal.json("account", "add", "mtremblay", "--auditor", "--subject", "7f3a", *provider)
    assert made == {"account": "mtremblay", "password": None}
    terminal.run("account", "add", "second", "--auditor")
    for account, subject in (("second", "7f3a"), ("mtremblay", "91c2")):
        status, error = terminal.error("account", "link", account, "--subject", subject, *provider)
        assert (status, error["rule"], error["field"]) == (3, "account", "subject")
    said = terminal.run("account", "link", "second", "--subject", "91c2", *provider).out
    assert said.strip() == "Compte second\u00a0: sa session s’ouvre chez le fournisseur d’identité."
    assert [each["linked"] for each in terminal.json("account", "list")] == [True, True]
    undone = terminal.json("account", "link", "second", "--undo", *provider)
    assert undone == {"account": "second", "linked": False, "changed": True}
    assert not terminal.json("account", "link", "second", "--undo", *provider)["changed"]
    assert "7f3a" not in terminal.run("account", "list").out


def test_how_a_wrong_link_ends(terminal: Terminal) -> None:
    terminal.run("account", "add", "mtremblay", "--auditor")
    provider = ("--issuer", "https://fournisseur.example")
    assert terminal.error("account", "link", "mtremblay", "--subject", "7f3a")[0] == 2
    assert terminal.error("account", "link", "mtremblay", *provider)[0] == 2
    assert terminal.error("account", "link", "mtremblay", "--undo", "--subject", "7f3a", *provider)[0] == 2
    assert terminal.error("account", "link", "mtremblay", "--subject", "é", *provider)[1]["rule"] == "form"
    assert terminal.error("account", "link", "personne", "--subject", "7f3a", *provider)[0] == 4
    # One subject that cannot be linked, and the account is not made either.
    terminal.run("account", "link", "mtremblay", "--subject", "7f3a", *provider)
    assert terminal.error("account", "add", "second", "--auditor", "--subject", "7f3a", *provider)[0] == 3
    assert [each["account"] for each in terminal.json("account", "list")] == ["mtremblay"]


def test_how_wrong_accounts_end(terminal: Terminal, rls: str) -> None:
    assert terminal.error("account", "add", "M.Tremblay", "--auditor")[0] == 2
    assert terminal.error("account", "add", "mtremblay")[1]["rule"] == "access"
    assert terminal.error("account", "add", "mtremblay", "--coordinator", f"{rls}?")[0] == 4
    assert terminal.error("account", "disable", "personne")[0] == 4
    assert terminal.json("account", "list") == []


def test_what_the_command_line_shows_of_a_person_is_in_the_log(terminal: Terminal, rls: str) -> None:
    first, second = (each["patient_id"] for each in terminal.json("register", "list", "--rls", rls))
    terminal.json("register", "show", first)
    assert terminal.run("register", "export", "--to", "file.csv").status == 0
    log = terminal.json("access-log")
    assert [(each["use_case"], each["people"]) for each in log] == [
        ("register_export", 2),
        ("register_show", 1),
        ("register_list", 2),
    ]
    assert {(each["account"], each["channel"]) for each in log} == {("exploitante", "cli")}
    # Reading the log is in it too.
    log = terminal.json("access-log", "--patient", second)
    assert [each["use_case"] for each in log] == ["access_log_show", "register_export", "register_list"]
    assert len(terminal.json("access-log", "--patient", first, "--limit", "1")) == 1
    assert terminal.json("access-log", "--account", "personne") == []
    assert terminal.json("access-log", "--account", "exploitante", "--until", "2026-01-01") == []
    assert terminal.json("access-log", "--account", "exploitante", "--since", "2026-01-01")
    assert (
        terminal.error("access-log", "--since", "2026-02-01", "--until", "2026-01-01")[1]["field"] == "last"
    )
    assert terminal.error("access-log", "--patient", "personne")[0] == 4
    assert "voir un patient" in terminal.run("access-log", "--patient", first).out
    assert "see a patient" in terminal.run("access-log", "--lang", "en").out


def test_a_month_is_summed_up(terminal: Terminal, rls: str) -> None:
    assert rls
    (patient, _) = (each["patient_id"] for each in terminal.json("register", "list"))
    for _ in range(20):
        terminal.json("register", "show", patient)
    month = f"{datetime.now(ZoneInfo('America/Toronto')):%Y-%m}"
    found = terminal.json("access-log", "summary", "--month", month)
    assert found["month"] == month
    assert ("exploitante", "one_person", 20, 20) in [
        (each["account"], each["rule"], each["counted"], each["threshold"]) for each in found["unusual"]
    ]
    assert (
        "une même personne consultée 20 fois" in terminal.run("access-log", "summary", "--month", month).out
    )
    assert terminal.error("access-log", "summary", "--month", "juin")[0] == 2


def test_a_database_of_before_says_what_to_do(tmp_path: Path, unprepared: str) -> None:
    ran = Terminal(tmp_path, {"GAMF_DATABASE_URL": unprepared}).run("account", "list")
    assert (ran.status, "gamf setup" in ran.err) == (5, True)


@pytest.fixture
async def unprepared(postgres: EmbeddedPostgres) -> str:
    return await postgres.create_database(f"empty_{uuid4().hex}")
