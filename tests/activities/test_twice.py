"""Each activity run twice, and two at once against each other: one effect, one answer."""

import asyncio
import hashlib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.testing import ActivityEnvironment

from gamf.activities.attributions import AttributionActivities, LetterTask, RefusedFact, RefusedFacts
from gamf.activities.blocks import Answer, BlockActivities, Decision, DrawRequest
from gamf.activities.letters import LetterActivities, LetterDue
from gamf.activities.ramq import RamqActivities, RamqDue
from gamf.activities.transitions import Outcome, carry_out
from gamf.domain import attribution as rules
from gamf.domain import calendar
from gamf.domain.attribution import Taken
from gamf.domain.block import BlockRequest
from gamf.domain.facts import parse
from gamf.domain.model import Attribution, Start
from gamf.domain.policy import CURRENT
from gamf.domain.refusal import Reason
from gamf.domain.reliving import Remembered, relive
from gamf.letters.carriers import CarrierError, OutboxCarrier
from gamf.letters.ramq import RamqOutbox
from gamf.letters.render import LetterRenderer
from gamf.storage import ramq, register, tasks
from gamf.storage.connection import Pool
from tests.recorder import Recorder
from tests.system import a_start, add_network, add_patients, add_physician

NOON = datetime(2026, 6, 1, 16, tzinfo=UTC)
TABLES = (
    "patients",
    "attributions",
    "enrolments",
    "letters",
    "tasks",
    "records",
    "not_offered",
    "blocks",
    "block_patients",
    "ramq_files",
    "ramq_names",
)


