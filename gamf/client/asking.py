"""How a use case speaks to a workflow: an update or a query, and what it means when no answer comes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, TypeAlias

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from gamf.domain.names import TASK_QUEUE
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.runtime.errors import Fault, ServiceUnreachable

View: TypeAlias = dict[str, Any]
"""A view as JSON, with the keys of contract.md."""

PATIENCE: Final = timedelta(seconds=15)
"""A live worker takes an update or answers a query in milliseconds, in seconds while a large block starts."""
_NO_ANSWER: Final = frozenset(
    {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION}
)


class ClosedError(Exception):
    """The workflow has ended, or Temporal has never had it, or no longer has it."""


async def update(
    client: Client, workflow_id: str, name: str, argument: object = None, *, patience: timedelta = PATIENCE
) -> View:
    """Send an update and wait for what it answers, however long that takes once a worker has taken it.

    Raises:
        RefusedByRuleError: a rule refuses it; nothing has changed.
        ClosedError: there is no such workflow under way.
        ServiceUnreachable: Temporal or every worker is silent.
    """
    handle = client.get_workflow_handle(workflow_id)
    arguments = [] if argument is None else [argument]
    async with answering(client, patience):
        taken = await handle.start_update(
            name,
            args=arguments,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            rpc_timeout=patience,
            result_type=dict[str, Any],
        )
        answer: View = await taken.result()
    return answer


async def view(client: Client, workflow_id: str, *, patience: timedelta = PATIENCE) -> View:
    """Ask a workflow, under way or ended, for its view.

    Raises:
        ClosedError: Temporal has never had it, or no longer has it.
        ServiceUnreachable: Temporal or every worker is silent.
    """
    handle = client.get_workflow_handle(workflow_id)
    async with answering(client, patience):
        answer: View = await handle.query("view", rpc_timeout=patience, result_type=dict[str, Any])
    return answer


@asynccontextmanager
async def answering(client: Client, patience: timedelta = PATIENCE) -> AsyncGenerator[None]:
    """Say in our own words what went wrong with a call made within the block."""
    try:
        yield
    except WorkflowUpdateFailedError as error:
        raise _refusal(error.cause) from None
    except WorkflowQueryFailedError as error:
        raise _unexpected("WorkflowQueryFailedError") from error
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        raise await _silence(client, patience) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ClosedError from None
        if error.status in _NO_ANSWER:
            raise await _silence(client, patience) from None
        raise unreachable(client, error) from None


def _refusal(cause: BaseException) -> Exception:
    if isinstance(cause, ApplicationError) and cause.type == "RefusedByRule" and cause.details:
        reason = Reason.model_validate(cause.details[0])
        return RefusedByRuleError(reason.rule, reason.fr, reason.en, reason.field)
    kind = cause.type if isinstance(cause, ApplicationError) else type(cause).__name__
    return _unexpected(kind or "ApplicationError")


def _unexpected(kind: str) -> Fault:
    return Fault(
        fr=f"Le flux de travail n’a pu répondre ({kind})\u00a0; voyez-le dans l’interface de Temporal.",
        en=f"The workflow could not answer ({kind}); look at it in the Temporal UI.",
    )


def unreachable(client: Client, error: RPCError) -> ServiceUnreachable:
    """Return what to say when Temporal itself does not answer, or not as one that is prepared for us does."""
    where = f"{client.service_client.config.target_host} ({error.status.name})"
    if error.status is RPCStatusCode.INVALID_ARGUMENT:
        return ServiceUnreachable(
            "Temporal",
            fr=f"{where} n’est pas prêt ; lancez « gamf setup ».",
            en=f"{where} is not prepared; run “gamf setup”.",
        )
    return ServiceUnreachable(
        "Temporal",
        fr=f"{where}. Démarrez « gamf up », ou vérifiez TEMPORAL_ADDRESS.",
        en=f"{where}. Start “gamf up”, or check TEMPORAL_ADDRESS.",
    )


async def _silence(client: Client, patience: timedelta) -> ServiceUnreachable:
    """Tell a worker that is busy from one that is not there, and a server that is gone from both."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=TASK_QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    try:
        seen = await client.workflow_service.describe_task_queue(request, timeout=timedelta(seconds=5))
    except RPCError as error:
        return unreachable(client, error)
    if seen.pollers:
        return _busy(patience)
    return ServiceUnreachable(
        "worker",
        fr="aucun travailleur ne répond. Démarrez-en un («\u00a0gamf worker\u00a0», ou «\u00a0gamf up\u00a0» "
        "pour tout). Rien n’est perdu\u00a0: la même commande, redonnée telle quelle, ne compte qu’une fois.",
        en="no worker answers. Start one (“gamf worker”, or “gamf up” for everything). "
        "Nothing is lost: the same command given again counts once.",
    )


def _busy(patience: timedelta) -> ServiceUnreachable:
    seconds = round(patience.total_seconds())
    return ServiceUnreachable(
        "worker",
        fr=f"aucune réponse en {seconds} s\u00a0; les travailleurs sont occupés, ou viennent de s’arrêter. "
        "Redonnez la même commande\u00a0: elle ne compte qu’une fois.",
        en=f"no answer in {seconds} s; the workers are busy, or have just stopped. "
        "Give the same command again: it counts once.",
    )
