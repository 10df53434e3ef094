"""Both sides of one attribution: what its workflow says, and what the database says."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from gamf.client import asking
from gamf.client.acting import Desk
from gamf.client.asking import ClosedError, View
from gamf.domain.names import attribution_workflow_id
from gamf.domain.reconciliation import Difference, Life, Lived, compare
from gamf.domain.states import State
from gamf.runtime.errors import Fault, ServiceUnreachable
from gamf.storage import reconciliation
from gamf.workflows import visibility
from gamf.workflows.carried import Argument

_PREFIX: Final = attribution_workflow_id("")


class Seen(NamedTuple):
    """A running attribution as Temporal lists it."""

    state: str | None
    deadline: datetime | None


class Sides(NamedTuple):
    """How the two sides of an attribution differ, and what they looked like when they were compared."""

    difference: Difference | None
    transitions: tuple[int, int]


async def running(client: Client) -> dict[str, Seen]:
    """Return every running attribution, by its reference, as Temporal lists it.

    Raises:
        ServiceUnreachable: Temporal is silent.
    """
    seen: dict[str, Seen] = {}
    async with asking.answering(client):
        query = "WorkflowType = 'Attribution' AND ExecutionStatus = 'Running'"
        async for listed in client.list_workflows(query):
            known = listed.typed_search_attributes
            seen[listed.id.removeprefix(_PREFIX)] = Seen(
                known.get(visibility.STATE), known.get(visibility.DEADLINE)
            )
    return seen


async def running_ids(client: Client, workflow_type: str, prefix: str) -> set[str]:
    """Return the references of the running workflows of that type, whose ids begin so.

    Raises:
        ServiceUnreachable: Temporal is silent.
    """
    async with asking.answering(client):
        query = f"WorkflowType = '{workflow_type}' AND ExecutionStatus = 'Running'"
        return {listed.id.removeprefix(prefix) async for listed in client.list_workflows(query)}


async def describe(client: Client, workflow_id: str) -> WorkflowExecutionDescription | None:
    """Return what Temporal has of a workflow's latest run, or None when it has nothing.

    Raises:
        ServiceUnreachable: Temporal is silent.
    """
    try:
        async with asking.answering(client):
            return await _handle(client, workflow_id).describe(rpc_timeout=asking.PATIENCE)
    except ClosedError:
        return None


def _handle(client: Client, workflow_id: str) -> WorkflowHandle[Any, Any]:
    return client.get_workflow_handle(workflow_id)


def life_of(found: WorkflowExecutionDescription | None) -> Life:
    """Return what Temporal has of a workflow."""
    if found is None:
        return Life.NEVER
    match found.status:
        case WorkflowExecutionStatus.RUNNING | WorkflowExecutionStatus.CONTINUED_AS_NEW:
            return Life.RUNNING
        case WorkflowExecutionStatus.COMPLETED:
            return Life.COMPLETED
        case _:
            return Life.STOPPED


async def look(desk: Desk, attribution_id: str) -> Sides:
    """Compare the two sides of an attribution as they are now.

    Raises:
        ServiceUnreachable: a service is silent.
    """
    workflow_id = attribution_workflow_id(attribution_id)
    life = life_of(await describe(desk.temporal, workflow_id))
    try:
        view = await asking.view(desk.temporal, workflow_id) if life in {Life.RUNNING, Life.COMPLETED} else {}
    except ServiceUnreachable:
        raise
    except Fault:
        return Sides(Difference.UNREADABLE, (0, 0))
    lived = _lived(life, view)
    async with desk.pool.acquire() as conn:
        kept = await reconciliation.kept(conn, attribution_id)
    return Sides(compare(kept, lived), (kept.transition if kept else -1, lived.transitions))


def _lived(life: Life, view: View) -> Lived:
    if not view:
        return Lived(life=life)
    return Lived(
        life=life,
        state=State(view["state"]),
        transitions=len(view["history"]) + len(view["passed"]),
        ended_on=_day(view["ended_on"]),
        sv=_first_day(view["sv"]),
        mf=_first_day(view["mf"]),
    )


def _first_day(enrolment: Mapping[str, Any] | None) -> date | None:
    return None if enrolment is None or enrolment["voided"] else _day(enrolment["start"])


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


async def argument_of(client: Client, attribution_id: str) -> Argument | None:
    """Return what the workflow of an attribution was started with, if Temporal still has it."""
    handle = _handle(client, attribution_workflow_id(attribution_id))
    try:
        async for event in handle.fetch_history_events(page_size=1):
            payloads = event.workflow_execution_started_event_attributes.input.payloads
            (argument,) = await client.data_converter.decode(payloads, [Argument])
            return argument if isinstance(argument, Argument) else None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise asking.unreachable(client, error) from None
    return None
