"""How an attribution is started: by whoever holds a Temporal client, with its search attributes already true."""

from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from gamf.domain.attribution import begin
from gamf.domain.model import Attribution, Start
from gamf.domain.names import TASK_QUEUE, attribution_workflow_id
from gamf.workflows import visibility
from gamf.workflows.carried import Argument, Carried
from gamf.workflows.inbox import Memory

WORKFLOW_TASK_TIMEOUT: Final = timedelta(seconds=10)
"""The server's default, said: longer would let a dead worker hold an attribution, shorter would harass a busy one."""


class AttributionStarter:
    """Starts attributions; one that runs, or has ended, is left alone, so that a start can be tried again."""

    def __init__(self, client: Client) -> None:
        """Start through that client."""
        self._client = client

    async def start(self, start: Start) -> None:
        """Start the workflow of an attribution that begins: proposed to its physician."""
        await self._start(begin(start).attribution, start)

    async def resume(
        self, attribution: Attribution, inbox: Memory | None = None, letters: tuple[str, ...] = ()
    ) -> None:
        """Start the workflow of an attribution that is under way already and written in the database as it is.

        One that was stopped from outside may be started again; one that ended by the rules is left alone.
        """
        carried = Carried(attribution=attribution, inbox=inbox or Memory(), letters=letters)
        argument = Argument(**attribution.start.model_dump(), carried=carried)
        await self._start(attribution, argument, WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)

    async def _start(
        self,
        a: Attribution,
        argument: Start,
        reuse: WorkflowIDReusePolicy = WorkflowIDReusePolicy.REJECT_DUPLICATE,
    ) -> None:
        try:
            await self._client.start_workflow(
                "Attribution",
                argument,
                id=attribution_workflow_id(a.start.attribution_id),
                task_queue=TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=reuse,
                search_attributes=visibility.at_start(a),
                static_summary=visibility.summary(a.start),
                task_timeout=WORKFLOW_TASK_TIMEOUT,
                # A worker that starts it takes its first task along, without another round through the server.
                request_eager_start=True,
            )
        except WorkflowAlreadyStartedError:
            # It has lived and ended: starting it again would attribute the patient twice.
            return
