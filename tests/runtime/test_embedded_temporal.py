import asyncio
import socket
import sqlite3
import urllib.request
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.embedded_visibility import KEPT, relieve
from gamf.runtime.errors import DataFolderInUse, PortInUse
from gamf.runtime.polling import until
from gamf.runtime.temporal import connect
from tests.runtime.processes import servers_on

# Servers and processes begin and end in each: together they take longer than `make test` may.
pytestmark = pytest.mark.long


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


async def test_a_workflow_is_there_at_the_next_start(folder: Path) -> None:
    async with EmbeddedTemporal(folder) as server:
        client = await connect(address=server.address)
        await client.start_workflow("Anything", id="kept", task_queue="nobody")
    async with EmbeddedTemporal(folder) as server:
        client = await connect(address=server.address)
        described = await client.get_workflow_handle("kept").describe()
        assert described.status is WorkflowExecutionStatus.RUNNING


async def test_a_killed_server_recovers(folder: Path) -> None:
    async with EmbeddedTemporal(folder) as server:
        client = await connect(address=server.address)
        await client.start_workflow("Anything", id="kept", task_queue="nobody")
        next(each for each in servers_on(folder) if each.name() == "temporal").kill()
        await server.wait_ended()
    async with EmbeddedTemporal(folder) as server:
        client = await connect(address=server.address)
        assert (await client.get_workflow_handle("kept").describe()).id == "kept"


@pytest.mark.parametrize("full_sync", [False, True])
async def test_all_that_was_answered_is_there_after_a_kill(folder: Path, *, full_sync: bool) -> None:
    answered: list[str] = []

    async def start_many(client: Client) -> None:
        for number in count():
            await client.start_workflow("Anything", id=f"kept-{number}", task_queue="nobody")
            answered.append(f"kept-{number}")

    async with EmbeddedTemporal(folder, full_sync=full_sync) as server:
        client = await connect(address=server.address)
        at_work = asyncio.create_task(start_many(client))
        await until(partial(_has, answered, 50), within_seconds=60)
        # In the middle of its work, and without a moment to write anything more.
        next(each for each in servers_on(folder) if each.name() == "temporal").kill()
        await server.wait_ended()
        at_work.cancel()
    async with EmbeddedTemporal(folder, full_sync=full_sync) as server:
        client = await connect(address=server.address)
        for workflow_id in answered:
            described = await client.get_workflow_handle(workflow_id).describe()
            assert described.status is WorkflowExecutionStatus.RUNNING


async def test_the_indices_that_nobody_asks_of_are_not_written(folder: Path) -> None:
    async with EmbeddedTemporal(folder, durable=False) as server:
        client = await connect(address=server.address)
        await client.start_workflow("Anything", id="kept", task_queue="nobody")
        # It knows every index that is kept, and none is left to drop.
        assert _indices(folder / "temporal.db") == KEPT
        assert relieve(folder / "temporal.db") == 0
        # A filter by what has no index any more is slower, and true.
        await until(partial(_listed, client, "RootWorkflowId = 'kept'"), within_seconds=30)
        assert not await _listed(client, "RootWorkflowId = 'another'")


def _indices(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        sql = (
            "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'by%' OR name = 'default_idx'"
        )
        return {str(name) for (name,) in connection.execute(sql)}


async def _listed(client: Client, query: str) -> bool:
    return [each.id async for each in client.list_workflows(query)] == ["kept"]


async def _has(answered: list[str], count: int) -> bool:
    return len(answered) >= count


async def test_its_ui_answers_when_asked_for(folder: Path) -> None:
    async with EmbeddedTemporal(folder, ui_port=0, durable=False) as server:
        assert server.ui is not None
        page = await asyncio.to_thread(read, server.ui)
        assert "<title>Temporal</title>" in page or "svelte" in page.lower()


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server's page
        return str(answer.read(), "utf-8")


async def test_without_ui_there_is_none(temporal: EmbeddedTemporal) -> None:
    assert temporal.ui is None


async def test_two_side_by_side_never_meet(folder: Path) -> None:
    async with (
        EmbeddedTemporal(folder / "a", durable=False) as first,
        EmbeddedTemporal(folder / "b", durable=False) as second,
    ):
        one, other = [await connect(address=server.address) for server in (first, second)]
        await one.start_workflow("Anything", id="only-here", task_queue="nobody")
        assert (await other.count_workflows()).count == 0
        assert (await one.get_workflow_handle("only-here").describe()).id == "only-here"


async def test_a_second_on_the_same_folder_is_refused(folder: Path) -> None:
    async with EmbeddedTemporal(folder, durable=False) as server:
        with pytest.raises(DataFolderInUse, match="déjà utilisé"):
            await EmbeddedTemporal(folder, durable=False).__aenter__()
        assert await (await connect(address=server.address)).service_client.check_health()


async def test_a_taken_port_is_told_with_its_option(folder: Path) -> None:
    with closing(listening()) as taken:
        port = int(taken.getsockname()[1])
        for server, option in (
            (EmbeddedTemporal(folder, port=port), "--temporal-port"),
            (EmbeddedTemporal(folder, ui_port=port), "--ui-port"),
        ):
            with pytest.raises(PortInUse, match=str(port)) as caught:
                await server.__aenter__()
            assert option in caught.value.fr


async def test_a_port_that_is_asked_for_is_used(folder: Path) -> None:
    with closing(listening()) as free:
        port = free.getsockname()[1]
    async with EmbeddedTemporal(folder, port=port, durable=False) as server:
        assert server.address == f"127.0.0.1:{port}"
