"""The menu: the screens, each for whoever may do what it is for. A new screen has its line here."""

from typing import Final, NamedTuple

from gamf.client.cli.language import Text
from gamf.domain.roles import Actor, UseCase, scope_of


class Entry(NamedTuple):
    """A screen: its path, its name, and what one must be allowed to see it."""

    path: str
    words: Text
    use_case: UseCase


MENU: Final = (
    Entry("/", Text("Mes tâches", "My tasks"), UseCase.TASK_LIST),
    Entry("/blocs", Text("Blocs", "Blocks"), UseCase.BLOCK_LIST),
    Entry("/attributions", Text("Attributions", "Attributions"), UseCase.ATTRIBUTION_LIST),
    Entry("/liste", Text("La liste", "The list"), UseCase.REGISTER_LIST),
    Entry("/medecins", Text("Médecins", "Physicians"), UseCase.PHYSICIAN_LIST),
    Entry("/profils", Text("Profils des RLS", "Profiles of the RLS"), UseCase.PROFILE_SHOW),
    Entry("/indicateurs", Text("Indicateurs", "Indicators"), UseCase.INDICATORS_SHOW),
    Entry("/ramq", Text("RAMQ", "RAMQ"), UseCase.RAMQ_LISTS_SHOW),
    Entry("/journal", Text("Journal des accès", "Access log"), UseCase.ACCESS_LOG_SHOW),
    Entry("/compte", Text("Mon compte", "My account"), UseCase.OWN_ACCOUNT),
)


def entries(actor: Actor) -> list[Entry]:
    """Return the screens that the actor may see, in order."""
    return [entry for entry in MENU if not scope_of(actor, entry.use_case).is_empty()]
