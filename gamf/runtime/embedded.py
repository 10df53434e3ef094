"""All that the system needs on one machine: PostgreSQL and Temporal, started and stopped here."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gamf.runtime.embedded_postgres import EmbeddedPostgres
from gamf.runtime.embedded_temporal import EmbeddedTemporal
from gamf.runtime.lock import FolderLock

__all__ = ["EmbeddedPostgres", "EmbeddedServers", "EmbeddedTemporal", "embedded_servers"]


@dataclass(frozen=True)
class EmbeddedServers:
    """Where the two servers are."""

    temporal: str
    namespace: str
    ui: str | None
    database: str
    _servers: tuple[EmbeddedPostgres, EmbeddedTemporal] = field(repr=False)

    async def wait_ended(self) -> str:
        """Return the name of the first server that ends; nothing else says that one has died."""
        postgres, temporal = self._servers
        names = {
            asyncio.create_task(postgres.wait_ended()): "PostgreSQL",
            asyncio.create_task(temporal.wait_ended()): "Temporal",
        }
        try:
            done, _ = await asyncio.wait(names, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in names:
                task.cancel()
        return names[done.pop()]


@asynccontextmanager
async def embedded_servers(
    data_dir: Path,
    temporal_port: int = 7233,
    ui_port: int | None = 8233,
    *,
    training: bool = False,
    durable: bool = True,
) -> AsyncGenerator[EmbeddedServers]:
    """Start both, side by side, on what is in `data_dir`; stop both at the end, or when this process dies.

    Raises:
        DataFolderInUse: another process uses the folder.
        PortInUse: a port that was asked for is taken.
        ServerDidNotStart: one of them did not come to answer.
    """
    postgres = EmbeddedPostgres(data_dir, durable=durable)
    temporal = EmbeddedTemporal(
        data_dir, port=temporal_port, ui_port=ui_port, time_skipping=training, durable=durable
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(FolderLock(data_dir, "data"))
        started = await asyncio.gather(
            stack.enter_async_context(postgres), stack.enter_async_context(temporal), return_exceptions=True
        )
        for outcome in started:
            if isinstance(outcome, BaseException):
                raise outcome
        yield EmbeddedServers(
            temporal.address, temporal.namespace, temporal.ui, postgres.url, (postgres, temporal)
        )
