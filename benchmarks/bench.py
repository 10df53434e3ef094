"""What every measure is taken on: both servers as shipped, a worker as shipped, and a worker of the floor."""

import platform
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from itertools import count
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Worker

from benchmarks.bare import QUEUE, BareActivities, BareBlock, BareLife, Bulk, each
from gamf.client.acting import Desk
from gamf.runtime.database import database_pool
from gamf.runtime.embedded import embedded_servers
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.storage.migrate import migrate
from gamf.workers.lifecycle import polling
from gamf.workers.registry import build
from gamf.workflows import visibility

if TYPE_CHECKING:
    from gamf.runtime.database import Pool

_LICENCES: Final = count(10_001)
_PREFIXES: Final = count(1)


@dataclass(frozen=True)
class Scale:
    """How much is measured, and how many times."""

    size: int
    rounds: int

    @property
    def waiting(self) -> int:
        """Return how long the list is: 100,000 people for a block of 850."""
        return 118 * self.size

    @property
    def lives(self) -> int:
        """Return how many whole lives a round has: 212 for a block of 850."""
        return max(self.size // 4, 1)


@dataclass(frozen=True)
class Bench:
    """The servers at work."""

    desk: Desk
    bare: Client
    activities: BareActivities
    scale: Scale

    async def people(self, number: int) -> str:
        """Write a network where so many invented people wait, and a physician; return the licence."""
        licence = f"{next(_LICENCES)}"
        async with self.desk.pool.acquire() as conn, conn.transaction():
            await conn.execute(_NETWORK, licence)
            await conn.execute(_PHYSICIAN, licence)
            await conn.execute(_PATIENTS, licence, number)
        await self.desk.pool.execute("ANALYZE")
        return licence

    async def block(self, size: int) -> str:
        """Have a block drawn for a new physician; return its id, ready to be approved."""
        licence = await self.people(size)
        view = await self.approve_later(licence, size)
        return str(view)

    async def approve_later(self, licence: str, size: int) -> str:
        """Request a block for that physician; return its id once the list is drawn."""
        from gamf.client import acting

        view = await acting.request_block(self.desk, licence, size, by="banc", now=datetime.now(UTC))
        return str(view["block_id"])
