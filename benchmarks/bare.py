"""The floor: workflows of the same shape that know nothing, decide nothing and write nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar

from temporalio import activity, workflow
from temporalio.client import Client

from benchmarks import progress

QUEUE: Final = "bare"
STEPS: Final = 3
AT_ONCE: Final = 32
"""Starts or calls under way at a time, as in `gamf.activities.blocks`."""
_WAIT: Final = timedelta(hours=72)
_NO_TIME: Final = timedelta(seconds=30)
Item = TypeVar("Item")


async def each(items: Iterable[Item], do: Callable[[Item], Awaitable[object]]) -> None:
    """Do it for each, a few at a time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(item: Item) -> None:
        async with places:
            await do(item)

    async with asyncio.TaskGroup() as group:
        for item in items:
            group.create_task(one(item))


@dataclass
class Bulk:
    """What is to be started: so many, under ids that begin alike."""

    prefix: str
    count: int

    @property
    def ids(self) -> list[str]:
        """Return the workflow ids."""
        return [f"{self.prefix}-{number}" for number in range(self.count)]


@workflow.defn
class BareLife:
    """Three times a wait on a timer that a signal ends, and an activity that does nothing."""

    def __init__(self) -> None:
        """Begin without a signal."""
        self._signals = 0
        self._steps = 0

    @workflow.run
    async def run(self) -> None:
        """Live to the end."""
        while self._steps < STEPS:
            progress.tell(workflow.info().workflow_id, self._steps)
            with suppress(TimeoutError):
                await workflow.wait_condition(self._told, timeout=_WAIT)
            self._steps += 1
            await workflow.execute_activity("nothing", start_to_close_timeout=_NO_TIME)

    @workflow.update
    def answer(self) -> int:
        """Answer, and do nothing."""
        return self._steps

    @workflow.signal
    def go_on(self) -> None:
        """End the wait."""
        self._signals += 1

    def _told(self) -> bool:
        return self._signals > self._steps


@workflow.defn
class BareBlock:
    """Starts many in bulk, by one activity."""

    @workflow.run
    async def run(self, bulk: Bulk) -> None:
        """Start them all."""
        await workflow.execute_activity("start_all", bulk, start_to_close_timeout=timedelta(minutes=15))


class BareActivities:
    """The activities of the floor."""

    def __init__(self, client: Client) -> None:
        """Start through that client."""
        self._client = client

    @activity.defn
    async def nothing(self) -> None:
        """Do nothing."""

    @activity.defn
    async def start_all(self, bulk: Bulk) -> None:
        """Start them all, a few at a time."""
        await each(bulk.ids, self._start)

    async def _start(self, workflow_id: str) -> None:
        await self._client.start_workflow(BareLife.run, id=workflow_id, task_queue=QUEUE)
