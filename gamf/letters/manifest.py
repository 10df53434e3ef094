"""The list of what was handed over: a line each, appended by several processes, whole after a crash."""

import fcntl
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict

from gamf.domain.correspondence import Language, LetterKind

COLUMNS: Final = ("letter_id", "kind", "language", "sha256", "handed_at")
# Letters and their list are for the account that prints them, not for everyone on the machine.
FILE_MODE: Final = 0o640
FOLDER_MODE: Final = 0o750


class Modes(NamedTuple):
    """Who may read a folder and what is in it."""

    file: int = FILE_MODE
    folder: int = FOLDER_MODE


class Line(Protocol):
    """A line of a list, its key in the first column."""

    def line(self) -> bytes:
        """Write it as CSV, with its end of line."""
        ...


class Entry(BaseModel):
    """One line: which letter, and nothing about the person it is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    letter_id: str
    kind: LetterKind
    language: Language
    sha256: str
    handed_at: AwareDatetime

    def line(self) -> bytes:
        """Write the line as CSV, the instant in UTC; no value here ever needs a quote."""
        instant: datetime = self.handed_at.astimezone(UTC)
        fields = (self.letter_id, self.kind, self.language, self.sha256, instant.isoformat())
        return (",".join(fields) + "\n").encode()


class Manifest:
    """A CSV file that only grows. A line counts once its end of line is there; a torn one is cut away.

    Every method must be called within `locked`, which excludes other processes and other threads alike.
    Errors of the file system are `OSError`.
    """

    def __init__(self, folder: Path, columns: Sequence[str] = COLUMNS, modes: Modes = Modes()) -> None:  # noqa: B008 - frozen
        """Keep the list in `folder` as `manifest.csv`, a key in its first column; nothing is touched until `locked`."""
        self._folder = folder
        self._columns = columns
        self._modes = modes
        self._path = folder / "manifest.csv"
        self._known: set[bytes] = set()
        self._read_to = 0
        self._file_id: tuple[int, int] | None = None

    @contextmanager
    def locked(self) -> Generator[None]:
        """Hold the list, its folder made if need be, once it is whole and read; blocks until it is free."""
        self._folder.mkdir(mode=self._modes.folder, parents=True, exist_ok=True)
        with _flock(self._folder / ".manifest.lock"):
            with self._opened() as manifest:
                self._repair(manifest)
                self._catch_up(manifest)
            yield

    def __contains__(self, key: str) -> bool:
        """Tell whether what has that key has its line."""
        return key.encode() in self._known

    def add(self, entry: Line) -> None:
        """Append the line and wait until the disk has it; on an error, leave no line."""
        with self._opened() as manifest:
            end = os.fstat(manifest).st_size
            try:
                _write_all(manifest, entry.line())
                os.fsync(manifest)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(manifest, end)
                raise
            self._catch_up(manifest)

    @contextmanager
    def _opened(self) -> Generator[int]:
        manifest = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, self._modes.file)
        try:
            yield manifest
        finally:
            os.close(manifest)

    def _repair(self, manifest: int) -> None:
        """Cut a line that a crash left unfinished, and begin the file with its header."""
        size = os.fstat(manifest).st_size
        whole = _end_of_last_line(manifest, size)
        if whole < size:
            os.ftruncate(manifest, whole)
        if whole == 0:
            _write_all(manifest, (",".join(self._columns) + "\n").encode())
            os.fsync(manifest)
            sync_folder(self._folder)

    def _catch_up(self, manifest: int) -> None:
        """Read only what was appended since the last look: the list may hold a million lines."""
        status = os.fstat(manifest)
        if self._file_id != (status.st_dev, status.st_ino) or status.st_size < self._read_to:
            self._known, self._read_to = set(), 0
            self._file_id = (status.st_dev, status.st_ino)
        appended = _read(manifest, self._read_to, status.st_size)
        self._known.update(line.split(b",", 1)[0] for line in appended.splitlines())
        self._read_to = status.st_size


@contextmanager
def _flock(path: Path) -> Generator[None]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        # Closing releases the lock.
        os.close(lock)


def try_flock(path: Path) -> int | None:
    """Take the lock without waiting: its descriptor, to be closed to release it, or `None` if it is held."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def write_durably(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Put a file in place whole or not at all and wait until the disk has it; callers exclude each other."""
    unfinished = path.with_name(f".{path.name}.tmp")
    try:
        file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            _write_all(file, content)
            os.fsync(file)
        finally:
            os.close(file)
        unfinished.replace(path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the folder's entries."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(file: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]


def _read(file: int, start: int, end: int) -> bytes:
    parts: list[bytes] = []
    while start < end and (part := os.pread(file, end - start, start)):
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def _end_of_last_line(file: int, size: int) -> int:
    """Give the offset after the last end of line, 0 when there is none."""
    block = 4096
    start = size
    while start > 0:
        end, start = start, max(0, start - block)
        found = _read(file, start, end).rfind(b"\n")
        if found >= 0:
            return start + found + 1
    return 0
