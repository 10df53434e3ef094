"""`gamf physician`: the physicians."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gamf.client.cli import labels, session
from gamf.client.cli.commands import argument, as_json, command, new_group, reads_data
from gamf.client.cli.importing import take_in, takes_file
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_fields, print_json
from gamf.client.cli.values import LICENCE

if TYPE_CHECKING:
    from gamf.client.cli.importing import Take

physician = new_group("physician", Text("Les médecins.", "Physicians."))


def _take() -> "Take":
    from gamf.client.importing import import_physicians  # noqa: PLC0415 - keeps `--help` fast

    return import_physicians


@command(
    "import",
    fr="Prendre des médecins d’un fichier CSV ; un permis déjà connu est mis à jour.",
    group=physician,
)
@takes_file
def import_(
    file: Path, data: Path | None, *, skip_faulty: bool, faulty_to: Path | None, json_wanted: bool
) -> None:
    """Take physicians in from a CSV file; a licence already known is brought up to date."""
    take_in(_take, file, data, skip_faulty=skip_faulty, faulty_to=faulty_to, json_wanted=json_wanted)


@command("show", fr="Montrer un médecin, et combien d’attributions il a en cours.", group=physician)
@argument(
    "licence",
    type=LICENCE,
    fr="Le permis, de 5 chiffres.",
    en="The licence, of 5 digits.",
    shown=Text("PERMIS", "LICENCE"),
)
@reads_data
@as_json
def show(licence: str, data: Path | None, *, json_wanted: bool) -> None:
    """Show a physician, and how many attributions they have under way."""
    from gamf.client import reading  # noqa: PLC0415 - keeps `--help` fast

    view = session.read(data, partial(reading.show_physician, licence=licence))
    if json_wanted:
        print_json(view)
        return
    print_fields(
        [
            (say("Permis", "Licence"), view.licence),
            (say("Nom", "Name"), f"{view.first_name} {view.last_name}"),
            ("RLS", view.rls),
            (say("Statut", "Status"), labels.label(labels.STATUSES, view.status)),
            (say("Lieu", "Place"), view.place),
            (say("Adresse", "Address"), f"{view.address}, {view.city} {view.postal_code}"),
            (say("Courriel", "E-mail"), view.email),
            (say("Départ le", "Leaves on"), view.leaves_on),
            (say("Attributions en cours", "Attributions under way"), view.under_way),
        ]
    )
