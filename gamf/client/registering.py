"""The use cases on the people of the register: leaving, returning, moving, corrections, conditions (R13, A15, A20)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from gamf.client import acting
from gamf.client.errors import NotFoundError
from gamf.client.files import REGISTER, read_value
from gamf.domain import calendar, corrections, register
from gamf.domain import conditions as rules
from gamf.domain.corrections import Value
from gamf.domain.facts import PatientLeft
from gamf.domain.policy import CURRENT
from gamf.domain.refusal import RefusedByRuleError
from gamf.storage import conditions, enrolments, records, standing
from gamf.storage import corrections as corrected
from gamf.storage import register as registered

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.storage.connection import Connection

_FLAGS = frozenset({"english_attested"})
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Stamp:
    """Who asks, when (an instant), and why, if a reason is asked for."""

    by: str
    at: datetime
    reason: str = ""

    def checked(self) -> "Stamp":
        """Return it with its reason on one line.

        Raises:
            RefusedByRuleError: there is no reason, or it is too long (A20).
        """
        reason = " ".join(self.reason.split())
        if not reason or len(reason) > _LONGEST_REASON:
            raise RefusedByRuleError(
                "A20",
                f"Un motif est demandé, de {_LONGEST_REASON} caractères au plus.",
                f"A reason is asked for, of {_LONGEST_REASON} characters at most.",
                "reason",
            )
        return Stamp(self.by, self.at, reason)


class ConditionView(BaseModel):
    """A vulnerability condition as recorded, with why it was withdrawn if it was."""

    model_config = ConfigDict(frozen=True)

    condition_id: int
    code: str
    label_fr: str
    label_en: str
    noted_on: date
    by: str
    at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_for: str | None


class CodeView(BaseModel):
    """A code of our table; `origin` says whose it is."""

    model_config = ConfigDict(frozen=True)

    code: str
    label_fr: str
    label_en: str
    origin: str


# --- leaving, coming back, moving ------------------------------------------------------------------------------------


async def leave(desk: "Desk", patient_id: str, fact: PatientLeft, *, now: datetime) -> None:
    """Report a death, a departure from Québec or a loss of eligibility, wherever the patient is (A15).

    An attribution under way takes it as its fact; else it is written at once, out of a drawn list or an enrolment too.

    Raises:
        RefusedByRuleError: a rule refuses it; nothing has changed.
        NotFoundError: there is no such patient.
        ServiceUnreachable: a service is silent; the same again counts once.
    """
    async with desk.pool.acquire() as conn:
        open_ones = await standing.open_attributions(conn, patient_id)
        told = open_ones or await _leave_at_once(conn, patient_id, fact, now)
    if told:
        # The first one's transaction ends the others, and its workflow tells them.
        await acting.record_fact(desk, told[0], PatientLeft.name, fact.argument(), now=now)


async def _leave_at_once(conn: "Connection", patient_id: str, fact: PatientLeft, now: datetime) -> list[str]:
    today = await _today(conn, patient_id, now)
    async with conn.transaction():
        return await registered.leave(conn, patient_id, fact, at=now, today=today)


async def reinstate(conn: "Connection", patient_id: str, stamp: Stamp) -> bool:
    """Undo a departure noted in error; tell whether that changed anything (A15).

    The patient waits again at the initial date. What the departure ended stays as it is, since an ended attribution and
    a closed enrolment are never rewritten (A20): who has a family doctor again is reported as enrolled (A24).

    Raises:
        RefusedByRuleError: there is no departure to undo, or no reason was given.
    """
    stamp = stamp.checked()
    async with conn.transaction():
        where = await registered.known(conn, patient_id)
        repeated = await registered.reinstated_before(conn, patient_id, by=stamp.by, reason=stamp.reason)
        if not register.reinstates(where.place, repeated=repeated):
            return False
        return await registered.reinstate(conn, patient_id, by=stamp.by, reason=stamp.reason, at=stamp.at)


async def move(conn: "Connection", patient_id: str, to: str, on: date, stamp: Stamp) -> bool:
    """Record a move to another RLS, since that day; tell whether that changed anything.

    Whoever waits does so there at the initial date, out of a list drawn here; an attribution follows its course.

    Raises:
        RefusedByRuleError: the RLS is unknown, the day is to come, the person has left (A15), or no reason was given.
    """
    stamp = stamp.checked()
    today = await _today(conn, patient_id, stamp.at)
    async with conn.transaction():
        where = await registered.known(conn, patient_id)
        if not register.moves(where, to, on, today, known=await registered.is_network(conn, to)):
            return False
        await registered.move(
            conn, patient_id, where, to, on=on, by=stamp.by, reason=stamp.reason, at=stamp.at
        )
    return True


# --- corrections ------------------------------------------------------------------------------------------------------


async def correct(
    conn: "Connection", patient_id: str, given: Mapping[str, str], stamp: Stamp
) -> tuple[str, ...]:
    """Correct an address, a way to reach somebody or their language; return the fields that changed (A20).

    Values are written as a file's are, an empty one where there is none. Letters not yet made use the new ones; the old
    ones are kept beside them in the database, for an audit.

    Raises:
        RefusedByRuleError: a field is not one of those, a value has not its form, or A22 refuses the language.
    """
    stamp = stamp.checked()
    values = {name: _read(name, text) for name, text in given.items()}
    async with conn.transaction():
        before = await corrected.current(conn, patient_id)
        if before is None:
            raise _unknown()
        changed = corrections.changes(before, values)
        if changed:
            await corrected.write(
                conn, patient_id, before, changed, by=stamp.by, reason=stamp.reason, at=stamp.at
            )
            await _record(conn, patient_id, stamp, "corrected", columns=list(changed))
    return tuple(changed)


def _read(name: str, text: str) -> Value:
    corrections.check_correctable(name)
    value = read_value(REGISTER, name, text)
    return value == "true" if name in _FLAGS else value or None


# --- conditions -------------------------------------------------------------------------------------------------------


async def add_condition(conn: "Connection", patient_id: str, code: str, on: date, stamp: Stamp) -> bool:
    """Record a vulnerability condition, from the first visit on (R13); tell whether it is a new one.

    Raises:
        RefusedByRuleError: the code is not in the table, the day is before the visit or to come, or it is recorded
            at another date already (A20).
    """
    today = await _today(conn, patient_id, stamp.at)
    async with conn.transaction():
        where = await registered.known(conn, patient_id)
        rules.check_code(known=await conditions.is_code(conn, code))
        visit = rules.first_visit(await enrolments.family(conn, patient_id))
        rules.check_noted(on, visit, today, where.left_on)
        if not rules.adds(await conditions.standing(conn, patient_id, code), on):
            return False
        number = await conditions.add(conn, patient_id, code, on, by=stamp.by, at=stamp.at)
        await _record(conn, patient_id, stamp, "condition_recorded", condition_id=number)
    return True


async def withdraw_condition(conn: "Connection", condition_id: int, stamp: Stamp) -> str:
    """Withdraw a condition recorded in error, by a new record (A20); return whose it was.

    Raises:
        NotFoundError: there is no such condition.
        RefusedByRuleError: it is withdrawn for another reason already, or no reason was given.
    """
    stamp = stamp.checked()
    async with conn.transaction():
        found = await conditions.of_number(conn, condition_id)
        if found is None:
            raise NotFoundError(
                fr=f"Il n’y a pas de condition {condition_id}.", en=f"There is no condition {condition_id}."
            )
        if rules.withdraws(found.withdrawn_for, stamp.reason):
            await conditions.withdraw(conn, condition_id, stamp.reason, by=stamp.by, at=stamp.at)
            await _record(conn, found.patient_id, stamp, "condition_withdrawn", condition_id=condition_id)
    return found.patient_id


async def read_conditions(conn: "Connection", patient_id: str, stamp: Stamp) -> tuple[ConditionView, ...]:
    """Return what was recorded of somebody, withdrawn or not; who read it and when is kept (LRSSS, s. 103)."""
    async with conn.transaction():
        await _record(conn, patient_id, stamp, "conditions_read")
        return tuple(ConditionView(**row) for row in await conditions.of_patient(conn, patient_id))


async def list_codes(conn: "Connection") -> tuple[CodeView, ...]:
    """Return the codes that a condition may have."""
    return tuple(CodeView(**row) for row in await conditions.codes(conn))


# --- what they share --------------------------------------------------------------------------------------------------


async def _today(conn: "Connection", patient_id: str, now: datetime) -> date:
    """Return the date on the clock of the patient's RLS (A23)."""
    zone = await standing.time_zone(conn, patient_id)
    if zone is None:
        raise _unknown()
    return calendar.local_date(now, zone)


def _unknown() -> NotFoundError:
    return NotFoundError(fr="Il n’y a pas de tel patient.", en="There is no such patient.")


_CITED: Final = {
    "corrected": ("A20",),
    "condition_recorded": ("R13",),
    "condition_withdrawn": ("A20",),
    "conditions_read": (),
}


async def _record(
    conn: "Connection", patient_id: str, stamp: Stamp, event: str, **argument: int | list[str]
) -> None:
    """Append to the record, which many may read: neither a reason in somebody's words nor a code."""
    await records.append(
        conn,
        "patient",
        patient_id,
        event,
        stamp.at,
        by=stamp.by,
        argument=argument,
        rules=_CITED[event],
        policy=CURRENT.version,
    )
