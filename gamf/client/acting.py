"""The use cases that act: ask for a block, decide on it, report facts. They print nothing and decide nothing.

Each sends what it was given to the workflow concerned and gives back the view that it answers. Whoever calls
says who reports and, where a clock is needed, what time it is.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from gamf.client import asking, reading
from gamf.client.asking import ClosedError, View
from gamf.client.errors import NotFoundError, NotThereError
from gamf.domain import attribution as rules
from gamf.domain import block, calendar, draw, facts
from gamf.domain.block import Approved, BlockRequest, BlockState, ListAccepted, ListRefused, Withdrawn
from gamf.domain.facts import EnrolledElsewhere
from gamf.domain.model import Attribution, Entry, Start, Subject
from gamf.domain.names import TASK_QUEUE, attribution_workflow_id, block_workflow_id
from gamf.domain.policy import CURRENT
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import State
from gamf.runtime.errors import ServiceUnreachable
from gamf.storage import blocks, numbers, physicians, records, register, standing, tasks
from gamf.storage.standing import Standing
from gamf.workflows import visibility

if TYPE_CHECKING:
    from gamf.runtime.database import Pool
    from gamf.storage.connection import Connection


@dataclass(frozen=True)
class Desk:
    """What the use cases act through."""

    pool: "Pool"
    temporal: Client
    answers_within: timedelta | None = None
    """How long whoever asks waits for what follows from a fact; None: until it is done."""


# --- blocks ----------------------------------------------------------------------------------------------


async def request_block(desk: Desk, licence: str, size: int, *, by: str, now: datetime) -> View:
    """Ask for a block for that physician (R3) and wait for the draw (R4); give the block's view.

    Raises:
        RefusedByRuleError: the physician is not eligible (R3, A16), or the size is not one (R4).
        ServiceUnreachable: a service is silent; a block that was asked for is drawn once a worker is there.
    """
    draw.check_size(size)
    request = await _numbered(desk, licence, size, by, now)
    await _start_block(desk.temporal, request)
    drawn = await asking.update(desk.temporal, block_workflow_id(request.block_id), "await_drawn")
    return await _as_of_now(desk, {"block_id": request.block_id, **drawn})


async def _numbered(desk: Desk, licence: str, size: int, by: str, now: datetime) -> BlockRequest:
    async with desk.pool.acquire() as conn, conn.transaction():
        applicant = await physicians.applicant(conn, licence)
        rls = applicant.rls if applicant else ""
        draw.check_eligible(applicant, rls)
        zone = await blocks.time_zone(conn, rls)
        year = calendar.local_date(now, zone or "UTC").year
        number = await numbers.next_number(conn, "block", year)
    return BlockRequest(
        block_id=f"{year}-{number:04d}",
        physician=licence,
        rls=rls,
        size=size,
        requested_by=by,
        policy=CURRENT,
    )


async def _start_block(client: Client, request: BlockRequest) -> None:
    try:
        async with asking.answering(client):
            started = client.start_workflow(
                "Block",
                request,
                id=block_workflow_id(request.block_id),
                task_queue=TASK_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=_search_attributes(request),
                static_summary=visibility.block_summary(request),
                rpc_timeout=asking.PATIENCE,
            )
            await asking.heard(client, started)
    except WorkflowAlreadyStartedError:
        raise _of_another_database(request.block_id) from None


def _search_attributes(request: BlockRequest) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        (
            SearchAttributePair(visibility.BLOCK, request.block_id),
            SearchAttributePair(visibility.PHYSICIAN, request.physician),
            SearchAttributePair(visibility.RLS, request.rls),
        )
    )


def _of_another_database(block_id: str) -> ServiceUnreachable:
    return ServiceUnreachable(
        "Temporal",
        fr=f"il a déjà un bloc {block_id}, que cette base n’a pas. Les deux ne vont pas ensemble : "
        "vérifiez TEMPORAL_ADDRESS et GAMF_DATABASE_URL.",
        en=f"it has a block {block_id} already, which this database has not. The two do not belong together: "
        "check TEMPORAL_ADDRESS and GAMF_DATABASE_URL.",
    )


async def approve_block(desk: Desk, block_id: str, *, by: str) -> View:
    """Approve the drawn list: everybody on it is attributed and the 72 hours start (A21, R6)."""
    return await _record_on_block(desk, block_id, Approved.name, {"by": by})


async def count_started(desk: Desk, block_id: str) -> int:
    """Return how many attributions of a block are started so far, as Temporal lists them."""
    query = f"WorkflowType = 'Attribution' AND Block = '{block_id}'"
    async with asking.answering(desk.temporal):
        return (await desk.temporal.count_workflows(query, rpc_timeout=asking.PATIENCE)).count


async def withdraw_block(desk: Desk, block_id: str, *, by: str, reason: str) -> View:
    """Withdraw a drawn list: everybody on it waits again (A21)."""
    return await _record_on_block(desk, block_id, Withdrawn.name, {"by": by, "reason": reason})


async def accept_block(desk: Desk, block_id: str, *, by: str) -> View:
    """Confirm the physician's acceptance of all who have no answer yet (R6, A4)."""
    return await _record_on_block(desk, block_id, ListAccepted.name, {"by": by})


