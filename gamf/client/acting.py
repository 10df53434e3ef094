"""The use cases that act: ask for a block, decide on it, report facts. They print nothing and decide nothing.

Each sends what it was given to the workflow concerned and gives back the view that it answers. Whoever calls says who
reports and, where a clock is needed, what time it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from gamf.client import asking
from gamf.client.asking import ClosedError, View
from gamf.client.errors import NotFoundError
from gamf.domain import attribution as rules
from gamf.domain import calendar, draw, facts
from gamf.domain.block import Approved, BlockRequest, ListAccepted, ListRefused, Withdrawn
from gamf.domain.names import TASK_QUEUE, attribution_workflow_id, block_workflow_id
from gamf.domain.policy import CURRENT
from gamf.domain.refusal import RefusedByRuleError
from gamf.storage import blocks, numbers, physicians, records, register, tasks
from gamf.workflows import visibility

if TYPE_CHECKING:
    from gamf.runtime.database import Pool


@dataclass(frozen=True)
class Desk:
    """What the use cases act through."""

    pool: "Pool"
    temporal: Client


# --- blocks -------------------------------------------------------------------------------------------------------


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
    return {"block_id": request.block_id, **drawn}


async def _numbered(desk: Desk, licence: str, size: int, by: str, now: datetime) -> BlockRequest:
    async with desk.pool.acquire() as conn, conn.transaction():
        applicant = await physicians.applicant(conn, licence)
        rls = applicant.rls if applicant else ""
        draw.check_eligible(applicant, rls)
        zone = await blocks.time_zone(conn, rls)
        year = calendar.local_date(now, zone or "UTC").year
        number = await numbers.next_number(conn, "block", year)
    return BlockRequest(
        block_id=f"{year}-{number:04d}", physician=licence, rls=rls, size=size, requested_by=by, policy=CURRENT
    )


async def _start_block(client: Client, request: BlockRequest) -> None:
    attributes = (
        SearchAttributePair(visibility.BLOCK, request.block_id),
        SearchAttributePair(visibility.PHYSICIAN, request.physician),
        SearchAttributePair(visibility.RLS, request.rls),
    )
    async with asking.answering(client):
        await client.start_workflow(
            "Block",
            request,
            id=block_workflow_id(request.block_id),
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=TypedSearchAttributes(attributes),
            static_summary=visibility.block_summary(request),
            rpc_timeout=asking.PATIENCE,
        )


async def approve_block(desk: Desk, block_id: str, *, by: str) -> View:
    """Approve the drawn list: everybody on it is attributed and the 72 hours start (A21, R6)."""
    return await _record_on_block(desk, block_id, Approved.name, {"by": by})


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
        answer = await asking.update(desk.temporal, workflow_id, "record", {"fact": fact, **argument})
    except ClosedError:
        # Say why as the rules would, if the block was ever there.
        ended = await show_block(desk, block_id)
        block.check_taken(BlockState(ended["state"]), block.parse(fact, dict(argument)))
        raise
    return {"block_id": block_id, **answer}


async def show_block(desk: Desk, block_id: str) -> View:
    """Give the block's view: its workflow's, or the database's when Temporal no longer has it.

    Raises:
        NotFoundError: there is no such block.
    """
    try:
        answer = await asking.view(desk.temporal, block_workflow_id(block_id))
    except ClosedError:
        async with desk.pool.acquire() as conn:
            return await reading.stored_block(conn, block_id)
    return {"block_id": block_id, **answer}


# --- attributions -------------------------------------------------------------------------------------------------


async def show_attribution(desk: Desk, attribution_id: str) -> View:
    """Give the attribution's view with its patient, block, priority and vulnerability.

    Raises:
        NotFoundError: there is no such attribution.
    """
    async with desk.pool.acquire() as conn:
        stored = await reading.stored_attribution(conn, attribution_id)
    try:
        answer = await asking.view(desk.temporal, attribution_workflow_id(attribution_id))
    except ClosedError:
        return stored
    return _with_patient(answer, stored)


def _with_patient(answer: View, stored: View) -> View:
    return answer | {key: stored[key] for key in ("patient_id", "block_id", "priority", "vulnerable")}


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
    async with desk.pool.acquire() as conn:
        stored = await reading.stored_attribution(conn, attribution_id)
    workflow_id = attribution_workflow_id(attribution_id)
    try:
        answer = await asking.update(desk.temporal, workflow_id, "record", {"fact": fact, **argument})
    except ClosedError:
        return await _record_on_ended(desk, attribution_id, parsed, now)
    return _with_patient(answer, stored)


async def _record_on_ended(desk: Desk, attribution_id: str, fact: facts.AnyFact, now: datetime) -> View:
    """Answer for an attribution that takes nothing more: its view for a repeated fact, else the rule that refuses."""
    shown = await show_attribution(desk, attribution_id)
    if shown["ended_on"] is None:
        raise _not_started(attribution_id)
    try:
        rules.take(await _as_it_ended(desk, shown), fact, now)
    except rules.RepeatedError:
        return shown
    raise _not_started(attribution_id)
