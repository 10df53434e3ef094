"""What a command needs to reach: settings, the database, Temporal, and who is asking."""

import asyncio
import getpass
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gamf.client import addresses
from gamf.runtime.settings import Settings

if TYPE_CHECKING:
    from temporalio.client import Client

    from gamf.client.access import Seat
    from gamf.client.acting import Desk
    from gamf.runtime.database import Pool
    from gamf.storage.connection import Connection

Answer = TypeVar("Answer")
_ACCOUNT: Final = "GAMF_ACCOUNT"


def run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run the work of one command to its end."""
    return asyncio.run(work)


def now() -> datetime:
    """Return the instant at which the command is given, in UTC: the client's only clock."""
    return datetime.now(UTC)


def account() -> str:
    """Return who reports: `GAMF_ACCOUNT`, else the account on this machine."""
    return os.environ.get(_ACCOUNT) or getpass.getuser()


def seat() -> "Seat":
    """Return who asks here: whoever runs the machine, who may do everything, under the name of `account`."""
    from gamf.client.access import Seat  # noqa: PLC0415 - keeps `--help` fast
    from gamf.domain.access import Channel  # noqa: PLC0415 - the same
    from gamf.domain.roles import operator  # noqa: PLC0415 - the same

    return Seat(operator(account()), Channel.CLI, now(), _address())


def _address() -> str | None:
    """Return where a terminal opened from elsewhere was opened from, as the secure shell says it."""
    return os.environ.get("SSH_CONNECTION", "").partition(" ")[0] or None


@dataclass(frozen=True)
class Reach:
    """Both services, connected."""

    pool: "Pool"
    temporal: "Client"
    training: bool


@asynccontextmanager
async def database(data: Path | None) -> AsyncGenerator["Pool"]:
    """Open the database that the environment names, else the one of the running `gamf up`."""
    from gamf.runtime.database import database_pool  # noqa: PLC0415 - keeps `--help` fast

    settings = Settings.load()
    url = addresses.database_address(settings, data)
    async with database_pool(settings, url=url, application="gamf-cli") as pool:
        yield pool


@asynccontextmanager
async def both(data: Path | None) -> AsyncGenerator[Reach]:
    """Open the database and Temporal."""
    from gamf.runtime.telemetry import client_runtime  # noqa: PLC0415 - keeps `--help` fast
    from gamf.runtime.temporal import check_namespace, connect  # noqa: PLC0415 - the same

    settings = Settings.load()
    address = addresses.temporal_address(settings, data)
    async with database(data) as pool:
        # The SDK's own runtime warns on standard output, where `--json` is read.
        client = await connect(address=address, runtime=client_runtime())
        if address is None:
            await check_namespace(client)
        yield Reach(pool, client, addresses.in_training(settings, data))


def act(data: Path | None, work: "Callable[[Desk], Awaitable[Answer]]") -> Answer:
    """Do one use case with both services open, and give back what it answers."""
    from gamf.client.acting import Desk  # noqa: PLC0415 - keeps `--help` fast

    async def done() -> Answer:
        async with both(data) as reach:
            return await work(Desk(reach.pool, reach.temporal))

    return run(done())


def read(data: Path | None, work: "Callable[[Connection], Awaitable[Answer]]") -> Answer:
    """Do one use case that only reads the database, and give back what it answers."""

    async def done() -> Answer:
        async with database(data) as pool, pool.acquire() as conn:
            return await work(conn)

    return run(done())