async def everything(pool: Pool) -> dict[str, list[Any]]:
    """Return every row of every table, without the server's own clock."""
    rows = {table: await pool.fetch(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}  # noqa: S608 - our names
    return {
        t: [{k: v for k, v in r.items() if k != "recorded_at"} for r in found] for t, found in rows.items()
    }


def printed(outbox: Path) -> list[str]:
    return [path.name for path in outbox.glob("*.pdf")]


def lines(outbox: Path) -> int:
    return len((outbox / "manifest.csv").read_text("utf-8").splitlines())


LATE = LetterTask(attribution_id="2026-000001", transition=1, at=NOON, due=NOON + timedelta(days=7))


class Case:
    """One patient attributed in a database of the test's own."""

    def __init__(self, pool: Pool, start: Start) -> None:
        self.pool = pool
        self.start = start
        self.attribution: Attribution = rules.begin(start).attribution
        self.recorder = Recorder()
        self.activities = AttributionActivities(pool, self.recorder, self.recorder)

    async def propose(self) -> None:
        assert await carry_out(self.pool, rules.begin(self.start).transition) == Outcome()

    def report(self, fact: str, now: datetime, **argument: object) -> Taken:
        return self._led_to(rules.take(self.attribution, parse(fact, {"by": "compte", **argument}), now))

    def wait_until(self, now: datetime) -> Taken:
        taken = rules.pass_deadline(self.attribution, now)
        assert taken is not None
        return self._led_to(taken)

    async def go(self, fact: str, now: datetime, **argument: object) -> Outcome:
        return await carry_out(self.pool, self.report(fact, now, **argument).transition)

    async def once_only(self, taken: Taken) -> Outcome:
        """Carry out a transition, then again alone, then eight at once; return the answer, always the same."""
        activity = getattr(self.activities, taken.transition.step.value)
        first: Outcome = await activity(taken.transition)
        after = await everything(self.pool)
        again = await asyncio.gather(*(activity(taken.transition) for _ in range(8)))
        assert all(answer == first for answer in again)
        assert await everything(self.pool) == after
        return first

    async def at_once(self, taken: Taken) -> None:
        """Carry out a transition eight times at once, from nothing."""
        answers = await asyncio.gather(*(carry_out(self.pool, taken.transition) for _ in range(8)))
        assert all(answer == answers[0] for answer in answers)
        records = await self.pool.fetchval(
            "SELECT count(*) FROM records WHERE subject_id = $1 AND number = $2",
            self.start.attribution_id,
            taken.transition.number,
        )
        assert records == 1

    async def asked(self) -> list[str]:
        """Return the kinds of the open tasks."""
        rows = await self.pool.fetch("SELECT kind FROM tasks WHERE closed_at IS NULL ORDER BY kind")
        return [row["kind"] for row in rows]

    async def place(self) -> str:
        return str(
            await self.pool.fetchval(
                "SELECT place FROM patients WHERE patient_id = $1", self.start.patient_id
            )
        )

    def _led_to(self, taken: Taken) -> Taken:
        self.attribution = taken.attribution
        return taken


@pytest.fixture
async def case(pool: Pool) -> Case:
    return Case(pool, await a_start(pool, NOON))


async def confirmed(case: Case) -> None:
    await case.propose()
    await case.go("accepted", NOON + timedelta(hours=1))


async def enrolled_sv(case: Case) -> None:
    await confirmed(case)
    await case.go("sv_entered", NOON + timedelta(hours=2))


async def expired(case: Case) -> None:
    await enrolled_sv(case)
    await carry_out(case.pool, case.wait_until(NOON + timedelta(days=366)).transition)


async def test_propose(case: Case) -> None:
    await case.once_only(rules.begin(case.start))
    assert await case.place() == "attributed"


async def test_propose_at_once(case: Case) -> None:
    await case.at_once(rules.begin(case.start))


async def test_open_task_of_a_silence(case: Case) -> None:
    await case.propose()
    await case.once_only(case.wait_until(NOON + timedelta(hours=73)))
    assert await case.pool.fetchval("SELECT count(*) FROM tasks WHERE closed_at IS NULL") == 1


async def test_confirm_acceptance(case: Case) -> None:
    await case.propose()
    outcome = await case.once_only(case.report("accepted", NOON + timedelta(hours=1)))
    assert outcome.letters == ("2026-000001-1",)


async def test_enrol_sv_at_once(case: Case) -> None:
    await confirmed(case)
    await case.at_once(case.report("sv_entered", NOON + timedelta(hours=2)))
    assert await case.pool.fetchval("SELECT count(*) FROM enrolments") == 1


async def test_enrol_sv(case: Case) -> None:
    await confirmed(case)
    await case.once_only(case.report("sv_entered", NOON + timedelta(hours=2)))


async def test_r12_enrol_mf_closes_the_sv_the_day_before(case: Case) -> None:
    await enrolled_sv(case)
    await case.once_only(case.report("mf_signed", NOON + timedelta(days=40), signed_on="2026-07-10"))
    rows = await case.pool.fetch(
        "SELECT category, lower(period), upper(period), voided FROM enrolments ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [
        ("MF", date(2026, 7, 10), None, False),
        ("SV", date(2026, 6, 1), date(2026, 7, 10), False),
    ]
    assert await case.place() == "enrolled"


async def test_a12_enrol_mf_on_the_first_day_voids_the_sv(case: Case) -> None:
    await enrolled_sv(case)
    await case.once_only(case.report("mf_signed", NOON + timedelta(hours=3), signed_on="2026-06-01"))
    assert await case.pool.fetchval("SELECT voided FROM enrolments WHERE category = 'SV'")


async def test_r9_return_to_list_voids_the_sv(case: Case) -> None:
    await enrolled_sv(case)
    await case.once_only(case.report("patient_refused", NOON + timedelta(days=3), ground="discriminatory"))
    assert await case.pool.fetchval("SELECT voided FROM enrolments WHERE category = 'SV'")
    assert await case.place() == "waiting"
    assert await case.pool.fetchval("SELECT count(*) FROM not_offered") == 1


async def test_r15_return_to_list_closes_the_sv_at_the_term(case: Case) -> None:
    await enrolled_sv(case)
    await case.once_only(case.wait_until(NOON + timedelta(days=366)))
    assert await case.pool.fetchval("SELECT upper(period) FROM enrolments") == date(2027, 6, 2)
    assert await case.place() == "waiting"


async def test_a15_leave_list(case: Case) -> None:
    await enrolled_sv(case)
    await case.once_only(
        case.report("patient_left", NOON + timedelta(days=3), on="2026-06-02", cause="deceased")
    )
    assert await case.place() == "left"
    assert await case.pool.fetchval("SELECT upper(period) FROM enrolments") == date(2026, 6, 3)
    assert await case.pool.fetch("SELECT FROM letters WHERE state = 'queued'") == []


async def test_a14_leave_list_for_another_physician(case: Case) -> None:
    await enrolled_sv(case)
    elsewhere = {"physician": "99999", "effective_on": "2026-06-03", "basis": "R10"}
    await case.once_only(case.report("enrolled_elsewhere", NOON + timedelta(days=3), **elsewhere))
    assert await case.place() == "enrolled"
    assert await case.pool.fetchval("SELECT count(*) FROM enrolments WHERE NOT voided") == 2


async def test_reopen_window(case: Case) -> None:
    await confirmed(case)
    await carry_out(case.pool, case.wait_until(NOON + timedelta(days=16)).transition)
    reopened = case.report("window_reopened", NOON + timedelta(days=16), opens_on="2026-06-17", reason="R11")
    await case.once_only(reopened)
    assert await case.asked() == ["sv_to_enter"]


async def test_a16_note_of_a_departure_to_come(case: Case) -> None:
    await enrolled_sv(case)
    await case.once_only(
        case.report("physician_left", NOON + timedelta(days=3), on="2026-09-01", cause="retired")
    )
    assert await case.pool.fetchval("SELECT leaves_on FROM physicians") == date(2026, 9, 1)
    assert await case.place() == "attributed"


async def test_a11_a_late_mf_ends_the_new_attribution_at_once(case: Case) -> None:
    await expired(case)
    later = NOON + timedelta(days=370)
    other = Case(
        case.pool, case.start.model_copy(update={"attribution_id": "2027-000001", "attributed_at": later})
    )
    await other.propose()
    await other.go("accepted", later + timedelta(hours=1))
    await other.go("sv_entered", later + timedelta(hours=2))
    late = case.report("mf_signed", later + timedelta(hours=3), signed_on="2027-05-20")
    outcome = await case.once_only(late)
    assert outcome.tell == ("2027-000001",)
    assert await case.place() == "enrolled"
    row = await case.pool.fetchrow(
        "SELECT state, under_way FROM attributions WHERE attribution_id = '2027-000001'"
    )
    assert row is not None
    assert tuple(row) == ("enrolled_elsewhere", False)
    # What the other one was about to do is not done: it learns what overtook it, and ends by that.
    overtaken = await carry_out(
        case.pool, other.report("patient_refused", later + timedelta(hours=4), ground="x").transition
    )
    assert overtaken.overtaken
    assert overtaken.fact == outcome.fact


async def test_two_transitions_of_the_same_number_have_one_effect(case: Case) -> None:
    await case.propose()
    before = case.attribution
    accept = case.report("accepted", NOON + timedelta(hours=1)).transition
    case.attribution = before
    refuse = case.report("refused", NOON + timedelta(hours=1), reason="x").transition
    answers = await asyncio.gather(carry_out(case.pool, accept), carry_out(case.pool, refuse))
    (record,) = await case.pool.fetch("SELECT event, at, argument, after FROM records WHERE number = 1")
    # One was carried out; the other is told which, to be taken on before anything else.
    assert [answer.written for answer in answers if answer.written] == [Remembered(**record)]


async def test_a_fact_taken_again_later_is_answered_with_when_it_was_taken(case: Case) -> None:
    await case.propose()
    before = case.attribution
    first = await case.go("accepted", NOON + timedelta(hours=1))
    case.attribution = before
    again = case.report("accepted", NOON + timedelta(hours=2))
    outcome = await case.once_only(again)
    assert outcome.letters == first.letters
    assert outcome.written is not None
    assert (outcome.written.event, outcome.written.at) == ("accepted", NOON + timedelta(hours=1))
    lived = relive(before, [outcome.written])
    assert lived.attribution.confirmed_on == date(2026, 6, 1)


async def test_invariant_2_what_postgresql_refuses_changes_nothing(case: Case) -> None:
    await confirmed(case)
    await case.pool.execute(
        """
        INSERT INTO enrolments (patient_id, patient_number, physician, category, period)
        SELECT patient_id, number, '99999', 'MF', daterange('2026-06-01', '2026-08-01') FROM patients
        """
    )
    before = await everything(case.pool)
    outcome = await case.go("sv_entered", NOON + timedelta(hours=2))
    assert outcome.conflict == "enrolments_never_overlap"
    assert await everything(case.pool) == before


async def test_keep_refused_facts(case: Case) -> None:
    refused = RefusedFact(key="1", fact="x", at=NOON, argument=[1, None, "é"], rule="form", reason="…")
    facts = RefusedFacts(subject="attribution", subject_id="2026-000001", policy="p", refused=(refused,))
    await asyncio.gather(*(case.activities.keep_refused_facts(facts) for _ in range(8)))
    row = await case.pool.fetchrow("SELECT event, argument, refused FROM records WHERE refused")
    assert row is not None
    assert tuple(row) == ("x", [1, None, "é"], True)


async def test_ask_about_letter(case: Case) -> None:
    await confirmed(case)
    await asyncio.gather(*(case.activities.ask_about_letter(LATE) for _ in range(8)))
    assert await case.asked() == ["letter_not_sent", "sv_to_enter"]


async def test_a_letter_that_goes_after_all_closes_its_task(case: Case, tmp_path: Path) -> None:
    await confirmed(case)
    await case.activities.ask_about_letter(LATE)
    activities = LetterActivities(case.pool, LetterRenderer(), OutboxCarrier(tmp_path))
    await activities.send_letter(LetterDue(letter_id="2026-000001-1", at=NOON))
    assert await case.asked() == ["sv_to_enter"]
    # A task asked for late, once the letter has gone, is not opened.
    await case.activities.ask_about_letter(LATE.model_copy(update={"at": NOON + timedelta(days=1)}))
    assert await case.asked() == ["sv_to_enter"]


async def test_a15_nobody_is_asked_about_the_letter_of_whoever_has_died(case: Case) -> None:
    await confirmed(case)
    await case.pool.execute("UPDATE letters SET state = 'sending'")
    await case.activities.ask_about_letter(LATE)
    await case.go("patient_left", NOON + timedelta(hours=2), on="2026-06-01", cause="deceased")
    assert await case.asked() == []
    await case.activities.ask_about_letter(LATE.model_copy(update={"transition": 1}))
    assert await case.asked() == []


async def test_a24_an_announced_fact_is_no_longer_asked_about_once_it_has_come_true(case: Case) -> None:
    await confirmed(case)
    ahead = {"physician": "54321", "effective_on": "2026-08-01", "basis": "essai"}
    await case.go("enrolled_elsewhere", NOON + timedelta(hours=2), **ahead)
    await case.go("cancelled", NOON + timedelta(hours=3), reason="x")
    assert await case.asked() == ["announced_fact"]
    async with case.pool.acquire() as conn, conn.transaction():
        await register.enrol_outside(
            conn,
            case.start.patient_id,
            "54321",
            date(2026, 8, 1),
            "essai",
            by="gaco",
            at=NOON + timedelta(days=61),
            today=date(2026, 8, 1),
        )
    assert await case.asked() == []


async def test_a_patient_who_moves_takes_along_what_is_asked_about_them(case: Case) -> None:
    async with case.pool.acquire() as conn:
        await tasks.open_about_patient(conn, case.start.patient_id, "x", "gaco", 1, NOON, NOON)
        rls = await add_network(conn)
        await conn.execute("UPDATE patients SET rls = $2 WHERE patient_id = $1", case.start.patient_id, rls)
    assert await case.pool.fetchval("SELECT rls FROM tasks") == rls


async def test_send_letter(case: Case, tmp_path: Path) -> None:
    await confirmed(case)
    activities = LetterActivities(case.pool, LetterRenderer(), OutboxCarrier(tmp_path))
    due = LetterDue(letter_id="2026-000001-1", at=NOON + timedelta(hours=1))
    answers = await asyncio.gather(*(activities.send_letter(due) for _ in range(4)))
    assert set(answers) == {"sent"}
    assert await activities.send_letter(due) == "sent"
    assert lines(tmp_path) == 2
    assert printed(tmp_path) == ["2026-000001-1.pdf"]
    row = await case.pool.fetchrow("SELECT state, sent_at, language FROM letters")
    assert row is not None
    assert tuple(row) == ("sent", due.at, "fr")


async def test_a15_send_letter_that_is_withheld(case: Case, tmp_path: Path) -> None:
    await confirmed(case)
    await case.go("patient_left", NOON + timedelta(hours=2), on="2026-06-01", cause="deceased")
    activities = LetterActivities(case.pool, LetterRenderer(), OutboxCarrier(tmp_path))
    assert await activities.send_letter(LetterDue(letter_id="2026-000001-1", at=NOON)) == "withheld"
    assert printed(tmp_path) == []


async def test_a25_the_corrective_letter_goes_to_who_got_the_first(case: Case, tmp_path: Path) -> None:
    await confirmed(case)
    activities = LetterActivities(case.pool, LetterRenderer(), OutboxCarrier(tmp_path))
    await activities.send_letter(LetterDue(letter_id="2026-000001-1", at=NOON))
    outcome = await case.go("cancelled", NOON + timedelta(hours=2), reason="x")
    assert outcome.letters == ("2026-000001-2",)
    assert await activities.send_letter(LetterDue(letter_id="2026-000001-2", at=NOON)) == "sent"


async def test_a25_nobody_is_told_of_the_end_of_what_they_never_heard_of(case: Case) -> None:
    await confirmed(case)
    outcome = await case.go("cancelled", NOON + timedelta(hours=2), reason="x")
    assert outcome.letters == ()
    assert await case.pool.fetchval("SELECT state FROM letters") == "withheld"


class BlockCase:
    """A block in a database of the test's own; workflows are only written down."""

    def __init__(self, pool: Pool, request: BlockRequest) -> None:
        self.pool = pool
        self.request = request
        self.recorder = Recorder()
        self.activities = BlockActivities(pool, self.recorder, self.recorder)
        self.due = DrawRequest(request=request, at=NOON)
        self.decision = Decision(block_id=request.block_id, by="coordo", at=NOON, policy=CURRENT)


@pytest.fixture
async def block(pool: Pool) -> BlockCase:
    async with pool.acquire() as conn:
        rls = await add_network(conn)
        licence = await add_physician(conn, rls)
        await add_patients(conn, rls, 30)
    request = BlockRequest(
        block_id="2026-0001", physician=licence, rls=rls, size=20, requested_by="coordo", policy=CURRENT
    )
    return BlockCase(pool, request)


async def test_draw_list(block: BlockCase) -> None:
    drawn = await asyncio.gather(*(block.activities.draw_list(block.due) for _ in range(8)))
    assert all(list_ == drawn[0] for list_ in drawn)
    assert len(drawn[0].listed) == 20
    assert await block.pool.fetchval("SELECT count(*) FROM patients WHERE place = 'proposed'") == 20


async def test_attribute_list(block: BlockCase) -> None:
    await block.activities.draw_list(block.due)
    listed, *again = await asyncio.gather(
        *(block.activities.attribute_list(block.decision) for _ in range(4))
    )
    assert isinstance(listed, tuple)
    assert all(list_ == listed for list_ in again)
    assert len({one.attribution_id for one in listed}) == 20
    assert {start.attribution_id for start in block.recorder.started} == {
        one.attribution_id for one in listed
    }
    assert await block.pool.fetchval("SELECT count(*) FROM attributions WHERE under_way") == 20


async def test_r3_attribute_list_refuses_whoever_is_no_longer_eligible_and_changes_nothing(
    block: BlockCase,
) -> None:
    await block.activities.draw_list(block.due)
    await block.pool.execute("UPDATE physicians SET status = 'disengaged'")
    before = await everything(block.pool)
    answers = await asyncio.gather(*(block.activities.attribute_list(block.decision) for _ in range(4)))
    assert [answer.rule for answer in answers if isinstance(answer, Reason)] == ["R3"] * 4
    assert await everything(block.pool) == before
    assert block.recorder.started == []


async def test_r3_a_list_that_is_attributed_stays_so_whatever_becomes_of_the_physician(
    block: BlockCase,
) -> None:
    await block.activities.draw_list(block.due)
    listed = await block.activities.attribute_list(block.decision)
    await block.pool.execute("UPDATE physicians SET status = 'disengaged'")
    assert await block.activities.attribute_list(block.decision) == listed


async def test_a21_withdraw_list_puts_everybody_back(block: BlockCase) -> None:
    await block.activities.draw_list(block.due)
    await asyncio.gather(*(block.activities.withdraw_list(block.decision) for _ in range(8)))
    assert await block.pool.fetchval("SELECT count(*) FROM patients WHERE place = 'waiting'") == 30
    assert await block.pool.fetchval("SELECT count(*) FROM records WHERE subject = 'block'") == 2
    assert await block.activities.attribute_list(block.decision) == ()


async def test_close_block(block: BlockCase) -> None:
    await block.activities.draw_list(block.due)
    await block.activities.attribute_list(block.decision)
    await asyncio.gather(*(block.activities.close_block(block.decision) for _ in range(8)))
    assert await block.pool.fetchval("SELECT state FROM blocks") == "closed"
    assert await block.pool.fetchval("SELECT count(*) FROM records WHERE subject = 'block'") == 3


async def test_answer_list_tells_everybody(block: BlockCase) -> None:
    answer = Answer(
        fact="accepted", argument={"by": "coordo"}, attribution_ids=("2026-000001", "2026-000002")
    )
    await block.activities.answer_list(answer)
    assert sorted(block.recorder.told) == [("2026-000001", "accepted"), ("2026-000002", "accepted")]


async def test_two_draws_at_once_never_share_a_patient(block: BlockCase) -> None:
    requests = [
        block.request.model_copy(update={"block_id": f"2026-{n:04d}", "size": 4}) for n in range(1, 11)
    ]
    drawn = await asyncio.gather(
        *(block.activities.draw_list(DrawRequest(request=request, at=NOON)) for request in requests)
    )
    everybody = [one.patient_id for list_ in drawn for one in list_.listed]
    assert len(everybody) == len(set(everybody)) == 30
    assert await block.pool.fetchval("SELECT count(*) FROM patients WHERE place = 'proposed'") == 30


async def test_a15_a_death_known_by_one_attribution_ends_the_other(case: Case) -> None:
    await expired(case)
    later = NOON + timedelta(days=370)
    other = Case(
        case.pool, case.start.model_copy(update={"attribution_id": "2027-000001", "attributed_at": later})
    )
    await other.propose()
    await other.go("accepted", later + timedelta(hours=1))
    died = case.report("patient_left", later + timedelta(days=2), on="2027-06-07", cause="deceased")
    outcome = await case.once_only(died)
    assert outcome.tell == ("2027-000001",)
    assert await case.place() == "left"
    row = await case.pool.fetchrow("SELECT state FROM attributions WHERE attribution_id = '2027-000001'")
    assert row is not None
    assert row["state"] == "patient_left"


# In UTC it is the day after the first two; the last two are of one instant and have two dates.
EVENINGS = [
    ("America/Halifax", "22:30", timedelta()),
    ("America/Toronto", "23:30", timedelta()),
    ("America/Halifax", "00:30", timedelta(days=1)),
]


def at_clock(day: date, clock: str, zone: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), calendar.zone(zone)).astimezone(UTC)


