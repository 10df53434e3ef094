"""A file handed over to RAMQ's folder when somebody asks: one that waits, or once more one that was taken away (R6).

The folder is the workers': one of them does it, as an activity of its own, which the server runs once an identifier.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from temporalio.client import ActivityFailureError
from temporalio.common import RetryPolicy

from gamf.activities.ramq import RamqAgain, RamqDue
from gamf.client import access, asking, ramq
from gamf.client.access import Seat
from gamf.client.errors import NotFoundError
from gamf.domain.names import TASK_QUEUE
from gamf.domain.roles import UseCase, check_allowed
from gamf.runtime.errors import ServiceUnreachable
from gamf.storage import ramq as files

if TYPE_CHECKING:
    from gamf.client.acting import Desk

_ONE_TRY: Final = timedelta(seconds=10)
_TRIES: Final = RetryPolicy(maximum_attempts=3)
"""Somebody waits for it; a file that waits goes by itself in any case."""


async def send(desk: "Desk", seat: Seat, block_id: str, number: int) -> None:
    """Hand a file over, the same to the byte; who asked for it once more is in the block's record.

    Raises:
        RefusedByRuleError: it is not for the actor, or the register was corrected since (R6).
        NotFoundError: there is no such block, or it has no such file.
        ServiceUnreachable: Temporal, the workers or the folder are silent.
    """
    check_allowed(seat.actor, UseCase.RAMQ_LISTS_SEND)
    async with desk.pool.acquire() as conn:
        known = await access.of_block(conn, block_id)
        if known is None:
            raise NotFoundError(fr=f"Le bloc {block_id} n’existe pas.", en=f"There is no block {block_id}.")
        await access.check(conn, seat, UseCase.RAMQ_LISTS_SEND, known.matter)
        await ramq.read_file(conn, block_id, number)
        found = await files.content(conn, block_id, number)
    waits = found is not None and found[1] is not None
    again = RamqAgain(block_id=block_id, number=number, by=seat.by, at=seat.now)
    due = RamqDue(block_id=block_id, at=seat.now)
    await _run(desk, block_id, *(("confirm_to_ramq", due) if waits else ("hand_over_ramq_again", again)))


async def _run(desk: "Desk", block_id: str, name: str, argument: RamqAgain | RamqDue) -> None:
    try:
        async with asking.answering(desk.temporal):
            await desk.temporal.execute_activity(
                name,
                argument,
                id=f"{name}-{block_id}-{uuid4()}",
                task_queue=TASK_QUEUE,
                start_to_close_timeout=_ONE_TRY,
                schedule_to_close_timeout=asking.PATIENCE,
                retry_policy=_TRIES,
            )
    except ActivityFailureError:
        raise ServiceUnreachable(
            "worker",
            fr="aucun travailleur n’a pu remettre le fichier ; le dossier de remise est peut-être hors d’atteinte. "
            "Rien n’est perdu ; redemandez-le.",
            en="no worker could hand the file over; its folder may be out of reach. Nothing is lost; ask again.",
        ) from None
