"""What operators see in the Temporal UI: search attributes, current details, summaries. Nobody is named."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributeUpdate,
    TypedSearchAttributes,
)

from gamf.domain import calendar, facts, retro, words
from gamf.domain.attribution import Step
from gamf.domain.block import BlockRequest, BlockState
from gamf.domain.departure import DepartureRequest, DepartureState
from gamf.domain.model import Attribution, Entry, Start
from gamf.domain.states import AWAITED, DEADLINE_LABELS, LABELS, WAITS, DeadlineName, State

STATE: Final = SearchAttributeKey.for_keyword("AttributionState")
DEADLINE: Final = SearchAttributeKey.for_datetime("Deadline")
PHYSICIAN: Final = SearchAttributeKey.for_keyword("Physician")
BLOCK: Final = SearchAttributeKey.for_keyword("Block")
RLS: Final = SearchAttributeKey.for_keyword("Rls")
VULNERABLE: Final = SearchAttributeKey.for_bool("Vulnerable")
ALL_KEYS: Final = (STATE, DEADLINE, PHYSICIAN, BLOCK, RLS, VULNERABLE)

STEP_SUMMARIES: Final[dict[Step, str]] = {
    Step.PROPOSE: "Réserver le patient et le proposer au médecin",
    Step.CONFIRM: "Confirmer l'acceptation et préparer la lettre",
    Step.ENROL_SV: "Inscrire le patient sans visite (SV)",
    Step.ENROL_MF: "Inscrire le patient en médecine familiale (MF)",
    Step.RETURN_TO_LIST: "Remettre le patient sur la liste à sa date initiale",
    Step.LEAVE_LIST: "Retirer le patient de la liste",
    Step.OPEN_TASK: "Ouvrir une tâche au coordonnateur",
    Step.REOPEN_WINDOW: "Rouvrir la fenêtre d'inscription SV",
    Step.NOTE: "Consigner au registre",
}
SEND_LETTER_SUMMARY: Final = "Remettre la lettre au transporteur"
LETTER_TASK_SUMMARY: Final = "Ouvrir une tâche : lettre non remise"
RAMQ_LIST_SUMMARY: Final = "Remettre à la RAMQ la liste confirmée"
RAMQ_SUPPLEMENT_SUMMARY: Final = "Remettre à la RAMQ un supplément à la liste du bloc"
REFUSED_SUMMARY: Final = "Consigner les faits refusés et leur motif"
TELL_SUMMARY: Final = "Aviser l'autre attribution du patient"

FACT_LABELS: Final[dict[str, str]] = {
    State.PROPOSED: "Patient attribué, proposé au médecin",
    retro.ADOPTED: "Patient attribué hors de ce système (cohorte rétroactive)",
    facts.Accepted.name: "Acceptation du médecin confirmée",
    facts.Refused.name: "Refus du médecin",
    facts.Cancelled.name: "Annulation par le coordonnateur",
    facts.SvEntered.name: "Inscription sans visite (SV)",
    facts.WindowReopened.name: "Fenêtre d'inscription SV rouverte",
    facts.PatientRefused.name: "Refus du patient",
    facts.MfSigned.name: "Formulaire 4096 signé (MF)",
    facts.EnrolledElsewhere.name: "Inscription auprès d'un autre médecin",
    facts.PatientLeft.name: "Départ du patient",
    facts.PhysicianLeft.name: "Départ du médecin",
}
_LATEST: Final = 8
_WEEKDAYS: Final = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")


def at_start(a: Attribution) -> TypedSearchAttributes:
    """Return the search attributes of an attribution whose workflow starts."""
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(STATE, a.state.value),
        SearchAttributePair(PHYSICIAN, a.start.physician),
        SearchAttributePair(RLS, a.start.rls),
        SearchAttributePair(VULNERABLE, a.start.vulnerable),
    ]
    if a.next_deadline is not None:
        pairs.append(SearchAttributePair(DEADLINE, a.next_deadline))
    if a.start.block_id is not None:
        pairs.append(SearchAttributePair(BLOCK, a.start.block_id))
    return TypedSearchAttributes(pairs)


def at_start_updates(a: Attribution) -> Sequence[SearchAttributeUpdate[Any]]:
    """Return the same, for an attribution that was started without them."""
    due, block_id = a.next_deadline, a.start.block_id
    return [
        STATE.value_set(a.state.value),
        PHYSICIAN.value_set(a.start.physician),
        RLS.value_set(a.start.rls),
        VULNERABLE.value_set(a.start.vulnerable),
        *([DEADLINE.value_set(due)] if due else []),
        *([BLOCK.value_set(block_id)] if block_id else []),
    ]


def updates(before: Attribution, after: Attribution) -> Sequence[SearchAttributeUpdate[Any]]:
    """Return what a transition changes in the search attributes."""
    changed: list[SearchAttributeUpdate[Any]] = []
    if after.state != before.state:
        changed.append(STATE.value_set(after.state.value))
    if after.next_deadline != before.next_deadline:
        due = after.next_deadline
        changed.append(DEADLINE.value_unset() if due is None else DEADLINE.value_set(due))
    return changed


def summary(start: Start) -> str:
    """Return the one line that the UI's list shows for an attribution."""
    block = f" · bloc {start.block_id}" if start.block_id else ""
    return f"Attribution {start.attribution_id} · médecin {start.physician}{block} · RLS {start.rls}"


