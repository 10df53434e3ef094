"""An HTTP server inside a process that does other things too: it leaves the signals alone, and says where it is."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import uvicorn
from typing_extensions import override

from gamf.runtime.errors import PortInUse
from gamf.runtime.polling import until
from gamf.runtime.settings import HostPort

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_START_SECONDS: Final = 10
_STOP_SECONDS: Final = 5
"""How long a request under way, or a stream, may go on once it is time to stop."""


@dataclass(frozen=True)
class Serving:
    """A server that listens, and its end."""

    address: HostPort
    _task: "asyncio.Task[None]"

    @property
    def url(self) -> str:
        """Return where a browser on this machine finds it."""
        host = f"[{self.address.host}]" if ":" in self.address.host else self.address.host
        return f"http://{host}:{self.address.port}"

    async def wait_ended(self) -> None:
        """Return when it no longer serves."""
        await asyncio.wait([self._task])


class _QuietServer(uvicorn.Server):
    """A server that leaves the signals to the process it is in."""

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def serving(
    app: "ASGIApp", address: HostPort, variable: str, *, trusted_proxies: str | None = None
) -> AsyncGenerator[Serving]:
    """Serve an application (port 0: any that is free) and yield where; `variable` is what chooses the address.

    The address that a request comes from is what one of the trusted proxies (addresses, comma between) says.

    Raises:
        PortInUse: nothing can listen there.
    """
    with contextlib.closing(_listening(address, variable)) as listener:
        server = _QuietServer(_config(app, trusted_proxies))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await until(lambda: _started(server), within_seconds=_START_SECONDS)
            yield Serving(HostPort(*listener.getsockname()[:2]), task)
        finally:
            server.should_exit = True
            await task


def _config(app: "ASGIApp", trusted_proxies: str | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=trusted_proxies is not None,
        forwarded_allow_ips=trusted_proxies,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )


async def _started(server: uvicorn.Server) -> bool:
    return server.started


def _listening(address: HostPort, variable: str) -> socket.socket:
    try:
        return socket.create_server(address, family=_family(address))
    except OSError:
        raise PortInUse(
            fr=f"Impossible d’écouter à {address.host}:{address.port} ({variable}).",
            en=f"Cannot listen at {address.host}:{address.port} ({variable}).",
        ) from None


def _family(address: HostPort) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address.host else socket.AF_INET
