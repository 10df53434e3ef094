"""Activities that a test can hold still, and the process of a worker that has them."""

import asyncio
import sys
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.client import Client

from gamf.runtime.ending import end_process
from gamf.runtime.settings import Settings
from gamf.workers.main import main
from gamf.workers.registry import Registry
from tests.workers.sample_workflow import Sample

if TYPE_CHECKING:
    from gamf.runtime.database import Pool


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


if __name__ == "__main__":
    end_process(main(build))