def details(a: Attribution) -> str:
    """Return, in Markdown, the state, who is expected to act, the next deadline, and what happened last."""
    state = ("État", f"**{_sentence(LABELS[a.state][0])}** (`{a.state}`)")
    happened = [(_at(a, entry.at), _told(entry)) for entry in _latest(a)]
    policy = f"Politique {a.start.policy.version} · heures de {a.start.time_zone}"
    return "\n\n".join([_table([state, *_what_next(a)]), "**Ce qui s'est passé**", _table(happened), policy])


def _what_next(a: Attribution) -> list[tuple[str, str]]:
    if a.ended_on is not None:
        return [("Qui doit agir", "Personne : l'attribution est terminée"), ("Terminée le", _day(a.ended_on))]
    acts = ("Qui doit agir", f"**{_sentence(AWAITED[a.state][0])}**")
    if a.next_deadline is None:
        return [acts]
    day, hour = _local(a, a.next_deadline)
    due = f"**{_day(day)}, {hour}**"
    return [acts, ("Prochaine échéance", due), ("À l'échéance", timer_summary(a))]


def _latest(a: Attribution) -> list[Entry]:
    """Return the latest facts and deadlines, the last one first."""
    event = retro.ADOPTED if a.adopted_on else State.PROPOSED
    begun = Entry(fact=event, at=a.start.attributed_at, policy="", state=State.PROPOSED)
    return sorted((begun, *a.history, *a.passed), key=lambda entry: entry.at, reverse=True)[:_LATEST]


def _told(entry: Entry) -> str:
    if entry.fact in set(DeadlineName):
        return DEADLINE_LABELS[DeadlineName(entry.fact)][0]
    by = f" (par `{entry.by}`)" if entry.by else ""
    return f"{FACT_LABELS[entry.fact]}{by}"


def _table(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows)])


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def timer_summary(a: Attribution) -> str:
    """Return what the running timer waits for."""
    if a.next_deadline != a.deadline:
        return "Prise d'effet d'un fait annoncé"
    return DEADLINE_LABELS[WAITS[a.state]][0]


def _local(a: Attribution, instant: datetime) -> tuple[date, str]:
    return _on_the_wall(instant, a.start.time_zone)


def _on_the_wall(instant: datetime, time_zone: str) -> tuple[date, str]:
    """Say an instant on the RLS's clock (A23); midnight is 24:00 of the day that ends, as in the rules."""
    local = instant.astimezone(calendar.zone(time_zone))
    if local.time() == time(0):
        return local.date() - timedelta(days=1), "24\u00a0h\u00a000"
    return local.date(), f"{local.hour}\u00a0h\u00a0{local:%M}"


def _at(a: Attribution, instant: datetime) -> str:
    day, hour = _local(a, instant)
    return f"{day}, {hour}"


def _day(day: date) -> str:
    return f"{_WEEKDAYS[day.weekday()]} {words.fr(day)}"


def block_summary(request: BlockRequest) -> str:
    """Return the one line that the UI's list shows for a block."""
    return (
        f"Bloc {request.block_id} · médecin {request.physician} · RLS {request.rls} · {request.size} patients"
    )


APPROVAL_TIMER: Final = "Fin du délai d'approbation : la liste est retirée"


def block_updates(
    known: TypedSearchAttributes, request: BlockRequest, deadline: datetime | None
) -> Sequence[SearchAttributeUpdate[Any]]:
    """Return what a block's search attributes lack: whose it is, and the deadline that it waits for."""
    changed: list[SearchAttributeUpdate[Any]] = []
    if known.get(BLOCK) is None:
        changed += [
            BLOCK.value_set(request.block_id),
            PHYSICIAN.value_set(request.physician),
            RLS.value_set(request.rls),
        ]
    if known.get(DEADLINE) != deadline:
        changed.append(DEADLINE.value_unset() if deadline is None else DEADLINE.value_set(deadline))
    return changed


