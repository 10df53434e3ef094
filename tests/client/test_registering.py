"""What is recorded of people besides attributions, on real servers: leaving, returning, moving, corrections."""

from collections.abc import AsyncGenerator
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from gamf.activities.letters import letter_content
from gamf.client import acting, reading, registering
from gamf.client.acting import Desk
from gamf.client.errors import NotFoundError
from gamf.client.registering import Stamp
from gamf.domain.calendar import local_date
from gamf.domain.facts import EnrolledElsewhere, PatientLeft
from gamf.domain.orders import Order
from gamf.domain.refusal import RefusedByRuleError
from gamf.storage.connection import Connection
from gamf.storage.invariants import violations
from gamf.storage.lists import RegisterFilter
from tests.clock import now, today
from tests.system import System, add_network, add_patients
from tests.workflows.test_privacy import history

BY = "gaco"
ZONE = "America/Toronto"
CODE = "CHRONIQUE"


def stamp(reason: str = "erreur de dossier") -> Stamp:
    return Stamp(BY, now(), reason)


def left(on: date | None = None, cause: str = "deceased") -> PatientLeft:
    return PatientLeft.model_validate({"by": BY, "on": on or today(), "cause": cause})


@pytest.fixture
async def conn(system: System) -> AsyncGenerator[Connection]:
    """Return a connection to the system's database, in which no invariant is broken at the end."""
    async with system.pool.acquire() as taken:
        yield taken
        assert [found for found in await violations(taken) if found.subject == "patient"] == []


async def shown(conn: Connection, patient_id: str) -> dict[str, Any]:
    return (await reading.show_patient(conn, patient_id)).model_dump(mode="json")


async def enrolled(desk: Desk, patient_id: str, days_ago: int) -> None:
    """Enrol somebody outside LE 321, so many days ago."""
    since = today() - timedelta(days=days_ago)
    fact = EnrolledElsewhere(by=BY, physician="54321", effective_on=since, basis="entente particulière")
    await acting.register_enrolled(desk, patient_id, fact, now=now())


# --- the list ---------------------------------------------------------------------------------------------------------


async def test_a18_the_list_gives_waiting_times_and_places_in_line_page_after_page(
    system: System, conn: Connection
) -> None:
    rls, _, people = await system.people(5)
    urgent = await add_patients(conn, rls, 1, priority="A", registered_on=date(2025, 1, 1))
    as_of = date(2026, 1, 1)
    only = RegisterFilter(rls)
    whole = (await reading.list_register(conn, only, as_of=as_of)).items
    assert [entry.patient_id for entry in whole] == [*urgent, *people]
    assert [entry.position for entry in whole] == [1, 2, 3, 4, 5, 6]
    assert (whole[0].waiting_days, whole[1].waiting_days) == (365, 594)
    paged: list[reading.RegisterEntry] = []
    after: str | None = None
    while True:
        page = await reading.list_register(conn, only, as_of=as_of, after=after, limit=2)
        paged += page.items
        after = page.after
        if after is None:
            break
    assert tuple(paged) == whole
    urgent_only = await reading.list_register(conn, RegisterFilter(rls, "waiting", "C"), as_of=as_of, limit=2)
    assert [entry.position for entry in urgent_only.items] == [2, 3]


@pytest.mark.parametrize("whole", [True, False], ids=["of the province", "of an RLS"])
@pytest.mark.parametrize("backwards", [True, False], ids=["backwards", "forwards"])
async def test_a18_a_place_in_line_is_the_same_from_either_end_and_in_a_priority(
    system: System, desk: Desk, conn: Connection, *, whole: bool, backwards: bool
) -> None:
    rls, _, _ = await system.people(2)
    for priority in "EAB":
        await add_patients(conn, rls, 3, priority=priority)
    leaver, *_ = await add_patients(conn, rls, 3, priority="D")
    await registering.leave(desk, leaver, left(), now=now())
    line = (await reading.list_register(conn, RegisterFilter(rls, "waiting"), as_of=today())).items
    places = {entry.patient_id: number for number, entry in enumerate(line, 1)}
    assert len(places) == 13
    for priority in (None, *"ABCDE"):
        only = RegisterFilter(None if whole else rls, "waiting", priority)
        listed = await reading.list_register(
            conn, only, as_of=today(), order=Order("line", backwards=backwards), limit=1_000_000
        )
        mine = [entry for entry in listed.items if entry.rls == rls]
        assert [entry.position for entry in mine] == [places[entry.patient_id] for entry in mine]
        assert len(mine) == (13 if priority is None else sum(entry.priority == priority for entry in line))


