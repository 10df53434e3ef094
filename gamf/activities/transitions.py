"""One transition, once: everything that must be true together, in one transaction.

At most once is the database's work: the record of a transition is unique under (attribution, number) and keeps what the
transaction answered, so that an activity that runs twice, or two at once, has one effect and one answer. The patient's
row is held first, always, so that nobody's place is decided twice at a time.

A worker that is killed between the commit and Temporal's history forgets what it did (a local activity is in no history
before it ends), and may decide otherwise under the same number. What is written stands: the answer tells it.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

import asyncpg
from pydantic import BaseModel, ConfigDict

from gamf.activities import replacement
from gamf.domain import calendar, effects
from gamf.domain.attribution import Transition
from gamf.domain.correspondence import LetterKind
from gamf.domain.effects import Effect
from gamf.domain.facts import EnrolledElsewhere, Overtaking, PatientLeft
from gamf.domain.reliving import Remembered
from gamf.storage import attributions, enrolments, letters, patients, physicians, ramq, tasks
from gamf.storage.attributions import Held
from gamf.storage.connection import Connection, Pool

SYSTEM: Final = "gamf"
"""The account of what nobody reported."""


class Outcome(BaseModel):
    """What a transition's transaction answers to its workflow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    letters: tuple[str, ...] = ()
    """The letters that became due."""
    tell: tuple[str, ...] = ()
    """The other attributions of the patient that this one's fact ends, to be told `fact` (A11, A15, A24)."""
    fact: dict[str, Any] | None = None
    """What to tell them, or what overtook this attribution: the fact's object, and its name under `fact`."""
    overtaken: bool = False
    """Nothing was written: another attribution's fact ended this one first, by `fact`."""
    written: Remembered | None = None
    """Nothing was written: under this number the record has another transition, which is to be taken on first."""
    replacement: dict[str, Any] | None = None
    """What starts the attribution of the patient who takes this one's place: the workflow's argument (A17)."""
    ramq: bool = False
    """The block's list has gone to RAMQ without this confirmed name: a supplement is due (R6)."""
    conflict: str | None = None
    """Nothing was written: PostgreSQL refuses the fact, by the constraint of that name."""


async def carry_out(pool: Pool, t: Transition) -> Outcome:
    """Carry out a transition, or answer as it was answered the first time."""
    try:
        async with pool.acquire() as conn, conn.transaction():
            return await _once(conn, t)
    except asyncpg.IntegrityConstraintViolationError as error:
        if t.by is None:
            raise
        return Outcome(conflict=error.constraint_name or "invariant")


async def _once(conn: Connection, t: Transition) -> Outcome:
    held = await attributions.hold(conn, t)
    if held.place is None:
        return Outcome(conflict="unknown_patient")
    if held.outcome is not None:
        return _answered(held, t)
    if held.state is None:
        if not await patients.attribute(conn, t.subject.patient_id, t.subject.attribution_id):
            return Outcome(conflict="patient_not_waiting")
        await attributions.insert(conn, t.subject, t.policy, t.deadline)
    elif held.overtaken_by is not None and t.after != held.state:
        return Outcome(overtaken=True, fact=held.overtaken_by)
    outcome = Outcome()
    for effect in _due(t.effects, held):
        also = await _CARRY_OUT[type(effect)](conn, t, effect) or Outcome()
        outcome = outcome.model_copy(update=also.model_dump(exclude_defaults=True))
    await attributions.write(conn, t, outcome.model_dump(mode="json", exclude_defaults=True))
    return outcome


def _due(asked: Iterable[Effect], held: Held) -> Iterator[Effect]:
    """Leave out the closing of tasks none of which is open, as mostly: each is a round trip to PostgreSQL."""
    open_tasks = set(held.open_tasks)
    for effect in asked:
        closes = effect.kinds if isinstance(effect, effects.CloseTasks | effects.ClosePatientTasks) else None
        if closes is None or not open_tasks.isdisjoint(closes):
            yield effect


def _answered(held: Held, t: Transition) -> Outcome:
    """Return what was answered the first time, with what was written then where that is not what is asked now."""
    first = Outcome.model_validate(held.outcome)
    if (held.event, held.at, held.argument) == (t.event, t.at, t.argument):
        return first
    written = Remembered.model_validate(
        {"event": held.event, "at": held.at, "argument": held.argument, "after": held.after}
    )
    return first.model_copy(update={"written": written})


async def _write_sv(conn: Connection, t: Transition, effect: effects.WriteSv) -> None:
    s = t.subject
    await enrolments.write(conn, s.attribution_id, s.patient_id, s.physician, "SV", effect.start)


async def _close_sv(conn: Connection, t: Transition, effect: effects.CloseSv) -> None:
    await enrolments.close_sv(conn, t.subject.attribution_id, effect.end)


async def _void_sv(conn: Connection, t: Transition, _effect: effects.VoidSv) -> None:
    await enrolments.void_sv(conn, t.subject.attribution_id)


async def _write_mf(conn: Connection, t: Transition, effect: effects.WriteMf) -> Outcome:
    s = t.subject
    await enrolments.end_other_sv(conn, s.patient_id, s.attribution_id, effect.start)
    await enrolments.write(conn, s.attribution_id, s.patient_id, s.physician, "MF", effect.start)
    told = EnrolledElsewhere(
        by=t.by or SYSTEM, physician=s.physician, effective_on=effect.start, basis="LE 321 (A11)"
    )
    return await _enrolled(conn, t, told)


