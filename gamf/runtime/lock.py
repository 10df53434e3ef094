"""One process at a time on a folder, and the next one waits for what a killed one left ending."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from gamf.runtime.errors import DataFolderInUse
from gamf.runtime.polling import until

_WAIT_SECONDS = 60


class FolderLock:
    """Hold `folder/name.lock`. Whoever is given the descriptor `fd` holds it as well, until all have ended.

    Raises:
        DataFolderInUse: a process that is alive holds it, or what a dead one started does not end.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path: Path = folder / f"{name}.lock"
        self._fd: int = -1

    @property
    def fd(self) -> int:
        """Return the descriptor that holds the lock, to be passed on to a server."""
        return self._fd

    async def __aenter__(self) -> Self:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await until(self._taken, within_seconds=_WAIT_SECONDS)
        except BaseException as error:
            os.close(self._fd)
            if isinstance(error, TimeoutError):
                raise self._in_use() from None
            raise
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        # A server that outlived its guardian still holds it: the next one waits when there is no owner.
        os.ftruncate(self._fd, 0)
        os.close(self._fd)

    async def _taken(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # Held although its owner is dead: the servers it started are still ending, which is worth a wait.
            if _alive(self._owner()):
                raise self._in_use() from None
            return False
        return True

    def _owner(self) -> int:
        return int(os.pread(self._fd, 20, 0) or b"0")

    def _in_use(self) -> DataFolderInUse:
        folder = self._path.parent
        return DataFolderInUse(
            fr=f"Le dossier {folder} est déjà utilisé par un autre processus; arrêtez-le ou changez --data.",
            en=f"The folder {folder} is in use by another process; stop it or choose another --data.",
        )


def _alive(pid: int) -> bool:
    if pid == 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not _ended_but_not_counted(pid)


def _ended_but_not_counted(pid: int) -> bool:
    """Tell a process whose parent has not taken note of its end: in a container, perhaps nobody ever does."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False
