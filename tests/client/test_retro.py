"""The retroactive cohort on real servers: what a file does to the register, and how its attributions live on (R11)."""

import asyncio
import csv
import tempfile
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from gamf.client import acting, mending, reading
from gamf.client import retro as taking
from gamf.client.acting import Desk
from gamf.client.files import RETRO
from gamf.client.importing import Import
from gamf.client.pacing import Pace
from gamf.client.retro import RetroReport
from gamf.domain.policy import CURRENT
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.retro import DatedWindow
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.errors import ServiceUnreachable
from gamf.runtime.polling import until
from gamf.runtime.temporal import connect
from gamf.storage import retro as rows
from gamf.storage.invariants import violations
from tests.client.test_reconciling import by_hand
from tests.clock import now, today
from tests.system import System, add_network, add_patients, add_physician

BY = "coordination"
ON_TIME = datetime(2026, 5, 20, 16, tzinfo=UTC)


@dataclass
class Cohort:
    """An RLS with a physician and people who wait, and a folder to write files in."""

    system: System
    folder: Path
    licence: str
    people: list[str]
    nams: list[str]

    @property
    def desk(self) -> Desk:
        return Desk(self.system.pool, self.system.client)

    def line(self, who: int, attributed_on: str = "2026-03-10", **values: str) -> dict[str, str]:
        given = {"nam": self.nams[who], "physician": self.licence, "attributed_on": attributed_on}
        return dict.fromkeys(RETRO.names, "") | given | values

    def file(self, *lines: Mapping[str, str]) -> Path:
        path = self.folder / "cohort.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
        return path

    async def take(
        self,
        *lines: Mapping[str, str],
        at: datetime | None = None,
        window: DatedWindow | None = None,
        faulty_to: Path | None = None,
        desk: Desk | None = None,
    ) -> RetroReport:
        what = Import(self.file(*lines), at or now(), BY, faulty_to)
        pace = Pace(patience=timedelta(seconds=1))
        return await taking.import_cohort(desk or self.desk, what, window, pace)

    async def refused(self, *lines: Mapping[str, str]) -> list[tuple[int, str | None, str]]:
        """Take a file that is refused whole; return the line, the column and the rule of each fault."""
        before = await self.written()
        report = await self.take(*lines)
        assert (report.taken, report.added, report.started) == (False, 0, 0)
        assert await self.written() == before
        return [(each.line, each.column, each.fr.partition("]")[0].lstrip("[")) for each in report.faults]

    async def written(self) -> list[Any]:
        sql = "SELECT patient_id, attribution_id, state FROM attributions WHERE patient_id = ANY ($1::text[])"
        return list(await self.system.rows(f"{sql} ORDER BY attribution_id", self.people))

    async def patient(self, who: int) -> dict[str, Any]:
        async with self.system.pool.acquire() as conn:
            view = await reading.show_patient(conn, self.people[who])
        return view.model_dump(mode="json")

    async def attribution(self, who: int) -> str:
        return str((await self.patient(who))["attributions"][-1]["attribution_id"])

    async def reaches(self, who: int, state: str) -> dict[str, Any]:
        """Wait until the workflow is in that state; return its view."""
        handle = self.system.life(await self.attribution(who))

        async def there() -> bool:
            return bool((await handle.query("view"))["state"] == state)

        await until(there, within_seconds=20)
        view: dict[str, Any] = await handle.query("view")
        return view

    async def letters(self, who: int, state: str) -> list[str]:
        """Wait until a letter of theirs is in that state; return the kinds of all."""

        async def there() -> bool:
            return any(each["state"] == state for each in (await self.patient(who))["letters"])

        await until(there, within_seconds=20)
        return [each["kind"] for each in (await self.patient(who))["letters"]]

    async def sound(self) -> None:
        async with self.system.pool.acquire() as conn:
            assert await violations(conn) == []


