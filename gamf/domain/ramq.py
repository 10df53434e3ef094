"""The file by which a block's confirmed names are told to RAMQ (R6): what is in it, and how it is written.

The format is ours: CSV in UTF-8, commas, a header line, one line a patient (docs/ramq.md). The first file of a block is
its list; each later one is a supplement that names only whom no file named before.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import State

CONFIRMED: Final = frozenset({State.CONFIRMED, State.OVERDUE, State.ENROLLED_SV, State.ENROLLED_MF})
"""An attribution in one of these is confirmed and still stands: its name goes to RAMQ."""


class Kind(StrEnum):
    """What a file is to its block."""

    LIST = "list"
    SUPPLEMENT = "supplement"


class Name(BaseModel):
    """One confirmed patient; days are local (A23). It never leaves the process but in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    attribution_id: str
    replaces: str | None
    """The attribution whose place this one took (A17)."""
    confirmed_on: date
    physician: str
    physician_last_name: str
    physician_first_name: str
    rls: str
    nam: str
    last_name: str
    first_name: str
    birth_date: date


COLUMNS: Final = ("block_id", "file_number", "kind", *Name.model_fields)


class RamqFile(BaseModel):
    """A file ready to be handed over: the same names make the same bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    block_id: str
    number: int
    content: bytes

    @property
    def name(self) -> str:
        """Return the file's name, which says the block and the number, and nobody's."""
        return file_name(self.block_id, self.number)

    @property
    def sha256(self) -> str:
        """Return the fingerprint of the content."""
        return hashlib.sha256(self.content).hexdigest()


def file_name(block_id: str, number: int) -> str:
    """Return the name of a block's file of that number, such as `ramq-2026-0007-01.csv`."""
    return f"ramq-{block_id}-{number:02d}.csv"


def kind(number: int) -> Kind:
    """Return what the file of that number is: the list, then supplements."""
    return Kind.LIST if number == 1 else Kind.SUPPLEMENT


def check_same(made: RamqFile, sha256: str) -> RamqFile:
    """Refuse a file made again of the names it had when it is no longer the same to the byte (R6).

    Raises:
        RefusedByRuleError: the register was corrected since; what went is in the folder that it was handed to.
    """
    if made.sha256 == sha256:
        return made
    raise RefusedByRuleError(
        "R6",
        f"Le registre a été corrigé depuis : {made.name} ne serait plus le même à l’octet près. "
        "Ce qui a été remis est dans le dossier de remise.",
        f"The register was corrected since: {made.name} would no longer be the same to the byte. "
        "What was handed over is in the folder it was handed to.",
        "number",
    )


def write(block_id: str, number: int, names: Sequence[Name]) -> RamqFile:
    """Write the file of these names, in the order of their references."""
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for each in sorted(names, key=lambda name: name.attribution_id):
        lines.writerow((block_id, number, kind(number), *each.model_dump(mode="json").values()))
    return RamqFile(block_id=block_id, number=number, content=text.getvalue().encode())
