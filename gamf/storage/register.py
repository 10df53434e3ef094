"""Changes to the list that no attribution makes: an enrolment outside LE 321, a departure noted in error."""

from datetime import date, datetime

from gamf.domain.facts import EnrolledElsewhere
from gamf.domain.policy import CURRENT
from gamf.domain.register import check_enrollable
from gamf.storage import attributions, enrolments, patients, records
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
        RefusedByRuleError: the patient has left for good (A15).
    """
    fact = EnrolledElsewhere(by=by, physician=physician, effective_on=on, basis=basis)
    check_enrollable(await patients.lock(conn, patient_id))
    await enrolments.end_other_sv(conn, patient_id, None, on)
    await enrolments.write_outside(conn, patient_id, physician, on, basis)
    others = await attributions.overtake(conn, patient_id, None, today, fact)
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
