"""The draw on a real list: by group, the same as the rules alone would draw, and never anybody twice."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from gamf.activities import drawing
from gamf.activities.blocks import BlockActivities, Decision, DrawRequest
from gamf.domain import draw
from gamf.domain.block import BlockRequest
from gamf.domain.draw import Candidate
from gamf.domain.policy import CURRENT
from gamf.domain.profile import Group, group_of
from gamf.runtime.database import database_pool
from gamf.runtime.polling import until
from gamf.runtime.settings import Settings
from gamf.storage.connection import Connection, Pool
from gamf.storage.invariants import violations
from gamf.storage.waiting import counts, sum_up
from tests.recorder import Recorder
from tests.system import add_network, add_patients, add_physician, add_population

NOON = datetime(2026, 6, 1, 16, tzinfo=UTC)
ON = date(2026, 6, 1)
_HELD_UP = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
_WAITING = """
    SELECT patient_id, priority, registered_on, number, vulnerable, birth_date FROM patients
    WHERE rls = $1 AND place = 'waiting'
"""
_REFUSED = """
    INSERT INTO attributions (attribution_id, patient_id, physician, rls, time_zone, priority, vulnerable,
                              attributed_at, policy, state, under_way, ended_on, transition)
    SELECT '2026-' || lpad(number::text, 6, '0'), patient_id, $1, rls, 'America/Toronto', priority, vulnerable,
           '2026-05-01Z', 'test', 'refused', false, '2026-05-02', 0
    FROM patients WHERE patient_id = ANY ($2::text[])
"""
_NOT_OFFERED = """
    INSERT INTO not_offered (patient_id, patient_number, physician, attribution_id)
    SELECT patient_id, number, $1, '2026-' || lpad(number::text, 6, '0') FROM patients
    WHERE patient_id = ANY ($2::text[])
