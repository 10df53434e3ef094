"""Taking files in: all or nothing, the same file twice, and what a file may not change (contract.md, A18)."""

import asyncio
import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gamf.client.errors import FileRefusedError
from gamf.client.importing import (
    Import,
    ImportReport,
    Phase,
    Progress,
    import_networks,
    import_physicians,
    import_register,
)
from gamf.client.people import write_sample
from gamf.domain.policy import CURRENT
from gamf.runtime.polling import until
from gamf.storage.connection import Connection, Pool
from gamf.storage.invariants import violations
from tests.client.test_files import NETWORK, PERSON, PHYSICIAN, text_of

NOW = datetime(2026, 5, 8, 16, tzinfo=UTC)
LATER = datetime(2026, 6, 1, 16, tzinfo=UTC)
OTHER = PERSON | {"nam": "TREM04121925", "birth_date": "2004-12-19", "sex": "M", "first_name": "Marc"}


@dataclass
class Desk:
    """A database with one network, and a folder to write files in."""

    conn: Connection
    folder: Path

    def file(self, *rows: Mapping[str, str], name: str = "file.csv") -> Path:
        path = self.folder / name
        path.write_text(text_of(*rows), "utf-8")
        return path

    async def register(
        self,
        *rows: Mapping[str, str],
        at: datetime = NOW,
        faulty_to: Path | None = None,
        progress: Progress | None = None,
    ) -> ImportReport:
        return await import_register(self.conn, Import(self.file(*rows), at, "commis", faulty_to), progress)

    async def rows(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.conn.fetch(query, *arguments)]

    async def person(self, nam: str = PERSON["nam"]) -> dict[str, Any]:
        (row,) = await self.rows("SELECT * FROM patients WHERE nam = $1", nam)
        return row

    async def records(self, subject: str = "patient") -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM records WHERE subject = $1 ORDER BY record_id", subject)


@pytest.fixture
async def desk(connection: Connection, tmp_path: Path) -> Desk:
    made = Desk(connection, tmp_path)
    await import_networks(connection, Import(made.file(NETWORK), NOW, "commis"))
    return made


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.faulty


async def test_patients_are_put_on_the_list_in_the_order_of_the_file(desk: Desk) -> None:
    report = await desk.register(OTHER, PERSON)
    assert (report.taken, counts(report)) == (True, (2, 0, 0, 0))
    people = await desk.rows("SELECT nam, place FROM patients ORDER BY number")
    assert people == [{"nam": OTHER["nam"], "place": "waiting"}, {"nam": PERSON["nam"], "place": "waiting"}]


async def test_every_value_arrives_as_it_was(desk: Desk) -> None:
    odd = PERSON | {
        "last_name": "O'\\N d\\t\"Élie",
        "address": "12, rue \\. {a}",
        "representative": "Noé \\N",
    }
    await desk.register(odd)
    row = await desk.person()
    assert {name: row[name] for name in ("last_name", "address", "representative")} == {
        name: odd[name] for name in ("last_name", "address", "representative")
    }
    assert (row["birth_date"], row["registered_on"]) == (date(1985, 7, 4), date(2024, 2, 29))
    assert (row["vulnerable"], row["english_attested"]) == (True, False)


async def test_an_empty_optional_value_is_absent(desk: Desk) -> None:
    await desk.register(PERSON | {"email": "", "phone": ""})
    row = await desk.person()
    assert (row["email"], row["phone"], row["representative"]) == (None, None, None)


async def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    await desk.register(PERSON, OTHER)
    before = await desk.rows("SELECT *, xmin FROM patients ORDER BY number")
    report = await desk.register(PERSON, OTHER, at=LATER)
    assert counts(report) == (0, 0, 2, 0)
    assert await desk.rows("SELECT *, xmin FROM patients ORDER BY number") == before
    assert len(await desk.records()) == 2


async def test_whoever_is_there_keeps_place_number_and_initial_date(desk: Desk) -> None:
    await desk.register(PERSON)
    before = await desk.person()
    moved = PERSON | {"city": "Lévis", "phone": "", "registered_on": "2026-05-01", "priority": "A"}
    report = await desk.register(moved, at=LATER)
    after = await desk.person()
    assert counts(report) == (0, 1, 0, 0)
    assert [(warning.line, warning.column) for warning in report.cautions] == [(2, "registered_on")]
    changed = {name: after[name] for name in after if after[name] != before[name]}
    assert changed == {"city": "Lévis", "phone": None, "priority": "A"}