async def refuse_block(desk: Desk, block_id: str, *, by: str, reason: str) -> View:
    """Report the physician's refusal of all who have no answer yet (A4)."""
    return await _record_on_block(desk, block_id, ListRefused.name, {"by": by, "reason": reason})


async def _record_on_block(desk: Desk, block_id: str, fact: str, argument: Mapping[str, Any]) -> View:
    workflow_id = block_workflow_id(block_id)
    try:
        sent = {"fact": fact, **argument}
        answer = await asking.update(desk.temporal, workflow_id, "record", sent, within=desk.answers_within)
    except ClosedError:
        # Say why as the rules would, if the block was ever there.
        ended = await show_block(desk, block_id)
        block.check_taken(BlockState(ended["state"]), block.parse(fact, dict(argument)))
        raise
    return await _as_of_now(desk, {"block_id": block_id, **answer})


async def show_block(desk: Desk, block_id: str) -> View:
    """Give the block's view: its workflow's, or the database's when Temporal no longer has it.

    Raises:
        NotFoundError: there is no such block.
        ServiceUnreachable: a service is silent.
    """
    try:
        answer = await asking.view(desk.temporal, block_workflow_id(block_id))
    except ClosedError:
        async with desk.pool.acquire() as conn:
            return await reading.stored_block(conn, block_id)
    return await _as_of_now(desk, {"block_id": block_id, **answer})


async def _as_of_now(desk: Desk, shown: View) -> View:
    """Show why each one is on the list, which the database knows, and where each attribution is.

    A block hears of the answer, and of nothing that comes after. Until its draw, the database does not know it.
    """
    try:
        async with desk.pool.acquire() as conn:
            stored = await reading.stored_block(conn, shown["block_id"])
    except NotFoundError:
        return {**shown, "profile": None}
    return {**shown, **{key: stored[key] for key in ("counts", "profile", "list")}}


# --- attributions ----------------------------------------------------------------------------------------


async def show_attribution(desk: Desk, attribution_id: str) -> View:
    """Give the attribution's view with its patient, block, priority and vulnerability.

    Raises:
        NotFoundError: there is no such attribution.
        ServiceUnreachable: a service is silent.
    """
    stands = await _standing(desk, attribution_id)
    try:
        answer = await asking.view(desk.temporal, attribution_workflow_id(attribution_id))
    except ClosedError:
        async with desk.pool.acquire() as conn:
            answer = await reading.stored_attribution(conn, attribution_id)
    return _with_patient(answer, stands)


async def _standing(desk: Desk, attribution_id: str) -> Standing:
    async with desk.pool.acquire() as conn:
        stands = await standing.attribution(conn, attribution_id)
    if stands is None:
        raise NotFoundError(
            fr=f"L’attribution {attribution_id} n’existe pas.",
            en=f"There is no attribution {attribution_id}.",
        )
    return stands


def _with_patient(answer: View, stands: Standing) -> View:
    subject = stands.subject.model_dump(
        mode="json", include={"patient_id", "block_id", "priority", "vulnerable", "time_zone"}
    )
    return {**answer, **subject, "replaces": stands.replaces, "replaced_by": stands.replaced_by}


async def record_fact(
    desk: Desk, attribution_id: str, fact: str, argument: Mapping[str, Any], *, now: datetime
) -> View:
    """Report a fact about an attribution; give its new view, or the same one for a fact taken before.

    Raises:
        RefusedByRuleError: the fact has not the form it should, or a rule does not take it.
        NotFoundError: there is no such attribution.
        ServiceUnreachable: a service is silent; the fact sent again to the letter counts once.
    """
    parsed = facts.parse(fact, dict(argument))
    stands = await _standing(desk, attribution_id)
    sent = {"fact": fact, **argument}
    try:
        answer = await asking.update(
            desk.temporal, attribution_workflow_id(attribution_id), "record", sent, within=desk.answers_within
        )
    except ClosedError:
        return await _record_on_ended(desk, stands, parsed, now)
    # A cancellation may have brought another patient since (A17).
    return _with_patient(answer, await _standing(desk, attribution_id))