"""


def request(number: int, rls: str, physician: str, size: int) -> BlockRequest:
    return BlockRequest(
        block_id=f"2026-{number:04}",
        physician=physician,
        rls=rls,
        size=size,
        requested_by="coordo",
        policy=CURRENT,
    )


async def draw_block(pool: Pool, asked: BlockRequest) -> list[str]:
    recorder = Recorder()
    activities = BlockActivities(pool, recorder, recorder)
    drawn = await activities.draw_list(DrawRequest(request=asked, at=NOON))
    return [each.patient_id for each in drawn.listed]


async def refuse(conn: Connection, physician: str, patients: Sequence[str]) -> None:
    """Have these patients refused by that physician, earlier."""
    await conn.execute(_REFUSED, physician, patients)
    await conn.execute(_NOT_OFFERED, physician, patients)


async def candidates(conn: Connection, rls: str) -> list[Candidate]:
    return [Candidate(**row) for row in await conn.fetch(_WAITING, rls)]


def by_group(people: Iterable[Candidate]) -> Counter[Group]:
    return Counter(group_of(vulnerable=p.vulnerable, birth_date=p.birth_date, on=ON) for p in people)


@pytest.mark.parametrize("size", [1, 7, 100, 428, 429, 500])
async def test_r4_a8_a18_the_database_draws_whom_the_rules_draw(connection: Connection, size: int) -> None:
    rls = await add_network(connection)
    physician, other = [await add_physician(connection, rls) for _ in range(2)]
    people = await add_population(connection, rls, 500)
    await add_population(connection, await add_network(connection), 100)
    await refuse(connection, physician, people[::7])
    await refuse(connection, other, people[1::7])
    waiting = await candidates(connection, rls)
    offered = [each for each in waiting if each.patient_id not in set(people[::7])]
    plan = draw.plan(size, ON, None, by_group(waiting), by_group(offered))
    expected = draw.draw(offered, plan.seats, ON)
    async with connection.transaction():
        _, drawn = await drawing.draw_list(connection, request(1, rls, physician, size), NOON)
    assert drawn == expected
    assert len(drawn) == min(size, len(offered))


async def test_r4_a8_a_group_that_refused_this_physician_leaves_its_seats_to_the_others(
    connection: Connection,
) -> None:
    rls = await add_network(connection)
    physician = await add_physician(connection, rls)
    await add_patients(connection, rls, 30, vulnerable=True)
    shy = await add_patients(connection, rls, 30, vulnerable=False)
    await refuse(connection, physician, shy[:28])
    plan, drawn = await drawing.draw_list(connection, request(1, rls, physician, 20), NOON)
    assert [(g.vulnerable, g.waiting, g.wanted, g.drawn) for g in plan.groups if g.waiting] == [
        (True, 30, 10, 18),
        (False, 30, 10, 2),
    ]
    assert {each.candidate.patient_id for each in drawn if not each.group.vulnerable} == set(shy[28:])


async def test_r4_ages_are_those_of_the_local_date_of_the_request(connection: Connection) -> None:
    rls = await add_network(connection, "America/Toronto")
    physician = await add_physician(connection, rls)
    await add_patients(connection, rls)
    await connection.execute("UPDATE patients SET birth_date = '2020-06-02' WHERE rls = $1", rls)
    # Midnight in Toronto is 04:00 in UTC.
    for seconds, ages in ((-1, "0-5"), (0, "6-17"), (1, "6-17")):
        at = datetime(2026, 6, 2, 4, tzinfo=UTC) + timedelta(seconds=seconds)
        _, (one,) = await drawing.draw_list(connection, request(1, rls, physician, 1), at)
        assert one.group.ages == ages


@pytest.mark.parametrize("born", ["1850-01-01", "2199-12-31"])
async def test_r4_nobody_is_left_out_for_an_unlikely_date_of_birth(connection: Connection, born: str) -> None:
    rls = await add_network(connection)
    physician = await add_physician(connection, rls)
    people = await add_population(connection, rls, 20)
    await connection.execute(
        "UPDATE patients SET birth_date = $2::text::date WHERE patient_id = $1", people[0], born
    )
    _, drawn = await drawing.draw_list(connection, request(1, rls, physician, 20), NOON)
    assert {each.candidate.patient_id for each in drawn} == set(people)


async def test_r4_whoever_leaves_the_list_meanwhile_is_not_drawn(pool: Pool) -> None:
    async with pool.acquire() as conn:
        rls = await add_network(conn)
        physician = await add_physician(conn, rls)
        first, *others = await add_patients(conn, rls, 4)
    async with pool.acquire() as leaving, leaving.transaction():
        await leaving.execute(
            "UPDATE patients SET place = 'left', left_on = '2026-06-01', left_cause = 'x' WHERE patient_id = $1",
            first,
        )
        drawing_them = asyncio.create_task(draw_block(pool, request(1, rls, physician, 3)))

        async def held_up() -> bool:
            return bool(await pool.fetchval(_HELD_UP))

        await until(held_up, within_seconds=20)
    assert await drawing_them == others


@pytest.mark.parametrize("draws", [16, pytest.param(200, marks=pytest.mark.long)])
async def test_r4_a8_a18_draws_at_once_give_everybody_one_place(database_url: str, draws: int) -> None:
    # The last one waits for all the others: a workflow would try again, and here each is tried once.
    settings = Settings(database_pool_min=draws, database_pool_max=draws, statement_timeout_seconds=100)
    async with database_pool(settings, url=database_url, application="test") as pool:
        async with pool.acquire() as conn:
            rls = await add_network(conn)
            physicians = [await add_physician(conn, rls) for _ in range(8)]
            people = await add_population(conn, rls, 10 * draws)
            refused = set(people[::9])
            await refuse(conn, physicians[0], people[::9])
        asked = [request(n, rls, physicians[n % 8], 1 + n * 37 % 24) for n in range(draws)]
        assert sum(one.size for one in asked) > len(people), "the last ones find the list empty"
        lists = await asyncio.gather(*(draw_block(pool, one) for one in asked))
        places = await pool.fetch("SELECT place, count(*) FROM patients GROUP BY place")
        held = await pool.fetch("SELECT block_id, patient_id FROM patients WHERE place = 'proposed'")
        written = await pool.fetch("SELECT block_id, patient_id FROM block_patients")
    drawn = [(one.block_id, patient) for one, found in zip(asked, lists, strict=True) for patient in found]
    assert len(drawn) == len({patient for _, patient in drawn}), "somebody was drawn twice"
    assert all(len(found) <= one.size for one, found in zip(asked, lists, strict=True))
    assert sum(row["count"] for row in places) == len(people)
    assert sorted(map(tuple, held)) == sorted(map(tuple, written)) == sorted(drawn)
    # Nobody is offered a physician again, and only they may be left when the list ends.
    assert not {patient for found in lists[::8] for patient in found} & refused
    assert {*people} - {patient for _, patient in drawn} <= refused


async def test_r4_the_same_list_gives_the_same_draw(pool: Pool) -> None:
    async with pool.acquire() as conn:
        rls = await add_network(conn)
        physician = await add_physician(conn, rls)
        await add_population(conn, rls, 300)
    first = await draw_block(pool, request(1, rls, physician, 50))
    recorder = Recorder()
    decision = Decision(block_id="2026-0001", by="coordo", at=NOON, policy=CURRENT, reason="essai")
    await BlockActivities(pool, recorder, recorder).withdraw_list(decision)
    assert await draw_block(pool, request(2, rls, physician, 50)) == first
    assert await draw_block(pool, request(2, rls, physician, 50)) == first


async def test_r4_who_waits_is_counted_whatever_moves_them(connection: Connection) -> None:
    here, there = [await add_network(connection) for _ in range(2)]
    people = await add_population(connection, here, 400)
    moves = (
        "UPDATE patients SET place = 'left', left_on = '2026-06-01', left_cause = 'x' WHERE number % 3 = 0",
        "UPDATE patients SET place = 'waiting', left_on = NULL, left_cause = NULL WHERE number % 6 = 0",
        "UPDATE patients SET rls = (SELECT max(rls) FROM networks) WHERE number % 5 = 0",
        "UPDATE patients SET vulnerable = NOT vulnerable WHERE number % 4 = 0",
        "UPDATE patients SET birth_date = birth_date - 3000 WHERE number % 7 = 0",
        "UPDATE patients SET city = 'Lévis'",
    )
    for move in moves:
        await connection.execute(move)
        for rls in (here, there):
            waiting = await candidates(connection, rls)
            assert await counts(connection, rls, ON) == by_group(waiting)
            await sum_up(connection, rls)
            assert await counts(connection, rls, ON) == by_group(waiting)
    assert len(people) == 400
    assert await violations(connection) == []
