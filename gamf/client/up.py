"""Everything on this machine: what `gamf up` and `gamf demo` start, in order, and stop."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from temporalio.client import Client
from temporalio.runtime import Runtime

from gamf.client import addresses
from gamf.client.addresses import Addresses, external_temporal
from gamf.client.console.server import running_console
from gamf.client.preparing import keep_history, prepare
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.errors import Fault
from gamf.runtime.lock import FolderLock
from gamf.runtime.settings import HostPort, Settings
from gamf.runtime.temporal import check_namespace, connect
from gamf.workers.lifecycle import running_worker, watched

if TYPE_CHECKING:
    from gamf.runtime.database import Pool

_TEMPORAL_PORT: Final = 7233
_UI_PORT: Final = 8233


@dataclass(frozen=True)
class Wanted:
    """How to start: the folder that everything is kept in, and the ports (0: any that is free; None: not served).

    With `own`, both servers are started here, whatever the environment names.
    """

    data: Path
    training: bool = False
    temporal_port: int = _TEMPORAL_PORT
    ui_port: int | None = _UI_PORT
    console_port: int | None = None
    durable: bool = True
    own: bool = False


@dataclass
class Servers:
    """The servers that were started here, and where all of them are."""

    database: str | None = None
    temporal: str | None = None
    ui: str | None = None
    console: str | None = None
    ended: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Running:
    """Everything, ready."""

    addresses: Addresses
    pool: "Pool"
    temporal: Client
    _ended: dict[str, Callable[[], Awaitable[None]]]

    async def wait_failed(self) -> Fault:
        """Return what to say when something that was started ends by itself."""
        waits = {asyncio.ensure_future(ended()): name for name, ended in self._ended.items()}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        name = waits[done.pop()]
        return Fault(
            fr=f"{name} s’est arrêté\u00a0; tout s’arrête. Rien n’est perdu : relancez « gamf up ».",
            en=f"{name} has ended; everything stops. Nothing is lost: start “gamf up” again.",
        )


@asynccontextmanager
async def everything(
    settings: Settings, wanted: Wanted, *, runtime: Runtime | None = None
) -> AsyncGenerator[Running]:
    """Start what the environment does not name, prepare it, work, and say where it is; stop it at the end.

    Raises:
        Fault: a port or the folder is in use, a server does not start or does not answer.
    """
    settings = _of_this_folder(settings, wanted)
    wanted.data.mkdir(mode=0o755, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(FolderLock(wanted.data, "data"))
        servers = await _servers(stack, settings, wanted)
        await _prepared(settings, servers)
        worker = await stack.enter_async_context(
            running_worker(
                settings, temporal_address=servers.temporal, database_url=servers.database, runtime=runtime
            )
        )
        await stack.enter_async_context(watched(worker, settings, runtime))
        await _start_console(stack, servers, settings, worker.client, wanted)
        found = _addresses(settings, servers, worker.client, training=wanted.training)
        found.write(wanted.data)
        stack.callback(addresses.remove, wanted.data)
        ended = {**servers.ended, "worker": worker.wait_ended}
        yield Running(found, worker.pool, worker.client, ended)


def _of_this_folder(settings: Settings, wanted: Wanted) -> Settings:
    changes: dict[str, object] = {"data_dir": wanted.data}
    if wanted.own:
        changes |= {"database_url": None, "outbox_dir": None, "carrier": "outbox", "health_address": None}
    return settings.model_copy(update=changes)


async def _servers(stack: AsyncExitStack, settings: Settings, wanted: Wanted) -> Servers:
    """Start, side by side, the servers that the environment does not name."""
    servers = Servers()
    starts: list[Awaitable[None]] = []
    if settings.database_url is None:
        starts.append(_start_postgres(stack, servers, wanted))
    if wanted.own or not external_temporal(os.environ):
        starts.append(_start_temporal(stack, servers, settings, wanted))
    for outcome in await asyncio.gather(*starts, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
    return servers


async def _start_postgres(stack: AsyncExitStack, servers: Servers, wanted: Wanted) -> None:
    postgres = await stack.enter_async_context(EmbeddedPostgres(wanted.data, durable=wanted.durable))
    servers.database = postgres.url
    servers.ended["PostgreSQL"] = postgres.wait_ended


async def _start_temporal(
    stack: AsyncExitStack, servers: Servers, settings: Settings, wanted: Wanted
) -> None:
    temporal = await stack.enter_async_context(
        EmbeddedTemporal(
            wanted.data,
            port=wanted.temporal_port,
            ui_port=wanted.ui_port,
            time_skipping=wanted.training,
            durable=wanted.durable,
            full_sync=settings.temporal_full_sync,
        )
    )
    servers.temporal, servers.ui = temporal.address, temporal.ui
    servers.ended["Temporal"] = temporal.wait_ended


async def _start_console(
    stack: AsyncExitStack, servers: Servers, settings: Settings, client: Client, wanted: Wanted
) -> None:
    if wanted.console_port is None:
        return
    address = HostPort.parse(settings.console_address)._replace(port=wanted.console_port)
    training = wanted.training and servers.temporal is not None
    console = await stack.enter_async_context(
        running_console(settings, client, address, database_url=servers.database, training=training)
    )
    servers.console = console.url
    servers.ended["console"] = console.wait_ended


async def _prepared(settings: Settings, servers: Servers) -> None:
    client = await connect(address=servers.temporal)
    await check_namespace(client)
    async with database_pool(settings, url=servers.database, application="gamf-setup") as pool:
        await prepare(pool, client, datetime.now(UTC))
    if servers.temporal is not None:
        await keep_history(client)


def _addresses(settings: Settings, servers: Servers, client: Client, *, training: bool) -> Addresses:
    outside = settings.database_url.get_secret_value() if settings.database_url else ""
    return Addresses(
        temporal=client.service_client.config.target_host,
        namespace=client.namespace,
        ui=servers.ui,
        console=servers.console,
        database=servers.database or outside,
        training=training and servers.temporal is not None,
    )
