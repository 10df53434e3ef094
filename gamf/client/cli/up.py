"""`gamf up`: everything on this machine, until Ctrl-C."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gamf.client.cli import session
from gamf.client.cli.commands import Decorator, as_json, command, option
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_fields, print_json

if TYPE_CHECKING:
    from gamf.client.up import Running, Wanted
    from gamf.runtime.settings import Settings

_PORT = click.IntRange(0, 65535)


def _port(name: str, default: int, fr: str, en: str) -> Decorator:
    return option(
        name, type=_PORT, default=default, show_default=True, fr=fr, en=en, shown=Text("PORT", "PORT")
    )


@command(
    "up",
    fr="""Tout démarrer sur ce poste : PostgreSQL, Temporal et son interface, un travailleur.

    Les données restent dans --data d’une fois à l’autre. Ctrl-C ou SIGTERM arrête tout ce qui a été démarré. Avec
    GAMF_DATABASE_URL ou TEMPORAL_ADDRESS, seul ce qui manque est démarré.""",
)
@option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    shown=Text("DOSSIER", "DIR"),
    fr="Où garder les données (GAMF_DATA_DIR, sinon ./data).",
    en="Where to keep the data (GAMF_DATA_DIR, else ./data).",
)
@option(
    "--training",
    is_flag=True,
    fr="Formation : permettre « gamf advance », qui avance l’horloge d’une attribution.",
    en="Training: allow “gamf advance”, which moves an attribution's clock.",
)
@option(
    "--with-sample",
    is_flag=True,
    fr="Sur une base vide, 2 000 personnes inventées et un bloc en cours.",
    en="On an empty database, 2,000 invented people and a block under way.",
)
@_port("--temporal-port", 7233, "Port de Temporal (0 : un port libre).", "Port of Temporal (0: a free one).")
@_port("--ui-port", 8233, "Port de l’interface de Temporal (0 : un port libre).", "Port of Temporal's UI (0: a free one).")
@_port("--console-port", 8080, "Port de la console (0 : un port libre).", "Port of the console (0: a free one).")
@as_json
def up(
    data: Path | None, temporal_port: int, ui_port: int, console_port: int, **flags: Any
) -> None:
    """Start everything on this machine: PostgreSQL, Temporal with its UI, a worker.

    The data stays in --data from one time to the next. Ctrl-C or SIGTERM stops all that was started. With
    GAMF_DATABASE_URL or TEMPORAL_ADDRESS, only what is missing is started.
    """
    from gamf.client.up import Wanted  # noqa: PLC0415 - keeps `--help` fast
    from gamf.runtime.settings import Settings  # noqa: PLC0415 - the same

    settings = Settings.load()
    wanted = Wanted(data or settings.data_dir, flags["training"], temporal_port, ui_port)
    session.run(_up(settings, wanted, sample=flags["with_sample"], json_wanted=flags["json_wanted"]))
