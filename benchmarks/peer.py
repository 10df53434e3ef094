"""The peer: DBOS, durable workflows in PostgreSQL, living a life of the same shape on the same PostgreSQL."""

import asyncio
import sys
from datetime import timedelta
from time import perf_counter
from typing import Any, Final

from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowHandleAsync

from benchmarks import progress
from benchmarks.bare import STEPS, Bulk, each

MEANING: Final = (
    "DBOS on the same PostgreSQL: 3 times a wait of 72 hours that a message ends, and a step that does nothing; "
    "started 32 at a time, each step for all before the next."
)
_WAIT_SECONDS: Final = timedelta(hours=72).total_seconds()
_TOPIC: Final = "go_on"


@DBOS.step()
async def _nothing() -> None:
    """Do nothing."""


@DBOS.workflow()
async def _life() -> None:
    """Live as a bare life does."""
    for step in range(STEPS):
        progress.tell(str(DBOS.workflow_id), step)
        await DBOS.recv_async(_TOPIC, timeout_seconds=_WAIT_SECONDS)
        await _nothing()


async def live(url: str, bulk: Bulk) -> float:
    """Live so many lives in a process of their own, since DBOS takes over its loop's threads; return lives a second."""
    command = [sys.executable, "-m", "benchmarks.peer", url, bulk.prefix, str(bulk.count)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return float(output.decode().splitlines()[-1])


async def _measured(url: str, bulk: Bulk) -> float:
    config = DBOSConfig(name="bench", system_database_url=url, log_level="ERROR")
    DBOS(config=config)
    DBOS.launch()
    try:
        return await _lived(bulk)
    finally:
        DBOS.destroy()


async def _lived(bulk: Bulk) -> float:
    handles: list[WorkflowHandleAsync[Any]] = []

    async def start(workflow_id: str) -> None:
        with SetWorkflowID(workflow_id):
            handles.append(await DBOS.start_workflow_async(_life))

    began = perf_counter()
    await each(bulk.ids, start)
    for step in range(STEPS):
        await progress.all_reached(bulk.prefix, step, bulk.count)
        await each(bulk.ids, lambda workflow_id: DBOS.send_async(workflow_id, "", _TOPIC))
    await asyncio.gather(*(handle.get_result() for handle in handles))
    return bulk.count / (perf_counter() - began)


if __name__ == "__main__":
    print(asyncio.run(_measured(sys.argv[1], Bulk(sys.argv[2], int(sys.argv[3])))))
