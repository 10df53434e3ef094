"""The words of the tables: states, places, who acts, kinds of task and letter, in both languages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from gamf.client.cli.language import Text
from gamf.domain.states import LABELS, State

BLOCK_STATES: Final[Mapping[str, Text]] = {
    "requested": Text("demandé", "requested"),
    "drawn": Text("liste tirée, à approuver", "list drawn, to be approved"),
    "attributed": Text("attribué, en attente de réponses", "attributed, awaiting answers"),
    "closed": Text("fermé", "closed"),
    "withdrawn": Text("retiré", "withdrawn"),
}
PLACES: Final[Mapping[str, Text]] = {
    "waiting": Text("en attente", "waiting"),
    "proposed": Text("dans une liste tirée", "in a drawn list"),
    "attributed": Text("attribué", "attributed"),
    "enrolled": Text("inscrit", "enrolled"),
    "left": Text("parti", "left"),
}
STATUSES: Final[Mapping[str, Text]] = {
    "participating": Text("participant", "participating"),
    "non_participating": Text("non participant", "non-participating"),
    "disengaged": Text("désengagé", "disengaged"),
}
_OF_A_LIST: Final[Mapping[str, Text]] = {"drawn": Text("dans la liste tirée", "in the drawn list"), **PLACES}
OWNERS: Final[Mapping[str, Text]] = {
    "physician": Text("médecin", "physician"),
    "coordinator": Text("coordonnateur", "coordinator"),
    "clinic": Text("clinique", "clinic"),
    "gaco": Text("GACO", "GACO"),
}
TASKS: Final[Mapping[str, Text]] = {
    "answer_overdue": Text("72 heures sans réponse", "72 hours without an answer"),
    "sv_overdue": Text("14 jours sans inscription SV", "14 days without an SV"),
    "discriminatory_ground": Text("motif discriminatoire rapporté", "discriminatory ground reported"),
    "letter_not_sent": Text("lettre non remise", "letter not sent"),
    "announced_fact": Text("fait annoncé à revoir", "announced fact to review"),
}
LETTERS: Final[Mapping[str, Text]] = {
    "attribution": Text("attribution", "attribution"),
    "corrective": Text("correction", "correction"),
}
LETTER_STATES: Final[Mapping[str, Text]] = {
    "queued": Text("à envoyer", "to be sent"),
    "sending": Text("en cours d’envoi", "being sent"),
    "sent": Text("envoyée", "sent"),
    "withheld": Text("retenue", "withheld"),
}
FACTS: Final[Mapping[str, Text]] = {
    "proposed": Text("proposée", "proposed"),
    "accepted": Text("acceptée", "accepted"),
    "refused": Text("refusée par le médecin", "refused by the physician"),
    "cancelled": Text("annulée", "cancelled"),
    "sv_entered": Text("inscription SV", "SV entered"),
    "window_reopened": Text("fenêtre rouverte", "window reopened"),
    "patient_refused": Text("refus du patient", "patient's refusal"),
    "mf_signed": Text("formulaire 4096 signé (MF)", "form 4096 signed (MF)"),
    "enrolled_elsewhere": Text("inscrit ailleurs", "enrolled elsewhere"),
    "patient_left": Text("départ ou décès du patient", "patient left or died"),
    "physician_left": Text("départ du médecin", "physician left"),
    "answer_due": Text("fin des 72 heures", "end of the 72 hours"),
    "answer_grace_over": Text("fin de la grâce", "end of the grace"),
    "sv_due": Text("fin des 14 jours", "end of the 14 days"),
    "sv_grace_over": Text("fin de la grâce SV", "end of the SV grace"),
    "mf_due": Text("terme de la première visite", "first-visit term"),
    "late_mf_over": Text("fin du délai pour un MF tardif", "end of the delay for a late MF"),
}


def label(words: Mapping[str, Text], name: object) -> str:
    """Return the words for a name, or the name itself when there are none."""
    found = words.get(str(name))
    return str(found) if found else str(name or "")


def state(name: object) -> str:
    """Return the words for an attribution's state (or a place that a list shows in its stead)."""
    if str(name) in set(State):
        return str(Text(*LABELS[State(str(name))]))
    return label(_OF_A_LIST, name)


def instant(value: str | datetime | None) -> datetime | None:
    """Return an instant written in JSON as an instant."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