@pytest.mark.parametrize(("zone", "clock", "later"), EVENINGS)
async def test_a23_in_the_evening_a_letter_and_an_end_have_the_date_of_the_rls(
    pool: Pool, zone: str, clock: str, later: timedelta
) -> None:
    case = Case(pool, await a_start(pool, NOON, zone))
    day = date(2026, 6, 2) + later
    evening = at_clock(day, clock, zone)
    await case.propose()
    await case.go("accepted", evening)
    assert await pool.fetchval("SELECT dated FROM letters") == day
    # It has gone, so that another letter tells the patient what became of it (A25).
    await pool.execute("UPDATE letters SET state = 'sent', sent_at = $1", evening)
    await case.go("cancelled", evening + timedelta(minutes=1), reason="x")
    assert await pool.fetchval("SELECT dated FROM letters WHERE kind = 'corrective'") == day
    assert await pool.fetchval("SELECT ended_on FROM attributions") == day


@pytest.mark.parametrize(("zone", "clock", "later"), EVENINGS)
async def test_a11_a23_what_is_overtaken_in_the_evening_ends_on_the_date_of_the_rls(
    pool: Pool, zone: str, clock: str, later: timedelta
) -> None:
    case = Case(pool, await a_start(pool, NOON, zone))
    await expired(case)
    again = {"attribution_id": "2027-000001", "attributed_at": NOON + timedelta(days=368)}
    other = Case(pool, case.start.model_copy(update=again))
    await other.propose()
    day = date(2027, 6, 6) + later
    outcome = await case.go("mf_signed", at_clock(day, clock, zone), signed_on="2027-05-20")
    assert outcome.tell == ("2027-000001",)
    ended = await pool.fetch("SELECT attribution_id, ended_on FROM attributions ORDER BY 1")
    assert [tuple(row) for row in ended] == [("2026-000001", day), ("2027-000001", day)]


