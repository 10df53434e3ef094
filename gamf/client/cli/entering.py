"""What `gamf block sv` and `gamf physician sv` share: the options, the progress, what is printed, how they end."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gamf.client.cli import labels, session
from gamf.client.cli.commands import as_json, option, reads_data, reported_by, together
from gamf.client.cli.errors import REFUSED, Ending, report
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json, print_table, progress
from gamf.client.cli.pacing import told
from gamf.client.cli.values import ATTRIBUTION, Day

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.client.entering import Entered
    from gamf.storage.standing import Member

    Find = Callable[[Desk, Sequence[str]], Awaitable[list[Member]]]

_OUTCOMES: Final = {
    "entered": Text("inscrit SV", "SV entered"),
    "already": Text("déjà inscrit SV", "SV entered already"),
    "ended": Text("terminée, rien à inscrire", "ended, nothing to enter"),
    "refused": Text("refusé", "refused"),
    "failed": Text("sans réponse", "no answer"),
}


takes_many: Final = together(
    option(
        "--on",
        type=Day(),
        shown=Text("DATE", "DATE"),
        fr="Date de début (le jour de la saisie, sinon).",
        en="Start date (else the day of the entry).",
    ),
    option(
        "--except",
        "but",
        type=ATTRIBUTION,
        multiple=True,
        shown=Text("ATTRIBUTION", "ATTRIBUTION"),
        fr="Sauf celle-ci (l’option se répète).",
        en="But this one (repeat the option).",
    ),
    reported_by,
    reads_data,
    as_json,
)
"""Add what a command that enters many SV takes."""


def enter(
    find: "Find", on: date | None, but: Sequence[str], by: str | None, data: Path | None, *, json_wanted: bool
) -> None:
    """Enter the SV of all that `find` gives, and print what became of each; end with 3 when a rule refused one."""
    made = session.run(_enter(find, on, but, by or session.account(), data))
    if json_wanted:
        print_json(made)
    else:
        _print(made)
    missed = sum(each.outcome in {"refused", "failed"} for each in made)
    if missed:
        words = Text(
            f"{missed} inscription(s) SV non faite(s)\u00a0; chaque ligne dit pourquoi. La même commande reprise "
            "ne fait que ce qui manque.",
            f"{missed} SV not entered; each line says why. The same command again only does what is missing.",
        )
        rule = next((each.reason.rule for each in made if each.reason), "service")
        click.get_current_context().exit(report(Ending(REFUSED, rule, words), as_json=json_wanted))


async def _enter(
    find: "Find", on: date | None, but: Sequence[str], by: str, data: Path | None
) -> "list[Entered]":
    from gamf.client import entering  # noqa: PLC0415 - keeps `--help` fast
    from gamf.client.acting import Desk  # noqa: PLC0415 - the same
    from gamf.client.feed import Reporter  # noqa: PLC0415 - the same
    from gamf.client.pacing import Pace  # noqa: PLC0415 - the same

    made: list[Entered] = []
    async with session.both(data) as reach:
        desk = Desk(reach.pool, reach.temporal)
        members = await find(desk, but)
        reporter = Reporter(desk, by, session.now, Pace(told=told), session.seat())
        with progress(say("Inscriptions SV", "SV enrolments"), len(members)) as move:
            async with aclosing(entering.enter_sv(reporter, members, on)) as outcomes:
                async for each in outcomes:
                    made.append(each)
                    move(len(made), len(members))
    return made


def _print(made: "Sequence[Entered]") -> None:
    headings = [
        say("Attribution", "Attribution"),
        say("Résultat", "Outcome"),
        say("État", "State"),
        say("Motif", "Reason"),
    ]
    print_table(headings, [_row(each) for each in made])
    counts = Counter(each.outcome for each in made)
    if counts:
        click.echo(", ".join(f"{_OUTCOMES[name]}\u00a0: {count}" for name, count in counts.items()))


def _row(each: "Entered") -> tuple[object, ...]:
    why = each.reason
    said = "" if why is None else f"[{why.rule}] {say(why.fr, why.en)}"
    return each.attribution_id, _OUTCOMES[each.outcome], labels.state(each.state), said
