"""`gamf reconcile`: every open workflow beside the database, both ways."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import session
from gamf.client.cli.commands import as_json, command, option, reads_data
from gamf.client.cli.language import say
from gamf.client.cli.output import print_json, print_table, progress

if TYPE_CHECKING:
    from gamf.client.reconciling import Finding


@command(
    "reconcile",
    fr="""Comparer chaque flux de travail ouvert avec la base, dans les deux sens.

    Dit chaque différence et répare ce que les règles permettent : un départ qui n’a pas eu lieu, un flux arrêté,
    une ligne en retard sur son flux. Pour le reste, ouvre une tâche au coordonnateur. Peut être repris à volonté.""",
)
@option(
    "--dry-run",
    is_flag=True,
    fr="Dire les différences sans rien changer.",
    en="Say the differences, change nothing.",
)
@reads_data
@as_json
def reconcile(data: Path | None, *, dry_run: bool, json_wanted: bool) -> None:
    """Compare every open workflow with the database, both ways.

    Says each difference and mends what the rules allow: a start that never happened, a stopped workflow, a row
    behind its workflow. For the rest, opens a task for the coordinator. May be repeated at will.
    """
    from gamf.client import reconciling  # noqa: PLC0415 - keeps `--help` fast
    from gamf.client.acting import Desk  # noqa: PLC0415 - the same

    async def work() -> "list[Finding]":
        found: list[Finding] = []
        async with session.both(data) as reach:
            desk = Desk(reach.pool, reach.temporal)
            with progress(say("Comparaison", "Comparing")) as move:
                async for finding in reconciling.reconcile(desk, now=session.now(), dry_run=dry_run):
                    found.append(finding)
                    move(len(found))
            async with reach.pool.acquire() as conn:
                await reconciling.note(conn, session.seat(), found)
        return found

    found = session.run(work())
    if json_wanted:
        print_json(found)
        return
    _print(found)


def _print(found: "list[Finding]") -> None:
    subjects = {
        "attribution": say("attribution", "attribution"),
        "block": say("bloc", "block"),
        "departure": say("départ", "departure"),
    }
    outcomes = {
        "found": say("trouvée", "found"),
        "mended": say("réparée", "mended"),
        "asked": say("tâche ouverte", "task opened"),
        "left": say("à décider", "to be decided"),
    }
    headings = [say("Au sujet de", "About"), say("Différence", "Difference"), say("Issue", "Outcome")]
    rows = [
        (
            f"{subjects[each.subject]} {each.reference}",
            say(each.said_fr, each.said_en),
            outcomes[each.outcome],
        )
        for each in found
    ]
    print_table(headings, rows)
    if not found:
        click.echo(say("La base et les flux de travail concordent.", "The database and the workflows agree."))
        return
    counts = Counter(outcomes[each.outcome] for each in found)
    told = ", ".join(f"{number} {outcome}" for outcome, number in counts.items())
    click.echo(say(f"{len(found)} différence(s) : {told}.", f"{len(found)} difference(s): {told}."))
