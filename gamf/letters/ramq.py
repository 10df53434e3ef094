"""The folder from which RAMQ's confirmed names are taken away: a file, and its line in the list, once (R6)."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict

from gamf.domain.ramq import RamqFile
from gamf.letters.carriers import CarrierError
from gamf.letters.manifest import Manifest, Modes, write_durably

COLUMNS: Final = ("name", "sha256", "handed_at")
_MODES: Final = Modes(file=0o600, folder=0o700)
"""NAM and names: for the account that hands them over, and nobody else on the machine."""


class _Line(BaseModel):
    """One line of the list: which file, and nobody's name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str
    handed_at: AwareDatetime

    def line(self) -> bytes:
        """Write the line as CSV, the instant in UTC; no value here ever needs a quote."""
        return f"{self.name},{self.sha256},{self.handed_at.astimezone(UTC).isoformat()}\n".encode()


class RamqOutbox:
    """A folder with the files and `manifest.csv`, a line for each.

    A file is handed over once its line is in the manifest, after its content is on the disk: one without a line is a
    hand-over that a crash cut short and that will be made again, the same to the byte. One with a line is never put
    there again, even when it was taken out of the folder; so the manifest is what must not be removed.
    """

    def __init__(self, folder: Path) -> None:
        """Keep the files in `folder`, made at the first one."""
        self._folder = folder
        self._manifest = Manifest(folder, COLUMNS, _MODES)

    async def hand_over(self, file: RamqFile, at: datetime, *, again: bool = False) -> None:
        """Put the file in the folder, once; raise a temporary `CarrierError` if the file system refuses.

        `again` puts there what was taken out of it, with a line of its own, when somebody asks for it.
        """
        try:
            await asyncio.to_thread(self._put, file, at, again=again)
        except OSError as error:
            raise CarrierError(
                f"{file.name} could not be handed over: {error.strerror}", temporary=True
            ) from error

    def _put(self, file: RamqFile, at: datetime, *, again: bool) -> None:
        with self._manifest.locked():
            if file.name in self._manifest and not again:
                return
            write_durably(self._folder / file.name, file.content, _MODES.file)
            self._manifest.add(_Line(name=file.name, sha256=file.sha256, handed_at=at))
