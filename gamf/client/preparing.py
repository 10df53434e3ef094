"""Preparing both servers: the database's form, and Temporal's search attributes. Safe to repeat."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from temporalio.client import Client

from gamf.client import asking
from gamf.client.scheduling import ensure_digest_schedule
from gamf.runtime.errors import Fault
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.temporal import set_retention
from gamf.storage import digests
from gamf.storage.migrate import MigrationError, migrate
from gamf.workflows.visibility import ALL_KEYS

if TYPE_CHECKING:
    from gamf.runtime.database import Pool

RETENTION: Final = timedelta(days=30)
"""How long the history of an ended attribution stays in Temporal; the record stays for good."""


@dataclass(frozen=True)
class Prepared:
    """What was made; `schedule` tells what became of the daily digest's."""

    migrations: list[str]
    search_attributes: list[str]
    schedule: str


async def prepare(pool: "Pool", client: Client, now: datetime) -> Prepared:
    """Bring the database's form up to date; have Temporal know our search attributes and the daily digest's Schedule.

    Raises:
        Fault: the database or Temporal does not agree with this version.
    """
    async with pool.acquire() as connection:
        try:
            applied = await migrate(connection)
        except MigrationError as error:
            raise Fault(fr=error.fr, en=error.en) from None
        zones = await digests.zones(connection)
    await register_search_attributes(client, ALL_KEYS)
    async with asking.answering(client):
        schedule = await ensure_digest_schedule(client, zones, now)
    return Prepared(applied, [key.name for key in ALL_KEYS], schedule)


async def keep_history(client: Client) -> None:
    """Set how long the embedded server keeps ended workflows; a server of others' has its own retention."""
    await set_retention(client, RETENTION)