async def a_cohort(
    system: System, folder: Path, number: int = 4, time_zone: str = "America/Toronto"
) -> Cohort:
    async with system.pool.acquire() as conn:
        rls = await add_network(conn, time_zone)
        licence = await add_physician(conn, rls)
        people = await add_patients(conn, rls, number, registered_on=date(2010, 5, 17))
    sql = "SELECT patient_id, nam FROM patients WHERE patient_id = ANY ($1::text[])"
    nams = {row["patient_id"]: row["nam"] for row in await system.rows(sql, people)}
    return Cohort(system, folder, licence, people, [nams[each] for each in people])


@pytest.fixture
async def cohort(system: System, tmp_path: Path) -> Cohort:
    return await a_cohort(system, tmp_path)


@pytest.fixture(scope="module")
async def alone() -> AsyncGenerator[Client]:
    """Return a client of another Temporal, which is not prepared: nothing starts there."""
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with EmbeddedTemporal(Path(name), ui_port=None, durable=False) as server:
            yield await connect(address=server.address)


# --- what is taken in -----------------------------------------------------------------------------------------------


async def test_r1_r11_each_is_taken_in_as_it_stands_and_lives_on(cohort: Cohort) -> None:
    report = await cohort.take(
        cohort.line(0, "2026-02-01"),
        cohort.line(1, sv_start="2026-03-31"),
        cohort.line(2, sv_start="2026-03-20", mf_signed_on="2026-04-01"),
        cohort.line(3, mf_signed_on="2026-04-01"),
    )
    assert (report.taken, report.added, report.faulty, report.started) == (True, 4, 0, 2)
    assert report.states == {"confirmed": 1, "enrolled_sv": 1, "enrolled_mf": 2}
    places = [(await cohort.patient(who))["place"] for who in range(4)]
    assert places == ["attributed", "attributed", "enrolled", "enrolled"]
    enrolments = (await cohort.patient(2))["enrolments"]
    assert [(e["category"], e["start"], e["end"], e["voided"]) for e in enrolments] == [
        ("SV", "2026-03-20", "2026-03-31", False),
        ("MF", "2026-04-01", None, False),
    ]
    sv = await cohort.reaches(1, "enrolled_sv")
    assert (sv["term"], sv["sv"]["start"]) == ("2027-03-31", "2026-03-31")
    assert sv["adopted_on"] is not None
    await cohort.sound()


async def test_r11_a6_in_november_they_are_overdue_at_once_and_nobody_is_lost(cohort: Cohort) -> None:
    assert (await cohort.take(cohort.line(0), cohort.line(1))).states == {"confirmed": 2}
    view = await cohort.reaches(0, "overdue")
    assert view["passed"][0]["at"] == "2026-05-23T04:00:00Z"
    assert datetime.fromisoformat(view["deadline"]) > now() + timedelta(days=4)
    attribution_id = await cohort.attribution(0)
    sql = "SELECT kind, owner, due, closed_at FROM tasks WHERE attribution_id = $1"
    (task,) = await cohort.system.rows(sql, attribution_id)
    assert (task["kind"], task["owner"], task["due"], task["closed_at"]) == (
        *("sv_overdue", "coordinator"),
        *(datetime.fromisoformat(view["deadline"]), None),
    )
    assert (await cohort.patient(0))["letters"] == []
    reopened = {"by": BY, "opens_on": today().isoformat(), "reason": "cohorte"}
    await acting.record_fact(cohort.desk, attribution_id, "window_reopened", reopened, now=now())
    assert await cohort.letters(0, "sent") == ["attribution"]
    entered = await acting.record_fact(cohort.desk, attribution_id, "sv_entered", {"by": BY}, now=now())
    assert entered["state"] == "enrolled_sv"
    await cohort.system.skipper.fast_forward(
        cohort.system.life(await cohort.attribution(1)), timedelta(days=12)
    )
    assert (await cohort.patient(1))["place"] == "waiting"
    assert (await cohort.patient(1))["letters"] == []
    await cohort.sound()


