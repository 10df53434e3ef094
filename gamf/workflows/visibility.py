"""What operators see in the Temporal UI: search attributes, current details, summaries. None of it names a person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from gamf.domain import calendar
from gamf.domain.attribution import Attribution, Start, Step, begin
from gamf.domain.block import BlockRequest, BlockState
from gamf.domain.states import AWAITED, DEADLINE_LABELS, LABELS, WAITS

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
    """Return, in Markdown, the state, the next deadline and who is expected to act."""
    lines = [f"**État :** {LABELS[a.state][0]} (`{a.state}`)"]
    due = a.next_deadline
    if a.ended:
        lines.append(f"**Terminée le :** {a.ended_on}")
    elif due is not None:
        lines += [f"**Prochaine échéance :** {_local(a, due)} — {timer_summary(a)}", f"**On attend** {AWAITED[a.state][0]}"]
    lines.append(f"**Politique :** {a.start.policy.version} · faits pris : {len(a.history)}")
    return "\n\n".join(lines)


def timer_summary(a: Attribution) -> str:
    """Return what the running timer waits for."""
    if a.next_deadline != a.deadline:
        return "Prise d'effet d'un fait annoncé"
    return DEADLINE_LABELS[WAITS[a.state]][0]


def _local(a: Attribution, instant: datetime) -> str:
    local = instant.astimezone(calendar.zone(a.start.time_zone))
    return f"{local:%Y-%m-%d %H h %M} ({a.start.time_zone})"


def block_summary(request: BlockRequest) -> str:
    """Return the one line that the UI's list shows for a block."""
    return f"Bloc {request.block_id} · médecin {request.physician} · RLS {request.rls} · {request.size} patients"


_BLOCK_DETAILS: Final[dict[BlockState, tuple[str, str]]] = {
    BlockState.REQUESTED: ("demandé", "tirage en cours"),
    BlockState.DRAWN: ("liste tirée", "le coordonnateur : approuver la liste ou la retirer"),
    BlockState.ATTRIBUTED: ("liste attribuée", "le médecin : accepter ou refuser dans les 72 heures"),
    BlockState.CLOSED: ("fermé : toutes les réponses sont données", "personne"),
    BlockState.WITHDRAWN: ("retiré", "personne"),
}


def block_details(state: BlockState, counts: dict[str, int]) -> str:
    """Return, in Markdown, the block's state, who is expected to act, and how many are where."""
    label, awaited = _BLOCK_DETAILS[state]
    where = ", ".join(f"{name} : {count}" for name, count in sorted(counts.items()))
    return f"**État :** {label} (`{state}`)\n\n**On attend** {awaited}\n\n**Patients :** {where or '—'}"
