"""A server that ends with the process that started it, however that process ends (see `guardian.py`)."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from gamf.runtime import guardian

_LAST_LINES = 5
_LAST_BYTES = 4000


@dataclass(frozen=True)
class Account:
    """The user and group a server runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class ServerCommand:
    """How a server is run: what it is, where it writes, what stops it, and the lock it holds meanwhile."""

    argv: tuple[str, ...]
    log: Path
    stop_signal: int
    grace_seconds: float
    lock_fd: int
    account: Account | None = None

    def guarded(self) -> list[str]:
        """Return the command line of its guardian."""
        script = Path(guardian.__file__)
        line = [sys.executable, "-I", "-S", str(script), f"--signal={self.stop_signal}"]
        line += [f"--grace={self.grace_seconds}", f"--hold={self.lock_fd}"]
        if self.account is not None:
            line += [f"--user={self.account.uid}", f"--group={self.account.gid}"]
        return [*line, *self.argv]


class GuardedServer:
    """A server under its guardian."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process: asyncio.subprocess.Process = process
        self._log: Path = log

    @classmethod
    async def start(cls, command: ServerCommand) -> Self:
        """Start it; it may not answer yet. Its session is its own, so that a Ctrl-C reaches only us."""
        with open_log(command.log) as log:
            starting = asyncio.create_subprocess_exec(
                *command.guarded(),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(command.lock_fd,),
                start_new_session=True,
                env=clean_environment(),
                umask=0o077,
            )
            return cls(await whole(starting, undo=let_go), command.log)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def stop(self) -> None:
        """Let go of it, and return when it has ended."""
        await let_go(self._process)

    async def wait(self) -> int:
        """Return its exit status when it ends."""
        return await self._process.wait()

    def last_words(self) -> str:
        """Return the last lines it wrote."""
        text = self._log.read_bytes()[-_LAST_BYTES:].decode(errors="replace")
        return "\n".join(text.splitlines()[-_LAST_LINES:])


async def let_go(process: asyncio.subprocess.Process) -> None:
    """Let go of a guardian, and return when its server has ended and it as well."""
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()


async def whole(
    starting: Coroutine[Any, Any, asyncio.subprocess.Process],
    *,
    undo: Callable[[asyncio.subprocess.Process], Awaitable[None]],
) -> asyncio.subprocess.Process:
    """Start a process to the end, and undo it before a cancellation goes on.

    Interrupted half-way, asyncio kills the process and waits for nothing that the process has started by then.
    """
    task = asyncio.create_task(starting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await undo(await task)
        raise


def open_log(path: Path) -> BinaryIO:
    """Open a server's log for more, readable by us alone."""
    path.touch(mode=0o600)
    return path.open("ab")


def clean_environment() -> dict[str, str]:
    """Return an environment for a server: nothing of ours (`PG…`, `TEMPORAL_…`) may change what it does."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
