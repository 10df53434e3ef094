"""Activities that a test can hold still, and the process of a worker that has them."""

import asyncio
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

from temporalio import activity
from temporalio.client import Client

from gamf.runtime.ending import end_process
from gamf.runtime.settings import Settings
from gamf.workers import lifecycle
from gamf.workers.main import main
from gamf.workers.registry import Registry
from tests.workers.sample_workflow import Sample

if TYPE_CHECKING:
    from gamf.runtime.database import Pool

GONE: Final = "--namespace-gone"
"""The worker finds its namespace at the start, and none when it asks for work."""


class SampleActivities:
    """Activities that wait for the test."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    @activity.defn
    async def database(self) -> str:
        """Return the database it reaches."""
        return str(await self._pool.fetchval("SELECT current_database()"))

    @activity.defn
    async def held(self) -> str:
        """Tell that it has begun, and wait to be let go."""
        self.begun.set()
        await self.go_on.wait()
        return "done"

    @activity.defn
    async def endless(self) -> str:
        """Tell the other process that it has begun, and never end."""
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
        return "never"


def registry_of(activities: SampleActivities) -> Registry:
    """Return what a worker of this sample registers."""
    return Registry(workflows=[Sample], activities=[activities.database, activities.held, activities.endless])


def build(pool: "Pool", _client: Client, _settings: Settings) -> Registry:
    """Build it as a worker does."""
    return registry_of(SampleActivities(pool))


async def namespace_was_there(_client: Client) -> None:
    """Find a namespace that is gone right after: a server takes minutes to tell of one that it deletes."""


if __name__ == "__main__":
    gone = (
        patch.object(lifecycle, "check_namespace", namespace_was_there) if GONE in sys.argv else nullcontext()
    )
    with gone:
        status = main(build)
    end_process(status)
