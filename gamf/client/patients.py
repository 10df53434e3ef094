"""The use cases about one person, asked from a seat: what can be done now, corrections, moves, departures, conditions.

They are those of `registering`, by whom the roles allow. Each look, and each answer that tells something of somebody, a
refusal's too, is in the access log before it is given out (LRSSS, s. 103).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from gamf.client import access, reading, registering
from gamf.client.errors import NotFoundError
from gamf.client.looking import STANDING, find_patient, nobody_of_theirs, read_conditions
from gamf.client.registering import Stamp
from gamf.domain import person
from gamf.domain.access import Shown
from gamf.domain.calendar import local_date
from gamf.domain.conditions import first_visit
from gamf.domain.facts import PatientLeft, parse
from gamf.domain.person import Consequences, Person
from gamf.domain.register import Whereabouts, waiting_days
from gamf.domain.roles import UseCase, allowed, check_allowed, scope_of
from gamf.storage import conditions, corrections, enrolments, standing

if TYPE_CHECKING:
    from gamf.client.access import Seat
    from gamf.client.acting import Desk
    from gamf.client.reading import PatientView
    from gamf.client.registering import CodeView, ConditionView
    from gamf.storage.connection import Connection

_CONTACT = (Shown.CONTACT,)
_HEALTH = (Shown.HEALTH,)


@dataclass(frozen=True)
class Foreseen:
    """What day it is in somebody's RLS, how long they have waited, and what the actor may do about them now."""

    today: date
    waiting_days: int | None
    acts: dict[UseCase, Consequences]


class ContactView(BaseModel):
    """What a letter is made from and how a person is reached: what may be corrected (A20)."""

    model_config = ConfigDict(frozen=True)

    address: str
    city: str
    postal_code: str
    phone: str | None
    email: str | None
    language: str
    english_attested: bool
    representative: str | None


class Done(BaseModel):
    """What was done about a patient: whether it changed anything, and which fields of a correction did."""

    model_config = ConfigDict(frozen=True)

    patient_id: str
    changed: bool
    fields: tuple[str, ...] = ()


async def foresee(conn: "Connection", seat: "Seat", view: "PatientView") -> Foreseen:
    """Ask the rules ahead, about somebody who was just shown: what they take today, of what the actor may do.

    Raises:
        NotFoundError: there is no such patient.
    """
    known = await access.of_patient(conn, view.patient_id)
    zone = await standing.time_zone(conn, view.patient_id)
    if known is None or zone is None:
        raise NotFoundError(fr="Aucun patient n’est connu ainsi.", en="No patient is known so.")
    today = local_date(seat.now, zone)
    taken = person.prospects(await _person(conn, view), today)
    theirs = {each: then for each, then in taken.items() if allowed(seat.actor, each, known.matter)}
    return Foreseen(today, waiting_days(view.place, view.registered_on, today), theirs)


async def _person(conn: "Connection", view: "PatientView") -> Person:
    return Person(
        where=Whereabouts(place=view.place, rls=view.rls, left_on=view.left_on, left_cause=view.left_cause),
        attributed=any(each.ended_on is None for each in view.attributions),
        visit=first_visit(await enrolments.family(conn, view.patient_id)),
    )


async def still_theirs(conn: "Connection", seat: "Seat", patient_id: str) -> bool:
    """Tell whether the actor still sees somebody about whom they have just acted; it shows nothing of them."""
    known = await access.of_patient(conn, patient_id)
    return known is not None and allowed(seat.actor, UseCase.REGISTER_SHOW, known.matter)


