"""The use cases that act, asked from a seat: only what the actor's roles allow, under the actor's account.

They are those of `acting`. The command line's actor may do everything, under the name that the machine gives.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gamf.client import access, acting, answering, training
from gamf.client.access import Seat
from gamf.client.errors import NotFoundError
from gamf.client.looking import STANDING, find_patient, note_block
from gamf.domain.draw import unknown_physician
from gamf.domain.facts import FACTS, EnrolledElsewhere, SvEntered
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Role, UseCase, check_allowed

if TYPE_CHECKING:
    from dateutil.relativedelta import relativedelta

    from gamf.client.acting import Desk
    from gamf.client.asking import View
    from gamf.storage.matters import Known


async def request_block(desk: "Desk", seat: Seat, licence: str, size: int) -> "View":
    """Ask for a block for that physician; otherwise as `acting.request_block`.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it.
        ServiceUnreachable: a service is silent.
    """
    check_allowed(seat.actor, UseCase.BLOCK_REQUEST)
    async with desk.pool.acquire() as conn:
        known = await access.of_physician(conn, licence)
        if known is None:
            # A licence that is mistyped is nobody's, and so not somebody else's: R3 says so.
            raise unknown_physician()
        await access.check(conn, seat, UseCase.BLOCK_REQUEST, known.matter)
    view = await acting.request_block(desk, licence, size, by=seat.by, now=seat.now)
    await note_block(desk, seat, view)
    return view


async def record_on_block(
    desk: "Desk", seat: Seat, block_id: str, use_case: UseCase, reason: str | None = None
) -> "View":
    """Approve or withdraw a drawn list, or give the physician's answer to it; give the block's view.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it.
        NotFoundError: there is no such block.
        ServiceUnreachable: a service is silent.
    """
    check_allowed(seat.actor, use_case)
    async with desk.pool.acquire() as conn:
        known = _found(await access.of_block(conn, block_id), "bloc", "block", block_id)
        await access.check(conn, seat, use_case, known.matter)
    view = await _on_block(desk, block_id, use_case, seat.by, reason or "")
    await note_block(desk, seat, view)
    return view


async def _on_block(desk: "Desk", block_id: str, use_case: UseCase, by: str, reason: str) -> "View":
    match use_case:
        case UseCase.APPROVED:
            return await acting.approve_block(desk, block_id, by=by)
        case UseCase.LIST_ACCEPTED:
            return await acting.accept_block(desk, block_id, by=by)
        case UseCase.WITHDRAWN:
            return await acting.withdraw_block(desk, block_id, by=by, reason=reason)
        case UseCase.LIST_REFUSED:
            return await acting.refuse_block(desk, block_id, by=by, reason=reason)
        case _:
            raise ValueError(use_case)


async def record_fact(
    desk: "Desk", seat: Seat, attribution_id: str, fact: str, argument: Mapping[str, Any]
) -> "View":
    """Report a fact about an attribution, by the actor; give its new view, as `acting.record_fact` does.

    Raises:
        RefusedByRuleError: it is not for the actor, or names somebody else as `by`, or a rule refuses it.
        NotFoundError: there is no such attribution.
        ServiceUnreachable: a service is silent; the fact sent again to the letter counts once.
    """
    use_case = _of_fact(fact)
    check_allowed(seat.actor, use_case)
    async with desk.pool.acquire() as conn:
        known = _found(
            await access.of_attribution(conn, attribution_id), "attribution", "attribution", attribution_id
        )
        people = [known.patient_id] if known.patient_id else []
        await access.check(conn, seat, use_case, known.matter, patient_ids=people)
        # A rule that refuses it says where the attribution is: it is shown then too.
        await access.note(conn, seat, use_case, STANDING, people)
    sent = {"by": seat.by, **argument}
    _check_name(seat, sent["by"])
    return await acting.record_fact(desk, attribution_id, fact, sent, now=seat.now)


def _of_fact(fact: str) -> UseCase:
    if fact not in FACTS:
        raise RefusedByRuleError(
            "form", f"Il n’y a pas de fait « {fact} ».", f"There is no fact “{fact}”.", "fact"
        )
    return UseCase(fact)


def _check_name(seat: Seat, by: object) -> None:
    """Refuse somebody else's name; whoever runs the machine takes in what others reported."""
    if by != seat.by and Role.OPERATOR not in seat.actor.roles:
        raise RefusedByRuleError(
            "access",
            "Un fait se consigne sous son propre compte ; rien n’a changé.",
            "A fact is reported under one’s own account; nothing has changed.",
            "by",
        )


def _found(known: "Known | None", fr: str, en: str, reference: str) -> "Known":
    if known is None:
        raise NotFoundError(
            fr=f"Il n’y a pas d’{fr} {reference}."
            if fr[0] in "aeiou"
            else f"Il n’y a pas de {fr} {reference}.",
            en=f"There is no {en} {reference}.",
        )
    return known


