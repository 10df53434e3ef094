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

from gamf.domain import calendar, facts
from gamf.domain.attribution import Step, begin
from gamf.domain.block import BlockRequest, BlockState
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
REFUSED_SUMMARY: Final = "Consigner les faits refusés et leur motif"
TELL_SUMMARY: Final = "Aviser l'autre attribution du patient"

FACT_LABELS: Final[dict[str, str]] = {
    State.PROPOSED: "Patient attribué, proposé au médecin",
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
_MONTHS: Final = tuple(
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905 - one line for twelve words
)


def at_start(start: Start) -> TypedSearchAttributes:
    """Return the search attributes of an attribution that starts."""
    pairs: list[SearchAttributePair[Any]] = [
        SearchAttributePair(STATE, begin(start).attribution.state.value),
        SearchAttributePair(PHYSICIAN, start.physician),
        SearchAttributePair(RLS, start.rls),
        SearchAttributePair(VULNERABLE, start.vulnerable),
    ]
    deadline = begin(start).attribution.deadline
    if deadline is not None:
        pairs.append(SearchAttributePair(DEADLINE, deadline))
    if start.block_id is not None:
        pairs.append(SearchAttributePair(BLOCK, start.block_id))
    return TypedSearchAttributes(pairs)


def at_start_updates(start: Start) -> Sequence[SearchAttributeUpdate[Any]]:
    """Return the same, for an attribution that was started without them."""
    due = begin(start).attribution.deadline
    return [
        STATE.value_set(begin(start).attribution.state.value),
        PHYSICIAN.value_set(start.physician),
        RLS.value_set(start.rls),
        VULNERABLE.value_set(start.vulnerable),
        *([DEADLINE.value_set(due)] if due else []),
        *([BLOCK.value_set(start.block_id)] if start.block_id else []),
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
    begun = Entry(fact=State.PROPOSED, at=a.start.attributed_at, policy="", state=State.PROPOSED)
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
    """Say an instant on the RLS's clock (A23); midnight is 24:00 of the day that ends, as in the rules."""
    local = instant.astimezone(calendar.zone(a.start.time_zone))
    if local.time() == time(0):
        return local.date() - timedelta(days=1), "24\u00a0h\u00a000"
    return local.date(), f"{local.hour}\u00a0h\u00a0{local:%M}"


def _at(a: Attribution, instant: datetime) -> str:
    day, hour = _local(a, instant)
    return f"{day}, {hour}"


def _day(day: date) -> str:
    return (
        f"{_WEEKDAYS[day.weekday()]} {'1er' if day.day == 1 else day.day} {_MONTHS[day.month - 1]} {day.year}"
    )


def block_summary(request: BlockRequest) -> str:
    """Return the one line that the UI's list shows for a block."""
    return (
        f"Bloc {request.block_id} · médecin {request.physician} · RLS {request.rls} · {request.size} patients"
    )


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


def block_details(state: BlockState, counts: dict[str, int]) -> str:
    """Return, in Markdown, the block's state, who is expected to act, and how many are where."""
    label, awaited = _BLOCK_DETAILS[state]
    rows = [("État", f"**{label}** (`{state}`)"), ("Qui doit agir", f"**{awaited}**")]
    patients = [(_sentence(_where(name)), str(count)) for name, count in sorted(counts.items())]
    return "\n\n".join(
        [_table(rows), "**Patients de la liste**", _table(patients)] if patients else [_table(rows)]
    )


def _where(name: str) -> str:
    return _PLACES.get(name) or LABELS[State(name)][0]
