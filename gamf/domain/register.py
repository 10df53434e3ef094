"""What may happen to somebody on the list besides an attribution: leaving, coming back, moving (A15, A18, A23, A24)."""

from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict

from gamf.domain import words
from gamf.domain.facts import PatientLeft
from gamf.domain.refusal import RefusedByRuleError

WITHOUT_PHYSICIAN: Final = frozenset({"waiting", "proposed", "attributed"})
"""The places of those who have no family doctor yet, and so are still counting days."""


class Whereabouts(BaseModel):
    """Where somebody is in the register, and since when they have left it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: str
    rls: str
    left_on: date | None = None
    left_cause: str | None = None


def check_enrollable(place: str | None) -> None:
    """Refuse to enrol somebody who has left for good; their departure is to be undone first (A15)."""
    if place == "left":
        raise RefusedByRuleError(
            "A15",
            "Cette personne a quitté la liste pour de bon ; si c'est une erreur, réinscrivez-la d'abord.",
            "This person has left the list for good; if that is an error, register them again first.",
        )


def check_enrolled_outside(place: str | None, on: date, today: date) -> None:
    """Refuse what another physician cannot have done to somebody whom no attribution holds (A24).

    Raises:
        RefusedByRuleError: they have left for good (A15), or the day is to come: nothing waits for it here.
    """
    check_enrollable(place)
    if on > today:
        raise RefusedByRuleError(
            "A24",
            f"Le {words.fr(on)} est à venir ; pour qui n'est pas attribué, consignez l'inscription ce jour-là.",
            f"{words.en(on)} is to come; for somebody not attributed, record the enrolment on that day.",
            "effective_on",
        )


def waiting_days(place: str, registered_on: date, as_of: date) -> int | None:
    """Return the civil days since the initial date, as of a day; None for who no longer waits for a doctor."""
    return max((as_of - registered_on).days, 0) if place in WITHOUT_PHYSICIAN else None


def leaves(where: Whereabouts, fact: PatientLeft, today: date) -> bool:
    """Tell whether the departure of somebody whom no attribution holds changes anything (A15).

    Raises:
        RefusedByRuleError: they have left otherwise (A20), or the day is to come: nothing waits for it here.
    """
    if where.place == "left":
        if (where.left_on, where.left_cause) == (fact.on, fact.cause):
            return False
        assert where.left_on is not None  # noqa: S101 - whoever has left, left on a day
        fr, en = words.fr(where.left_on), words.en(where.left_on)
        raise RefusedByRuleError(
            "A20",
            f"Un départ est déjà consigné au {fr} ; réinscrivez la personne, puis consignez le bon.",
            f"A departure is recorded already on {en}; reinstate the person, then record the right one.",
        )
    if fact.on > today:
        raise RefusedByRuleError(
            "A15",
            f"Le {words.fr(fact.on)} est à venir ; pour qui n'est pas attribué, consignez le départ ce jour-là.",
            f"{words.en(fact.on)} is to come; for somebody not attributed, record the departure on that day.",
            "on",
        )
    return True


def reinstates(place: str, *, repeated: bool) -> bool:
    """Tell whether undoing a departure changes anything; `repeated` says that it was undone so before (A15).

    Raises:
        RefusedByRuleError: there is no departure to undo.
    """
    if place == "left":
        return True
    if not repeated:
        raise RefusedByRuleError(
            "A15",
            "Cette personne n'a pas quitté la liste : il n'y a rien à annuler.",
            "This person has not left the list: there is nothing to undo.",
        )
    return False


def moves(where: Whereabouts, to: str, on: date, today: date, *, known: bool) -> bool:
    """Tell whether a move to that RLS changes anything; the initial date stays in every case (A18).

    Raises:
        RefusedByRuleError: the RLS is unknown, the day is to come, or the person has left for good (A15).
    """
    if not known:
        raise RefusedByRuleError(
            "form",
            "RLS inconnu.",
            "Unknown RLS.",
            "to",
        )
    check_enrollable(where.place)
    if on > today:
        raise RefusedByRuleError(
            "A20",
            f"Le {words.fr(on)} est dans le futur.",
            f"{words.en(on)} is in the future.",
            "on",
        )
    return where.rls != to


def place_after_move(place: str) -> str:
    """Return where somebody is once moved: out of a list drawn in another RLS (A21), else where they were.

    Whoever is attributed stays so: an attribution follows its course with its own physician, and who returns to the
    list returns to that of the new RLS.
    """
    return "waiting" if place == "proposed" else place