_BLOCK_DETAILS: Final[dict[BlockState, tuple[str, str]]] = {
    BlockState.REQUESTED: ("Demandé", "Personne : le tirage est en cours"),
    BlockState.DRAWN: ("Liste tirée, à approuver", "Le coordonnateur : approuver la liste ou la retirer"),
    BlockState.ATTRIBUTED: ("Liste attribuée", "Le médecin : accepter ou refuser dans les 72 heures"),
    BlockState.CLOSED: (
        "Fermé : toutes les réponses sont données",
        "Personne : chaque attribution suit son cours",
    ),
    BlockState.WITHDRAWN: ("Retiré", "Personne : les patients sont de nouveau sur la liste"),
}
_PLACES: Final = {"drawn": "tirés, en attente de l'approbation", "waiting": "de nouveau sur la liste"}


def block_details(
    state: BlockState, counts: dict[str, int], deadline: datetime | None = None, time_zone: str | None = None
) -> str:
    """Return, in Markdown, the block's state, who is expected to act and until when, and how many are where."""
    label, awaited = _BLOCK_DETAILS[state]
    rows = [("État", f"**{label}** (`{state}`)"), ("Qui doit agir", f"**{awaited}**")]
    if deadline is not None and time_zone is not None:
        day, hour = _on_the_wall(deadline, time_zone)
        rows += [("Prochaine échéance", f"**{_day(day)}, {hour}**"), ("À l'échéance", APPROVAL_TIMER)]
    patients = [(_sentence(_where(name)), str(count)) for name, count in sorted(counts.items())]
    return "\n\n".join(
        [_table(rows), "**Patients de la liste**", _table(patients)] if patients else [_table(rows)]
    )


def _where(name: str) -> str:
    return _PLACES.get(name) or LABELS[State(name)][0]


DEPARTURE_TIMER: Final = "Prise d'effet du départ du médecin"
DEPARTURE_AGAIN: Final = "Attendre les attributions qui ne sont pas encore dans Temporal"
_CAUSES: Final = {
    "retired": "retraite",
    "deceased": "décès",
    "non_participating": "non-participation",
    "disengaged": "désengagement",
    "moved": "départ du RLS",
}
_DEPARTURE_DETAILS: Final[dict[DepartureState, tuple[str, str]]] = {
    DepartureState.REQUESTED: ("Demandé", "Personne : l'annonce est en cours d'écriture"),
    DepartureState.ANNOUNCED: (
        "Annoncé : aucun nouveau bloc",
        "Le coordonnateur, si le médecin reste : retirer l'annonce avant sa date",
    ),
    DepartureState.EFFECTIVE: ("En vigueur", "Personne : chaque attribution en est avisée"),
    DepartureState.DONE: ("Terminé : toutes les attributions sont avisées", "Personne"),
    DepartureState.WITHDRAWN: ("Retiré : le médecin reste", "Personne"),
}


def departure_summary(request: DepartureRequest) -> str:
    """Return the one line that the UI's list shows for a departure."""
    return f"Départ du médecin {request.physician} le {request.on} ({_CAUSES[request.cause]})"


def departure_pairs(request: DepartureRequest, rls: str, deadline: datetime) -> TypedSearchAttributes:
    """Return the search attributes of a departure that starts."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(PHYSICIAN, request.physician),
            SearchAttributePair(RLS, rls),
            SearchAttributePair(DEADLINE, deadline),
        ]
    )


def departure_updates(
    known: TypedSearchAttributes, physician: str, rls: str | None, deadline: datetime | None
) -> Sequence[SearchAttributeUpdate[Any]]:
    """Return what a departure's search attributes lack."""
    changed: list[SearchAttributeUpdate[Any]] = []
    if known.get(PHYSICIAN) is None:
        changed.append(PHYSICIAN.value_set(physician))
    if rls is not None and known.get(RLS) is None:
        changed.append(RLS.value_set(rls))
    if known.get(DEADLINE) != deadline:
        changed.append(DEADLINE.value_unset() if deadline is None else DEADLINE.value_set(deadline))
    return changed


def departure_details(
    request: DepartureRequest, state: DepartureState, *, reached: int, remaining: int, lists: Sequence[str]
) -> str:
    """Return, in Markdown, the departure's state, its day, who is expected to act, and how many it has reached."""
    label, awaited = _DEPARTURE_DETAILS[state]
    rows = [
        ("État", f"**{label}** (`{state}`)"),
        ("Prise d'effet", f"**{_day(request.on)}**, 0\u00a0h\u00a000 (heure du RLS)"),
        ("Motif", _CAUSES[request.cause]),
        ("Qui doit agir", f"**{awaited}**"),
        ("Attributions avisées", str(reached)),
        ("À aviser encore", str(remaining)),
        ("Listes tirées retirées", ", ".join(lists) or "aucune"),
    ]
    return _table(rows)
