"""`gamf console`: the web console alone, on the servers of the environment or of the running `gamf up`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client import addresses
from gamf.client.cli import session
from gamf.client.cli.commands import as_json, command, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json

if TYPE_CHECKING:
    from gamf.runtime.settings import HostPort, Settings


@command(
    "console",
    fr="""Servir la console Web jusqu’à SIGTERM ou Ctrl-C ; « gamf up » la sert déjà.

    Les serveurs sont ceux que nomment GAMF_DATABASE_URL et TEMPORAL_ADDRESS, sinon ceux du « gamf up » en marche.
    Au-delà de ce poste (GAMF_CONSOLE_ADDRESS), un mandataire TLS doit la précéder.""",
)
@option(
    "--port",
    type=click.IntRange(0, 65535),
    shown=Text("PORT", "PORT"),
    fr="Port, plutôt que celui de GAMF_CONSOLE_ADDRESS (0 : un port libre).",
    en="Port, rather than that of GAMF_CONSOLE_ADDRESS (0: a free one).",
)
@reads_data
@as_json
def console(port: int | None, data: Path | None, *, json_wanted: bool) -> None:
    """Serve the web console until SIGTERM or Ctrl-C; “gamf up” serves it already.

    The servers are those that GAMF_DATABASE_URL and TEMPORAL_ADDRESS name, else those of the running “gamf up”.
    Beyond this machine (GAMF_CONSOLE_ADDRESS), a TLS proxy must stand before it.
    """
    from gamf.runtime.settings import HostPort, Settings  # noqa: PLC0415 - keeps `--help` fast

    settings = Settings.load()
    address = HostPort.parse(settings.console_address)
    chosen = address if port is None else address._replace(port=port)
    session.run(_serve(settings, chosen, data, json_wanted=json_wanted))


async def _serve(settings: "Settings", address: "HostPort", data: Path | None, *, json_wanted: bool) -> None:
    from gamf.client.console.server import running_console  # noqa: PLC0415 - keeps `--help` fast
    from gamf.runtime.telemetry import client_runtime, configure_logging  # noqa: PLC0415 - the same
    from gamf.runtime.temporal import check_namespace, connect  # noqa: PLC0415 - the same
    from gamf.workers.main import stop_on_signals  # noqa: PLC0415 - the same

    configure_logging(settings.log_level, settings.log_format)
    stop = asyncio.Event()
    stop_on_signals(stop)
    url = addresses.database_address(settings, data)
    temporal = await connect(address=addresses.temporal_address(settings, data), runtime=client_runtime())
    await check_namespace(temporal)
    training = addresses.in_training(settings, data)
    async with running_console(settings, temporal, address, database_url=url, training=training) as server:
        if json_wanted:
            print_json({"console": server.url}, on_one_line=True)
        else:
            click.echo(
                say(f"Console : {server.url} (Ctrl-C l’arrête)", f"Console: {server.url} (Ctrl-C stops it)")
            )
        await stop.wait()