async def _write_elsewhere(conn: Connection, t: Transition, effect: effects.WriteElsewhere) -> Outcome:
    s = t.subject
    await enrolments.end_other_sv(conn, s.patient_id, s.attribution_id, effect.start)
    await enrolments.write_outside(conn, s.patient_id, effect.physician, effect.start, effect.basis)
    told = EnrolledElsewhere(
        by=t.by or SYSTEM, physician=effect.physician, effective_on=effect.start, basis=effect.basis
    )
    return await _enrolled(conn, t, told)


async def _enrolled(conn: Connection, t: Transition, fact: Overtaking) -> Outcome:
    outcome = await _end_others(conn, t, fact)
    await patients.enrol(conn, t.subject.patient_id)
    return outcome


async def _end_others(conn: Connection, t: Transition, fact: Overtaking) -> Outcome:
    s = t.subject
    day = calendar.local_date(t.at, s.time_zone)
    others = await attributions.overtake(conn, s.patient_id, s.attribution_id, day, fact)
    if not others:
        return Outcome()
    await tasks.close_all(conn, others, effects.OF_ATTRIBUTION, t.at, t.by or SYSTEM)
    return Outcome(tell=tuple(others), fact=attributions.told(fact))


async def _return_to_list(conn: Connection, t: Transition, _effect: effects.ReturnToList) -> None:
    await patients.return_to_list(conn, t.subject.patient_id, t.subject.attribution_id)


async def _leave_list(conn: Connection, t: Transition, effect: effects.LeaveList) -> Outcome:
    s = t.subject
    fact = PatientLeft.model_validate({"by": t.by or SYSTEM, "on": effect.on, "cause": effect.cause})
    await enrolments.end_other_sv(conn, s.patient_id, s.attribution_id, effect.on + timedelta(days=1))
    outcome = await _end_others(conn, t, fact)
    await patients.leave(conn, s.patient_id, effect.on, effect.cause)
    return outcome


async def _replace(conn: Connection, t: Transition, effect: effects.Replace) -> Outcome:
    new = await replacement.attribute_another(conn, t, effect)
    return Outcome(replacement=new.model_dump(mode="json") if new else None)


async def _not_offered_again(conn: Connection, t: Transition, _effect: effects.NotOfferedAgain) -> None:
    s = t.subject
    await patients.never_offer_again(conn, s.patient_id, s.physician, s.attribution_id)


async def _no_new_block(conn: Connection, t: Transition, effect: effects.NoNewBlock) -> None:
    await physicians.departs(conn, t.subject.physician, effect.on, effect.cause)


async def _confirm_to_ramq(conn: Connection, t: Transition, effect: effects.ConfirmToRamq) -> Outcome:
    return Outcome(ramq=await ramq.confirm(conn, t.subject.attribution_id, effect.on))


async def _attribution_letter(
    conn: Connection, t: Transition, _effect: effects.SendAttributionLetter
) -> Outcome:
    letter_id, day = _letter(t)
    s = t.subject
    await letters.queue(conn, letter_id, s.attribution_id, s.patient_id, LetterKind.ATTRIBUTION, day, t.at)
    return Outcome(letters=(letter_id,))


async def _corrective_letter(
    conn: Connection, t: Transition, effect: effects.SendCorrectiveLetter
) -> Outcome | None:
    s = t.subject
    await letters.withhold(conn, s.attribution_id)
    if not effect.told_outside and not await letters.attribution_letter_has_gone(conn, s.attribution_id):
        return None
    letter_id, day = _letter(t)
    kind = LetterKind.CORRECTIVE
    await letters.queue(conn, letter_id, s.attribution_id, s.patient_id, kind, day, t.at, effect.standing)
    return Outcome(letters=(letter_id,))


async def _withhold(conn: Connection, t: Transition, _effect: effects.WithholdLetters) -> None:
    await letters.withhold_all(conn, t.subject.patient_id)


async def _open_task(conn: Connection, t: Transition, effect: effects.OpenTask) -> None:
    await tasks.open_(conn, t.subject.attribution_id, effect.kind, effect.owner, t.number, t.at, effect.due)


async def _close_tasks(conn: Connection, t: Transition, effect: effects.CloseTasks) -> None:
    await tasks.close(conn, t.subject.attribution_id, effect.kinds, t.at, t.by or SYSTEM)


async def _close_patient_tasks(conn: Connection, t: Transition, effect: effects.ClosePatientTasks) -> None:
    await tasks.close_of_patient(conn, t.subject.patient_id, effect.kinds, t.at, t.by or SYSTEM)


def _letter(t: Transition) -> tuple[str, Any]:
    """Return the letter's id, one a transition, and its date on the RLS's clock (A23)."""
    return f"{t.subject.attribution_id}-{t.number}", calendar.local_date(t.at, t.subject.time_zone)


_CARRY_OUT: Final[dict[type[Effect], Callable[[Connection, Transition, Any], Awaitable[Outcome | None]]]] = {
    effects.WriteSv: _write_sv,
    effects.CloseSv: _close_sv,
    effects.VoidSv: _void_sv,
    effects.WriteMf: _write_mf,
    effects.WriteElsewhere: _write_elsewhere,
    effects.ReturnToList: _return_to_list,
    effects.LeaveList: _leave_list,
    effects.Replace: _replace,
    effects.NotOfferedAgain: _not_offered_again,
    effects.NoNewBlock: _no_new_block,
    effects.ConfirmToRamq: _confirm_to_ramq,
    effects.SendAttributionLetter: _attribution_letter,
    effects.SendCorrectiveLetter: _corrective_letter,
    effects.WithholdLetters: _withhold,
    effects.OpenTask: _open_task,
    effects.CloseTasks: _close_tasks,
    effects.ClosePatientTasks: _close_patient_tasks,
}
