"""`gamf network`: the local networks (RLS), each with its GACO, its coordinator and its time zone."""

from pathlib import Path
from typing import TYPE_CHECKING

from gamf.client.cli import session
from gamf.client.cli.commands import as_json, command, new_group, reads_data
from gamf.client.cli.importing import take_in, takes_file
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json, print_table

if TYPE_CHECKING:
    from gamf.client.cli.importing import Take

network = new_group("network", Text("Les réseaux locaux (RLS).", "Local networks (RLS)."))


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
