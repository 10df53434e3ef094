"""What went to RAMQ (R6): the files of each block, when, how many names, under which fingerprint; nobody's name."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from gamf.client import reading
from gamf.client.errors import NotFoundError
from gamf.client.reading import PAGE, Page
from gamf.domain import ramq as rules
from gamf.domain.orders import USUAL, Listing, Order
from gamf.domain.ramq import Kind, RamqFile, kind
from gamf.domain.roles import Scope
from gamf.storage import ramq
from gamf.storage.connection import Connection
from gamf.storage.lists import EVERYTHING, Asked


class RamqFileView(BaseModel):
    """A file of confirmed names; `handed_at` is null until the folder has taken it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    block_id: str
    number: int
    kind: Kind
    name: str
    names: int
    sha256: str
    made_at: datetime
    handed_at: datetime | None
    physician: str
    rls: str


class NamedView(BaseModel):
    """Whom a file named, under the reference only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    attribution_id: str
    confirmed_on: date
    replaces: str | None


class RamqView(BaseModel):
    """All that RAMQ was told of a block."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    block_id: str
    state: str
    files: tuple[RamqFileView, ...]
    named: tuple[NamedView, ...]


async def read_file(conn: Connection, block_id: str, number: int) -> RamqFile:
    """Return a file: as it waits, or made again of whom it named when it was handed over.

    Raises:
        RefusedByRuleError: the register was corrected since, and it would not be the same to the byte (R6).
        NotFoundError: the block has no such file.
    """
    known = await ramq.content(conn, block_id, number)
    if known is None:
        raise NotFoundError(
            fr=f"Le bloc {block_id} n’a pas de fichier {number}.",
            en=f"Block {block_id} has no file {number}.",
        )
    sha256, waiting = known
    if waiting is not None:
        return RamqFile(block_id=block_id, number=number, content=waiting)
    made = rules.write(block_id, number, await ramq.names_of(conn, block_id, number))
    return rules.check_same(made, sha256)


async def list_files(
    conn: Connection,
    scope: Scope = EVERYTHING,
    *,
    order: Order | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> Page[RamqFileView]:
    """Return the files, within that scope, the latest first unless another order is asked for."""
    rows = await ramq.files(conn, Asked(order or USUAL[Listing.RAMQ_FILES], after, limit + 1), scope)
    cursors = [row.pop("cursor") for row in rows]
    shown = tuple(RamqFileView(**row, kind=kind(row["number"])) for row in rows[:limit])
    return Page(items=shown, after=cursors[limit - 1] if len(rows) > limit else None)


async def show_files(conn: Connection, block_id: str) -> RamqView:
    """Return what RAMQ was told of a block: no file before it closes, nor when nobody was confirmed.

    Raises:
        NotFoundError: there is no such block.
    """
    block = await reading.show_stored_block(conn, block_id)
    files = await ramq.files_of(conn, block_id)
    return RamqView(
        block_id=block_id,
        state=block.state,
        files=tuple(RamqFileView(**row, kind=kind(row["number"])) for row in files),
        named=tuple(NamedView(**row) for row in await ramq.named(conn, block_id)),
    )
