import asyncio
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from gamf.runtime.embedded import EmbeddedPostgres, embedded_servers
from gamf.runtime.errors import DataFolderInUse, ServerDidNotStart
from gamf.runtime.temporal import connect
from tests.runtime.processes import is_running, servers_on

# Servers and processes begin and end in each: together they take longer than `make test` may.
pytestmark = pytest.mark.long

HOLDER = Path(__file__).with_name("holder.py")


@asynccontextmanager
async def holder(folder: Path) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str, str]]:
    """Run another process that holds both servers; yield it, and where they are."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HOLDER), str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        temporal, database = (await process.stdout.readline()).decode().split()
        yield process, temporal, database
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_both_start_and_stop_together(folder: Path) -> None:
    async with embedded_servers(folder, 0, 0, training=True, durable=False) as servers:
        assert servers.namespace == "default"
        assert servers.ui is not None
        assert servers.ui.startswith("http://127.0.0.1:")
        assert await (await connect(address=servers.temporal)).service_client.check_health()
        connection = await asyncpg.connect(servers.database)
        assert await connection.fetchval("SELECT current_database()") == "gamf"
        await connection.close()
        ours = servers_on(folder)
        assert {each.name() for each in ours} >= {"postgres", "temporal"}
    assert not any(map(is_running, ours))


async def test_everything_ends_when_their_process_is_killed_and_the_next_start_finds_all(
    folder: Path,
) -> None:
    async with holder(folder) as (process, temporal, database):
        client = await connect(address=temporal)
        await client.start_workflow("Anything", id="kept", task_queue="nobody")
        connection = await asyncpg.connect(database)
        await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        servers = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    # At once, while what the killed process left is still ending.
    async with embedded_servers(folder, 0, None) as again:
        assert not any(map(is_running, servers))
        client = await connect(address=again.temporal)
        assert (await client.get_workflow_handle("kept").describe()).id == "kept"
        connection = await asyncpg.connect(again.database)
        assert await connection.fetchval("SELECT one FROM kept") == 1
        await connection.close()


async def test_a_folder_that_another_process_uses_is_refused(folder: Path) -> None:
    async with holder(folder):
        with pytest.raises(DataFolderInUse) as caught:
            async with embedded_servers(folder, 0, None):
                pass
    assert str(folder) in caught.value.en


async def test_the_one_that_dies_is_named(folder: Path) -> None:
    async with embedded_servers(folder, 0, None, durable=False) as servers:
        next(each for each in servers_on(folder) if each.name() == "temporal").kill()
        assert await servers.wait_ended() == "Temporal"


async def test_one_that_cannot_start_takes_the_other_down(folder: Path) -> None:
    async with EmbeddedPostgres(folder, durable=False):
        pass
    (folder / "postgres" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(ServerDidNotStart, match="PostgreSQL"):
        async with embedded_servers(folder, 0, None, durable=False):
            pass
    assert not servers_on(folder)
