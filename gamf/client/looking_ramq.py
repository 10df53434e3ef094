"""What RAMQ was told of a block, asked from a seat: whom each file named, and the file itself (R6)."""

from typing import TYPE_CHECKING, Final

from gamf.client import access, ramq
from gamf.client.access import Seat
from gamf.client.errors import NotFoundError
from gamf.client.ramq import RamqView
from gamf.domain.access import Shown
from gamf.domain.ramq import RamqFile
from gamf.domain.roles import UseCase, check_allowed
from gamf.storage import letters
from gamf.storage import ramq as files
from gamf.storage.letters import NotGone

if TYPE_CHECKING:
    from gamf.storage.connection import Connection

_IN_THE_FILE: Final = (Shown.IDENTITY, Shown.STANDING)
"""What a file says of whom it names: the NAM, the name, the date of birth, and by whom they are attributed."""


async def show_files(conn: "Connection", seat: Seat, block_id: str) -> RamqView:
    """Return the files of a block and whom each named, under their references.

    Raises:
        RefusedByRuleError: it is not for the actor.
        NotFoundError: there is no such block.
    """
    await _check(conn, seat, UseCase.RAMQ_LISTS_SHOW, block_id)
    view = await ramq.show_files(conn, block_id)
    people = await files.patients_of(conn, block_id)
    await access.note(conn, seat, UseCase.RAMQ_LISTS_SHOW, (Shown.STANDING,), people)
    return view


async def read_file(conn: "Connection", seat: Seat, block_id: str, number: int) -> RamqFile:
    """Return a file with the names in it, the same to the byte as what is handed over.

    Raises:
        RefusedByRuleError: it is not for the actor, or the register was corrected since (R6).
        NotFoundError: there is no such block, or it has no such file.
    """
    await _check(conn, seat, UseCase.RAMQ_LISTS_SHOW, block_id)
    file = await ramq.read_file(conn, block_id, number)
    people = await files.patients_of(conn, block_id, number)
    await access.note(conn, seat, UseCase.RAMQ_LISTS_SHOW, _IN_THE_FILE, people)
    return file


async def count_not_gone(conn: "Connection", seat: Seat) -> NotGone:
    """Return how many letters are to be sent and have not gone, since when, and how many nobody takes.

    Raises:
        RefusedByRuleError: it is not for the actor.
    """
    check_allowed(seat.actor, UseCase.OUTBOX_SHOW)
    return await letters.not_gone(conn)


async def _check(conn: "Connection", seat: Seat, use_case: UseCase, block_id: str) -> None:
    check_allowed(seat.actor, use_case)
    known = await access.of_block(conn, block_id)
    if known is None:
        raise NotFoundError(fr=f"Le bloc {block_id} n’existe pas.", en=f"There is no block {block_id}.")
    await access.check(conn, seat, use_case, known.matter)
