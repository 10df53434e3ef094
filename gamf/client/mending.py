"""What mends an attribution whose database and workflow differ; each is safe to repeat, and none loses a fact."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus

from gamf.activities.messenger import TemporalMessenger
from gamf.activities.transitions import SYSTEM, carry_out
from gamf.client import asking, comparing
from gamf.client.acting import Desk
from gamf.domain import attribution as rules
from gamf.domain import reliving, retro
from gamf.domain import tasks as deciding
from gamf.domain.attribution import Transition
from gamf.domain.calendar import PROVINCE
from gamf.domain.effects import Owner, TaskKind
from gamf.domain.model import Attribution, Entry, Start
from gamf.domain.names import attribution_workflow_id
from gamf.domain.policy import CURRENT
from gamf.domain.reconciliation import Mend
from gamf.domain.reliving import NotRelivedError, Relived
from gamf.storage import enrolments, patients, reconciliation, records, standing, tasks
from gamf.storage import retro as retro_rows
from gamf.storage.connection import Connection
from gamf.workflows.carried import Argument
from gamf.workflows.inbox import Memory
from gamf.workflows.starting import AttributionStarter

_GOES_ON: Final = frozenset({WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT})
"""Stopped from outside, so that its history can go on; one that failed would fail again."""
Work = Callable[[Desk, str, datetime], Awaitable[None]]


async def start(desk: Desk, attribution_id: str, _now: datetime) -> None:
    """Start the workflow where the record has the attribution.

    Raises:
        NotRelivedError: the record does not lead there by the rules, or not by the policy of this version.
    """
    begun = await _begun(desk, attribution_id)
    async with desk.pool.acquire() as conn:
        events = await reconciliation.remembered(conn, attribution_id)
        letters = await reconciliation.letters_due(conn, attribution_id)
        refused = await reconciliation.refused_count(conn, "attribution", attribution_id)
    relived = reliving.relive(begun, events)
    # The numbers of what is refused from now on follow those in the record.
    await AttributionStarter(desk.temporal).resume(relived.attribution, Memory(total=refused), tuple(letters))


async def _begun(desk: Desk, attribution_id: str) -> Attribution:
    """Return the attribution as it began, under the policy that it began with: proposed, or taken in (R11)."""
    argument = await comparing.argument_of(desk.temporal, attribution_id)
    begun = await _start_of(desk, attribution_id, argument)
    async with desk.pool.acquire() as conn:
        taken_in = await retro_rows.adoption(conn, attribution_id)
    if taken_in is not None:
        return retro.adopt_again(begun, taken_in.argument, taken_in.at)
    if argument is not None and argument.carried is not None and argument.carried.attribution.adopted_on:
        return retro.as_taken_in(argument.carried.attribution)
    return rules.begin(begun).attribution


async def _start_of(desk: Desk, attribution_id: str, argument: Argument | None) -> Start:
    if argument is not None:
        return Start.model_validate(argument.model_dump(exclude={"carried"}))
    async with desk.pool.acquire() as conn:
        stands = await standing.attribution(conn, attribution_id)
        policy = await reconciliation.policy_of(conn, attribution_id)
    if stands is None or policy != CURRENT.version:
        raise NotRelivedError("policy")
    return Start(**stands.subject.model_dump(), policy=CURRENT)


async def revive(desk: Desk, attribution_id: str, now: datetime) -> None:
    """Let a stopped workflow go on after its last whole task, with whatever was sent to it since; else start it anew.

    Raises:
        NotRelivedError: it must be started anew, and the record does not lead anywhere by the rules.
    """
    if not await go_on(desk, attribution_workflow_id(attribution_id)):
        await start(desk, attribution_id, now)


async def go_on(desk: Desk, workflow_id: str) -> bool:
    """Reset a workflow stopped from outside to its last whole task; return False when there is none to go on from."""
    found = await comparing.describe(desk.temporal, workflow_id)
    last = await _last_whole_task(desk, workflow_id) if found and found.status in _GOES_ON else None
    if found is None or last is None:
        return False
    request = ResetWorkflowExecutionRequest(
        namespace=desk.temporal.namespace,
        workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=found.run_id),
        reason="gamf reconcile",
        workflow_task_finish_event_id=last,
        request_id=str(uuid4()),
    )
    async with asking.answering(desk.temporal):
        await desk.temporal.workflow_service.reset_workflow_execution(request, timeout=asking.PATIENCE)
    return True


async def _last_whole_task(desk: Desk, workflow_id: str) -> int | None:
    last: int | None = None
    handle: Any = desk.temporal.get_workflow_handle(workflow_id)
    async with asking.answering(desk.temporal):
        async for event in handle.fetch_history_events():
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                last = event.event_id
    return last


async def write(desk: Desk, attribution_id: str, now: datetime) -> None:
    """Write what the workflow has and the database has not: the row, its transitions, its enrolments.

    Raises:
        NotRelivedError: the view does not follow from the rules, or somebody else holds the patient.
    """
    view = await asking.view(desk.temporal, attribution_workflow_id(attribution_id))
    begun = await _begun(desk, attribution_id)
    first = retro.first_transition(begun, now) if begun.adopted_on else rules.begin(begun.start).transition
    history, passed = (tuple(map(Entry.model_validate, view[name])) for name in ("history", "passed"))
    relived = reliving.relive(begun, reliving.of_view(history, passed))
    await _write_transitions(desk, (first, *relived.transitions), now)
    async with desk.pool.acquire() as conn, conn.transaction():
        await _restore(conn, relived.attribution, (first, *relived.transitions)[-1])
        await _write_enrolments(conn, relived)


async def _write_transitions(desk: Desk, transitions: tuple[Transition, ...], now: datetime) -> None:
    subject = transitions[0].subject
    async with desk.pool.acquire() as conn, conn.transaction():
        row = await reconciliation.kept(conn, subject.attribution_id)
        done = [t for t in transitions if await _recorded(conn, t)]
        if row is None:
            await _restore_subject(conn, transitions[len(done) - 1] if done else transitions[0])
        written = row.transition if row else done[-1].number if done else 0
        for t in transitions:
            # The row says that it was done: only its record is gone.
            if t.number <= written and t not in done:
                await records.append_transition(conn, t, {})
    for t in transitions:
        if t.number > written:
            await _carry_out(desk, t, now)


async def _recorded(conn: Connection, t: Transition) -> bool:
    return await records.outcome(conn, "attribution", t.subject.attribution_id, t.number) is not None


async def _carry_out(desk: Desk, t: Transition, now: datetime) -> None:
    outcome = await carry_out(desk.pool, t)
    if outcome.conflict is not None or outcome.overtaken:
        raise NotRelivedError(outcome.conflict or "overtaken")
    # Nobody knows whether the workflow has sent it: somebody must look.
    async with desk.pool.acquire() as conn:
        for _ in outcome.letters:
            due = deciding.due(now, CURRENT, t.subject.time_zone)
            kind, owner = TaskKind.LETTER_NOT_SENT, Owner.COORDINATOR
            await tasks.open_(conn, t.subject.attribution_id, kind, owner, t.number, now, due)


async def _restore(conn: Connection, a: Attribution, last: Transition) -> None:
    subject, policy = a.start.subject, a.start.policy.version
    if not await reconciliation.restore(conn, subject, last, policy, a.confirmed_on):
        raise NotRelivedError("place")


async def _restore_subject(conn: Connection, last: Transition) -> None:
    if not await reconciliation.restore(conn, last.subject, last, last.policy):
        raise NotRelivedError("place")


async def _write_enrolments(conn: Connection, relived: Relived) -> None:
    a = relived.attribution
    kept = await reconciliation.kept(conn, a.start.attribution_id)
    assert kept is not None  # noqa: S101 - just restored
    s = a.start
    if a.sv is not None and not a.sv.voided and kept.sv is None:
        await enrolments.write(conn, s.attribution_id, s.patient_id, s.physician, "SV", a.sv.start)
        if a.sv.end is not None:
            await enrolments.close_sv(conn, s.attribution_id, a.sv.end)
    if a.mf is not None and kept.mf is None:
        await enrolments.write(conn, s.attribution_id, s.patient_id, s.physician, "MF", a.mf.start)


async def tell(desk: Desk, attribution_id: str, _now: datetime) -> None:
    """Tell the workflow by which fact another attribution ended this one (A11, A15, A24)."""
    async with desk.pool.acquire() as conn:
        fact = dict(await reconciliation.overtaken_by(conn, attribution_id) or {})
    name = str(fact.pop("fact", ""))
    await TemporalMessenger(desk.temporal).tell_attribution(attribution_id, name, fact)


async def ask(desk: Desk, attribution_id: str, now: datetime) -> None:
    """Open a task for a coordinator, unless there is one already; about the patient, where the row is gone."""
    kind, owner = TaskKind.DIFFERENCE, Owner.COORDINATOR
    argument = await comparing.argument_of(desk.temporal, attribution_id)
    due = deciding.due(now, CURRENT, argument.time_zone if argument else PROVINCE)
    async with desk.pool.acquire() as conn, conn.transaction():
        row = await reconciliation.kept(conn, attribution_id)
        if row is not None:
            await tasks.open_(conn, attribution_id, kind, owner, row.transition, now, due)
        elif argument is not None and await patients.lock(conn, argument.patient_id) is not None:
            await tasks.open_about_patient(conn, argument.patient_id, kind, owner, 0, now, due)


async def close_question(conn: Connection, attribution_id: str, now: datetime) -> None:
    """Close the task about a difference that is there no more."""
    await tasks.close(conn, attribution_id, [TaskKind.DIFFERENCE], now, SYSTEM)


MEND: Final[dict[Mend, Work]] = {
    Mend.START: start,
    Mend.REVIVE: revive,
    Mend.WRITE: write,
    Mend.TELL: tell,
    Mend.ASK: ask,
}
"""What carries out each mend."""
