"""What is read out, as JSON of contract.md, after real transitions on a real database."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gamf.activities import drawing
from gamf.activities.transitions import carry_out
from gamf.client import reading
from gamf.client.errors import NotFoundError
from gamf.client.importing import Import, import_networks, import_physicians, import_register
from gamf.client.reading import DECISIONS, RegisterEntry
from gamf.client.tasks import chosen
from gamf.domain import attribution as rules
from gamf.domain.block import BlockRequest
from gamf.domain.effects import TaskKind
from gamf.domain.facts import parse
from gamf.domain.model import Attribution, Start
from gamf.domain.policy import CURRENT
from gamf.storage import attributions, blocks, letters, records
from gamf.storage.connection import Connection, Pool
from gamf.storage.invariants import violations
from gamf.storage.lists import AttributionFilter, BlockFilter, RegisterFilter, TaskFilter
from tests.client.test_files import NETWORK, PERSON, PHYSICIAN, text_of

NOW = datetime(2026, 5, 8, 16, tzinfo=UTC)
SECOND = PERSON | {"nam": "TREM04121925", "birth_date": "2004-12-19", "sex": "M", "priority": "A"}
THIRD = PERSON | {
    "nam": "TEST54122816",
    "birth_date": "1954-12-28",
    "sex": "M",
    "registered_on": "2023-01-02",
}
TODAY = date(2026, 5, 8)
EVERY = AttributionFilter()
PERSONAL = ("FICA85570418", "Ficelle", "Adèle", "Érables", "adele.ficelle", "555-0142", "1985-07-04")


@dataclass
class Desk:
    """A database with a network, a physician, three people, and the attributions as the rules have them."""

    pool: Pool
    conn: Connection
    folder: Path
    lives: dict[str, Attribution] = field(default_factory=dict)

    async def take_in(self, register: Mapping[str, str], *others: Mapping[str, str]) -> None:
        for take, rows in (
            (import_networks, (NETWORK,)),
            (import_physicians, (PHYSICIAN,)),
            (import_register, (register, *others)),
        ):
            path = self.folder / "file.csv"
            path.write_text(text_of(*rows), "utf-8")
            assert (await take(self.conn, Import(path, NOW, "commis"))).taken

    async def attribute(self, number: int = 1, nam: str = PERSON["nam"]) -> str:
        """Attribute a patient without a block, and return the reference."""
        attribution_id = f"2026-{number:06}"
        start = Start(
            attribution_id=attribution_id,
            patient_id=await reading.find_patient(self.conn, nam),
            physician=PHYSICIAN["licence"],
            rls=NETWORK["rls"],
            time_zone=NETWORK["time_zone"],
            priority="C",
            vulnerable=True,
            attributed_at=NOW + timedelta(minutes=number),
            policy=CURRENT,
        )
        begun = rules.begin(start)
        await carry_out(self.pool, begun.transition)
        self.lives[attribution_id] = begun.attribution
        return attribution_id

    async def happen(self, attribution_id: str, at: datetime, fact: str = "", **argument: str) -> None:
        """Let the deadlines that come due by then pass, then report the fact, if any."""
        after, passed = rules.pass_deadlines(self.lives[attribution_id], at)
        steps = list(passed)
        if fact:
            taken = rules.take(after, parse(fact, {"by": "clinique", **argument}), at)
            after, steps = taken.attribution, [*passed, taken.transition]
        for transition in steps:
            await carry_out(self.pool, transition)
        self.lives[attribution_id] = after


@pytest.fixture
async def desk(pool: Pool, connection: Connection, tmp_path: Path) -> Desk:
    made = Desk(pool, connection, tmp_path)
    await made.take_in(PERSON, SECOND, THIRD)
    return made


def days(number: int) -> datetime:
    return NOW + timedelta(days=number)


# --- a patient ----------------------------------------------------------------------------------------------


async def test_a_waiting_patient_is_shown_with_the_keys_of_the_contract(desk: Desk) -> None:
    shown = (await reading.show_patient(desk.conn, PERSON["nam"])).model_dump(mode="json")
    assert (shown["place"], shown["registered_on"]) == ("waiting", "2024-02-29")
    assert (shown["attributions"], shown["enrolments"], shown["letters"]) == ([], [], [])


@pytest.mark.parametrize("written", ["FICA85570418", "fica 8557 0418"])
async def test_a_patient_is_named_by_nam_or_by_the_opaque_identifier(desk: Desk, written: str) -> None:
    by_nam = await reading.show_patient(desk.conn, written)
    assert by_nam == await reading.show_patient(desk.conn, by_nam.patient_id)
    assert by_nam.patient_id == await reading.find_patient(desk.conn, written)


@pytest.mark.parametrize(
    "unknown", ["FICA85570499", "00000000-0000-4000-8000-000000000000", "", "Ficelle", "' OR 1=1"]
)
async def test_an_unknown_patient_is_not_found_and_not_repeated(desk: Desk, unknown: str) -> None:
    with pytest.raises(NotFoundError) as missing:
        await reading.show_patient(desk.conn, unknown)
    assert missing.value.exit_status == 4
    assert not unknown or unknown not in missing.value.fr + missing.value.en


async def test_a_whole_life_is_read_back_and_names_nobody(desk: Desk) -> None:
    reference = await desk.attribute()
    await desk.happen(reference, days(1), "accepted")
    await desk.happen(reference, days(2), "sv_entered")
    await desk.happen(reference, days(30), "mf_signed", signed_on="2026-06-07")
    shown = (await reading.show_patient(desk.conn, PERSON["nam"])).model_dump(mode="json")
    assert shown["place"] == "enrolled"
    assert [
        {key: each[key] for key in ("category", "physician", "start", "end", "voided")}
        for each in shown["enrolments"]
    ] == [
        {"category": "SV", "physician": "90001", "start": "2026-05-10", "end": "2026-06-06", "voided": False},
        {"category": "MF", "physician": "90001", "start": "2026-06-07", "end": None, "voided": False},
    ]
    assert [(each["attribution_id"], each["state"]) for each in shown["attributions"]] == [
        (reference, "enrolled_mf")
    ]
    assert [(each["kind"], each["state"], each["dated"]) for each in shown["letters"]] == [
        ("attribution", "queued", "2026-05-09")
    ]
    assert not [value for value in PERSONAL if value in json.dumps(shown, ensure_ascii=False)]
    assert await violations(desk.conn) == []


async def test_a_voided_enrolment_is_shown_as_such(desk: Desk) -> None:
    reference = await desk.attribute()
    await desk.happen(reference, days(1), "accepted")
    await desk.happen(reference, days(2), "sv_entered")
    await desk.happen(reference, days(3), "patient_refused", ground="distance")
    shown = await reading.show_patient(desk.conn, PERSON["nam"])
    assert (shown.place, shown.registered_on) == ("waiting", date(2024, 2, 29))
    assert [(each.category, each.voided, each.end) for each in shown.enrolments] == [("SV", True, None)]
    (attribution,) = shown.attributions
    assert attribution.sv is not None
    assert attribution.sv.voided


# --- the register -------------------------------------------------------------------------------------------


async def test_the_register_is_listed_in_the_order_of_the_list(desk: Desk) -> None:
    expected = [await reading.find_patient(desk.conn, nam["nam"]) for nam in (SECOND, THIRD, PERSON)]
    page = await reading.list_register(desk.conn, RegisterFilter(NETWORK["rls"], "waiting"), as_of=TODAY)
    assert [entry.patient_id for entry in page.items] == expected
    assert page.after is None


async def test_pages_follow_each_other_without_gap_or_repeat(desk: Desk) -> None:
    whole = await reading.list_register(desk.conn, as_of=TODAY)
    seen: list[RegisterEntry] = []
    after: str | None = None
    while True:
        page = await reading.list_register(desk.conn, as_of=TODAY, after=after, limit=1)
        seen += page.items
        after = page.after
        if after is None:
            break
    assert tuple(seen) == whole.items
    assert len(seen) == 3


async def test_the_register_is_filtered_by_rls_and_place(desk: Desk) -> None:
    await desk.attribute()
    assert (
        len((await reading.list_register(desk.conn, RegisterFilter(place="waiting"), as_of=TODAY)).items) == 2
    )
    assert (
        len((await reading.list_register(desk.conn, RegisterFilter(place="attributed"), as_of=TODAY)).items)
        == 1
    )
    assert (await reading.list_register(desk.conn, RegisterFilter("9999"), as_of=TODAY)).items == ()


async def exported(desk: Desk, **only: str) -> bytes:
    written = bytearray()

    async def output(data: bytes) -> None:
        written.extend(data)

    count = await reading.export_register(desk.conn, output, **only)
    assert len(list(csv.reader(io.StringIO(written.decode())))) == count + 1
    return bytes(written)


async def test_what_is_exported_is_what_was_taken_in(desk: Desk) -> None:
    rows = list(csv.DictReader(io.StringIO((await exported(desk)).decode())))
    assert rows == [PERSON, SECOND, THIRD]


async def test_an_export_taken_in_again_changes_nothing(desk: Desk) -> None:
    path = desk.folder / "export.csv"
    path.write_bytes(await exported(desk))
    report = await import_register(desk.conn, Import(path, NOW, "commis"))
    assert (report.unchanged, report.added, report.changed, report.warnings) == (3, 0, 0, 0)


async def test_an_export_is_filtered(desk: Desk) -> None:
    await desk.attribute()
    assert len((await exported(desk, place="attributed")).splitlines()) == 2
    assert len((await exported(desk, rls="9999")).splitlines()) == 1


# --- physicians and networks --------------------------------------------------------------------------------


async def test_a_physician_is_shown_with_what_is_under_way(desk: Desk) -> None:
    await desk.attribute()
    shown = (await reading.show_physician(desk.conn, "90001")).model_dump(mode="json")
    expected = {**PHYSICIAN, "email": None, "leaves_on": None, "leaves_cause": None, "under_way": 1}
    assert shown == expected
    with pytest.raises(NotFoundError):
        await reading.show_physician(desk.conn, "99999")


async def test_networks_are_listed(desk: Desk) -> None:
    assert [network.model_dump() for network in await reading.list_networks(desk.conn)] == [
        NETWORK | {"coordinator_email": None}
    ]


# --- attributions -------------------------------------------------------------------------------------------


async def test_an_attribution_has_the_keys_of_the_contract(desk: Desk) -> None:
    reference = await desk.attribute()
    await desk.happen(reference, days(1), "accepted")
    shown = await reading.stored_attribution(desk.conn, reference)
    view = "attribution_id state physician deadline waiting_for history refused_facts sv mf"
    assert {*view.split(), "patient_id", "block_id", "priority", "vulnerable"} <= shown.keys()
    assert (shown["state"], shown["waiting_for"], shown["sv"]) == ("confirmed", "clinic", None)
    assert shown["deadline"] == "2026-05-24T04:00:00Z"
    assert [(e["fact"], e["policy"], e["by"], e["state"]) for e in shown["history"]] == [
        ("accepted", CURRENT.version, "clinique", "confirmed")
    ]


async def test_deadlines_are_told_apart_from_facts(desk: Desk) -> None:
    reference = await desk.attribute()
    await desk.happen(reference, days(30))
    shown = await reading.show_stored_attribution(desk.conn, reference)
    assert shown.history == ()
    assert [(entry.fact, entry.state) for entry in shown.passed] == [
        ("answer_due", "unanswered"),
        ("answer_grace_over", "lapsed"),
    ]


async def test_an_announced_fact_is_in_the_history_once(desk: Desk) -> None:
    reference = await desk.attribute()
    await desk.happen(reference, days(1), "accepted")
    await desk.happen(reference, days(2), "patient_left", on="2026-05-12", cause="left_quebec")
    await desk.happen(reference, days(6))
    shown = await reading.show_stored_attribution(desk.conn, reference)
    assert [entry.fact for entry in shown.history] == ["accepted", "patient_left"]
    assert [entry.fact for entry in shown.passed] == ["patient_left"]


async def test_refused_facts_are_shown_with_their_reason_the_latest_hundred(desk: Desk) -> None:
    reference = await desk.attribute()
    refused = [
        records.Refusal(f"{n}", "mf_signed", days(1), {"n": n}, "A13", "l'acceptation doit précéder")
        for n in range(130)
    ]
    await records.append_refusals(desk.conn, "attribution", reference, CURRENT.version, refused)
    shown = await reading.show_stored_attribution(desk.conn, reference)
    assert shown.refused_count == 130
    assert [each.argument["n"] for each in shown.refused_facts] == list(range(30, 130))
    assert (shown.refused_facts[0].rule, shown.history) == ("A13", ())
    assert shown.refused_facts[0].reason == "l'acceptation doit précéder"


async def test_attributions_are_filtered_and_paged(desk: Desk) -> None:
    first, second = await desk.attribute(1), await desk.attribute(2, SECOND["nam"])
    await desk.happen(first, days(1), "accepted")

    async def found(only: AttributionFilter = EVERY, after: str | None = None, limit: int = 50) -> list[str]:
        page = await reading.list_attributions(desk.conn, only, after=after, limit=limit)
        return [each.attribution_id for each in page.items]

    assert await found() == [first, second]
    assert await found(limit=1) == [first]
    assert await found(after=first) == [second]
    assert await found(AttributionFilter(state="confirmed")) == [first]
    assert await found(AttributionFilter(physician="90001", state="proposed")) == [second]
    assert await found(AttributionFilter(physician="90002")) == []
    assert await found(AttributionFilter(block_id="2026-0001")) == []
    assert await found(AttributionFilter(due_before=days(30))) == [second, first]
    assert await found(AttributionFilter(due_before=days(30)), after=second) == [first]
    assert await found(AttributionFilter(due_before=days(4))) == [second]


async def test_an_unknown_attribution_is_not_found(desk: Desk) -> None:
    for read in (reading.stored_attribution, reading.list_letters):
        with pytest.raises(NotFoundError):
            await read(desk.conn, "2026-999999")


async def test_letters_are_listed_by_attribution(desk: Desk) -> None:
    reference = await desk.attribute()
    assert await reading.list_letters(desk.conn, reference) == ()
    await desk.happen(reference, days(1), "accepted")
    (letter,) = await reading.list_letters(desk.conn, reference)
    await letters.claim(desk.conn, letter.letter_id)
    handed = letters.Handed(days(1), "fr", "0" * 64, "gamf")
    await letters.sent(desk.conn, letter.letter_id, handed, TaskKind.LETTER_NOT_SENT)
    await desk.happen(reference, days(2), "cancelled", reason="erreur")
    shown = await reading.list_letters(desk.conn, reference)
    assert [(each.kind, each.state, each.standing) for each in shown] == [
        ("attribution", "sent", None),
        ("corrective", "queued", "cancelled"),
    ]


# --- blocks -------------------------------------------------------------------------------------------------


async def draw(desk: Desk, block_id: str, size: int, at: datetime = NOW) -> None:
    request = BlockRequest(
        block_id=block_id, physician="90001", rls="0311", size=size, requested_by="coordo", policy=CURRENT
    )
    async with desk.conn.transaction():
        plan, drawn = await drawing.draw_list(desk.conn, request, at)
        await blocks.reserve(desk.conn, request, drawn, at)
        argument = {"plan": plan.model_dump(mode="json")}
        await records.append(
            desk.conn, "block", block_id, "drawn", at, argument=argument, policy=CURRENT.version
        )


async def test_a_drawn_block_has_its_list_in_the_order_of_the_draw(desk: Desk) -> None:
    await draw(desk, "2026-0001", 2)
    shown = await reading.stored_block(desk.conn, "2026-0001")
    assert (shown["block_id"], shown["state"], shown["counts"]) == ("2026-0001", "drawn", {"drawn": 2})
    # Two seats for three groups of one: the youngest two get them (R4).
    expected = [await reading.find_patient(desk.conn, row["nam"]) for row in (SECOND, PERSON)]
    assert [(m["patient_id"], m["attribution_id"], m["state"]) for m in shown["list"]] == [
        (patient_id, None, "drawn") for patient_id in expected
    ]
    assert [(m["priority"], m["ages"], m["rank"], m["registered_on"]) for m in shown["list"]] == [
        (SECOND["priority"], "18-34", 1, SECOND["registered_on"]),
        (PERSON["priority"], "35-54", 1, PERSON["registered_on"]),
    ]
    assert await violations(desk.conn) == []


async def test_an_approved_block_shows_where_each_one_is(desk: Desk) -> None:
    await draw(desk, "2026-0001", 2)
    async with desk.conn.transaction():
        due = days(3)
        waiting = [one.patient_id for one in await blocks.proposed(desk.conn, "2026-0001")]
        ids = dict(zip(waiting, ("2026-000001", "2026-000002"), strict=True))
        await attributions.insert_many(desk.conn, "2026-0001", NOW, due, ids)
        await blocks.attributed(desk.conn, "2026-0001", NOW)
    (second, _) = await attributions.of_block(desk.conn, "2026-0001")
    desk.lives[second.attribution_id] = rules.begin(Start(**second.model_dump(), policy=CURRENT)).attribution
    await desk.happen(second.attribution_id, days(1), "refused", reason="complet")
    shown = await reading.stored_block(desk.conn, "2026-0001")
    assert (shown["state"], shown["counts"]) == ("attributed", {"refused": 1, "proposed": 1})
    assert [(m["attribution_id"], m["state"], m["priority"], m["vulnerable"]) for m in shown["list"]] == [
        ("2026-000001", "refused", "A", True),
        ("2026-000002", "proposed", "C", True),
    ]


async def test_a_withdrawn_block_says_why_and_who_waits_again(desk: Desk) -> None:
    await draw(desk, "2026-0001", 1)
    async with desk.conn.transaction():
        await blocks.release(desk.conn, "2026-0001")
        await blocks.end(desk.conn, "2026-0001", "withdrawn", days(1))
        argument = {"reason": "doublon"}
        await records.append(
            desk.conn, "block", "2026-0001", "withdrawn", days(1), argument=argument, policy=CURRENT.version
        )
    shown = await reading.stored_block(desk.conn, "2026-0001")
    assert (shown["state"], shown["reason"], shown["counts"]) == ("withdrawn", "doublon", {"waiting": 1})


async def test_blocks_are_listed_the_latest_first(desk: Desk) -> None:
    for number in (1, 2, 3):
        await draw(desk, f"2026-{number:04}", 1, days(number))

    async def found(after: str | None = None, limit: int = 50, **only: str) -> list[str]:
        page = await reading.list_blocks(
            desk.conn, BlockFilter(only.get("physician"), only.get("state")), after=after, limit=limit
        )
        return [each.block_id for each in page.items]

    assert await found() == ["2026-0003", "2026-0002", "2026-0001"]
    assert await found(limit=2) == ["2026-0003", "2026-0002"]
    assert await found(after="2026-0002") == ["2026-0001"]
    assert await found(state="closed") == []
    assert await found(physician="90001", state="drawn", limit=1) == ["2026-0003"]


async def test_an_unknown_block_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        await reading.stored_block(desk.conn, "2026-9999")


# --- tasks --------------------------------------------------------------------------------------------------


async def test_a_task_says_what_to_decide_and_how(desk: Desk) -> None:
    reference = await desk.attribute()
    await desk.happen(reference, days(3) + timedelta(hours=1))
    (task,) = (await reading.list_tasks(desk.conn)).items
    assert (task.kind, task.owner, task.attribution_id) == ("answer_overdue", "coordinator", reference)
    assert task.due == desk.lives[reference].deadline
    assert f"gamf attribution record {reference} accepted" in task.commands
    assert "A2" in task.decide_fr
    assert "A2" in task.decide_en
    await desk.happen(reference, days(4), "accepted")
    (entry,) = (await reading.list_tasks(desk.conn)).items
    assert (entry.kind, entry.owner, entry.closed_at) == ("sv_to_enter", "clinic", None)
    assert f"gamf attribution record {reference} sv_entered" in entry.commands
    closed = await reading.show_task(desk.conn, task.task_id)
    assert (closed.kind, closed.closed_by) == ("answer_overdue", "clinique")
    await desk.happen(reference, days(5), "sv_entered")
    assert (await reading.list_tasks(desk.conn)).items == ()


async def test_an_unknown_task_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        await reading.show_task(desk.conn, 999_999)


async def test_tasks_are_listed_by_urgency_and_owner(desk: Desk) -> None:
    late, early = await desk.attribute(1), await desk.attribute(2, SECOND["nam"])
    await desk.happen(late, days(1), "accepted")
    await desk.happen(late, days(20))
    await desk.happen(early, days(3) + timedelta(hours=1))
    page = await reading.list_tasks(desk.conn, limit=1)
    assert [task.attribution_id for task in page.items] == [early]
    rest = await reading.list_tasks(desk.conn, after=page.after)
    assert [(task.attribution_id, task.kind) for task in rest.items] == [(late, "sv_overdue")]
    assert rest.after is None
    assert (await reading.list_tasks(desk.conn, TaskFilter(owner="gaco"))).items == ()


def test_every_kind_of_task_has_its_decision_and_its_commands() -> None:
    assert DECISIONS.keys() == set(TaskKind)
    assert all(commands for _, _, commands in DECISIONS.values())


async def test_tasks_are_those_of_an_rls_or_of_a_physician_before_a_day_of_theirs(desk: Desk) -> None:
    reference = await desk.attribute()
    await desk.happen(reference, days(1), "accepted")
    (task,) = (await reading.list_tasks(desk.conn)).items
    assert task.due == datetime(2026, 5, 24, 4, tzinfo=UTC)
    for only in (TaskFilter(rls=task.rls), TaskFilter(physician=task.physician), TaskFilter(owner="clinic")):
        assert (await reading.list_tasks(desk.conn, only)).items == (task,)
        # Due at 24:00 of 23 May: before the 25th, and not before the 24th begins.
        assert (await reading.list_tasks(desk.conn, await chosen(desk.conn, only, date(2026, 5, 25)))).items
        assert not (
            await reading.list_tasks(desk.conn, await chosen(desk.conn, only, date(2026, 5, 24)))
        ).items
    assert (await reading.list_tasks(desk.conn, TaskFilter(rls="x"))).items == ()
