"""The confirmed names go to RAMQ as a file: made in one transaction, then handed over, once (R6).

What is handed over is what the transaction made, to the byte: a second try, by this worker or another, gives the same
file under the same name, and a file that is listed in the folder is never put there again. Names are read from the
database and reach nothing but the file.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from temporalio import activity
from temporalio.exceptions import ApplicationError

from gamf.domain import ramq as rules
from gamf.domain.policy import CURRENT
from gamf.letters.ramq import RamqOutbox
from gamf.storage import ramq, records
from gamf.storage.connection import Connection, Pool


class RamqDue(BaseModel):
    """A block that has closed; `at` is the workflow's instant, written as when the file went."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    block_id: str
    at: datetime


class RamqAgain(BaseModel):
    """A file that somebody asks to be handed over again; `by` is the account, `at` when it asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    block_id: str
    number: int
    by: str
    at: datetime


class RamqActivities:
    """Tells RAMQ who was confirmed."""

    def __init__(self, pool: Pool, outbox: RamqOutbox) -> None:
        """Read from that pool and hand over to that folder, which takes the same file once."""
        self._pool = pool
        self._outbox = outbox

    @activity.defn
    async def confirm_to_ramq(self, due: RamqDue) -> None:
        """Hand over the confirmed names of a closed block that no file has named yet; with none, do nothing."""
        async with self._pool.acquire() as conn, conn.transaction():
            policy = await ramq.policy_of_closed(conn, due.block_id)
            if policy is None:
                return
            await _make(conn, due)
        async with self._pool.acquire() as conn:
            waiting = await ramq.waiting(conn, due.block_id)
        for file in waiting:
            await self._outbox.hand_over(file, due.at)
            async with self._pool.acquire() as conn, conn.transaction():
                await _went(conn, file, due.at, policy)

    @activity.defn
    async def hand_over_ramq_again(self, asked: RamqAgain) -> None:
        """Hand over a file once more, the same to the byte, and keep who asked (R6); what differs is refused."""
        async with self._pool.acquire() as conn:
            known = await ramq.content(conn, asked.block_id, asked.number)
            names = await ramq.names_of(conn, asked.block_id, asked.number)
        if known is None:
            raise ApplicationError("no such file", type="NotFound", non_retryable=True)
        file = rules.write(asked.block_id, asked.number, names)
        if file.sha256 != known[0]:
            raise ApplicationError("no longer the same", type="Differs", non_retryable=True)
        await self._outbox.hand_over(file, asked.at, again=True)
        async with self._pool.acquire() as conn, conn.transaction():
            await _kept(conn, file, asked)


async def _kept(conn: Connection, file: rules.RamqFile, asked: RamqAgain) -> None:
    await records.append(
        conn,
        "block",
        file.block_id,
        "confirmed_to_ramq_again",
        asked.at,
        by=asked.by,
        argument={"file": file.name, "sha256": file.sha256},
        rules=("R6",),
        policy=CURRENT.version,
    )


async def _make(conn: Connection, due: RamqDue) -> None:
    """Make the next file of the block, unless everybody who stands confirmed is named already."""
    names = await ramq.unnamed(conn, due.block_id, rules.CONFIRMED)
    if not names:
        return
    file = rules.write(due.block_id, await ramq.next_number(conn, due.block_id), names)
    await ramq.add(conn, file, [name.attribution_id for name in names], due.at)


async def _went(conn: Connection, file: rules.RamqFile, at: datetime, policy: str) -> None:
    if not await ramq.handed(conn, file, at):
        return
    await records.append(
        conn,
        "block",
        file.block_id,
        "confirmed_to_ramq",
        at,
        argument={"file": file.name, "sha256": file.sha256},
        rules=("R6",),
        policy=policy,
    )
