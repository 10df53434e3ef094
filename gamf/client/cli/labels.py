"""The words of the tables: states, places, who acts, kinds of task and letter, in both languages."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from gamf.client.cli.language import Text, say
from gamf.domain.calendar import zone
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
    "no_replacement": Text("patient non remplacé", "patient not replaced"),
    "difference": Text("base et flux de travail à concilier", "database and workflow to reconcile"),
    "sv_to_enter": Text("inscription SV à saisir", "SV to enter"),
    "mf_term_near": Text("terme de la première visite proche", "first-visit term near"),
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
RAMQ_KINDS: Final[Mapping[str, Text]] = {
    "list": Text("liste", "list"),
    "supplement": Text("supplément", "supplement"),
}
DEPARTURES: Final[Mapping[str, Text]] = {
    "requested": Text("demandé", "requested"),
    "announced": Text("annoncé", "announced"),
    "effective": Text("en vigueur, attributions en cours d’avis", "effective, attributions being told"),
    "done": Text("terminé", "done"),
    "withdrawn": Text("retiré : le médecin reste", "withdrawn: the physician stays"),
}
PHYSICIAN_CAUSES: Final[Mapping[str, Text]] = {
    "retired": Text("retraite", "retired"),
    "deceased": Text("décès", "deceased"),
    "non_participating": Text("non-participation", "non-participating"),
    "disengaged": Text("désengagement", "disengaged"),
    "moved": Text("départ du RLS", "moved away"),
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


PROFILES: Final[Mapping[str, Text]] = {
    "network": Text("celui du RLS", "that of the RLS"),
    "waiting_list": Text("celui de la liste d’attente", "that of the waiting list"),
}


def ages(band: str | None) -> str:
    """Return the words for an age band, such as `18-34`."""
    years = (band or "").replace("-", "–")
    return say(f"{years} ans", f"{years} years") if years else ""


def label(words: Mapping[str, Text], name: object) -> str:
    """Return the words for a name, or the name itself when there are none."""
    found = words.get(str(name))
    return str(found) if found else str(name or "")


def state(name: object) -> str:
    """Return the words for an attribution's state (or a place that a list shows in its stead)."""
    if str(name) in set(State):
        return str(Text(*LABELS[State(str(name))]))
    return label(_OF_A_LIST, name)


def counts(by_state: Mapping[str, int]) -> str:
    """Return how many are in each state, in words."""
    return ", ".join(f"{state(name)}{say(' :', ':')} {number}" for name, number in by_state.items())


def instant(value: str | datetime | None, time_zone: str | None = None) -> datetime | None:
    """Return an instant, written in JSON or not, on the clock of that zone when there is one (A23)."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(zone(time_zone)) if at and time_zone else at


def until(deadline: datetime, time_zone: str) -> str:
    """Return a deadline as a person says it: 24:00 of a day rather than 00:00 of the next one (A5, A23)."""
    local = deadline.astimezone(zone(time_zone))
    if (local.hour, local.minute, local.second) != (0, 0, 0):
        return f"{local:%Y-%m-%d %H:%M %z}"
    before = (deadline - timedelta(minutes=1)).astimezone(zone(time_zone))
    return f"{before:%Y-%m-%d} 24:00 {before:%z}"
