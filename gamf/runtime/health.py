"""`/live` and `/ready` over HTTP, for whoever restarts a process or sends it work."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gamf.runtime.settings import HostPort
from gamf.runtime.web import serving

_PROBE_SECONDS = 3
_UNAVAILABLE = 503


@dataclass(frozen=True)
class Probes:
    """What is asked: `live` at once, each of `ready` by name; a probe that raises or is slow is away."""

    live: Callable[[], bool]
    ready: Mapping[str, Callable[[], Awaitable[bool]]]

    async def away(self) -> list[str]:
        """Return the names of those that do not answer, asked all at the same time."""
        answers = await asyncio.gather(*(_answers(probe) for probe in self.ready.values()))
        return [name for name, answer in zip(self.ready, answers, strict=True) if not answer]


async def _answers(probe: Callable[[], Awaitable[bool]]) -> bool:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            return await probe()
    except Exception:  # noqa: BLE001 - whatever it is, the service does not answer
        return False


def health_app(probes: Probes) -> Starlette:
    """Make the two pages: 200 when all is well, else 503; the body names what is away."""

    async def live(_request: Request) -> JSONResponse:
        # That this runs at all shows that the event loop turns.
        return _page(away=[] if probes.live() else ["worker"])

    async def ready(_request: Request) -> JSONResponse:
        return _page(away=await probes.away())

    return Starlette(routes=[Route("/live", live), Route("/ready", ready)])


def _page(*, away: list[str]) -> JSONResponse:
    return JSONResponse(
        {"status": "away" if away else "ok", "away": away}, status_code=_UNAVAILABLE if away else 200
    )


@asynccontextmanager
async def health_server(address: str, probes: Probes) -> AsyncGenerator[HostPort]:
    """Serve the two pages at `host:port` (port 0: any that is free) and yield where.

    Raises:
        PortInUse: nothing can listen there.
    """
    async with serving(health_app(probes), HostPort.parse(address), "GAMF_HEALTH_ADDRESS") as server:
        yield server.address
