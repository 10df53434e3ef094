"""Changes to the list that no attribution makes: an enrolment outside LE 321, a departure, its undoing, a move."""

from datetime import date, datetime

from gamf.domain.effects import OF_ATTRIBUTION, OF_PRESENCE, OF_WAITING
from gamf.domain.facts import EnrolledElsewhere, PatientLeft
from gamf.domain.policy import CURRENT
from gamf.domain.register import Whereabouts, check_enrolled_outside, leaves, place_after_move
from gamf.storage import attributions, enrolments, letters, patients, records, tasks
from gamf.storage.connection import Connection


async def enrol_outside(
    conn: Connection,
    patient_id: str,
    physician: str,
    on: date,
    basis: str,
    *,
    by: str,
    at: datetime,
    today: date,
) -> list[str]:
    """Take a waiting or drawn patient off the list: another physician has enrolled them (A24), in one transaction.

    Return the attributions to be told `enrolled_elsewhere`. The same enrolment again changes nothing. `today` is the
    local date on which an attribution overtaken by this ends.

    Raises:
        RefusedByRuleError: the patient has left for good (A15), or the day is to come (A24).
    """
    fact = EnrolledElsewhere(by=by, physician=physician, effective_on=on, basis=basis)
    check_enrolled_outside(await patients.lock(conn, patient_id), on, today)
    await enrolments.end_other_sv(conn, patient_id, None, on)
    await enrolments.write_outside(conn, patient_id, physician, on, basis)
    others = await attributions.overtake(conn, patient_id, None, today, fact)
    await tasks.close_all(conn, others, OF_ATTRIBUTION, at, by)
    await tasks.close_of_patient(conn, patient_id, OF_WAITING, at, by)
    await patients.enrol(conn, patient_id)
    await records.append(
        conn,
        "patient",
        patient_id,
        fact.name,
        at,
        by=by,
        argument=fact.argument(),
        after="enrolled",
        rules=("A24",),
        policy=CURRENT.version,
    )
    return others


async def leave(
    conn: Connection, patient_id: str, fact: PatientLeft, *, at: datetime, today: date
) -> list[str]:
    """Take somebody off the list for good, out of a drawn list or a family doctor's enrolment too (A15).

    Their enrolments end that day. Return the attributions to be told `patient_left`; the same departure again changes
    nothing. `today` is the local date, on which an attribution overtaken by this ends.

    Raises:
        RefusedByRuleError: they have left otherwise (A20), or the day is to come (A15).
        LookupError: there is no such patient.
    """
    if not leaves(await known(conn, patient_id), fact, today):
        return []
    await enrolments.end_all(conn, patient_id, fact.on)
    others = await attributions.overtake(conn, patient_id, None, today, fact)
    await tasks.close_all(conn, others, OF_ATTRIBUTION, at, fact.by)
    await tasks.close_of_patient(conn, patient_id, OF_PRESENCE, at, fact.by)
    await letters.withhold_all(conn, patient_id)
    await patients.leave(conn, patient_id, fact.on, fact.cause)
    await records.append(
        conn,
        "patient",
        patient_id,
        fact.name,
        at,
        by=fact.by,
        argument=fact.argument(),
        after="left",
        rules=("A15",),
        policy=CURRENT.version,
    )
    return others


async def known(conn: Connection, patient_id: str) -> Whereabouts:
    """Hold the patient's row and return where they are; raise `LookupError` when there is no such patient."""
    where = await patients.whereabouts(conn, patient_id)
    if where is None:
        raise LookupError("patient")
    return where


async def is_network(conn: Connection, rls: str) -> bool:
    """Tell whether there is such an RLS."""
    return bool(await conn.fetchval("SELECT EXISTS (SELECT FROM networks WHERE rls = $1)", rls))


async def move(
    conn: Connection,
    patient_id: str,
    where: Whereabouts,
    to: str,
    *,
    on: date,
    by: str,
    reason: str,
    at: datetime,
) -> None:
    """Write that somebody lives in another RLS since that day; the initial date stays (A18)."""
    place = place_after_move(where.place)
    await patients.move(conn, patient_id, to, place)
    await records.append(
        conn,
        "patient",
        patient_id,
        "moved",
        at,
        by=by,
        argument={"from": where.rls, "to": to, "on": on.isoformat(), "reason": reason},
        after=place,
        rules=("A18", "A20", "A23"),
        policy=CURRENT.version,
    )


async def reinstated_before(conn: Connection, patient_id: str, *, by: str, reason: str) -> bool:
    """Tell whether the latest undoing of a departure was that one, to the letter."""
    latest = await conn.fetchrow(
        """
        SELECT by, argument ->> 'reason' AS reason FROM records
        WHERE subject = 'patient' AND subject_id = $1 AND event = 'reinstated' ORDER BY record_id DESC LIMIT 1
        """,
        patient_id,
    )
    return latest is not None and (latest["by"], latest["reason"]) == (by, reason)


async def reinstate(conn: Connection, patient_id: str, *, by: str, reason: str, at: datetime) -> bool:
    """Undo a departure noted in error: back on the list at the initial date (A15); False when they had not left."""
    if not await patients.reinstate(conn, patient_id):
        return False
    await records.append(
        conn,
        "patient",
        patient_id,
        "reinstated",
        at,
        by=by,
        argument={"reason": reason},
        after="waiting",
        rules=("A15", "A20"),
        policy=CURRENT.version,
    )
    return True