async def test_blocks_of_850_are_attributed_however_many_came_before(block: BlockCase) -> None:
    async with block.pool.acquire() as conn:
        await add_patients(conn, block.request.rls, 3 * 850)
    for number in range(1, 4):
        request = block.request.model_copy(update={"block_id": f"2026-{number:04d}", "size": 850})
        await block.activities.draw_list(DrawRequest(request=request, at=NOON))
        decision = block.decision.model_copy(update={"block_id": request.block_id})
        listed = await ActivityEnvironment().run(block.activities.attribute_list, decision)
        assert isinstance(listed, tuple)
        assert len(listed) == 850
    assert await block.pool.fetchval("SELECT count(*) FROM attributions WHERE under_way") == 3 * 850


# --- a replacement is drawn once, whatever is stopped on the way ------------------------------------------------------


async def on_a_list(block: BlockCase, size: int) -> list[Case]:
    """Attribute a block of that size; return its attributions."""
    block.due = DrawRequest(request=block.request.model_copy(update={"size": size}), at=NOON)
    await block.activities.draw_list(block.due)
    await block.activities.attribute_list(block.decision)
    return [Case(block.pool, start) for start in block.recorder.started]


async def replaced(pool: Pool) -> list[tuple[str, str]]:
    rows = await pool.fetch(
        "SELECT replaces, attribution_id FROM attributions WHERE replaces IS NOT NULL ORDER BY 2"
    )
    return [(row["replaces"], row["attribution_id"]) for row in rows]