async def test_the_priority_of_whoever_does_not_wait_is_kept(desk: Desk) -> None:
    await desk.register(PERSON)
    await desk.conn.execute(
        "UPDATE patients SET place = 'left', left_on = '2026-05-08', left_cause = 'deceased'"
    )
    changed = PERSON | {"priority": "A", "vulnerable": "false"}
    assert counts(await desk.register(changed, at=LATER)) == (0, 0, 1, 0)
    assert counts(await desk.register(changed | {"city": "Lévis"}, at=LATER)) == (0, 1, 0, 0)
    after = await desk.person()
    assert (after["priority"], after["vulnerable"], after["city"], after["place"]) == (
        "C",
        True,
        "Lévis",
        "left",
    )


async def test_every_change_is_recorded_without_a_personal_value(desk: Desk) -> None:
    await desk.register(PERSON)
    await desk.register(PERSON | {"address": "9, rue Neuve", "phone": ""}, at=LATER)
    records = await desk.records()
    patient_id = (await desk.person())["patient_id"]
    assert [(r["event"], r["at"], r["by"], r["policy"]) for r in records] == [
        ("registered", NOW, "commis", CURRENT.version),
        ("changed", LATER, "commis", CURRENT.version),
    ]
    assert {record["subject_id"] for record in records} == {patient_id}
    assert [record["argument"] for record in records] == [{}, {"columns": ["address", "phone"]}]
    assert not any(str(value) in str(records) for value in PERSON.values() if len(value) > 4)
    assert await violations(desk.conn) == []


async def test_one_faulty_line_and_nothing_is_taken(desk: Desk) -> None:
    report = await desk.register(PERSON, OTHER | {"sex": "?", "rls": "9999"})
    assert (report.taken, counts(report)) == (False, (0, 0, 0, 1))
    assert [(fault.line, fault.column) for fault in report.faults] == [(3, "rls"), (3, "sex")]
    assert await desk.rows("SELECT FROM patients") == []
    assert await desk.records() == []


async def test_the_good_lines_are_taken_and_the_others_written(desk: Desk) -> None:
    target = desk.folder / "faulty.csv"
    report = await desk.register(PERSON, OTHER | {"sex": "?"}, faulty_to=target)
    assert (report.taken, counts(report), report.faulty_file) == (True, (1, 0, 0, 1), target)
    (faulty,) = csv.DictReader(target.read_text("utf-8-sig").splitlines())
    assert {name: faulty[name] for name in OTHER} == OTHER | {"sex": "?"}
    assert faulty["why"].startswith("sex: ")


async def test_without_a_fault_no_file_of_faulty_lines(desk: Desk) -> None:
    target = desk.folder / "faulty.csv"
    report = await desk.register(PERSON, faulty_to=target)
    assert (report.faulty_file, target.exists()) == (None, False)


async def test_a_warning_is_told_and_the_line_taken(desk: Desk) -> None:
    report = await desk.register(PERSON | {"nam": "FICA85570419"})
    assert (counts(report), report.warnings) == ((1, 0, 0, 0), 1)
    assert [(warning.line, warning.column) for warning in report.cautions] == [(2, "nam")]


async def test_the_same_line_twice_is_one_person(desk: Desk) -> None:
    report = await desk.register(PERSON, OTHER, PERSON | {"nam": "fica 8557 0418"})
    assert (report.lines, counts(report)) == (3, (2, 0, 1, 0))


async def test_the_same_nam_with_other_values_is_faulty_wherever_it_stands(desk: Desk) -> None:
    target = desk.folder / "faulty.csv"
    rows = (PERSON, OTHER, PERSON, PERSON | {"city": "Lévis"})
    report = await desk.register(*rows)
    assert (report.taken, counts(report)) == (False, (0, 0, 0, 3))
    assert [(fault.line, fault.column) for fault in report.faults] == [(2, "nam"), (4, "nam"), (5, "nam")]
    assert "ligne 2" in report.faults[2].fr
    report = await desk.register(*rows, faulty_to=target)
    assert counts(report) == (1, 0, 0, 3)
    assert len(target.read_text("utf-8-sig").splitlines()) == 4


async def test_a_file_that_breaks_off_leaves_nothing(desk: Desk) -> None:
    path = desk.file(PERSON, OTHER)
    path.write_bytes(path.read_bytes() + b'x,"\n\n')
    with pytest.raises(FileRefusedError, match="Ligne 4 "):
        await import_register(desk.conn, Import(path, NOW, "commis"))
    assert await desk.rows("SELECT FROM patients") == []
    assert counts(await desk.register(PERSON)) == (1, 0, 0, 0)


async def test_a_database_that_refuses_leaves_nothing(desk: Desk) -> None:
    await desk.conn.execute("ALTER TABLE patients ADD CHECK (city <> 'Interdite')")
    with pytest.raises(asyncpg.CheckViolationError):
        await desk.register(PERSON, OTHER | {"city": "Interdite"})
    assert await desk.rows("SELECT FROM patients") == []
    assert await desk.records() == []