async def test_r7_r11_a_dated_window_is_open_at_once_and_the_letter_goes(cohort: Cohort) -> None:
    window = DatedWindow(opens_on=today() - timedelta(days=1), reason="cohorte")
    report = await cohort.take(cohort.line(0), cohort.line(1, sv_start="2026-03-12"), window=window)
    assert report.states == {"confirmed": 1, "enrolled_sv": 1}
    assert await cohort.letters(0, "sent") == ["attribution"]
    assert (await cohort.patient(1))["letters"] == []
    sql = "SELECT kind, owner, closed_at FROM tasks WHERE attribution_id = $1"
    (task,) = await cohort.system.rows(sql, await cohort.attribution(0))
    assert (task["kind"], task["owner"], task["closed_at"]) == ("sv_to_enter", "clinic", None)
    entered = await acting.record_fact(
        cohort.desk, await cohort.attribution(0), "sv_entered", {"by": BY}, now=now()
    )
    assert entered["state"] == "enrolled_sv"
    assert all(row["closed_at"] for row in await cohort.system.rows(sql, await cohort.attribution(0)))
    await cohort.sound()


async def test_a6_a_window_that_a6_does_not_allow_takes_nothing(cohort: Cohort) -> None:
    window = DatedWindow(opens_on=date(2026, 6, 1), reason="cohorte")
    with pytest.raises(RefusedByRuleError) as refused:
        await cohort.take(cohort.line(0), cohort.line(1), window=window)
    assert refused.value.reason.rule == "A6"
    assert await cohort.written() == []


async def test_r15_a25_a_term_already_past_passes_and_the_patient_is_told(cohort: Cohort) -> None:
    await cohort.take(cohort.line(0, sv_start="2026-03-12"), at=ON_TIME)
    handle = cohort.system.life(await cohort.attribution(0))
    await cohort.reaches(0, "enrolled_sv")
    await cohort.system.skipper.fast_forward(handle, timedelta(days=365))
    view = await cohort.reaches(0, "expired")
    assert view["sv"]["end"] == "2027-03-12"
    assert (await cohort.patient(0))["place"] == "waiting"
    assert await cohort.letters(0, "sent") == ["corrective"]
    await cohort.sound()


@pytest.mark.parametrize("zone", ["America/Halifax", "America/Blanc-Sablon"])
async def test_a23_the_days_are_those_of_the_rls(system: System, tmp_path: Path, zone: str) -> None:
    cohort = await a_cohort(system, tmp_path, time_zone=zone)
    midnight = datetime(2026, 5, 23, 3 if zone == "America/Halifax" else 4, tzinfo=UTC)
    await cohort.take(cohort.line(0), at=midnight - timedelta(seconds=1))
    await cohort.take(cohort.line(1), at=midnight)
    # The clocks of the servers say another month: the grace is over too.
    first, second = [await cohort.reaches(who, "lapsed") for who in (0, 1)]
    assert (first["adopted_on"], second["adopted_on"]) == ("2026-05-22", "2026-05-23")
    assert first["passed"][0]["at"] == second["passed"][0]["at"] == midnight.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a9_the_vulnerability_is_that_of_the_attribution(cohort: Cohort) -> None:
    await cohort.take(
        cohort.line(0, sv_start="2026-02-28", attributed_on="2026-02-20"),
        cohort.line(1, sv_start="2026-02-28", attributed_on="2026-02-20", vulnerable="false"),
    )
    terms = [(await cohort.reaches(who, "enrolled_sv"))["term"] for who in (0, 1)]
    assert terms == ["2027-02-28", "2029-02-28"]


# --- what is refused ------------------------------------------------------------------------------------------------


async def test_r1_r11_a_faulty_line_is_refused_with_its_rule_and_nothing_is_taken(cohort: Cohort) -> None:
    rls = (await cohort.patient(0))["rls"]
    async with cohort.system.pool.acquire() as conn:
        left = await add_physician(conn, rls, "disengaged")
    found = await cohort.refused(
        cohort.line(0, "2026-01-31"),
        cohort.line(1, "2026-05-09", sv_start="2026-05-23"),
        cohort.line(2, physician=left),
        cohort.line(3) | {"nam": "ZZZZ00000000"},
    )
    assert found == [
        (2, "attributed_on", "R1"),
        (3, "attributed_on", "R11"),
        (3, "sv_start", "R11"),
        (4, "physician", "R3"),
        (5, "nam", "R4"),
    ]