async def test_r5_a17_return_to_list_draws_one_replacement(block: BlockCase) -> None:
    case, *_ = await on_a_list(block, 3)
    outcome = await case.once_only(case.report("cancelled", NOON + timedelta(hours=1), reason="dispute"))
    assert (outcome.replacement or {})["attribution_id"] == "2026-000004"
    assert await replaced(block.pool) == [("2026-000001", "2026-000004")]
    assert {start.attribution_id for start in case.recorder.started} == {"2026-000004"}
    line = case.recorder.replacements[0]
    assert all(each == line for each in case.recorder.replacements)
    assert (line["attribution_id"], line["replaces"]) == ("2026-000004", "2026-000001")
    assert case.recorder.reported[0] == ("2026-0001", "2026-000001", "cancelled")


async def test_a17_a_worker_that_stops_before_the_replacement_is_started_starts_it_the_next_time(
    block: BlockCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, *_ = await on_a_list(block, 1)
    transition = case.report("cancelled", NOON + timedelta(hours=1), reason="dispute").transition

    async def stopped(_start: Start) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(case.recorder, "start", stopped)
        with pytest.raises(ConnectionError):
            await case.activities.return_to_list(transition)
    written = await everything(block.pool)
    assert (case.recorder.started, case.recorder.reported) == ([], [])
    outcome: Outcome = await case.activities.return_to_list(transition)
    assert await everything(block.pool) == written
    assert [start.model_dump(mode="json") for start in case.recorder.started] == [outcome.replacement]
    assert case.recorder.started[0].attributed_at == NOON + timedelta(hours=1)
    assert len(case.recorder.replacements) == 1


async def test_a17_a_cancellation_that_fails_to_be_written_brings_nobody(
    block: BlockCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, *_ = await on_a_list(block, 1)
    before = await everything(block.pool)
    transition = case.report("cancelled", NOON + timedelta(hours=1), reason="dispute").transition

    async def stopped(*_given: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr("gamf.activities.replacement.replacements.put_on_list", stopped)
        with pytest.raises(ConnectionError):
            await case.activities.return_to_list(transition)
    assert await everything(block.pool) == before
    await case.activities.return_to_list(transition)
    assert await replaced(block.pool) == [("2026-000001", "2026-000002")]


async def test_a17_all_cancelled_at_once_bring_each_another_while_a_block_is_drawn(block: BlockCase) -> None:
    cases = await on_a_list(block, 8)
    other = block.request.model_copy(update={"block_id": "2026-0002", "size": 6})
    cancelled = [case.report("cancelled", NOON, reason="dispute").transition for case in cases]
    await asyncio.gather(
        block.activities.draw_list(DrawRequest(request=other, at=NOON)),
        *(case.activities.return_to_list(t) for case, t in zip(cases, cancelled, strict=True)),
    )
    assert {replaces for replaces, _ in await replaced(block.pool)} == {
        case.start.attribution_id for case in cases
    }
    counts = await block.pool.fetch("SELECT place, count(*) FROM patients GROUP BY place")
    # The 22 who waited: 8 replace, and of the 14 others and the 8 who are back, 6 are drawn.
    assert {row["place"]: row["count"] for row in counts} == {"attributed": 8, "proposed": 6, "waiting": 16}


async def test_a17_a_task_for_the_coordinator_when_there_is_nobody(block: BlockCase) -> None:
    case, *_ = await on_a_list(block, 1)
    await block.pool.execute("UPDATE patients SET priority = 'A' WHERE place = 'waiting'")
    outcome = await case.once_only(case.report("cancelled", NOON + timedelta(hours=1), reason="x"))
    assert outcome.replacement is None
    assert await block.pool.fetchval("SELECT kind FROM tasks WHERE closed_at IS NULL") == "no_replacement"
    assert await case.place() == "waiting"


# --- a file to RAMQ, once ---------------------------------------------------------------------------------------------


class RamqCase:
    """A block that has closed, everybody confirmed, and the folder that its file goes to."""

    def __init__(self, block: BlockCase, folder: Path) -> None:
        self.block = block
        self.folder = folder
        self.activities = RamqActivities(block.pool, RamqOutbox(folder))
        self.due = RamqDue(block_id=block.request.block_id, at=NOON + timedelta(hours=2))

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.glob("ramq-*.csv")}

    def listed(self) -> list[str]:
        return [
            line.split(",")[0] for line in (self.folder / "manifest.csv").read_text("utf-8").splitlines()[1:]
        ]

    async def row(self) -> dict[str, Any]:
        found = await self.block.pool.fetchrow("SELECT * FROM ramq_files")
        assert found is not None
        return dict(found)


@pytest.fixture
async def closed(block: BlockCase, tmp_path: Path) -> RamqCase:
    for case in await on_a_list(block, 3):
        await case.go("accepted", NOON + timedelta(hours=1))
    await block.activities.close_block(block.decision)
    return RamqCase(block, tmp_path / "ramq")


FIRST = "ramq-2026-0001-01.csv"


async def test_r6_confirm_to_ramq(closed: RamqCase) -> None:
    await asyncio.gather(*(closed.activities.confirm_to_ramq(closed.due) for _ in range(8)))
    await closed.activities.confirm_to_ramq(closed.due)
    assert (list(closed.files()), closed.listed()) == ([FIRST], [FIRST])
    row = await closed.row()
    assert (row["names"], row["content"], row["handed_at"]) == (3, None, closed.due.at)
    assert row["sha256"] == hashlib.sha256(closed.files()[FIRST]).hexdigest()
    records = "SELECT count(*) FROM records WHERE subject = 'block' AND event = 'confirmed_to_ramq'"
    assert await closed.block.pool.fetchval(records) == 1


async def test_r6_a_worker_stopped_before_the_hand_over_hands_over_the_next_time(
    closed: RamqCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("gamf.letters.ramq.write_durably", _stopped)
        with pytest.raises(CarrierError):
            await closed.activities.confirm_to_ramq(closed.due)
    made = (await closed.row())["content"]
    assert closed.files() == {}
    # A name corrected meanwhile changes nothing of what was made.
    await closed.block.pool.execute("UPDATE patients SET last_name = 'Corrigé'")
    await closed.activities.confirm_to_ramq(closed.due)
    assert closed.files() == {FIRST: made}
    assert closed.listed() == [FIRST]


async def test_r6_a_worker_stopped_between_the_file_and_its_line_writes_the_same_again(
    closed: RamqCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("gamf.letters.manifest.Manifest.add", _stopped)
        with pytest.raises(CarrierError):
            await closed.activities.confirm_to_ramq(closed.due)
    before = closed.files()
    assert (list(before), closed.listed()) == ([FIRST], [])
    await closed.activities.confirm_to_ramq(closed.due)
    assert (closed.files(), closed.listed()) == (before, [FIRST])


async def test_r6_a_worker_stopped_between_the_hand_over_and_the_commit_hands_over_nothing_again(
    closed: RamqCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stopped(*_given: object) -> bool:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(ramq, "handed", stopped)
        with pytest.raises(ConnectionError):
            await closed.activities.confirm_to_ramq(closed.due)
    assert (await closed.row())["handed_at"] is None
    # Whoever transfers it has taken it away already: it is not put there twice.
    (closed.folder / FIRST).unlink()
    await closed.activities.confirm_to_ramq(closed.due)
    assert (closed.files(), closed.listed()) == ({}, [FIRST])
    assert (await closed.row())["handed_at"] == closed.due.at


async def test_r6_nothing_goes_before_the_block_closes(block: BlockCase, tmp_path: Path) -> None:
    for case in await on_a_list(block, 2):
        outcome = await case.once_only(case.report("accepted", NOON + timedelta(hours=1)))
        assert not outcome.ramq
    open_ = RamqCase(block, tmp_path / "ramq")
    await open_.activities.confirm_to_ramq(open_.due)
    assert not open_.folder.exists()


async def test_r6_a17_a_confirmation_after_the_block_has_closed_asks_for_a_supplement(
    closed: RamqCase,
) -> None:
    await closed.activities.confirm_to_ramq(closed.due)
    start = closed.block.recorder.started[0]
    cancelled = Case(closed.block.pool, start)
    cancelled.attribution = rules.take(
        cancelled.attribution, parse("accepted", {"by": "compte"}), NOON + timedelta(hours=1)
    ).attribution
    taken = cancelled.report("cancelled", NOON + timedelta(hours=3), reason="dispute")
    await cancelled.activities.return_to_list(taken.transition)
    new = Case(closed.block.pool, cancelled.recorder.started[0])
    outcome = await new.once_only(new.report("accepted", NOON + timedelta(hours=4)))
    assert outcome.ramq
    assert outcome.letters == ("2026-000004-1",)
    await asyncio.gather(*(closed.activities.confirm_to_ramq(closed.due) for _ in range(4)))
    assert closed.listed() == [FIRST, "ramq-2026-0001-02.csv"]
    assert b"2026-000004,2026-000001," in closed.files()["ramq-2026-0001-02.csv"]


async def test_r6_what_was_named_to_ramq_is_neither_edited_nor_removed(closed: RamqCase) -> None:
    await closed.activities.confirm_to_ramq(closed.due)
    for statement in (
        "DELETE FROM ramq_names",
        "UPDATE ramq_names SET number = 2",
        "DELETE FROM ramq_files",
        "UPDATE ramq_files SET sha256 = 'x'",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await closed.block.pool.execute(statement)


def _stopped(*_given: object) -> None:
    raise OSError(28, "No space left on device")
