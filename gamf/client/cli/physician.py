"""`gamf physician`: the physicians."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from gamf.client.cli.commands import argument, command, new_group
from gamf.client.cli.departing import leaves, reached, returns, show, stays
from gamf.client.cli.entering import enter, takes_many
from gamf.client.cli.importing import take_in, takes_file
from gamf.client.cli.language import Text
from gamf.client.cli.values import LICENCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gamf.client.acting import Desk
    from gamf.client.cli.importing import Take
    from gamf.storage.standing import Member

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


@command(
    "sv",
    fr="""Inscrire SV tous les patients d’un médecin qui l’attendent (R8), de tous ses blocs et d’aucun.

    Dit ce qu’il advient de chacun\u00a0; reprise, la commande n’inscrit que ceux qui manquent.""",
    group=physician,
)
@argument(
    "licence",
    type=LICENCE,
    fr="Le permis, de 5 chiffres.",
    en="The licence, of 5 digits.",
    shown=Text("PERMIS", "LICENCE"),
)
@takes_many
def sv(
    licence: str,
    on: date | None,
    but: tuple[str, ...],
    by: str | None,
    data: Path | None,
    *,
    json_wanted: bool,
) -> None:
    """Enter the SV of all of a physician's patients who wait for it (R8), of all their blocks and of none.

    Says what became of each; again, the command only enters those that are missing.
    """
    from gamf.client import entering  # noqa: PLC0415 - keeps `--help` fast

    async def find(desk: "Desk", but: "Sequence[str]") -> "list[Member]":
        return await entering.of_physician(desk, licence, but)

    enter(find, on, but, by, data, json_wanted=json_wanted)


for _command in (show, leaves, stays, returns, reached):
    physician.add_command(_command)