async def test_the_good_lines_are_taken_and_the_others_written(cohort: Cohort) -> None:
    target = cohort.folder / "faulty.csv"
    lines = (cohort.line(0, "2026-01-31"), cohort.line(1), cohort.line(2, mf_effective_on="2026-04-01"))
    report = await cohort.take(*lines, faulty_to=target)
    assert (report.taken, report.added, report.faulty, report.faulty_file) == (True, 1, 2, target)
    with target.open(encoding="utf-8-sig") as file:
        kept = list(csv.DictReader(file))
    assert [each["nam"] for each in kept] == [cohort.nams[0], cohort.nams[2]]
    assert "[R1]" in kept[0]["why"]
    assert "[R2]" in kept[1]["why"]


async def test_a8_a15_nobody_is_taken_in_from_another_place(cohort: Cohort) -> None:
    others = [cohort.line(who, physician=cohort.licence) for who in range(3)]
    rls = (await cohort.patient(0))["rls"]
    held = await cohort.system.attribute(patient=(rls, cohort.licence, cohort.people[0]))
    refusing = await cohort.system.attribute(patient=(rls, cohort.licence, cohort.people[1]))
    await held.reaches("proposed")
    await refusing.record("refused", reason="congé")
    leaving = await cohort.system.attribute(patient=(rls, cohort.licence, cohort.people[2]))
    await leaving.record("patient_left", on=today().isoformat(), cause="left_quebec")
    assert await cohort.refused(*others) == [
        (2, "nam", "invariant 2"),
        (3, "physician", "A8"),
        (4, "nam", "A15"),
    ]


async def test_a_line_twice_is_one_attribution_and_two_that_disagree_are_faulty(cohort: Cohort) -> None:
    report = await cohort.take(cohort.line(0), cohort.line(0))
    assert (report.lines, report.added, report.unchanged, report.faulty) == (2, 1, 1, 0)
    report = await cohort.take(cohort.line(1), cohort.line(1, "2026-03-11"))
    assert [(each.line, each.column) for each in report.faults] == [(2, "nam"), (3, "nam")]


async def test_a_patient_of_another_rls_is_taken_with_a_warning(system: System, cohort: Cohort) -> None:
    _, elsewhere, _ = await system.people(1)
    report = await cohort.take(cohort.line(0, physician=elsewhere))
    assert [(each.line, each.column) for each in report.cautions] == [(2, "physician")]
    assert report.added == 1


# --- twice, at once, half way ---------------------------------------------------------------------------------------


async def test_a20_the_same_file_again_changes_nothing_whatever_became_of_them(cohort: Cohort) -> None:
    lines = (cohort.line(0), cohort.line(1, mf_signed_on="2026-04-01"))
    await cohort.take(*lines)
    before = await cohort.written()
    again = await cohort.take(*lines)
    assert (again.taken, again.added, again.unchanged, again.faulty) == (True, 0, 2, 0)
    assert [each["attribution_id"] for each in await cohort.written()] == [
        b["attribution_id"] for b in before
    ]
    await cohort.reaches(0, "overdue")
    handle = cohort.system.life(await cohort.attribution(0))
    await cohort.system.skipper.fast_forward(handle, timedelta(days=12))
    again = await cohort.take(*lines)
    assert (again.added, again.unchanged, again.started) == (0, 2, 0)
    assert (await cohort.patient(0))["place"] == "waiting"
    assert await cohort.refused(cohort.line(0, sv_start="2026-03-20")) == [(2, "attributed_on", "A20")]


async def test_two_imports_at_once_take_each_once(cohort: Cohort) -> None:
    lines = [cohort.line(who) for who in range(4)]
    reports = await asyncio.gather(*(cohort.take(*lines) for _ in range(3)))
    assert sorted(report.added for report in reports) == [0, 0, 4]
    assert len(await cohort.written()) == 4
    await cohort.sound()