async def test_a_file_and_a_draw_never_wait_for_each_other_in_a_circle(desk: Desk, pool: Pool) -> None:
    first = OTHER | {"priority": "A"}
    await desk.register(PERSON, first)
    lock = "SELECT FROM patients WHERE nam = $1 FOR UPDATE"

    async def waits() -> bool:
        return bool(await desk.conn.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    async def take() -> ImportReport:
        path = desk.file(PERSON | {"city": "Lévis"}, first | {"city": "Lévis"})
        async with pool.acquire() as conn:
            return await import_register(conn, Import(path, LATER, "commis"))

    async with pool.acquire() as draw:
        async with draw.transaction():
            await draw.execute(lock, first["nam"])
            taking = asyncio.create_task(take())
            await until(waits, within_seconds=30)
            await draw.execute(lock, PERSON["nam"])
        assert counts(await taking) == (0, 2, 0, 0)


async def test_dates_are_judged_by_the_instant_given(desk: Desk) -> None:
    tomorrow = PERSON | {"registered_on": "2026-05-09"}
    assert not (await desk.register(tomorrow)).taken
    assert (await desk.register(tomorrow, at=LATER)).taken


async def test_progress_goes_from_reading_to_writing_and_ends(desk: Desk) -> None:
    told: list[tuple[Phase, int, int]] = []
    await desk.register(PERSON, OTHER, progress=lambda phase, done, total: told.append((phase, done, total)))
    assert [phase for phase, _, _ in told] == sorted((phase for phase, _, _ in told), key=list(Phase).index)
    ends = {phase: (done, total) for phase, done, total in told}
    assert set(ends) == set(Phase)
    assert all(done == total for done, total in ends.values())


async def test_physicians_are_known_by_their_licence(desk: Desk) -> None:
    async def take(**changes: str) -> ImportReport:
        return await import_physicians(desk.conn, Import(desk.file(PHYSICIAN | changes), NOW, "commis"))

    assert counts(await take()) == (1, 0, 0, 0)
    assert counts(await take()) == (0, 0, 1, 0)
    assert counts(await take(status="disengaged", place="Ailleurs")) == (0, 1, 0, 0)
    assert not (await take(rls="9999")).taken
    records = await desk.records("physician")
    assert [(r["subject_id"], r["event"], r["argument"]) for r in records] == [
        ("90001", "registered", {}),
        ("90001", "changed", {"columns": ["status", "place"]}),
    ]


async def test_an_announced_departure_outlives_a_file(desk: Desk) -> None:
    path = desk.file(PHYSICIAN)
    await import_physicians(desk.conn, Import(path, NOW, "commis"))
    await desk.conn.execute("UPDATE physicians SET leaves_on = '2026-07-01', leaves_cause = 'retired'")
    await import_physicians(desk.conn, Import(desk.file(PHYSICIAN | {"place": "Ailleurs"}), LATER, "commis"))
    (row,) = await desk.rows("SELECT place, leaves_on, leaves_cause FROM physicians")
    assert row == {"place": "Ailleurs", "leaves_on": date(2026, 7, 1), "leaves_cause": "retired"}


async def test_networks_are_known_by_their_code(desk: Desk) -> None:
    async def take(**changes: str) -> ImportReport:
        return await import_networks(desk.conn, Import(desk.file(NETWORK | changes), NOW, "commis"))

    assert counts(await take()) == (0, 0, 1, 0)
    assert counts(await take(rls="1102", time_zone="America/Halifax")) == (1, 0, 0, 0)
    assert counts(await take(gaco_phone="418 555-0199")) == (0, 1, 0, 0)
    assert not (await take(time_zone="America/Nulle-Part")).taken


async def test_a_report_is_json_of_counts_and_findings(desk: Desk) -> None:
    report = await desk.register(PERSON, OTHER | {"sex": "?"})
    shown = report.model_dump(mode="json")
    assert (shown["lines"], shown["faulty"], shown["warnings"]) == (2, 1, 0)
    assert shown["faults"] == [
        {
            "line": 3,
            "column": "sex",
            "fr": "Les valeurs permises sont : F, M, X.",
            "en": "The values allowed are: F, M, X.",
        }
    ]


async def test_the_invented_people_are_taken_as_they_are(connection: Connection, tmp_path: Path) -> None:
    files = write_sample(tmp_path, people=3_000, physicians=30, today=NOW.date())
    for take, path, count in (
        (import_networks, files.networks, 4),
        (import_physicians, files.physicians, 30),
        (import_register, files.register, 3_000),
    ):
        report = await take(connection, Import(path, NOW, "commis"))
        assert (counts(report), report.warnings) == ((count, 0, 0, 0), 0)
    assert await violations(connection) == []
