"""What an operator does to a workflow that was led astray: `temporal workflow reset`."""

from typing import Any
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle


async def reset_to_first_fact(client: Client, handle: WorkflowHandle[Any, Any]) -> None:
    """Have the server take a workflow back to before its first fact was taken, and tell it all facts again at once."""
    await _reset(client, handle, await _task_of_the_first_fact(handle))


async def reset_to_beginning(client: Client, handle: WorkflowHandle[Any, Any]) -> None:
    """Have the server take a workflow back to before all that it did, and tell it all facts again at once."""
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            await _reset(client, handle, event.event_id)
            return


async def _reset(client: Client, handle: WorkflowHandle[Any, Any], task: int) -> None:
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=handle.id),
        reason="test",
        workflow_task_finish_event_id=task,
        request_id=str(uuid4()),
    )
    await client.workflow_service.reset_workflow_execution(request)


async def _task_of_the_first_fact(handle: WorkflowHandle[Any, Any]) -> int:
    """Return the end of the workflow task that took it: an update is accepted after that, a signal is there before."""
    task, signalled = 0, False
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            task = event.event_id
            if signalled:
                break
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            signalled = True
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            break
    return task
