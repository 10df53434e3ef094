"""`gamf letter`: the letters of an attribution, and their PDF."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import labels, session
from gamf.client.cli.attribution import attribution_argument
from gamf.client.cli.commands import as_json, command, new_group, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json, print_table, private_output
from gamf.client.cli.values import OutputFile

if TYPE_CHECKING:
    from gamf.client.reading import LetterView
    from gamf.storage.connection import Connection

letter = new_group("letter", Text("Les lettres.", "Letters."))


@command(
    "show",
    fr="""Montrer les lettres d’une attribution ; avec --pdf, en écrire une.

    Le PDF contient des renseignements personnels : gardez-le comme tel.""",
    group=letter,
)
@attribution_argument
@option(
    "--pdf",
    type=OutputFile(),
    shown=Text("FICHIER.pdf", "FILE.pdf"),
    fr="Écrire la lettre en PDF.",
    en="Write the letter as PDF.",
)
@option(
    "--letter",
    "letter_id",
    shown=Text("LETTRE", "LETTER"),
    fr="Laquelle (la dernière, sinon).",
    en="Which one (else the last).",
)
@reads_data
@as_json
def show(
    attribution_id: str, pdf: Path | None, letter_id: str | None, data: Path | None, *, json_wanted: bool
) -> None:
    """Show the letters of an attribution; with --pdf, write one.

    The PDF holds personal information: keep it as such.
    """
    from gamf.client import looking  # noqa: PLC0415 - keeps `--help` fast

    seat = session.seat()

    async def work(conn: "Connection") -> "tuple[LetterView, ...]":
        letters = await looking.list_letters(conn, seat, attribution_id)
        if pdf is not None:
            content = await looking.letter_pdf(conn, seat, attribution_id, letter_id)
            with private_output(pdf) as file:
                file.write(content)
        return letters

    letters = session.read(data, work)
    if json_wanted:
        print_json(letters)
        return
    print_letters(letters)
    if pdf is not None:
        click.echo(say(f"PDF écrit\u00a0: {pdf}", f"PDF written: {pdf}"))


def print_letters(letters: "Iterable[LetterView]") -> None:
    """Print what is known of letters."""
    headings = [
        say("Lettre", "Letter"),
        say("Sorte", "Kind"),
        say("Datée du", "Dated"),
        say("État", "State"),
        say("Langue", "Language"),
        say("Envoyée le", "Sent at"),
    ]
    rows = [
        (
            each.letter_id,
            labels.label(labels.LETTERS, each.kind),
            each.dated,
            labels.label(labels.LETTER_STATES, each.state),
            each.language,
            each.sent_at,
        )
        for each in letters
    ]
    print_table(headings, rows)
