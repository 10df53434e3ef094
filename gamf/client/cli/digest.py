"""`gamf digest`: what coordinators and clinics are told each working day."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import session
from gamf.client.cli.commands import as_json, command, new_group, option, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json
from gamf.client.cli.values import LICENCE, Day

if TYPE_CHECKING:
    from gamf.client.digests import Preview
    from gamf.storage.connection import Connection

digest = new_group("digest", Text("Le résumé du jour.", "The daily digest."))


@command(
    "preview",
    fr="Montrer le courriel du jour d’un coordonnateur (--rls) ou d’une clinique (--physician), sans l’envoyer.",
    group=digest,
)
@option("--rls", shown=Text("RLS", "RLS"), fr="Du coordonnateur de ce RLS.", en="Of that RLS's coordinator.")
@option(
    "--physician",
    type=LICENCE,
    shown=Text("PERMIS", "LICENCE"),
    fr="De la clinique de ce médecin.",
    en="Of that physician's clinic.",
)
@option(
    "--on",
    type=Day(),
    shown=Text("DATE", "DATE"),
    fr="Celui de ce jour (aujourd’hui au RLS, sinon).",
    en="That day's (else today's, in the RLS).",
)
@reads_data
@as_json
def preview(
    rls: str | None, physician: str | None, on: date | None, data: Path | None, *, json_wanted: bool
) -> None:
    """Show the day's e-mail of a coordinator (--rls) or of a clinic (--physician), without sending it."""
    from gamf.client import digests  # noqa: PLC0415 - keeps `--help` fast
    from gamf.storage.lists import TaskFilter  # noqa: PLC0415 - the same

    if (rls is None) == (physician is None):
        raise click.UsageError(say("Donnez --rls ou --physician.", "Give --rls or --physician."))

    async def work(conn: "Connection") -> "Preview":
        return await digests.preview(conn, session.seat(), TaskFilter(rls=rls, physician=physician), on)

    view = session.read(data, work)
    if json_wanted:
        print_json(view)
        return
    click.echo(view.text)
    if not view.sent:
        click.echo(_why_not(view))


def _why_not(view: "Preview") -> str:
    if not view.working_day:
        return say("Jour non ouvrable : rien n’est envoyé.", "Not a working day: nothing is sent.")
    return say("Rien à dire : aucun courriel n’est envoyé.", "Nothing to say: no e-mail is sent.")
