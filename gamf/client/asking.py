"""How a use case speaks to a workflow: an update or a query, and what it means when no answer comes."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, TypeAlias, TypeVar

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

Answer = TypeVar("Answer")
View: TypeAlias = dict[str, Any]
"""A view as JSON, with the keys of contract.md."""

PATIENCE: Final = timedelta(seconds=15)
"""A live worker takes an update or answers a query in milliseconds, in seconds while a large block starts."""
_LISTENS_EVERY: Final = timedelta(seconds=2)
_MISSED: Final = 2
"""How many times in a row Temporal is not heard before it counts as away: a server that starts again is soon there."""
_NO_ANSWER: Final = frozenset(
    {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION}
)


class ClosedError(Exception):
    """The workflow has ended, or Temporal has never had it, or no longer has it."""


async def update(  # noqa: PLR0913 - the parts of one question, by name
    client: Client,
    workflow_id: str,
    name: str,
    argument: object = None,
    *,
    patience: timedelta = PATIENCE,
    within: timedelta | None = None,
) -> View:
    """Send an update and wait for what it answers, so long at most once it is sent; else until Temporal is silent.

    Raises:
        RefusedByRuleError: a rule refuses it; nothing has changed.
        ClosedError: there is no such workflow under way.
        ServiceUnreachable: Temporal or every worker is silent.
    """
    handle = client.get_workflow_handle(workflow_id)
    arguments = [] if argument is None else [argument]

    async def ask() -> View:
        taken = await handle.start_update(
            name,
            args=arguments,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            rpc_timeout=patience,
            result_type=dict[str, Any],
        )
        answer: View = await taken.result()
        return answer

    async with answering(client, patience):
        try:
            return await asyncio.wait_for(heard(client, ask()), within.total_seconds() if within else None)
        except TimeoutError:
            raise _taken_and_not_done() from None


async def heard(client: Client, asked: Coroutine[Any, Any, Answer]) -> Answer:
    """Wait for an answer while Temporal is there: one that has gone, or hangs, is found out in a few seconds.

    Raises:
        ServiceUnreachable: it is not; what was asked may have been done all the same.
    """
    task = asyncio.ensure_future(asked)
    missed = 0
    try:
        while not (await asyncio.wait([task], timeout=_LISTENS_EVERY.total_seconds()))[0]:
            silence = await _silent(client)
            missed = 0 if silence is None else missed + 1
            if silence is not None and missed == _MISSED:
                raise unreachable(client, silence)
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            # Said to have been looked at, where another answer is given in its place.
            task.exception()


async def _silent(client: Client) -> RPCError | None:
    """Return what Temporal answers instead of saying that it is well."""
    try:
        await client.service_client.check_health(timeout=_LISTENS_EVERY)
    except RPCError as error:
        return error
    return None


async def view(client: Client, workflow_id: str, *, patience: timedelta = PATIENCE) -> View:
    """Ask a workflow, under way or ended, for its view.

    Raises:
        ClosedError: Temporal has never had it, or no longer has it.
        ServiceUnreachable: Temporal or every worker is silent.
    """
    handle = client.get_workflow_handle(workflow_id)
    async with answering(client, patience):
        asked = handle.query("view", rpc_timeout=patience, result_type=dict[str, Any])
        answer: View = await heard(client, asked)
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


def _taken_and_not_done() -> ServiceUnreachable:
    return ServiceUnreachable(
        "worker",
        fr="le fait est reçu, et ce qui suit se fait attendre ; PostgreSQL ou un travailleur est peut-être arrêté. "
        "Voyez dans un moment ce qui en est ; la même chose renvoyée ne compte qu’une fois.",
        en="the fact is received, and what follows is late; PostgreSQL or a worker may have stopped. "
        "Look in a moment how it is; the same thing sent again counts once.",
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
