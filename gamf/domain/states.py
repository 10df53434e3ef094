"""The states of an attribution, the deadlines it waits for, and who acts: the words of the table, with their labels."""

from enum import StrEnum
from typing import Final

from gamf.domain.effects import Owner


class State(StrEnum):
    """Where an attribution is (contract.md). `expired` is both a wait of 90 days and an end (A11)."""

    PROPOSED = "proposed"
    UNANSWERED = "unanswered"
    CONFIRMED = "confirmed"
    OVERDUE = "overdue"
    ENROLLED_SV = "enrolled_sv"
    EXPIRED = "expired"
    ENROLLED_MF = "enrolled_mf"
    REFUSED = "refused"
    PATIENT_REFUSED = "patient_refused"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    ENROLLED_ELSEWHERE = "enrolled_elsewhere"
    PATIENT_LEFT = "patient_left"
    PHYSICIAN_LEFT = "physician_left"


class DeadlineName(StrEnum):
    """The deadlines that move an attribution when nobody does."""

    ANSWER_DUE = "answer_due"
    ANSWER_GRACE_OVER = "answer_grace_over"
    SV_DUE = "sv_due"
    SV_GRACE_OVER = "sv_grace_over"
    MF_DUE = "mf_due"
    LATE_MF_OVER = "late_mf_over"


UNDER_WAY: Final = frozenset(
    {State.PROPOSED, State.UNANSWERED, State.CONFIRMED, State.OVERDUE, State.ENROLLED_SV}
)
"""The patient is held: attributed, and not on the list."""
UNANSWERED: Final = frozenset({State.PROPOSED, State.UNANSWERED})
"""The physician's answer is still possible (R6, A3)."""

WAITS: Final[dict[State, DeadlineName]] = {
    State.PROPOSED: DeadlineName.ANSWER_DUE,
    State.UNANSWERED: DeadlineName.ANSWER_GRACE_OVER,
    State.CONFIRMED: DeadlineName.SV_DUE,
    State.OVERDUE: DeadlineName.SV_GRACE_OVER,
    State.ENROLLED_SV: DeadlineName.MF_DUE,
    State.EXPIRED: DeadlineName.LATE_MF_OVER,
}
"""The deadline that each waiting state waits for."""

ACTS: Final[dict[State, Owner]] = {
    State.PROPOSED: Owner.PHYSICIAN,
    State.UNANSWERED: Owner.COORDINATOR,
    State.CONFIRMED: Owner.CLINIC,
    State.OVERDUE: Owner.COORDINATOR,
    State.ENROLLED_SV: Owner.CLINIC,
    State.EXPIRED: Owner.CLINIC,
}
"""Who is expected to act in each waiting state."""

LABELS: Final[dict[State, tuple[str, str]]] = {
    State.PROPOSED: ("proposée au médecin", "proposed to the physician"),
    State.UNANSWERED: ("sans réponse", "unanswered"),
    State.CONFIRMED: ("confirmée", "confirmed"),
    State.OVERDUE: ("inscription SV en retard", "SV overdue"),
    State.ENROLLED_SV: ("inscrit sans visite (SV)", "enrolled without a visit (SV)"),
    State.EXPIRED: ("délai de la première visite expiré", "first-visit term expired"),
    State.ENROLLED_MF: ("inscrit en médecine familiale (MF)", "enrolled in family medicine (MF)"),
    State.REFUSED: ("refusée par le médecin", "refused by the physician"),
    State.PATIENT_REFUSED: ("refusée par le patient", "refused by the patient"),
    State.CANCELLED: ("annulée par le coordonnateur", "cancelled by the coordinator"),
    State.LAPSED: ("caduque", "lapsed"),
    State.ENROLLED_ELSEWHERE: ("inscrit auprès d'un autre médecin", "enrolled with another physician"),
    State.PATIENT_LEFT: ("patient parti", "patient left"),
    State.PHYSICIAN_LEFT: ("médecin parti", "physician left"),
}
"""Each state in French and in English."""

AWAITED: Final[dict[State, tuple[str, str]]] = {
    State.PROPOSED: ("le médecin : accepter ou refuser", "the physician: accept or refuse"),
    State.UNANSWERED: (
        "le coordonnateur : obtenir la réponse ou annuler",
        "the coordinator: get the answer or cancel",
    ),
    State.CONFIRMED: ("la clinique : inscrire le patient SV", "the clinic: enrol the patient SV"),
    State.OVERDUE: (
        "le coordonnateur : rouvrir la fenêtre ou annuler",
        "the coordinator: reopen the window or cancel",
    ),
    State.ENROLLED_SV: (
        "la clinique : première visite et formulaire 4096 signé",
        "the clinic: first visit and form 4096 signed",
    ),
    State.EXPIRED: (
        "la clinique : transmettre un formulaire 4096 signé avant le terme, s'il existe",
        "the clinic: send a form 4096 signed by the term, if there is one",
    ),
}
"""What is awaited in each waiting state, and from whom, in French and in English."""

DEADLINE_LABELS: Final[dict[DeadlineName, tuple[str, str]]] = {
    DeadlineName.ANSWER_DUE: ("Fin des 72 heures pour répondre", "End of the 72 hours to answer"),
    DeadlineName.ANSWER_GRACE_OVER: (
        "Fin du délai de grâce : l'attribution devient caduque",
        "End of the grace: the attribution lapses",
    ),
    DeadlineName.SV_DUE: ("Fin des 14 jours pour inscrire SV", "End of the 14 days to enrol SV"),
    DeadlineName.SV_GRACE_OVER: (
        "Fin du délai de grâce SV : l'attribution devient caduque",
        "End of the SV grace: the attribution lapses",
    ),
    DeadlineName.MF_DUE: ("Terme de la première visite (MF)", "Term of the first visit (MF)"),
    DeadlineName.LATE_MF_OVER: ("Fin des 90 jours pour un MF tardif", "End of the 90 days for a late MF"),
}
"""Each deadline in French and in English."""