async def test_a_place_in_line_is_one_of_the_rls_and_of_those_who_wait(
    system: System, desk: Desk, conn: Connection
) -> None:
    rls, _, (first, second) = await system.people(2)
    other, _, (stranger,) = await system.people(1)
    await enrolled(desk, first, 3)
    everybody = (await reading.list_register(conn, as_of=today(), limit=5_000)).items
    found = {entry.patient_id: entry for entry in everybody}
    assert [found[one].position for one in (first, second, stranger)] == [None, 1, 1]
    assert [found[one].waiting_days is None for one in (first, second)] == [True, False]
    assert {found[one].rls for one in (first, stranger)} == {rls, other}


async def test_a24_an_enrolment_to_come_takes_nobody_off_the_list(
    system: System, desk: Desk, conn: Connection
) -> None:
    _, _, (patient_id,) = await system.people(1)
    with pytest.raises(RefusedByRuleError) as refused:
        await enrolled(desk, patient_id, -1)
    assert (refused.value.reason.rule, refused.value.reason.field) == ("A24", "effective_on")
    assert (await shown(conn, patient_id))["place"] == "waiting"
    await enrolled(desk, patient_id, 0)
    assert (await shown(conn, patient_id))["place"] == "enrolled"


# --- a death and its undoing ------------------------------------------------------------------------------------------


async def test_a15_somebody_who_waits_leaves_and_comes_back_at_the_initial_date(
    system: System, desk: Desk, conn: Connection
) -> None:
    _, _, (patient_id,) = await system.people(1)
    before = await shown(conn, patient_id)
    for _ in range(2):
        await registering.leave(desk, patient_id, left(), now=now())
        gone = await shown(conn, patient_id)
        assert (gone["place"], gone["left_on"], gone["left_cause"]) == ("left", str(today()), "deceased")
    with pytest.raises(RefusedByRuleError) as refused:
        await registering.leave(desk, patient_id, left(cause="left_quebec"), now=now())
    assert refused.value.reason.rule == "A20"
    assert [await registering.reinstate(conn, patient_id, stamp()) for _ in range(2)] == [True, False]
    assert await shown(conn, patient_id) == before
    with pytest.raises(RefusedByRuleError) as refused:
        await registering.reinstate(conn, patient_id, stamp("autre motif"))
    assert refused.value.reason.rule == "A15"
    kept = await system.rows(
        "SELECT event, by FROM records WHERE subject = 'patient' AND subject_id = $1 ORDER BY record_id",
        patient_id,
    )
    assert [(row["event"], row["by"]) for row in kept[1:]] == [("patient_left", BY), ("reinstated", BY)]


async def test_a15_a_family_doctors_enrolment_ends_that_day_and_stays_so_when_undone(
    system: System, desk: Desk, conn: Connection
) -> None:
    _, _, (patient_id,) = await system.people(1)
    await enrolled(desk, patient_id, 10)
    on = today() - timedelta(days=2)
    await registering.leave(desk, patient_id, left(on), now=now())
    assert [each["end"] for each in (await shown(conn, patient_id))["enrolments"]] == [str(on)]
    await registering.reinstate(conn, patient_id, stamp())
    back = await shown(conn, patient_id)
    assert (back["place"], [each["end"] for each in back["enrolments"]]) == ("waiting", [str(on)])
    await enrolled(desk, patient_id, 1)
    again = await shown(conn, patient_id)
    assert (again["place"], len(again["enrolments"])) == ("enrolled", 2)


async def test_a15_an_attribution_takes_the_death_as_its_fact(
    desk: Desk, system: System, conn: Connection
) -> None:
    life = await system.attribute()
    await life.record("accepted")
    await life.record("sv_entered")
    await registering.leave(desk, life.start.patient_id, left(), now=now())
    assert (await life.reaches("patient_left"))["sv"]["end"] == str(today())
    assert await life.place() == "left"
    await registering.leave(desk, life.start.patient_id, left(), now=now())
    await registering.reinstate(conn, life.start.patient_id, stamp())
    back = await shown(conn, life.start.patient_id)
    assert (back["place"], back["attributions"][0]["state"]) == ("waiting", "patient_left")
    assert back["enrolments"][0]["end"] == str(today())
    again = await system.attribute(patient=(life.start.rls, life.start.physician, life.start.patient_id))
    await again.reaches("proposed")


