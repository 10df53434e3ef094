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
    from gamf.client import reading  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> "tuple[LetterView, ...]":
        letters = await reading.list_letters(conn, attribution_id)
        if pdf is not None:
            await _write(conn, _chosen(letters, letter_id), pdf)
        return letters

    letters = session.read(data, work)
    if json_wanted:
        print_json(letters)
        return
    print_letters(letters)
    if pdf is not None:
        click.echo(say(f"PDF écrit\u00a0: {pdf}", f"PDF written: {pdf}"))


def _chosen(letters: "tuple[LetterView, ...]", letter_id: str | None) -> str:
    from gamf.client.errors import NotFoundError  # noqa: PLC0415 - keeps `--help` fast

    found = [each.letter_id for each in letters if letter_id in {None, each.letter_id}]
    if not found:
        raise NotFoundError(
            fr="Cette attribution n’a pas cette lettre\u00a0; une lettre naît de l’acceptation.",
            en="This attribution has no such letter; a letter comes with the acceptance.",
        )
    return found[-1]


async def _write(conn: "Connection", letter_id: str, pdf: Path) -> None:
    from gamf.activities.letters import letter_content  # noqa: PLC0415 - keeps `--help` fast
    from gamf.letters.render import LetterRenderer  # noqa: PLC0415 - the same

    content = LetterRenderer().render(await letter_content(conn, letter_id))
    with private_output(pdf) as file:
        file.write(content)


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
