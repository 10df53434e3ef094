"""`gamf retro`: the attributions made outside this system from 1 February to 8 May 2026 (R11)."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import command, new_group, option
from gamf.client.cli.importing import end_with, takes_file
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import progress
from gamf.client.cli.pacing import told
from gamf.client.cli.values import Day

if TYPE_CHECKING:
    from gamf.client.importing import Import, Phase
    from gamf.client.retro import RetroReport
    from gamf.domain.retro import DatedWindow

retro = new_group(
    "retro",
    Text(
        "Les attributions faites hors de ce système du 1er février au 8 mai 2026 (R11).",
        "The attributions made outside this system from 1 February to 8 May 2026 (R11).",
    ),
)


@command(
    "import",
    fr="""Prendre ces attributions d’un fichier CSV, chacune avec l’inscription SV ou MF qu’elle a déjà.

    Les autres ont la fenêtre du 8 au 22 mai 2026. Passé le 22 mai, elles sont en retard dès qu’elles sont
    prises, et le coordonnateur a 5 jours ouvrables pour rouvrir une fenêtre ou annuler\u00a0; avec
    --window-opens-on, la nouvelle fenêtre de 14 jours est ouverte en les prenant (A6). Le même fichier repris
    ne change rien, et démarre ce qu’une interruption aurait laissé.""",
    group=retro,
)
@option(
    "--window-opens-on",
    "opens_on",
    type=Day(),
    shown=Text("DATE", "DATE"),
    fr="Premier jour d’une nouvelle fenêtre, pour qui n’a ni SV ni MF (A6).",
    en="First day of a new window, for whoever has neither SV nor MF (A6).",
)
@option(
    "--reason",
    shown=Text("MOTIF", "REASON"),
    fr="Le motif de cette fenêtre.",
    en="The reason for that window.",
)
@takes_file
def import_(
    file: Path,
    opens_on: date | None,
    reason: str | None,
    data: Path | None,
    *,
    skip_faulty: bool,
    faulty_to: Path | None,
    json_wanted: bool,
) -> None:
    """Take these attributions in from a CSV file, each with the SV or MF that it has already.

    The others have the window of 8 to 22 May 2026. After 22 May they are overdue as soon as they are taken in,
    and the coordinator has 5 working days to reopen a window or to cancel; with --window-opens-on, the new
    window of 14 days is opened as they are taken in (A6). The same file again changes nothing, and starts what
    an interruption may have left.
    """
    from gamf.client.files import faulty_path  # noqa: PLC0415 - keeps `--help` fast
    from gamf.client.importing import Import  # noqa: PLC0415 - the same

    window = _window(opens_on, reason)
    target = (faulty_to or faulty_path(file)) if skip_faulty or faulty_to else None
    made = session.run(_take_in(Import(file, session.now(), session.account(), target), window, data))
    end_with(made, json_wanted=json_wanted)
    if made.taken and not json_wanted:
        _print(made)


def _window(opens_on: date | None, reason: str | None) -> "DatedWindow | None":
    from gamf.domain.facts import WindowReopened, parse  # noqa: PLC0415 - keeps `--help` fast
    from gamf.domain.retro import DatedWindow  # noqa: PLC0415 - the same

    if opens_on is None and reason is None:
        return None
    if opens_on is None or reason is None:
        raise click.UsageError(
            say(
                "--window-opens-on et --reason vont ensemble.",
                "--window-opens-on and --reason go together.",
            )
        )
    parse(WindowReopened.name, {"by": session.account(), "opens_on": opens_on.isoformat(), "reason": reason})
    return DatedWindow(opens_on=opens_on, reason=reason)


async def _take_in(what: "Import", window: "DatedWindow | None", data: Path | None) -> "RetroReport":
    from gamf.client.acting import Desk  # noqa: PLC0415 - keeps `--help` fast
    from gamf.client.pacing import Pace  # noqa: PLC0415 - the same
    from gamf.client.retro import import_cohort  # noqa: PLC0415 - the same

    async with session.both(data) as reach:
        with progress(say("Cohorte", "Cohort")) as move:

            def tell(_phase: "Phase", done: int, total: int) -> None:
                move(done, total)

            desk = Desk(reach.pool, reach.temporal)
            return await import_cohort(desk, what, window, Pace(told=told), tell)


def _print(made: "RetroReport") -> None:
    states = ", ".join(f"{labels.state(name)}\u00a0: {n}" for name, n in sorted(made.states.items()))
    if states:
        click.echo(say(f"Prises comme\u00a0: {states}.", f"Taken in as: {states}."))
    click.echo(say(f"{made.started} flux de travail démarré(s).", f"{made.started} workflow(s) started."))
