"""The console as a server: alone, or beside the worker in `gamf up`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gamf.client.acting import Desk
from gamf.client.console.app import make_app
from gamf.client.console.options import Options
from gamf.client.console.page import Console
from gamf.client.openid import Registration
from gamf.runtime.database import database_pool
from gamf.runtime.settings import HostPort, is_loopback
from gamf.runtime.web import Serving, serving

if TYPE_CHECKING:
    from temporalio.client import Client

    from gamf.runtime.settings import Settings

ANSWERS_WITHIN: Final = timedelta(seconds=30)
"""A page waits no longer for what follows from a fact, which goes on without it."""
VARIABLE: Final = "--console-port, GAMF_CONSOLE_ADDRESS"


@asynccontextmanager
async def running_console(
    settings: "Settings",
    temporal: "Client",
    address: HostPort,
    *,
    database_url: str | None = None,
    training: bool = False,
) -> AsyncGenerator[Serving]:
    """Serve the console at that address (port 0: any that is free), with a pool of its own.

    Beyond this machine, or where its address begins so, it is served to browsers over TLS only, which a proxy ends.

    Raises:
        PortInUse: nothing can listen there.
        ServiceUnreachable: PostgreSQL does not answer.
    """
    options = replace(
        Options(),
        secure=not is_loopback(address.host) or (settings.console_url or "").startswith("https:"),
        training=training,
        openid=Registration.of(settings),
        passwords=settings.password_sign_in,
    )
    async with database_pool(settings, url=database_url, application="gamf-console") as pool:
        app = make_app(Desk(pool, temporal, ANSWERS_WITHIN), options)
        async with serving(app, address, VARIABLE, trusted_proxies=settings.console_proxies) as server:
            try:
                yield server
            finally:
                console: Console = app.state.console
                console.stop()
