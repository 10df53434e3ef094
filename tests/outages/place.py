"""Both servers, a worker and a console, each a process; a server is killed, or stopped dead, and comes back."""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import psutil

from gamf.client import tokens
from gamf.client.passwords import Passwords
from gamf.client.preparing import prepare
from gamf.domain.model import Start
from gamf.domain.policy import CURRENT
from gamf.domain.roles import Role, grant
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.polling import until
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.storage import accounts
from gamf.storage.migrate import migrate
from gamf.workflows.starting import AttributionStarter
from tests.client.command import GAMF, environment
from tests.client.console.browser import PASSWORD, Browser, another
from tests.client.seats import NOON, the_operator
from tests.runtime.processes import servers_on
from tests.system import add_network, add_patients, add_physician

COORDINATOR: Final = "coordination"
_NUMBERS: Final = count(1)


@dataclass
class Place:
    """What runs, and where; the console and the worker are never started again."""

    folder: Path
    postgres: EmbeddedPostgres
    temporal: EmbeddedTemporal
    url: str
    token: str
    rls: str
    licence: str

    async def attribute(self) -> str:
        """Attribute one more patient; return the reference, once the database has it."""
        reference = f"2026-{next(_NUMBERS):06d}"
        connection = await asyncpg.connect(self.postgres.url)
        try:
            (patient,) = await add_patients(connection, self.rls)
            start = Start(
                attribution_id=reference,
                patient_id=patient,
                physician=self.licence,
                rls=self.rls,
                time_zone="America/Toronto",
                priority="C",
                vulnerable=True,
                attributed_at=datetime.now(UTC),
                policy=CURRENT,
            )
            await AttributionStarter(await connect(address=self.temporal.address)).start(start)

            async def written() -> bool:
                sql = "SELECT count(*) FROM attributions WHERE attribution_id = $1"
                return bool(await connection.fetchval(sql, reference))

            await until(written, within_seconds=60)
        finally:
            await connection.close()
        return reference

    @asynccontextmanager
    async def coordinator(self) -> AsyncGenerator[Browser]:
        """Open the coordinator's browser."""
        async with another(self.url) as browser:
            await browser.sign_in(COORDINATOR)
            yield browser

    @asynccontextmanager
    async def software(self) -> AsyncGenerator[httpx.AsyncClient]:
        """Open a client of the API, of the same account."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60) as client:
            yield client

    @asynccontextmanager
    async def without_temporal(self) -> AsyncGenerator[None]:
        """Kill Temporal, and start it again on its data at the end."""
        await self._kill("temporal")
        await self.temporal.__aexit__(None, None, None)
        try:
            yield
        finally:
            await self.temporal.__aenter__()

    @asynccontextmanager
    async def without_postgresql(self) -> AsyncGenerator[None]:
        """Kill PostgreSQL, and start it again on its data at the end."""
        await self._kill("postgres")
        await self.postgres.__aexit__(None, None, None)
        try:
            yield
        finally:
            await self.postgres.__aenter__()

    @contextmanager
    def temporal_hangs(self) -> Generator[None]:
        """Stop Temporal dead: it holds its connections and answers nothing."""
        (server,) = (each for each in servers_on(self.folder) if each.name() == "temporal")
        server.suspend()
        try:
            yield
        finally:
            server.resume()

    async def _kill(self, name: str) -> None:
        killed = [each for each in servers_on(self.folder) if each.name() == name]
        assert killed
        for each in killed:
            each.kill()
        await asyncio.to_thread(psutil.wait_procs, killed, 20)


@asynccontextmanager
async def place(folder: Path) -> AsyncGenerator[Place]:
    """Start all of it; the ports and the folder stay the same through every restart."""
    first = EmbeddedTemporal(folder)
    async with first:
        port = int(first.address.rpartition(":")[2])
    temporal = EmbeddedTemporal(folder, port=port)
    async with EmbeddedPostgres(folder) as postgres, temporal:
        token, rls, licence = await _prepared(postgres, temporal)
        variables = {"GAMF_DATABASE_URL": postgres.url, "TEMPORAL_ADDRESS": temporal.address}
        with _running("worker", folder, variables), _running("console", folder, variables) as console:
            assert console.stdout is not None
            line = await asyncio.to_thread(console.stdout.readline)
            yield Place(folder, postgres, temporal, json.loads(line)["console"], token, rls, licence)


async def _prepared(postgres: EmbeddedPostgres, temporal: EmbeddedTemporal) -> tuple[str, str, str]:
    client = await connect(address=temporal.address)
    async with database_pool(Settings(), url=postgres.url, application="test") as pool:
        async with pool.acquire() as conn:
            await migrate(conn)
        await prepare(pool, client, now=datetime.now(UTC))
        encoded = await Passwords().encode(PASSWORD)
        async with pool.acquire() as conn:
            rls = await add_network(conn)
            licence = await add_physician(conn, rls)
            await accounts.add(conn, COORDINATOR, encoded, NOON)
            await accounts.set_password(conn, COORDINATOR, encoded, NOON, must_change=False)
            await accounts.set_grants(conn, COORDINATOR, [grant(Role.COORDINATOR, [rls])])
            token, _ = await tokens.add(conn, the_operator(datetime.now(UTC)), COORDINATOR, "essais", 30)
    return token, rls, licence


@contextmanager
def _running(command: str, folder: Path, variables: dict[str, str]) -> "Generator[subprocess.Popen[str]]":
    words = ["console", "--port", "0", "--json"] if command == "console" else [command]
    with (folder / f"{command}.err").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [GAMF, *words],
            cwd=folder,
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield process
            assert process.poll() is None, f"{command} has ended by itself"
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
