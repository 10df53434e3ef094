"""How far the bare lives are, told by the workflows themselves: they run in this process, so that asking costs nothing.

A step that was told again, by a replay, counts once.
"""

import asyncio
from typing import Final

_POLL_SECONDS: Final = 0.002
_reached: Final[dict[str, set[str]]] = {}


def tell(workflow_id: str, step: int) -> None:
    """Note that this life has come to that step."""
    prefix, _, number = workflow_id.rpartition("-")
    _reached.setdefault(f"{prefix} {step}", set()).add(number)


async def all_reached(prefix: str, step: int, count: int) -> None:
    """Return once that many lives of a bulk have come to that step."""
    while len(_reached.get(f"{prefix} {step}", ())) < count:  # noqa: ASYNC110 - told from the workflows' threads
        await asyncio.sleep(_POLL_SECONDS)
