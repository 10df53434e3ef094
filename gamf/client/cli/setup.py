"""`gamf setup`: both servers made ready, once for an installation and again at each new version."""

from pathlib import Path

import click

from gamf.client.cli import session
from gamf.client.cli.commands import as_json, command, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json

_SCHEDULE = {
    "created": Text("créé", "created"),
    "updated": Text("mis à jour", "brought up to date"),
    "unchanged": Text("inchangé", "unchanged"),
}


@command(
    "setup",
    fr="Préparer la base de données et Temporal : migrations, attributs de recherche, horaire. Peut être relancée.",
)
@reads_data
@as_json
def setup(data: Path | None, *, json_wanted: bool) -> None:
    """Prepare the database and Temporal: migrations, search attributes, schedule. It may be run again."""
    from gamf.client.preparing import prepare  # noqa: PLC0415 - keeps `--help` fast

    async def work() -> None:
        async with session.both(data) as reach:
            made = await prepare(reach.pool, reach.temporal, session.now())
        if json_wanted:
            print_json(
                {
                    "migrations": made.migrations,
                    "search_attributes": made.search_attributes,
                    "schedule": made.schedule,
                }
            )
            return
        none = say("aucune", "none")
        click.echo(
            say("Migrations appliquées : ", "Migrations applied: ") + (", ".join(made.migrations) or none)
        )
        names = ", ".join(made.search_attributes)
        click.echo(say("Attributs de recherche prêts : ", "Search attributes ready: ") + names)
        click.echo(
            say("Horaire « daily-digest » : ", "Schedule “daily-digest”: ") + str(_SCHEDULE[made.schedule])
        )

    session.run(work())