async def register_enrolled(desk: "Desk", seat: Seat, patient: str, enrolment: EnrolledElsewhere) -> str:
    """Register an enrolment outside LE 321 (A24); give the patient's opaque identifier.

    Raises:
        RefusedByRuleError: it is not for the actor, or names somebody else as `by`, or a rule refuses it.
        NotFoundError: there is no such patient.
        ServiceUnreachable: a service is silent.
    """
    async with desk.pool.acquire() as conn:
        patient_id = await find_patient(conn, seat, patient, UseCase.ENROLLED_ELSEWHERE)
        # What refuses it says where they are.
        await access.note(conn, seat, UseCase.ENROLLED_ELSEWHERE, STANDING, [patient_id])
    _check_name(seat, enrolment.by)
    await acting.register_enrolled(desk, patient_id, enrolment, now=seat.now)
    return patient_id


async def finish_task(desk: "Desk", seat: Seat, task_id: int) -> bool:
    """Close a task by hand; tell whether it was open.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: there is no such task.
    """
    check_allowed(seat.actor, UseCase.TASK_DONE)
    async with desk.pool.acquire() as conn:
        known = _found(await access.of_task(conn, task_id), "tâche", "task", str(task_id))
        await access.check(conn, seat, UseCase.TASK_DONE, known.matter)
        return await acting.finish_task(conn, task_id, by=seat.by, now=seat.now)


async def pass_deadline(desk: "Desk", seat: Seat, attribution_id: str) -> "View":
    """In a training, move an attribution's own clock to just after its next deadline; give its new view.

    Raises:
        RefusedByRuleError: it is not for the actor, this is no training, or the attribution has ended.
        NotFoundError: there is no such attribution.
        ServiceUnreachable: a service is silent.
    """
    await _note_advance(desk, seat, attribution_id)
    return await training.pass_deadline(desk, attribution_id)


async def advance(desk: "Desk", seat: Seat, attribution_id: str, length: "relativedelta") -> "View":
    """In a training, move an attribution's own clock by that length; otherwise as `pass_deadline`."""
    await _note_advance(desk, seat, attribution_id)
    return await training.advance(desk, attribution_id, length)


async def _note_advance(desk: "Desk", seat: Seat, attribution_id: str) -> None:
    check_allowed(seat.actor, UseCase.ADVANCE)
    async with desk.pool.acquire() as conn:
        known = _found(
            await access.of_attribution(conn, attribution_id), "attribution", "attribution", attribution_id
        )
        people = [known.patient_id] if known.patient_id else []
        await access.check(conn, seat, UseCase.ADVANCE, known.matter, patient_ids=people)
        await access.note(conn, seat, UseCase.ADVANCE, STANDING, people)


async def answer_block_except(  # noqa: PLR0913, PLR0917 - the parts of one answer
    desk: "Desk", seat: Seat, block_id: str, use_case: UseCase, excepted: Sequence[str], reason: str
) -> "View":
    """Give the physician's answer to a list, except to those, who are answered the other way; give the block's view.

    Raises:
        RefusedByRuleError: it is not for the actor, or a rule refuses it.
        NotFoundError: there is no such block.
        ServiceUnreachable: a service is silent; the same answer given again does the rest.
    """
    accepts = use_case is UseCase.LIST_ACCEPTED
    check_allowed(seat.actor, use_case)
    _check_reason(reason, accepts=accepts)
    async with desk.pool.acquire() as conn:
        known = _found(await access.of_block(conn, block_id), "bloc", "block", block_id)
        for each in (use_case, UseCase.REFUSED if accepts else UseCase.ACCEPTED):
            await access.check(conn, seat, each, known.matter)
    answer = answering.Answer(excepted, reason, seat.by, seat.now)
    answered = answering.accept_except if accepts else answering.refuse_except
    view = await answered(desk, block_id, answer)
    await note_block(desk, seat, view)
    return view


def _check_reason(reason: str, *, accepts: bool) -> None:
    """Refuse an answer that refuses somebody without saying why, before anybody is answered (A4)."""
    if not reason:
        fr, en = ("ceux qui sont exceptés", "those excepted") if accepts else ("les autres", "the others")
        raise RefusedByRuleError(
            "A4",
            f"Donnez le motif du refus pour {fr}.",
            f"Give the reason of the refusal for {en}.",
            "reason",
        )


async def enter_sv_of(
    desk: "Desk", seat: Seat, attribution_ids: Sequence[str], on: str | None
) -> dict[str, RefusedByRuleError]:
    """Enter the SV of each of these, of that day or of today; give those that a rule refuses, each with its reason.

    Raises:
        RefusedByRuleError: it is not for the actor; those before it are entered.
        NotFoundError: there is no such attribution.
        ServiceUnreachable: a service is silent; the same sent again counts once.
    """
    argument = {"on": on} if on else {}
    refused: dict[str, RefusedByRuleError] = {}
    for attribution_id in attribution_ids:
        try:
            await record_fact(desk, seat, attribution_id, SvEntered.name, argument)
        except RefusedByRuleError as refusal:
            if refusal.reason.rule == "access":
                raise
            refused[attribution_id] = refusal
    return refused
