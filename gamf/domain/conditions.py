"""A vulnerability condition: recorded from the first visit on, refused before it (R13), withdrawn, never edited (A20).

**The first visit, in our data.** Form 4096 is signed by patient and physician at the first visit or clinical
intervention (R2): its signature date is the visit's. For an enrolment outside LE 321, whose form we never see, it is
the first day of the enrolment. An SV is entered without a visit, so that nobody enrolled SV alone has had one. The
earliest counts, and a voided enrolment never was.

A condition changes nothing in R14's term, which looks at the vulnerability as it was at the attribution (A9).
"""

from collections.abc import Iterable
from datetime import date

from pydantic import BaseModel, ConfigDict

from gamf.domain import words
from gamf.domain.refusal import RefusedByRuleError


class FamilyEnrolment(BaseModel):
    """An MF enrolment that is not voided; `signed_on` is form 4096's date, None outside LE 321."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: date
    signed_on: date | None = None


class Standing(BaseModel):
    """A condition of the same code that is recorded and not withdrawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    noted_on: date


def first_visit(enrolments: Iterable[FamilyEnrolment]) -> date | None:
    """Return the day of the first visit, or None when there was none yet (R2, R13)."""
    return min((each.signed_on or each.start for each in enrolments), default=None)


def check_code(*, known: bool) -> None:
    """Refuse a code that is not in our table; the code is never repeated."""
    if not known:
        raise RefusedByRuleError(
            "R13",
            "Ce code n'est pas dans la table des conditions.",
            "This code is not in the table of conditions.",
            "code",
        )


def check_noted(on: date, visit: date | None, today: date, left_on: date | None = None) -> None:
    """Refuse a day before the first visit (R13), after a departure for good (A15), or to come."""
    if visit is None:
        raise RefusedByRuleError(
            "R13",
            "Aucune première visite n'est connue (formulaire 4096 signé) : rien ne se consigne encore.",
            "No first visit is known (form 4096 signed): nothing is recorded yet.",
        )
    if on < visit:
        raise RefusedByRuleError(
            "R13",
            f"La première visite est du {words.fr(visit)} ; rien ne se consigne à une date antérieure.",
            f"The first visit is of {words.en(visit)}; nothing is recorded at an earlier date.",
            "on",
        )
    if on > today:
        raise RefusedByRuleError(
            "R13",
            f"Le {words.fr(on)} est dans le futur.",
            f"{words.en(on)} is in the future.",
            "on",
        )
    if left_on is not None and on > left_on:
        raise RefusedByRuleError(
            "A15",
            f"La personne a quitté la liste le {words.fr(left_on)}.",
            f"The person left the list on {words.en(left_on)}.",
            "on",
        )


def adds(standing: Standing | None, on: date) -> bool:
    """Tell whether a condition is new: the same again changes nothing.

    Raises:
        RefusedByRuleError: it is recorded at another date, and is to be withdrawn first (A20).
    """
    if standing is None:
        return True
    if standing.noted_on != on:
        on = standing.noted_on
        raise RefusedByRuleError(
            "A20",
            f"Ce code est déjà consigné au {words.fr(on)} ; retirez-le, avec un motif, pour en changer.",
            f"This code is recorded already at {words.en(on)}; withdraw it, with a reason, to change it.",
            "on",
        )
    return False


def withdraws(withdrawn_for: str | None, reason: str) -> bool:
    """Tell whether a withdrawal is new: the same again changes nothing.

    Raises:
        RefusedByRuleError: it was withdrawn for another reason already (A20).
    """
    if withdrawn_for is not None and withdrawn_for != reason:
        raise RefusedByRuleError(
            "A20",
            "Cette condition est déjà retirée, pour un autre motif.",
            "This condition is withdrawn already, for another reason.",
            "reason",
        )
    return withdrawn_for is None
