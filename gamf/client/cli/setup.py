"""`gamf setup`: both servers made ready, once for an installation and again at each new version."""

from pathlib import Path

import click

from gamf.client.cli import session
from gamf.client.cli.commands import as_json, command, reads_data
from gamf.client.cli.language import say
from gamf.client.cli.output import print_json


@command(
    "setup",
    fr="Préparer la base de données et Temporal : migrations, attributs de recherche. Peut être relancée.",
)
@reads_data
@as_json
def setup(data: Path | None, *, json_wanted: bool) -> None:
    """Prepare the database and Temporal: migrations, search attributes. It may be run again."""
    from gamf.client.preparing import prepare  # noqa: PLC0415 - keeps `--help` fast

    async def work() -> None:
        async with session.both(data) as reach:
            made = await prepare(reach.pool, reach.temporal)
        if json_wanted:
            print_json({"migrations": made.migrations, "search_attributes": made.search_attributes})
            return
        none = say("aucune", "none")
        click.echo(
            say("Migrations appliquées : ", "Migrations applied: ") + (", ".join(made.migrations) or none)
        )
        names = ", ".join(made.search_attributes)
        click.echo(say("Attributs de recherche prêts : ", "Search attributes ready: ") + names)

    session.run(work())
