"""One calendar for many workflows: the server skips time for one workflow at a time, so each is moved to the day."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper
from typing_extensions import override

_AT_ONCE: Final = 64
_BREATH: Final = timedelta(milliseconds=50)


class Clocks:
    """Where the clock of each workflow stands, and the day that it is for everybody."""

    def __init__(self, client: Client, today: datetime) -> None:
        """Move the workflows of that client's namespace; the calendar begins on that day."""
        self.today = today
        self._client = client
        self._skipper = TimeSkipper(client)
        self._ahead: dict[str, timedelta] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._ended: set[str] = set()

    def starting_today(self) -> Client:
        """Return a client whose workflows begin on the calendar's day instead of the machine's."""
        config = self._client.config()
        config["interceptors"] = [*config["interceptors"], _StartsToday(self)]
        return Client(**config)

    def ahead(self) -> timedelta:
        """Return how far the calendar is ahead of the machine."""
        return max(self.today - datetime.now(UTC), timedelta(0))

    async def begin(self, workflow_id: str, delay: timedelta) -> None:
        """Skip the delay with which a workflow was started."""
        self._ended.discard(workflow_id)
        self._ahead[workflow_id] = delay
        await self._skip(workflow_id, delay)

    async def move(self, workflow_id: str) -> None:
        """Move a workflow's clock to the calendar's instant, through all that comes due until then; never back."""
        ahead = self._ahead.get(workflow_id, timedelta(0))
        length = self.today - datetime.now(UTC) - ahead
        if length > _BREATH and workflow_id not in self._ended:
            self._ahead[workflow_id] = ahead + length
            await self._skip(workflow_id, length)

    async def move_all(self, workflow_ids: Iterable[str]) -> None:
        """Move several, side by side."""
        async with asyncio.TaskGroup() as group:
            for workflow_id in workflow_ids:
                group.create_task(self.move(workflow_id))

    async def _skip(self, workflow_id: str, length: timedelta) -> None:
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(workflow_id)
        async with self._places:
            try:
                runs = await self._skipper.fast_forward(handle, length)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                runs = False
        if not runs:
            self._ended.add(workflow_id)


class _StartsToday(Interceptor):
    def __init__(self, clocks: Clocks) -> None:
        super().__init__()
        self._clocks = clocks

    @override
    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Outbound(next, self._clocks)


class _Outbound(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, clocks: Clocks) -> None:
        super().__init__(following)
        self._clocks = clocks

    @override
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.start_delay = self._clocks.ahead()
        handle = await super().start_workflow(input)
        await self._clocks.begin(handle.id, input.start_delay)
        return handle
