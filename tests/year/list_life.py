"""What happens to people of the RLS outside any block: they die, move and find a doctor, and a physician leaves."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from gamf.client import acting, departing, people, registering
from gamf.client.registering import Stamp
from gamf.domain.departure import DepartureState
from gamf.domain.facts import EnrolledElsewhere, PatientLeft, PhysicianLeft
from gamf.domain.names import departure_workflow_id
from gamf.runtime.polling import until
from tests.year.rls import BY, ELSEWHERE, SETTLES_WITHIN, Rls

_Cause: TypeAlias = Literal["deceased", "left_quebec", "not_eligible"]
_CAUSES: Final[tuple[_Cause, ...]] = ("deceased", "deceased", "left_quebec", "not_eligible")
_LEAVE: Final = 8
"""How many leave in a week; the next two, how many find a doctor and how many move."""
_FIND_A_DOCTOR: Final = 8
_MOVE: Final = 12
_OF_THOSE_HELD: Final = 5
_NOTICE: Final = 6
"""Weeks between a physician's notice and the departure."""
_A_DEATH_UNDONE_EVERY: Final = 8
"""Weeks between two deaths noted in error (A15)."""


async def a_week_of_the_list(rls: Rls) -> None:
    """Let some of those who wait or are attributed leave, find a doctor by themselves and move, by chance."""
    chosen = await _choose(rls, _LEAVE + _FIND_A_DOCTOR + _MOVE)
    await rls.bring_to_today(chosen)
    leaving, rest = chosen[:_LEAVE], chosen[_LEAVE:]
    for patient_id in leaving:
        await _leaves(rls, patient_id)
    for patient_id in rest[:_FIND_A_DOCTOR]:
        await _finds_a_doctor(rls, patient_id)
    for patient_id in rest[_FIND_A_DOCTOR:]:
        await _moves(rls, patient_id)
    if rls.week % _A_DEATH_UNDONE_EVERY == 0:
        await _is_alive(rls, leaving[0])


async def _choose(rls: Rls, number: int) -> Sequence[str]:
    """Choose a few of those who are attributed, and the others among those who wait."""
    held, waits = await _in(rls, "attributed"), await _in(rls, "waiting")
    few = min(_OF_THOSE_HELD, len(held))
    chosen = [*rls.chance.sample(held, few), *rls.chance.sample(waits, number - few)]
    rls.chance.shuffle(chosen)
    return chosen


async def _in(rls: Rls, place: str) -> Sequence[str]:
    # Identifiers are made up by the database: only the number is in the same order in every run.
    rows = await rls.desk.pool.fetch(
        "SELECT patient_id FROM patients WHERE place = $1 ORDER BY number", place
    )
    return [row["patient_id"] for row in rows]


async def _leaves(rls: Rls, patient_id: str) -> None:
    fact = PatientLeft(by=BY, on=rls.date, cause=rls.chance.choice(_CAUSES))
    # Said twice, as people do: once is enough.
    for _ in range(2):
        await registering.leave(rls.desk, patient_id, fact, now=rls.today)
    rls.fates[patient_id] = "left"


async def _is_alive(rls: Rls, patient_id: str) -> None:
    async with rls.desk.pool.acquire() as conn:
        assert await registering.reinstate(conn, patient_id, Stamp(BY, rls.today, "homonyme"))
    del rls.fates[patient_id]


async def _finds_a_doctor(rls: Rls, patient_id: str) -> None:
    fact = EnrolledElsewhere(by=BY, physician=ELSEWHERE, effective_on=rls.date, basis="hors LE 321")
    await acting.register_enrolled(rls.desk, patient_id, fact, now=rls.today)
    rls.fates[patient_id] = "enrolled"


async def _moves(rls: Rls, patient_id: str) -> None:
    to = rls.chance.choice(people.RLS[1:])
    async with rls.desk.pool.acquire() as conn:
        await registering.move(conn, patient_id, to, rls.date, Stamp(BY, rls.today, "déménagement"))
    rls.moved[patient_id] = to


async def notice(rls: Rls, licence: str) -> None:
    """Announce a physician's departure."""
    on = rls.date + timedelta(weeks=_NOTICE)
    fact = PhysicianLeft(by=BY, on=on, cause="retired")
    await departing.announce(rls.desk, licence, fact, now=rls.today)
    rls.departures[rls.week + _NOTICE] = licence


async def change_of_mind(rls: Rls, licence: str) -> None:
    """Announce another's departure, and withdraw it a moment later: nobody is told (A16)."""
    fact = PhysicianLeft(by=BY, on=rls.date + timedelta(weeks=_NOTICE), cause="disengaged")
    await departing.announce(rls.desk, licence, fact, now=rls.today)
    withdrawn = await departing.withdraw(rls.desk, licence, by=BY, reason="reste", now=rls.today)
    assert withdrawn["state"] == DepartureState.WITHDRAWN


async def departure_takes_effect(rls: Rls) -> None:
    """Move whoever leaves this week, and all of their patients, to the day."""
    licence = rls.departures.pop(rls.week, None)
    if licence is None:
        return
    rows = await rls.desk.pool.fetch("SELECT patient_id FROM attributions WHERE physician = $1", licence)
    await rls.bring_to_today([row["patient_id"] for row in rows])
    await rls.clocks.move(departure_workflow_id(f"{licence}-1"))

    async def everybody_was_told() -> bool:
        return bool(
            await rls.desk.pool.fetchval(
                """
                SELECT state = 'done' AND NOT EXISTS (
                    SELECT FROM attributions a WHERE a.physician = d.physician AND a.under_way)
                FROM departures d WHERE d.physician = $1
                """,
                licence,
            )
        )

    await until(everybody_was_told, within_seconds=SETTLES_WITHIN)
