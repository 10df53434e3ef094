"""The one way to PostgreSQL: a pool whose sessions are in UTC, named, bounded in time, and speak JSON."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qs, urlsplit

import asyncpg

from gamf.runtime.errors import ServiceUnreachable, SettingsFault
from gamf.runtime.settings import Settings

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]

_CONNECT_SECONDS = 10
_IDLE_IN_TRANSACTION = "60s"
# What asyncpg raises when the server is away, is starting, or does not know us.
_UNREACHABLE = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
)

CUT = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
"""What a statement ends with when PostgreSQL closed its connection, now or while nobody used it."""
AWAY = (OSError, *CUT, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)
"""What a statement or a connection ends with when PostgreSQL goes away, is away, or is not back yet."""


def redacted(url: str) -> str:
    """Return where a database is, `host:port/name`, without account, password or other parameters."""
    try:
        parts = urlsplit(url)
        folder = parse_qs(parts.query).get("host", [""])[0]
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "?"
    return f"{parts.hostname or folder}{port}{parts.path}"


@asynccontextmanager
async def database_pool(
    settings: Settings, *, url: str | None = None, application: str = "gamf"
) -> AsyncGenerator["Pool"]:
    """Open a pool on `url`, else on `GAMF_DATABASE_URL`, and close it at the end.

    Raises:
        SettingsFault: there is no address, or it is not one.
        ServiceUnreachable: no connection could be made.
    """
    pool = await _opened(settings, url or _configured(settings), application)
    try:
        yield pool
    finally:
        await pool.close()


def _configured(settings: Settings) -> str:
    if settings.database_url is None:
        raise SettingsFault(
            fr="GAMF_DATABASE_URL est requise (ou démarrez tout sur ce poste avec «\u00a0gamf up\u00a0»).",
            en="GAMF_DATABASE_URL is required (or start everything on this machine with “gamf up”).",
        )
    return settings.database_url.get_secret_value()


async def _opened(settings: Settings, url: str, application: str) -> "Pool":
    try:
        return await asyncpg.create_pool(
            url,
            min_size=min(settings.database_pool_min, settings.database_pool_max),
            max_size=settings.database_pool_max,
            timeout=_CONNECT_SECONDS,
            init=_speak_json,
            reset=_as_it_is,
            server_settings=_session(settings, application),
        )
    except _UNREACHABLE as error:
        raise _unreachable(url, type(error).__name__) from None
    except (ValueError, asyncpg.InterfaceError) as error:
        raise SettingsFault(
            fr=f"L’adresse de PostgreSQL (GAMF_DATABASE_URL) est mal formée ({type(error).__name__}).",
            en=f"The address of PostgreSQL (GAMF_DATABASE_URL) is malformed ({type(error).__name__}).",
        ) from None


def _session(settings: Settings, application: str) -> dict[str, str]:
    return {
        "timezone": "UTC",
        # Compiling a query takes longer than any query of a page.
        "jit": "off",
        "application_name": application,
        "statement_timeout": f"{round(settings.statement_timeout_seconds * 1000)}ms",
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION,
    }


async def _as_it_is(_connection: "Connection") -> None:
    """Give a connection back without another round trip: nothing here outlives its transaction."""


async def _speak_json(connection: "Connection") -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


def _unreachable(url: str, kind: str) -> ServiceUnreachable:
    place = redacted(url)
    return ServiceUnreachable(
        "PostgreSQL",
        fr=f"{place} ({kind}). Vérifiez GAMF_DATABASE_URL, ou démarrez tout avec «\u00a0gamf up\u00a0».",
        en=f"{place} ({kind}). Check GAMF_DATABASE_URL, or start everything with “gamf up”.",
    )
