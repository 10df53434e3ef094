"""A block that is attributed, made by the use cases, and whom it names."""

from typing import Any

from gamf.client import acting
from gamf.client.acting import Desk
from tests.clock import now
from tests.system import System


async def attributed(system: System, desk: Desk, size: int, by: str) -> dict[str, Any]:
    """Have a block of that size drawn, of people of its own, and approve it."""
    _, licence, _ = await system.people(size)
    drawn = await acting.request_block(desk, licence, size, by=by, now=now())
    return await acting.approve_block(desk, drawn["block_id"], by=by)


def ids(block: dict[str, Any]) -> list[str]:
    """Return its attributions, in the order of its list."""
    return [each["attribution_id"] for each in block["list"]]
