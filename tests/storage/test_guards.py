"""What PostgreSQL itself refuses, whoever writes: the invariants of the rules."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from gamf.activities.transitions import carry_out
from gamf.domain import attribution as rules
from gamf.domain.facts import parse
from gamf.domain.model import Start
from gamf.domain.refusal import RefusedByRuleError
from gamf.storage import register
from gamf.storage.connection import Connection, Pool
from tests.system import a_start, add_network, add_patients

NOON = datetime(2026, 6, 1, 16, tzinfo=UTC)
REFUSED = asyncpg.IntegrityConstraintViolationError


@pytest.fixture
async def start(pool: Pool) -> Start:
    """Return a patient attributed, accepted and enrolled SV."""
    given = await a_start(pool, NOON)
    taken = rules.begin(given)
    await carry_out(pool, taken.transition)
    for fact in ("accepted", "sv_entered"):
        taken = rules.take(taken.attribution, parse(fact, {"by": "compte"}), NOON + timedelta(hours=1))
        await carry_out(pool, taken.transition)
    return given


@pytest.mark.usefixtures("start")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE patients SET registered_on = registered_on + 1",
        "UPDATE patients SET patient_id = 'another'",
        "DELETE FROM patients",
        "UPDATE records SET by = 'another'",
        "DELETE FROM records",
        "TRUNCATE records",
        "DELETE FROM enrolments",
        "UPDATE enrolments SET period = daterange('2026-05-01', NULL)",
        "UPDATE enrolments SET physician = '99999'",
        "UPDATE patients SET place = 'nowhere'",
        "UPDATE patients SET place = 'waiting'",
        "UPDATE patients SET place = 'waiting', attribution_id = NULL",
        "UPDATE patients SET place = 'left', attribution_id = NULL, left_on = '2026-06-02', left_cause = 'deceased'",
        "UPDATE patients SET place = 'enrolled', attribution_id = NULL",
        "UPDATE attributions SET under_way = false",
        """
        INSERT INTO attributions SELECT '2026-000002', block_id, patient_id, physician, rls, time_zone, priority,
            vulnerable, attributed_at, policy, state, true, deadline, waiting_for, ended_on, 0, NULL FROM attributions
        """,
        """
        INSERT INTO enrolments (patient_id, patient_number, physician, category, period)
        SELECT patient_id, number, '99999', 'MF', daterange('2026-07-01', '2026-08-01') FROM patients
        """,
    ],
)
async def test_postgresql_refuses(connection: Connection, statement: str) -> None:
    with pytest.raises(REFUSED):
        await connection.execute(statement)


async def test_invariant_2_a_voided_enrolment_makes_room(connection: Connection, start: Start) -> None:
    await connection.execute("UPDATE enrolments SET voided = true")
    await connection.execute(
        """
        INSERT INTO enrolments (patient_id, patient_number, physician, category, period)
        SELECT patient_id, number, '99999', 'MF', daterange('2026-07-01', '2026-08-01') FROM patients
        """
    )
    with pytest.raises(REFUSED):
        await connection.execute(
            "UPDATE enrolments SET voided = false WHERE attribution_id = $1", start.attribution_id
        )


async def test_one_day_after_the_other_does_not_overlap(connection: Connection, start: Start) -> None:
    await connection.execute("UPDATE enrolments SET period = daterange('2026-06-01', '2026-07-01')")
    await connection.execute(
        """
        INSERT INTO enrolments (patient_id, patient_number, physician, category, period)
        SELECT patient_id, number, '99999', 'MF', daterange('2026-07-01', '2026-08-01') FROM patients
        WHERE patient_id = $1
        """,
        start.patient_id,
    )


async def test_a24_an_enrolment_outside_takes_a_waiting_patient_off_the_list(pool: Pool) -> None:
    async with pool.acquire() as conn:
        rls = await add_network(conn)
        (patient_id,) = await add_patients(conn, rls)

    async def enrol() -> list[str]:
        async with pool.acquire() as conn, conn.transaction():
            return await register.enrol_outside(
                conn, patient_id, "99999", NOON.date(), "hors LE 321", by="gaco", at=NOON, today=NOON.date()
            )

    assert [*await asyncio.gather(enrol(), enrol())] == [[], []]
    assert await pool.fetchval("SELECT place FROM patients") == "enrolled"
    assert await pool.fetchval("SELECT count(*) FROM enrolments") == 1


async def test_a24_an_enrolment_outside_ends_the_attribution_under_way(pool: Pool, start: Start) -> None:
    async with pool.acquire() as conn, conn.transaction():
        told = await register.enrol_outside(
            conn, start.patient_id, "99999", NOON.date(), "x", by="gaco", at=NOON, today=NOON.date()
        )
    assert told == [start.attribution_id]
    row = await pool.fetchrow("SELECT state, under_way FROM attributions")
    assert row is not None
    assert tuple(row) == ("enrolled_elsewhere", False)


async def test_a15_a_departure_noted_in_error_is_undone_at_the_initial_date(pool: Pool, start: Start) -> None:
    attribution = rules.begin(start).attribution
    for fact, argument in (
        ("accepted", {}),
        ("sv_entered", {}),
        ("patient_left", {"on": "2026-06-01", "cause": "deceased"}),
    ):
        taken = rules.take(attribution, parse(fact, {"by": "compte", **argument}), NOON + timedelta(hours=1))
        attribution = taken.attribution
    await carry_out(pool, taken.transition)
    async with pool.acquire() as conn, conn.transaction():
        with pytest.raises(RefusedByRuleError, match="A15"):
            await register.enrol_outside(
                conn, start.patient_id, "99999", NOON.date(), "x", by="gaco", at=NOON, today=NOON.date()
            )
    before = await pool.fetchrow("SELECT place, registered_on FROM patients")
    async with pool.acquire() as conn, conn.transaction():
        assert await register.reinstate(conn, start.patient_id, by="gaco", reason="erreur", at=NOON)
    async with pool.acquire() as conn, conn.transaction():
        assert not await register.reinstate(conn, start.patient_id, by="gaco", reason="erreur", at=NOON)
    after = await pool.fetchrow("SELECT place, registered_on FROM patients")
    assert before is not None
    assert after is not None
    assert (before["place"], after["place"]) == ("left", "waiting")
    assert before["registered_on"] == after["registered_on"]