async def networks_to_move_to(conn: "Connection", seat: "Seat") -> Sequence[tuple[str, str]]:
    """Return the RLS that somebody may be moved to, each with its name.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    check_allowed(seat.actor, UseCase.NETWORK_LIST)
    return [(each.rls, each.name) for each in await reading.list_networks(conn)]


# --- the register ---------------------------------------------------------------------------------------------------


async def read_contact(conn: "Connection", seat: "Seat", patient: str) -> ContactView:
    """Return what may be corrected of somebody, as it is now.

    Raises:
        RefusedByRuleError: correcting it is not for the actor.
        NotFoundError: nobody in the register is named so.
    """
    patient_id = await _about(conn, seat, patient, UseCase.REGISTER_CORRECT, _CONTACT)
    found = await corrections.known(conn, patient_id)
    return ContactView.model_validate(found)


async def correct(
    conn: "Connection", seat: "Seat", patient: str, given: Mapping[str, str], reason: str
) -> Done:
    """Correct an address, a way to reach somebody or their language (A20), as `registering.correct` does.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it.
        NotFoundError: nobody in the register is named so.
    """
    patient_id = await _about(conn, seat, patient, UseCase.REGISTER_CORRECT, _CONTACT)
    changed = await registering.correct(conn, patient_id, given, _stamp(seat, reason))
    return Done(patient_id=patient_id, changed=bool(changed), fields=changed)


async def move(conn: "Connection", seat: "Seat", patient: str, to: str, on: date, reason: str) -> Done:  # noqa: PLR0913, PLR0917 - what a move says
    """Record a move to another RLS, since that day, as `registering.move` does; a local role may see them no more.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it.
        NotFoundError: nobody in the register is named so.
    """
    patient_id = await _about(conn, seat, patient, UseCase.REGISTER_MOVE, STANDING)
    changed = await registering.move(conn, patient_id, to, on, _stamp(seat, reason))
    return Done(patient_id=patient_id, changed=changed)


async def reinstate(conn: "Connection", seat: "Seat", patient: str, reason: str) -> Done:
    """Undo a departure noted in error (A15), as `registering.reinstate` does.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it.
        NotFoundError: nobody in the register is named so.
    """
    patient_id = await _about(conn, seat, patient, UseCase.REGISTER_REINSTATE, STANDING)
    changed = await registering.reinstate(conn, patient_id, _stamp(seat, reason))
    return Done(patient_id=patient_id, changed=changed)


async def leave(desk: "Desk", seat: "Seat", patient: str, on: date, cause: str) -> Done:
    """Report a death or a departure for good, wherever the patient is (A15), as `registering.leave` does.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it.
        NotFoundError: nobody in the register is named so.
        ServiceUnreachable: a service is silent; the same again counts once.
    """
    fact = parse(PatientLeft.name, {"by": seat.by, "on": on.isoformat(), "cause": cause})
    assert isinstance(fact, PatientLeft)  # noqa: S101 - that is its name
    async with desk.pool.acquire() as conn:
        patient_id = await _about(conn, seat, patient, UseCase.PATIENT_LEFT, STANDING)
        before = (await reading.show_patient(conn, patient_id)).place
    await registering.leave(desk, patient_id, fact, now=seat.now)
    return Done(patient_id=patient_id, changed=before != "left")


# --- conditions -----------------------------------------------------------------------------------------------------


async def record_condition(
    conn: "Connection", seat: "Seat", patient: str, code: str, on: date
) -> tuple["ConditionView", ...]:
    """Record a vulnerability condition, from the first visit on (R13); give all that are recorded.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it.
        NotFoundError: nobody in the register is named so.
    """
    patient_id = await _about(conn, seat, patient, UseCase.CONDITION_RECORD, _HEALTH)
    await registering.add_condition(conn, patient_id, code.strip().upper(), on, _stamp(seat))
    return await read_conditions(conn, seat, patient_id)


async def withdraw_condition(
    conn: "Connection", seat: "Seat", condition_id: int, reason: str
) -> tuple["ConditionView", ...]:
    """Withdraw a condition recorded in error, with a reason (A20); give all that are recorded of that person.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it.
        NotFoundError: there is no such condition, for whoever may know that.
    """
    check_allowed(seat.actor, UseCase.CONDITION_RECORD)
    async with conn.transaction():
        found = await conditions.of_number(conn, condition_id)
    if found is None and not scope_of(seat.actor, UseCase.CONDITION_RECORD).everything:
        raise nobody_of_theirs()
    if found is not None:
        await _about(conn, seat, found.patient_id, UseCase.CONDITION_RECORD, _HEALTH)
    patient_id = await registering.withdraw_condition(conn, condition_id, _stamp(seat, reason))
    return await read_conditions(conn, seat, patient_id)


async def list_codes(conn: "Connection", seat: "Seat") -> tuple["CodeView", ...]:
    """Return the codes that a condition may have.

    Raises:
        RefusedByRuleError: conditions are not for the actor.
    """
    check_allowed(seat.actor, UseCase.CONDITION_SHOW)
    return await registering.list_codes(conn)


# --- what they share ------------------------------------------------------------------------------------------------


async def _about(
    conn: "Connection", seat: "Seat", patient: str, use_case: UseCase, shown: Sequence[Shown]
) -> str:
    """Return whom it is about, if it is for the actor; that they are told something of them is in the log."""
    patient_id = await find_patient(conn, seat, patient, use_case)
    await access.note(conn, seat, use_case, shown, [patient_id])
    return patient_id


def _stamp(seat: "Seat", reason: str = "") -> Stamp:
    return Stamp(seat.by, seat.now, reason)
