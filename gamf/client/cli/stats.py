"""`gamf stats`: the indicators by RLS and month."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import session
from gamf.client.cli.commands import as_json, command, option, reads_data
from gamf.client.cli.language import Text, current, say
from gamf.client.cli.output import print_json, print_table
from gamf.client.cli.values import Month, OutputFile

if TYPE_CHECKING:
    from gamf.domain.indicators import Published
    from gamf.storage.connection import Connection


@command(
    "stats",
    fr="""Les indicateurs par RLS et par mois : attente, attributions, inscriptions, retours et leur cause.

    Aucun nombre de moins de 5 personnes n’est montré, ni un nombre qui le révélerait (« x »).""",
)
@option(
    "--rls",
    multiple=True,
    shown=Text("RLS", "RLS"),
    fr="De ce RLS (répétable).",
    en="Of that RLS (repeatable).",
)
@option(
    "--from",
    "first",
    type=Month(),
    shown=Text("AAAA-MM", "YYYY-MM"),
    fr="Depuis ce mois (douze mois, sinon).",
    en="From that month (else twelve months).",
)
@option(
    "--to",
    "last",
    type=Month(),
    shown=Text("AAAA-MM", "YYYY-MM"),
    fr="Jusqu’à ce mois (le mois en cours, sinon).",
    en="To that month (else the current one).",
)
@option(
    "--csv", type=OutputFile(), shown=Text("FICHIER.csv", "FILE.csv"), fr="Écrire en CSV.", en="Write as CSV."
)
@option(
    "--plot",
    type=OutputFile(),
    shown=Text("FICHIER.png", "FILE.png"),
    fr="Dessiner, en PNG ou en SVG : un RLS, ou l’ensemble.",
    en="Draw, as PNG or SVG: one RLS, or all of them.",
)
@reads_data
@as_json
def stats(
    rls: tuple[str, ...],
    first: date | None,
    last: date | None,
    csv: Path | None,
    plot: Path | None,
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """The indicators by RLS and month: waiting, attributions, enrolments, returns and their cause.

    No count of fewer than 5 people is shown, nor one that would reveal it (“x”).
    """
    from gamf.client import plots, stats  # noqa: PLC0415 - keeps `--help` fast

    if plot is not None and plot.suffix.lower() not in plots.SUFFIXES:
        raise click.UsageError(
            say("--plot veut un fichier .png ou .svg.", "--plot wants a .png or .svg file.")
        )

    async def work(conn: "Connection") -> "tuple[Published, ...]":
        return await stats.indicators_of(conn, rls, first, last, session.now())

    lines = session.read(data, work)
    if csv is not None:
        with csv.open("w", encoding="utf-8", newline="") as stream:
            stats.write_csv(stream, lines)
    if plot is not None and lines:
        stats.draw(plot, lines, int(current() == "en"))
    if json_wanted:
        print_json(lines)
    else:
        _print(lines)


def _print(lines: "tuple[Published, ...]") -> None:
    from gamf.client import stats  # noqa: PLC0415 - keeps `--help` fast

    headings = ["RLS", say("Mois", "Month"), *(say(*words) for words in stats.HEADINGS.values())]
    rows = [
        (line.rls or say(*stats.WHOLE), line.month, *(stats.shown(line, column) for column in stats.HEADINGS))
        for line in lines
    ]
    print_table(headings, rows)
    if any(line.masked for line in lines):
        click.echo(
            say(
                "x : donnée confidentielle (moins de 5 personnes, ou un nombre qui les révélerait).",
                "x: confidential (fewer than 5 people, or a count that would reveal them).",
            )
        )
