"""What waits in the database, as metrics beside those of the SDK: each worker tells the same, so take the largest."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import structlog
from temporalio.common import MetricGaugeFloat, MetricMeter

from gamf.storage.health import Backlog, backlog

if TYPE_CHECKING:
    from gamf.runtime.database import Pool

EVERY_SECONDS: Final = 30
"""Twice a minute: alarms look at minutes, and the counts cost some milliseconds."""
MEANINGS: Final[dict[str, str]] = {
    "letters_waiting": "Letters due that no carrier has taken yet",
    "oldest_letter_seconds": "How long the oldest of them has waited",
    "oldest_ramq_file_seconds": "How long the oldest file for RAMQ has waited for its folder",
    "tasks_open": "Tasks that somebody has to decide",
    "tasks_overdue": "Those that are past their date",
    "deadlines_missed": "Attributions and drawn lists whose deadline passed and that did not move",
    "oldest_missed_deadline_seconds": "How long ago the oldest such deadline passed",
    "attributions_open": "Attributions that wait for somebody or for a date",
}
PREFIX: Final = "gamf_"


@asynccontextmanager
async def telling(pool: "Pool", meter: MetricMeter) -> AsyncGenerator[None]:
    """Keep the gauges true within the block; a silent database leaves them as they were."""
    gauges = {name: meter.create_gauge_float(f"{PREFIX}{name}", text) for name, text in MEANINGS.items()}
    task = asyncio.create_task(_keep(pool, gauges))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _keep(pool: "Pool", gauges: dict[str, MetricGaugeFloat]) -> None:
    while True:
        try:
            async with pool.acquire() as conn:
                tell(await backlog(conn), gauges)
        except Exception as error:  # noqa: BLE001 - a gauge is not worth a worker: PostgreSQL's silence shows elsewhere
            structlog.get_logger("gamf.workers").warning("gauges not read", exc_info=error)
        await asyncio.sleep(EVERY_SECONDS)


def tell(what: Backlog, gauges: dict[str, MetricGaugeFloat]) -> None:
    """Set each gauge."""
    for name, value in what._asdict().items():
        gauges[name].set(float(value))
