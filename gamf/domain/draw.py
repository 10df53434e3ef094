"""Who is drawn for a block, and for whom (R3, R4, A8, A18, A21). The draw proposes; a coordinator approves."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict

from gamf.domain.refusal import RefusedByRuleError

LARGEST_BLOCK: Final = 1000
"""Patients. Blocks are of 500 to 850 (facts.md); a larger request is taken for a slip of the finger."""


class Candidate(BaseModel):
    """A waiting patient, as the draw sees them: nothing that tells who they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patient_id: str
    priority: str
    registered_on: date
    number: int
    vulnerable: bool


class Applicant(BaseModel):
    """A physician who asks for a block, as the register of physicians has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    licence: str
    rls: str
    status: str
    leaves_on: date | None = None


def check_size(size: int) -> None:
    """Refuse a block that is not of 1 to `LARGEST_BLOCK` patients (R4)."""
    if not 1 <= size <= LARGEST_BLOCK:
        raise RefusedByRuleError(
            "R4",
            f"Un bloc compte de 1 à {LARGEST_BLOCK} patients.",
            f"A block has 1 to {LARGEST_BLOCK} patients.",
            "size",
        )


def check_eligible(applicant: Applicant | None, rls: str) -> None:
    """Refuse a physician who is not a participating one of that RLS (R3), or who is leaving (A16)."""
    if applicant is None:
        raise RefusedByRuleError(
            "R3",
            "Aucun médecin n'a ce permis ; importez-le d'abord (gamf physician import).",
            "No physician has this licence; import them first (gamf physician import).",
            "physician",
        )
    if applicant.status != "participating":
        raise RefusedByRuleError(
            "R3",
            "Seul un médecin participant est sous l'entente.",
            "Only a participating physician is under the agreement.",
            "physician",
        )
    if applicant.rls != rls:
        raise RefusedByRuleError(
            "R3",
            "Le médecin demande un bloc au coordonnateur de son propre RLS.",
            "A physician asks the coordinator of their own RLS.",
            "rls",
        )
    if applicant.leaves_on is not None:
        raise RefusedByRuleError(
            "A16",
            f"Le départ du médecin est annoncé pour le {applicant.leaves_on} : aucun nouveau bloc.",
            f"The physician's departure is announced for {applicant.leaves_on}: no new block.",
            "physician",
        )


def list_order(candidate: Candidate) -> tuple[str, date, int]:
    """Return what orders the list: priority, initial registration date, registration number (A18)."""
    return candidate.priority, candidate.registered_on, candidate.number


def draw(candidates: Iterable[Candidate], size: int) -> list[Candidate]:
    """Draw the first `size` patients of the list, or all when there are fewer (R4, R5: nobody selects)."""
    return sorted(candidates, key=list_order)[:size]
