"""`gamf people`: invented people, to try things on."""

from datetime import date
from pathlib import Path

import click

from gamf.client.cli import session
from gamf.client.cli.commands import argument, as_json, command, new_group, option
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json, progress
from gamf.client.cli.values import Day
from gamf.domain.calendar import PROVINCE, local_date

people = new_group(
    "people", Text("Des personnes inventées, pour essayer.", "Invented people, to try things on.")
)


@command(
    "generate",
    fr="""Écrire des personnes, des médecins et des réseaux inventés, en fichiers CSV.

    La même graine et la même date donnent les mêmes fichiers. Aucune de ces personnes n’existe.""",
    group=people,
)
@argument(
    "count",
    type=click.IntRange(1, 5_000_000),
    fr="Nombre de personnes.",
    en="How many people.",
    shown=Text("N", "N"),
)
@option(
    "--seed",
    type=int,
    default=321,
    show_default=True,
    shown=Text("N", "N"),
    fr="Graine du hasard.",
    en="Seed of chance.",
)
@option(
    "--physicians",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    shown=Text("N", "N"),
    fr="Nombre de médecins.",
    en="How many physicians.",
)
@option(
    "--today",
    type=Day(),
    shown=Text("DATE", "DATE"),
    fr="Date dont on calcule les âges (aujourd’hui, sinon).",
    en="Date that ages are counted from (else today).",
)
@option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    shown=Text("DOSSIER", "DIR"),
    fr="Dossier où écrire (celui-ci, sinon).",
    en="Folder to write to (else this one).",
)
@as_json
def generate(
    count: int, seed: int, physicians: int, today: date | None, folder: Path, *, json_wanted: bool
) -> None:
    """Write invented people, physicians and networks as CSV files.

    The same seed and date give the same files. None of these people exist.
    """
    from gamf.client.people import write_sample  # noqa: PLC0415 - keeps `--help` fast

    folder.mkdir(parents=True, exist_ok=True)
    day = today or local_date(session.now(), PROVINCE)
    with progress(say("Écriture", "Writing")):
        files = write_sample(folder, people=count, physicians=physicians, today=day, seed=seed)
    if json_wanted:
        print_json({name: str(path) for name, path in files._asdict().items()})
        return
    for name, path in (
        ("network", files.networks),
        ("physician", files.physicians),
        ("register", files.register),
    ):
        click.echo(f"gamf {name} import {path}")
