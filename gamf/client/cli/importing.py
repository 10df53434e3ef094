"""What the three import commands share: the progress, the findings, how they end."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gamf.client.cli import session
from gamf.client.cli.commands import argument, as_json, option, reads_data, together
from gamf.client.cli.errors import REFUSED, Ending, report
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json, progress
from gamf.client.cli.values import InputFile, OutputFile

if TYPE_CHECKING:
    from gamf.client.files import Finding
    from gamf.client.importing import Import, ImportReport, Phase
    from gamf.storage.connection import Connection

    Take = Callable[[Connection, Import, Any], Awaitable[ImportReport]]

# More would scroll away what is to be done about them.
_SHOWN: Final = 50


takes_file: Final = together(
    argument(
        "file",
        type=InputFile(),
        fr="Fichier CSV, en UTF-8, avec une ligne d’en-tête.",
        en="CSV file, in UTF-8, with a header line.",
        shown=Text("FICHIER.csv", "FILE.csv"),
    ),
    option(
        "--skip-faulty",
        is_flag=True,
        fr="Prendre les bonnes lignes et écrire les autres dans un fichier.",
        en="Take the good lines and write the others to a file.",
    ),
    option(
        "--faulty-to",
        type=OutputFile(),
        shown=Text("FICHIER.csv", "FILE.csv"),
        fr="Où écrire les lignes fautives (à côté du fichier, sinon).",
        en="Where to write the faulty lines (else beside the file).",
    ),
    reads_data,
    as_json,
)
"""Add what every import command takes."""


def take_in(
    what: Callable[[], "Take"],
    file: Path,
    data: Path | None,
    *,
    skip_faulty: bool,
    faulty_to: Path | None,
    json_wanted: bool,
) -> None:
    """Take a file in, show how far it is, print what became of it; end with 3 when nothing was taken."""
    from gamf.client.files import faulty_path  # noqa: PLC0415 - keeps `--help` fast

    target = (faulty_to or faulty_path(file)) if skip_faulty or faulty_to else None
    made = session.run(_take_in(what(), file, data, target))
    end_with(made, json_wanted=json_wanted)


def end_with(made: "ImportReport", *, json_wanted: bool) -> None:
    """Print what became of a file; end with 3 when nothing was taken."""
    if json_wanted:
        print_json(made)
    else:
        _print(made)
    if not made.taken:
        end = Ending(REFUSED, "form", _nothing_taken(made))
        click.get_current_context().exit(report(end, as_json=json_wanted))


async def _take_in(take: "Take", file: Path, data: Path | None, faulty_to: Path | None) -> "ImportReport":
    from gamf.client.importing import Import  # noqa: PLC0415 - keeps `--help` fast

    what = Import(file, session.now(), session.account(), faulty_to)
    async with session.database(data) as pool, pool.acquire() as conn:
        with progress(say("Lecture", "Reading")) as move:

            def tell(_phase: "Phase", done: int, total: int) -> None:
                move(done, total)

            return await take(conn, what, tell)


def _nothing_taken(made: "ImportReport") -> Text:
    if made.kind == "profile":
        return Text(
            f"{made.faulty} ligne(s) fautive(s)\u00a0; le profil n’a pas changé. Corrigez le fichier et reprenez-le.",
            f"{made.faulty} faulty line(s); the profile has not changed. Mend the file and take it again.",
        )
    return Text(
        f"{made.faulty} ligne(s) fautive(s)\u00a0; rien n’a été pris. Corrigez le fichier et reprenez-le, "
        "ou ajoutez --skip-faulty pour prendre les autres lignes.",
        f"{made.faulty} faulty line(s); nothing was taken. Mend the file and take it again, "
        "or add --skip-faulty to take the other lines.",
    )


def _print(made: "ImportReport") -> None:
    for finding in made.faults[:_SHOWN]:
        click.secho(_worded(finding), err=True, fg="red")
    for finding in made.cautions[:_SHOWN]:
        click.secho(_worded(finding), err=True, fg="yellow")
    hidden = max(len(made.faults) - _SHOWN, 0) + max(len(made.cautions) - _SHOWN, 0)
    if hidden:
        click.echo(
            say(f"… et {hidden} autres (--json les donne tous).", f"… and {hidden} more (--json has all)."),
            err=True,
        )
    if made.taken:
        click.echo(_summary(made))
    if made.faulty_file is not None:
        click.echo(say("Lignes fautives : ", "Faulty lines: ") + str(made.faulty_file))


def _worded(finding: "Finding") -> str:
    column = f", {finding.column}" if finding.column else ""
    return say(
        f"Ligne {finding.line}{column}\u00a0: {finding.fr}", f"Line {finding.line}{column}: {finding.en}"
    )


def _summary(made: "ImportReport") -> str:
    return say(
        f"{made.lines} ligne(s)\u00a0: {made.added} ajoutée(s), {made.changed} modifiée(s), "
        f"{made.unchanged} inchangée(s), {made.faulty} fautive(s), {made.warnings} avertissement(s).",
        f"{made.lines} line(s): {made.added} added, {made.changed} changed, "
        f"{made.unchanged} unchanged, {made.faulty} faulty, {made.warnings} warning(s).",
    )
