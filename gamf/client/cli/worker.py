"""`gamf worker`: one worker, for the servers that the environment names."""

import click

from gamf.client.cli.commands import command


@command(
    "worker",
    fr="""Faire tourner un travailleur jusqu’à SIGTERM ou Ctrl-C.

    Les serveurs sont ceux que nomment GAMF_DATABASE_URL et TEMPORAL_ADDRESS. L’arrêt laisse finir ce qui est
    en cours.""",
)
@click.pass_context
def worker(ctx: click.Context) -> None:
    """Run one worker until SIGTERM or Ctrl-C.

    The servers are those that GAMF_DATABASE_URL and TEMPORAL_ADDRESS name. Stopping lets what is under way
    end.
    """
    from gamf.workers.main import main  # noqa: PLC0415 - keeps `--help` fast

    ctx.exit(main())
