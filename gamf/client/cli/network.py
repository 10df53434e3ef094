"""`gamf network`: the local networks (RLS): GACO, coordinator, time zone, and the profile that blocks follow."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gamf.client.cli import session
from gamf.client.cli.commands import argument, as_json, command, new_group, option, reads_data
from gamf.client.cli.importing import take_in, takes_file
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json, print_table
from gamf.client.cli.profile import profile

if TYPE_CHECKING:
    from gamf.client.cli.importing import Take
    from gamf.storage.connection import Connection

network = new_group("network", Text("Les réseaux locaux (RLS).", "Local networks (RLS)."))
network.add_command(profile)


def _take() -> "Take":
    from gamf.client.importing import import_networks  # noqa: PLC0415 - keeps `--help` fast

    return import_networks


@command("import", fr="Prendre des RLS d’un fichier CSV ; un code déjà connu est mis à jour.", group=network)
@takes_file
def import_(
    file: Path, data: Path | None, *, skip_faulty: bool, faulty_to: Path | None, json_wanted: bool
) -> None:
    """Take local networks in from a CSV file; a code already known is brought up to date."""
    take_in(_take, file, data, skip_faulty=skip_faulty, faulty_to=faulty_to, json_wanted=json_wanted)


@command(
    "contact",
    fr="Dire où le coordonnateur d’un RLS reçoit le résumé du jour ; sans --email, nulle part.",
    group=network,
)
@argument("rls", fr="Le RLS.", en="The RLS.", shown=Text("RLS", "RLS"))
@option("--email", shown=Text("ADRESSE", "ADDRESS"), fr="Son courriel.", en="Their e-mail address.")
@reads_data
@as_json
def contact(rls: str, email: str | None, data: Path | None, *, json_wanted: bool) -> None:
    """Say where the coordinator of an RLS gets the daily digest; without --email, nowhere."""
    from gamf.client import digests  # noqa: PLC0415 - keeps `--help` fast

    async def work(conn: "Connection") -> bool:
        return await digests.set_contact(conn, rls, email, by=session.account(), now=session.now())

    changed = session.read(data, work)
    if json_wanted:
        print_json({"rls": rls, "email": email, "changed": changed})
    elif changed:
        click.echo(say(f"RLS {rls} : c’est écrit.", f"RLS {rls}: it is written."))
    else:
        click.echo(say(f"RLS {rls} : rien n’a changé.", f"RLS {rls}: nothing has changed."))


@command("list", fr="Lister les RLS, avec leur GACO.", group=network)
@reads_data
@as_json
def list_(data: Path | None, *, json_wanted: bool) -> None:
    """List the local networks, with their GACO."""
    from gamf.client import reading  # noqa: PLC0415 - keeps `--help` fast

    found = session.read(data, reading.list_networks)
    if json_wanted:
        print_json(found)
        return
    headings = [
        "RLS",
        say("Nom", "Name"),
        say("Région", "Region"),
        say("Fuseau", "Time zone"),
        "GACO",
        say("Téléphone", "Telephone"),
    ]
    print_table(headings, [(n.rls, n.name, n.region, n.time_zone, n.gaco_name, n.gaco_phone) for n in found])
