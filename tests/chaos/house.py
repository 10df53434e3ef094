"""Both servers and a worker, each a process of its own that may be killed and is started again on the same data."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import asyncpg
import psutil

from gamf.client.acting import Desk
from gamf.client.preparing import prepare
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.storage.migrate import migrate
from tests.client.command import environment
from tests.runtime.processes import servers_on


@dataclass
class House:
    """What runs, and where."""

    folder: Path
    variables: Mapping[str, str]
    seed: int
    postgres: EmbeddedPostgres
    temporal: EmbeddedTemporal
    desk: Desk
    log: IO[bytes]
    worker: asyncio.subprocess.Process | None = None
    started: int = 0
    ended_by_themselves: int = 0
    moving: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start_worker(self) -> None:
        """Start the worker, with failures of its own."""
        self.started += 1
        given = {
            "GAMF_DATABASE_URL": self.postgres.url,
            "TEMPORAL_ADDRESS": self.temporal.address,
            "GAMF_DATABASE_POOL_MAX": "20",
            **self.variables,
        }
        command = (sys.executable, "-m", "tests.chaos.worker", str(self.folder), f"{self.seed}{self.started}")
        self.worker = await asyncio.create_subprocess_exec(
            *command, env=environment(**given), stderr=self.log, cwd=Path(__file__).parents[2]
        )

    async def kill_worker(self) -> None:
        """Kill the worker and start another."""
        await self._end_worker()
        await self.start_worker()

    async def mind_worker(self) -> None:
        """Start another worker where the last one has ended by itself, as whatever supervises it would."""
        if self.worker is not None and self.worker.returncode is not None:
            self.ended_by_themselves += 1
            await self.start_worker()

    async def _end_worker(self) -> None:
        if self.worker is not None and self.worker.returncode is None:
            self.worker.kill()
            await self.worker.wait()

    async def kill_postgres(self) -> None:
        """Kill PostgreSQL's first process, and start it again on its data."""
        self._kill("postgres")
        await self.postgres.__aexit__(None, None, None)
        await self.postgres.__aenter__()

    async def kill_temporal(self) -> None:
        """Kill Temporal, and start it again on its data."""
        self._kill("temporal")
        await self.temporal.__aexit__(None, None, None)
        await self.temporal.__aenter__()

    async def kill_all(self) -> None:
        """Kill the three at once."""
        self._kill("temporal")
        self._kill("postgres")
        await self._end_worker()
        await self.kill_postgres()
        await self.kill_temporal()
        await self.start_worker()

    def _kill(self, name: str) -> None:
        for server in servers_on(self.folder):
            # PostgreSQL's other processes have no folder on their command line; they end with their first.
            if server.name() == name:
                with_nobody_there(server)

    async def end(self) -> None:
        """Ask the worker to end, and wait for it."""
        if self.worker is not None and self.worker.returncode is None:
            self.worker.terminate()
            await self.worker.wait()


def with_nobody_there(server: psutil.Process) -> None:
    """Kill a process that may have ended meanwhile."""
    try:
        server.kill()
    except psutil.NoSuchProcess:
        return


@asynccontextmanager
async def house(folder: Path, seed: int, variables: Mapping[str, str]) -> AsyncGenerator[House]:
    """Start both servers, durable, and a worker; the ports and the folder stay the same through every restart."""
    first = EmbeddedTemporal(folder, time_skipping=True)
    async with first:
        port = int(first.address.rpartition(":")[2])
    temporal = EmbeddedTemporal(folder, port=port, time_skipping=True)
    async with EmbeddedPostgres(folder) as postgres, temporal:
        connection = await asyncpg.connect(postgres.url)
        await migrate(connection)
        await connection.close()
        client = await connect(address=temporal.address)
        async with database_pool(Settings(), url=postgres.url, application="chaos") as pool:
            await prepare(pool, client, now=datetime.now(UTC))
            with (folder / "worker.log").open("ab") as log:
                made = House(folder, variables, seed, postgres, temporal, Desk(pool, client), log)
                try:
                    await made.start_worker()
                    yield made
                finally:
                    await made.end()


def last_words(folder: Path) -> str:
    """Return the last of what the workers said."""
    path = folder / "worker.log"
    with path.open("rb") as stream:
        stream.seek(max(os.fstat(stream.fileno()).st_size - 4000, 0))
        return stream.read().decode(errors="replace")