async def _record_on_ended(desk: Desk, stands: Standing, fact: facts.AnyFact, now: datetime) -> View:
    """Answer for one that takes nothing more: its view for a repeated fact, else the rule that refuses."""
    shown = await show_attribution(desk, stands.subject.attribution_id)
    if shown["ended_on"] is None:
        raise _not_started(stands.subject.attribution_id)
    with suppress(rules.RepeatedError):
        rules.take(_as_it_ended(stands.subject, shown), fact, now)
    return shown


def _as_it_ended(subject: Subject, shown: View) -> Attribution:
    """Return the attribution as the rules know it, so that it is they who say why nothing more is taken."""
    ended = {
        "state": State(shown["state"]),
        "ended_on": date.fromisoformat(shown["ended_on"]),
        "history": tuple(Entry.model_validate(entry) for entry in shown["history"]),
        "deadline": None,
    }
    start = Start(**subject.model_dump(), policy=CURRENT)
    return rules.begin(start).attribution.model_copy(update=ended)


def _not_started(attribution_id: str) -> NotThereError:
    return NotThereError(
        "Temporal",
        fr=f"l’attribution {attribution_id} n’y est pas (encore). Réessayez dans un instant\u00a0; "
        "si cela dure, ce Temporal n’est pas celui de cette base.",
        en=f"attribution {attribution_id} is not there (yet). Try again in a moment; if it lasts, "
        "this Temporal is not the one of this database.",
    )


# --- outside LE 321, tasks -------------------------------------------------------------------------------


async def register_enrolled(
    desk: Desk, patient_id: str, enrolment: EnrolledElsewhere, *, now: datetime
) -> None:
    """Register an enrolment outside LE 321 (A24): it ends an attribution, or takes the patient off the list.

    Raises:
        RefusedByRuleError: a rule refuses it; nothing has changed.
        NotFoundError: there is no such patient.
        ServiceUnreachable: a service is silent.
    """
    async with desk.pool.acquire() as conn:
        under_way = await standing.open_attributions(conn, patient_id)
    told = under_way or await _enrol_outside(desk, patient_id, enrolment, now)
    if told:
        # The first one's transaction ends the others, and its workflow tells them.
        await record_fact(desk, told[0], EnrolledElsewhere.name, enrolment.argument(), now=now)


async def _enrol_outside(
    desk: Desk, patient_id: str, enrolment: EnrolledElsewhere, now: datetime
) -> list[str]:
    """Write it in one transaction; return the attributions that began meanwhile."""
    async with desk.pool.acquire() as conn:
        zone = await standing.time_zone(conn, patient_id)
        if zone is None:
            raise NotFoundError(fr="Il n’y a pas de tel patient.", en="There is no such patient.")
        try:
            async with conn.transaction():
                return await register.enrol_outside(
                    conn,
                    patient_id,
                    enrolment.physician,
                    enrolment.effective_on,
                    enrolment.basis,
                    by=enrolment.by,
                    at=now,
                    today=calendar.local_date(now, zone),
                )
        except asyncpg.ExclusionViolationError:
            raise RefusedByRuleError(
                "invariant 2",
                "Une autre inscription du patient couvre ces dates\u00a0; rien n’a changé.",
                "Another enrolment of the patient covers these dates; nothing has changed.",
                "effective_on",
            ) from None


async def finish_task(conn: "Connection", task_id: int, *, by: str, now: datetime) -> bool:
    """Close a task by hand; tell whether it was open.

    Raises:
        NotFoundError: there is no such task.
    """
    async with conn.transaction():
        was_open = await tasks.done(conn, task_id, now, by)
        if was_open:
            version = CURRENT.version
            await records.append(conn, "task", str(task_id), "done", now, by=by, after="done", policy=version)
    if was_open is None:
        raise NotFoundError(fr=f"Il n’y a pas de tâche {task_id}.", en=f"There is no task {task_id}.")
    return was_open


async def has_patients(desk: Desk) -> bool:
    """Tell whether anybody was ever registered."""
    async with desk.pool.acquire() as conn:
        return await standing.has_patients(conn)
