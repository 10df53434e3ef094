"""How an attribution is started: by whoever holds a Temporal client, with its search attributes already true."""

from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from gamf.domain.model import Start
from gamf.domain.names import TASK_QUEUE, attribution_workflow_id
from gamf.workflows import visibility

WORKFLOW_TASK_TIMEOUT: Final = timedelta(seconds=10)
"""The server's default, said: longer would let a dead worker hold an attribution, shorter would harass a busy one."""


class AttributionStarter:
    """Starts attributions; one that runs, or has ended, is left alone, so that a start can be tried again."""

    def __init__(self, client: Client) -> None:
        """Start through that client."""
        self._client = client

    async def start(self, start: Start) -> None:
        """Start the workflow of an attribution."""
        try:
            await self._client.start_workflow(
                "Attribution",
                start,
                id=attribution_workflow_id(start.attribution_id),
                task_queue=TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=visibility.at_start(start),
                static_summary=visibility.summary(start),
                task_timeout=WORKFLOW_TASK_TIMEOUT,
                # A worker that starts it takes its first task along, without another round through the server.
                request_eager_start=True,
            )
        except WorkflowAlreadyStartedError:
            # It has lived and ended: starting it again would attribute the patient twice.
            return
