"""`gamf physician`: the physicians."""

from pathlib import Path
from typing import TYPE_CHECKING

from gamf.client.cli import session
from gamf.client.cli.commands import argument, as_json, command, new_group, reads_data
from gamf.client.cli.importing import take_in, takes_file
from gamf.client.cli.language import Text
from gamf.client.cli.output import print_json
from gamf.client.cli.values import LICENCE

if TYPE_CHECKING:
    from gamf.client.cli.importing import Take

physician = new_group("physician", Text("Les médecins.", "Physicians."))


def _take() -> "Take":
    from gamf.client.importing import import_physicians  # noqa: PLC0415 - keeps `--help` fast

    return import_physicians


@command("import", fr="Prendre des médecins d’un fichier CSV ; un permis déjà connu est mis à jour.", group=physician)
@takes_file
def import_(file: Path, data: Path | None, *, skip_faulty: bool, faulty_to: Path | None, json_wanted: bool) -> None:
    """Take physicians in from a CSV file; a licence already known is brought up to date."""
    take_in(_take, file, data, skip_faulty=skip_faulty, faulty_to=faulty_to, json_wanted=json_wanted)
