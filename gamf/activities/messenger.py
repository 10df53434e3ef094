"""How an activity reaches workflows: the one use of a Temporal client in `activities`."""

from typing import Any, Protocol

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from gamf.domain.names import attribution_workflow_id, block_workflow_id


class Messenger(Protocol):
    """Tells workflows what concerns them; telling one that has ended does nothing."""

    async def tell_attribution(self, attribution_id: str, fact: str, argument: dict[str, Any]) -> None:
        """Send a fact to an attribution."""

    async def tell_block(self, block_id: str, attribution_id: str, state: str) -> None:
        """Report to a block the state that one of its attributions has reached."""


class TemporalMessenger:
    """Sends signals, which wait for a worker when there is none."""

    def __init__(self, client: Client) -> None:
        """Send through that client."""
        self._client = client

    async def tell_attribution(self, attribution_id: str, fact: str, argument: dict[str, Any]) -> None:
        """Send a fact to an attribution, unless its workflow has ended."""
        await self._signal(attribution_workflow_id(attribution_id), fact, argument)

    async def tell_block(self, block_id: str, attribution_id: str, state: str) -> None:
        """Report an attribution's state to its block, unless the block is closed."""
        report = {"attribution_id": attribution_id, "state": state}
        await self._signal(block_workflow_id(block_id), "attribution_changed", report)

    async def _signal(self, workflow_id: str, name: str, argument: dict[str, Any]) -> None:
        try:
            await self._client.get_workflow_handle(workflow_id).signal(name, argument)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
