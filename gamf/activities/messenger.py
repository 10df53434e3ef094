"""How an activity reaches workflows: the one use of a Temporal client in `activities`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.converter import WorkflowSerializationContext
from temporalio.service import RPCError, RPCStatusCode

from gamf.domain.names import attribution_workflow_id, block_workflow_id


class Messenger(Protocol):
    """Tells workflows what concerns them; telling one that has ended does nothing."""

    async def tell_attribution(self, attribution_id: str, fact: str, argument: dict[str, Any]) -> None:
        """Send a fact to an attribution."""

    async def tell_block(
        self, block_id: str, attribution_id: str, state: str, replacement: dict[str, Any] | None = None
    ) -> None:
        """Report to a block the state that one of its attributions has reached, and who replaces it, if anybody."""


_MOST_REPORTS: Final = 50
"""In one signal: longer ones would no longer be legible as a fact (`gamf.domain.inbox`)."""
Send = Callable[[Mapping[str, str]], Awaitable[None]]


class _Reports:
    """Reports to one block: those that come while a signal is on its way go together in the next one."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._gathered: dict[str, str] = {}
        self._sent = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    async def tell(self, attribution_id: str, state: str) -> None:
        """Return once a signal with this report was taken; whoever comes first sends for all who wait."""
        gathered, sent = self._gathered, self._sent
        gathered[attribution_id] = state
        if len(gathered) >= _MOST_REPORTS:
            self._begin_another()
        async with self._one_at_a_time:
            if sent.is_set():
                return
            if gathered is self._gathered:
                self._begin_another()
            await self._send(gathered)
            sent.set()

    def _begin_another(self) -> None:
        self._gathered, self._sent = {}, asyncio.Event()


class TemporalMessenger:
    """Sends signals, which wait for a worker when there is none."""

    def __init__(self, client: Client) -> None:
        """Send through that client."""
        self._client = client
        # A block's reports are kept only as long as somebody waits for them to go.
        self._reports = WeakValueDictionary[str, _Reports]()

    async def tell_attribution(self, attribution_id: str, fact: str, argument: dict[str, Any]) -> None:
        """Send a fact to an attribution, unless its workflow has ended."""
        await self._signal(attribution_workflow_id(attribution_id), fact, argument)

    async def tell_block(
        self, block_id: str, attribution_id: str, state: str, replacement: dict[str, Any] | None = None
    ) -> None:
        """Report to the block, unless it is closed: a replacement in one signal with what it comes from.

        So the block never closes between the two.
        """

        async def send(states: Mapping[str, str]) -> None:
            await self._signal(block_workflow_id(block_id), "attributions_changed", {"states": states})

        if replacement is not None:
            report = {"states": {attribution_id: state}, "replacement": replacement}
            await self._signal(block_workflow_id(block_id), "attributions_changed", report)
            return
        reports = self._reports.setdefault(block_id, _Reports(send))
        await reports.tell(attribution_id, state)

    async def _signal(self, workflow_id: str, name: str, argument: Mapping[str, Any]) -> None:
        try:
            await self._client.get_workflow_handle(workflow_id).signal(name, argument)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


class Herald(Protocol):
    """Tells many workflows the same thing, each once however often it is tried."""

    async def tell_once(self, attribution_id: str, fact: str, argument: dict[str, Any], key: str) -> bool:
        """Send a fact to an attribution, unless it was sent under that key; False when no workflow is there."""
        ...

    async def withdraw_list(self, block_id: str, argument: dict[str, Any]) -> bool:
        """Have a drawn list withdrawn, and wait until it is; False when it is no longer to be approved."""
        ...


class TemporalHerald:
    """Has the server drop what it has taken before: a signal by its request id, an update by the block's rules."""

    def __init__(self, client: Client) -> None:
        """Send through that client."""
        self._client = client

    async def tell_once(self, attribution_id: str, fact: str, argument: dict[str, Any], key: str) -> bool:
        """Send a fact under a request id made from the key; the same again to the same run has no effect."""
        workflow_id = attribution_workflow_id(attribution_id)
        context = WorkflowSerializationContext(namespace=self._client.namespace, workflow_id=workflow_id)
        request = SignalWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            signal_name=fact,
            identity=self._client.identity,
            # The SDK makes a new one for each call, and could not be tried again without a second signal.
            request_id=f"{key}:{attribution_id}",
        )
        request.input.payloads.extend(
            await self._client.data_converter.with_context(context).encode([argument])
        )
        try:
            await self._client.workflow_service.signal_workflow_execution(request, retry=True)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    async def withdraw_list(self, block_id: str, argument: dict[str, Any]) -> bool:
        """Ask the block itself, whose rules say whether its list is still to be approved."""
        handle = self._client.get_workflow_handle(block_workflow_id(block_id))
        try:
            await handle.execute_update("record", {**argument, "fact": "withdrawn"})
        except WorkflowUpdateFailedError:
            return False
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True