async def test_an_import_and_a_draw_at_once_give_a_patient_to_one(cohort: Cohort) -> None:
    drawn, report = await asyncio.gather(
        acting.request_block(cohort.desk, cohort.licence, 4, by=BY, now=now()),
        cohort.take(*(cohort.line(who) for who in range(4))),
    )
    assert len(drawn["list"]) + report.added == 4
    await cohort.sound()


@pytest.mark.long
async def test_starts_that_failed_are_made_good_by_the_same_command(cohort: Cohort, alone: Client) -> None:
    lines = (cohort.line(0), cohort.line(1))
    with pytest.raises(ServiceUnreachable) as left:
        await cohort.take(*lines, desk=Desk(cohort.system.pool, alone))
    assert "2 attribution(s)" in left.value.en
    assert [each["state"] for each in await cohort.written()] == ["confirmed", "confirmed"]
    again = await cohort.take(*lines)
    assert (again.added, again.unchanged, again.started) == (0, 2, 2)
    await cohort.reaches(0, "overdue")
    assert (await cohort.take(*lines)).started == 0


@pytest.mark.long
@pytest.mark.parametrize("days", [{}, {"sv_start": "2026-03-12"}])
async def test_starts_that_failed_are_made_good_by_a_reconciliation(
    cohort: Cohort, alone: Client, days: dict[str, str]
) -> None:
    with pytest.raises(ServiceUnreachable):
        await cohort.take(cohort.line(0, **days), desk=Desk(cohort.system.pool, alone))
    await mending.start(cohort.desk, await cohort.attribution(0), now())
    view = await cohort.reaches(0, "enrolled_sv" if days else "overdue")
    assert view["adopted_on"] is not None


async def test_a_row_that_is_gone_is_written_again_as_it_was_taken_in(cohort: Cohort) -> None:
    await cohort.take(cohort.line(0, sv_start="2026-03-12"))
    attribution_id = await cohort.attribution(0)
    await cohort.reaches(0, "enrolled_sv")
    before = await cohort.patient(0)
    await by_hand(
        cohort.system,
        attribution_id,
        "DELETE FROM enrolments WHERE attribution_id = $1",
        "DELETE FROM attributions WHERE attribution_id = $1",
    )
    # With the guards on: they count who waits.
    sql = "UPDATE patients SET place = 'waiting', attribution_id = NULL WHERE patient_id = $1"
    await cohort.system.pool.execute(sql, cohort.people[0])
    await mending.write(cohort.desk, attribution_id, now())
    assert await cohort.patient(0) == before
    await cohort.sound()


@pytest.mark.long
async def test_thousands_are_written_at_once(system: System, tmp_path: Path) -> None:
    cohort = await a_cohort(system, tmp_path, 3_000)
    lines = [cohort.line(who, mf_signed_on="2026-04-01") for who in range(3_000)]
    report = await cohort.take(*lines)
    assert (report.added, report.states) == (3_000, {"enrolled_mf": 3_000})
    (row,) = await system.rows(
        "SELECT count(*) AS n FROM patients WHERE patient_id = ANY ($1::text[]) AND place = 'enrolled'",
        cohort.people,
    )
    assert row["n"] == 3_000


async def test_nothing_personal_is_recorded(cohort: Cohort) -> None:
    await cohort.take(cohort.line(0, sv_start="2026-03-12"))
    attribution_id = await cohort.attribution(0)
    (record,) = await cohort.system.rows("SELECT * FROM records WHERE subject_id = $1", attribution_id)
    assert (record["event"], record["by"], record["policy"]) == ("adopted", BY, CURRENT.version)
    assert record["argument"] == {"attributed_on": "2026-03-10", "sv_start": "2026-03-12"}
    assert cohort.nams[0] not in str(dict(record))
    async with cohort.system.pool.acquire() as conn:
        assert await rows.unstarted(conn, ["ZZZZ00000000"], CURRENT) == []