async def test_a15_somebody_drawn_leaves_the_list_and_the_rest_is_attributed(
    system: System, desk: Desk
) -> None:
    rls, licence, people = await system.people(3)
    drawn = await acting.request_block(desk, licence, 3, by=BY, now=now())
    await registering.leave(desk, people[1], left(), now=now())
    waiting = await acting.show_block(desk, drawn["block_id"])
    assert [each["state"] for each in waiting["list"]] == ["drawn", "left", "drawn"]
    assert waiting["counts"] == {"drawn": 2, "left": 1}
    approved = await acting.approve_block(desk, drawn["block_id"], by=BY)
    assert [each["patient_id"] for each in approved["list"]] == [people[0], people[2]]
    places = await system.rows("SELECT place FROM patients WHERE rls = $1 ORDER BY number", rls)
    assert [row["place"] for row in places] == ["attributed", "left", "attributed"]


async def test_a15_a_list_of_one_who_dies_ends_without_anybody(system: System, desk: Desk) -> None:
    _, licence, (patient_id,) = await system.people(1)
    drawn = await acting.request_block(desk, licence, 1, by=BY, now=now())
    await registering.leave(desk, patient_id, left(), now=now())
    await acting.approve_block(desk, drawn["block_id"], by=BY)
    closed = await system.client.get_workflow_handle(f"block-{drawn['block_id']}").result()
    assert (closed["state"], closed["list"]) == ("closed", [])


async def test_a15_letters_that_have_not_gone_are_withheld(
    system: System, desk: Desk, conn: Connection
) -> None:
    life = await system.attribute()
    await life.record("accepted")
    await life.record("cancelled", reason="conflit")
    await life.handle.result()
    await system.rows(
        """
        INSERT INTO letters (letter_id, attribution_id, patient_id, kind, standing, dated, queued_at)
        VALUES ($1 || '-99', $1, $2, 'corrective', 'cancelled', current_date, now())
        """,
        life.start.attribution_id,
        life.start.patient_id,
    )
    await registering.leave(desk, life.start.patient_id, left(), now=now())
    letters = (await shown(conn, life.start.patient_id))["letters"]
    assert letters[-1]["state"] == "withheld"


