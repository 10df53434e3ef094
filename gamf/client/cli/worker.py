"""`gamf worker`: one more worker, for the servers that the environment names or those of the running `gamf up`."""

import os
from pathlib import Path

import click

from gamf.client import addresses
from gamf.client.cli.commands import command, reads_data


@command(
    "worker",
    fr="""Faire tourner un travailleur jusqu’à SIGTERM ou Ctrl-C.

    Les serveurs sont ceux que nomment GAMF_DATABASE_URL et TEMPORAL_ADDRESS, sinon ceux du « gamf up » en marche.
    L’arrêt laisse finir ce qui est en cours.""",
)
@reads_data
@click.pass_context
def worker(ctx: click.Context, data: Path | None) -> None:
    """Run one worker until SIGTERM or Ctrl-C.

    The servers are those that GAMF_DATABASE_URL and TEMPORAL_ADDRESS name, else those of the running “gamf up”.
    Stopping lets what is under way end.
    """
    from gamf.runtime.settings import Settings  # noqa: PLC0415 - keeps `--help` fast
    from gamf.workers.main import main  # noqa: PLC0415 - the same

    settings = Settings.load()
    # A worker's process reads its environment, wherever it is started.
    found = {
        "GAMF_DATABASE_URL": addresses.database_address(settings, data),
        "TEMPORAL_ADDRESS": addresses.temporal_address(settings, data),
        "GAMF_DATA_DIR": str(data or settings.data_dir),
    }
    os.environ.update({name: value for name, value in found.items() if value is not None})
    ctx.exit(main())
