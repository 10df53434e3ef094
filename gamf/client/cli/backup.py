"""`gamf backup` and `gamf restore`: the embedded data folder as one file, while nothing runs on it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import session
from gamf.client.cli.commands import argument, as_json, command, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json, progress

if TYPE_CHECKING:
    from gamf.runtime.backup import Header

_file = argument(
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    fr="Le fichier de la sauvegarde.",
    en="The backup's file.",
    shown=Text("FICHIER", "FILE"),
)


@command(
    "backup",
    fr="""Sauvegarder le dossier de données de « gamf up » dans un fichier ; refusé tant qu’il est en marche.

    Le fichier contient des renseignements personnels : il n’est lisible que de son propriétaire.""",
)
@_file
@reads_data
@as_json
def backup(file: Path, data: Path | None, *, json_wanted: bool) -> None:
    """Save the data folder of “gamf up” to a file; refused while it runs.

    The file holds personal information: only its owner may read it.
    """
    from gamf.runtime.backup import back_up  # noqa: PLC0415 - keeps `--help` fast

    with progress(say("Sauvegarde", "Backup")) as move:
        header = session.run(back_up(_folder(data), file, at=session.now(), tell=move))
    _told(header, json_wanted=json_wanted, fr=f"Sauvegardé dans {file}", en=f"Saved to {file}")


@command(
    "restore",
    fr="""Remettre une sauvegarde dans un dossier de données vide ; « gamf up » y reprend ce qui attendait.

    Les échéances passées entre-temps prennent effet aussitôt, datées du jour où elles tombaient.""",
)
@_file
@reads_data
@as_json
def restore(file: Path, data: Path | None, *, json_wanted: bool) -> None:
    """Put a backup back into an empty data folder; “gamf up” goes on there with what waited.

    Deadlines that passed meanwhile take effect at once, dated when they fell due.
    """
    from gamf.runtime import backup as backups  # noqa: PLC0415 - keeps `--help` fast

    folder = _folder(data)
    with progress(say("Restauration", "Restoring")) as move:
        header = session.run(backups.restore(file, folder, tell=move))
    _told(header, json_wanted=json_wanted, fr=f"Restauré dans {folder}", en=f"Restored to {folder}")


def _folder(data: Path | None) -> Path:
    from gamf.runtime.settings import Settings  # noqa: PLC0415 - keeps `--help` fast

    return data or Settings.load().data_dir


def _told(header: "Header", *, json_wanted: bool, fr: str, en: str) -> None:
    if json_wanted:
        print_json(header)
        return
    made = f"{header.made_at:%Y-%m-%d %H:%M} UTC"
    size = f"{header.bytes:,}"
    octets = size.replace(",", "\u00a0")
    click.echo(
        say(
            f"{fr} : {header.files} fichiers, {octets} octets, sauvegarde du {made}.",
            f"{en}: {header.files} files, {size} bytes, backup of {made}.",
        )
    )