async def test_nobody_leaves_who_is_not_in_the_register(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        await registering.leave(desk, "nobody", left(), now=now())


# --- a move -----------------------------------------------------------------------------------------------------------


async def test_a18_a_move_keeps_the_initial_date_and_is_written_once(
    system: System, conn: Connection
) -> None:
    _, _, (patient_id,) = await system.people(1)
    to = await add_network(conn)
    before = await shown(conn, patient_id)
    moved = [await registering.move(conn, patient_id, to, today(), stamp("bail")) for _ in range(2)]
    assert moved == [True, False]
    assert await shown(conn, patient_id) == before | {"rls": to}
    with pytest.raises(RefusedByRuleError) as refused:
        await registering.move(conn, patient_id, "9999", today(), stamp("bail"))
    assert refused.value.reason.field == "to"


async def test_a18_who_moves_off_a_drawn_list_waits_in_the_new_rls(
    system: System, desk: Desk, conn: Connection
) -> None:
    _, licence, people = await system.people(2)
    to = await add_network(conn)
    drawn = await acting.request_block(desk, licence, 2, by=BY, now=now())
    await registering.move(conn, people[0], to, today(), stamp("bail"))
    assert (await shown(conn, people[0]))["place"] == "waiting"
    approved = await acting.approve_block(desk, drawn["block_id"], by=BY)
    assert [each["patient_id"] for each in approved["list"]] == [people[1]]


async def test_a18_an_attribution_follows_its_course_and_returns_to_the_new_rls(
    system: System, conn: Connection
) -> None:
    life = await system.attribute()
    to = await add_network(conn)
    await registering.move(conn, life.start.patient_id, to, today(), stamp("bail"))
    assert (await life.view())["state"] == "proposed"
    await life.record("refused", reason="pratique réduite")
    back = await shown(conn, life.start.patient_id)
    assert (back["place"], back["rls"]) == ("waiting", to)


# --- corrections ------------------------------------------------------------------------------------------------------


async def test_a20_letters_made_later_use_the_corrected_address(system: System, conn: Connection) -> None:
    life = await system.attribute()
    given = {"address": "99, chemin Corrigé", "phone": "418 555-0199", "email": ""}
    changed = [await registering.correct(conn, life.start.patient_id, given, stamp()) for _ in range(2)]
    assert changed == [("address", "phone", "email"), ()]
    await life.record("accepted")
    (letter,) = (await shown(conn, life.start.patient_id))["letters"]
    assert "99, chemin Corrigé" in str(await letter_content(conn, letter["letter_id"]))
    (kept,) = await system.rows(
        "SELECT before, after, by, reason FROM corrections WHERE patient_id = $1", life.start.patient_id
    )
    assert (kept["after"]["address"], kept["by"]) == ("99, chemin Corrigé", BY)
    assert set(kept["before"]) == {"address", "phone", "email"}
    (record,) = await system.rows(
        "SELECT argument FROM records WHERE subject_id = $1 AND event = 'corrected'", life.start.patient_id
    )
    assert record["argument"] == {"columns": ["address", "phone", "email"]}
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await conn.execute("UPDATE corrections SET reason = 'autre'")


@pytest.mark.parametrize(
    ("given", "rule", "field"),
    [
        ({"postal_code": "D1D 1D1"}, "form", "postal_code"),
        ({"phone": "12"}, "form", "phone"),
        ({"address": ""}, "form", "address"),
        ({"language": "en"}, "A22", "english_attested"),
        ({"registered_on": "2020-01-01"}, "form", None),
        ({}, "form", None),
    ],
)
async def test_a20_a_faulty_correction_changes_nothing(
    system: System, conn: Connection, given: dict[str, str], rule: str, field: str | None
) -> None:
    _, _, (patient_id,) = await system.people(1)
    with pytest.raises(RefusedByRuleError) as refused:
        await registering.correct(conn, patient_id, {"city": "Lévis", **given} if given else given, stamp())
    assert (refused.value.reason.rule, refused.value.reason.field) == (rule, field)
    (row,) = await system.rows("SELECT city FROM patients WHERE patient_id = $1", patient_id)
    assert row["city"] == "Québec"


async def test_a20_a_change_has_a_reason(conn: Connection, system: System) -> None:
    _, _, (patient_id,) = await system.people(1)
    with pytest.raises(RefusedByRuleError) as refused:
        await registering.correct(conn, patient_id, {"city": "Lévis"}, stamp("  "))
    assert (refused.value.reason.rule, refused.value.reason.field) == ("A20", "reason")


# --- conditions -------------------------------------------------------------------------------------------------------


async def test_r13_a_condition_is_refused_before_the_first_visit_and_taken_from_it_on(
    system: System, conn: Connection
) -> None:
    life = await system.attribute(attributed_at=now() - timedelta(hours=1))
    patient_id = life.start.patient_id
    await life.record("accepted")
    await life.record("sv_entered")
    with pytest.raises(RefusedByRuleError) as refused:
        await registering.add_condition(conn, patient_id, CODE, today(), stamp())
    assert refused.value.reason.rule == "R13"
    signed = local_date(life.start.attributed_at, ZONE)
    await life.record("mf_signed", signed_on=str(signed))
    for code, on in (
        ("INCONNU", today()),
        (CODE, signed - timedelta(days=1)),
        (CODE, today() + timedelta(days=1)),
    ):
        with pytest.raises(RefusedByRuleError) as refused:
            await registering.add_condition(conn, patient_id, code, on, stamp())
        assert refused.value.reason.rule == "R13"
    added = [await registering.add_condition(conn, patient_id, CODE, signed, stamp()) for _ in range(2)]
    assert added == [True, False]
    assert CODE.encode() not in await history(system, life.handle.id)
    records = await system.rows("SELECT argument::text FROM records WHERE subject_id = $1", patient_id)
    assert not any(CODE in row["argument"] for row in records)


async def test_a20_a_condition_is_withdrawn_with_a_reason_and_the_reading_is_recorded(
    system: System, desk: Desk, conn: Connection
) -> None:
    _, _, (patient_id,) = await system.people(1)
    await enrolled(desk, patient_id, 5)
    await registering.add_condition(conn, patient_id, CODE, today(), stamp())
    (recorded,) = await registering.read_conditions(conn, patient_id, stamp())
    for _ in range(2):
        assert (
            await registering.withdraw_condition(conn, recorded.condition_id, stamp("mauvais dossier"))
            == patient_id
        )
    assert await registering.add_condition(conn, patient_id, CODE, today() - timedelta(days=1), stamp())
    found = await registering.read_conditions(conn, patient_id, stamp())
    assert [(each.code, each.withdrawn_for) for each in found] == [(CODE, "mauvais dossier"), (CODE, None)]
    read = await system.rows(
        "SELECT by FROM records WHERE subject_id = $1 AND event = 'conditions_read'", patient_id
    )
    assert [row["by"] for row in read] == [BY, BY]
    with pytest.raises(NotFoundError):
        await registering.withdraw_condition(conn, 999_999_999, stamp())


async def test_the_codes_are_ours_and_in_both_languages(conn: Connection) -> None:
    codes = await registering.list_codes(conn)
    assert {each.origin for each in codes} == {"gamf"}
    assert all(each.label_fr != each.label_en for each in codes)
    assert CODE in {each.code for each in codes}
