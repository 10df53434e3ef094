"""Who is written to, in which language, and why: the rules that letters obey (A19, A22, A25)."""

import calendar
from datetime import date
from enum import StrEnum

AGE_OF_MEDICAL_CONSENT = 14
"""Years. From that birthday on, a person is written to in their own name (A19)."""


class Language(StrEnum):
    """The languages a letter exists in."""

    FRENCH = "fr"
    ENGLISH = "en"


class LetterKind(StrEnum):
    """The letters a patient can get."""

    ATTRIBUTION = "attribution"
    """Announces the physician, and how to refuse (R7)."""

    CORRECTIVE = "corrective"
    """Says that the attribution announced earlier has ended (A25)."""


class Standing(StrEnum):
    """Why an attribution ended, as the corrective letter tells it, hence where the person stands (A25)."""

    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    PATIENT_REFUSED = "patient_refused"
    EXPIRED = "expired"
    PHYSICIAN_LEFT = "physician_left"
    ENROLLED_ELSEWHERE = "enrolled_elsewhere"
    LEFT = "left"
    """Left Québec or no longer eligible (A15); nobody is written to after a death."""

    @property
    def back_on_list(self) -> bool:
        """Whether the person waits again, with the initial registration date (A18, A25)."""
        return self not in {Standing.ENROLLED_ELSEWHERE, Standing.LEFT}


def letter_language(language: str, *, english_attested: bool) -> Language:
    """Give the language of a person's letters: French, unless English is asked for *and* attested (A22)."""
    if language == Language.ENGLISH and english_attested:
        return Language.ENGLISH
    return Language.FRENCH


def goes_to_representative(birth_date: date, on: date) -> bool:
    """Tell whether a letter dated `on` goes to the parent or representative: under 14 that day (A19).

    The 14th birthday itself is 14. Someone born on 29 February has it on 28 February in a common year: the
    month's last day, as for every other anniversary (A10).
    """
    return on < _birthday(birth_date, birth_date.year + AGE_OF_MEDICAL_CONSENT)


def _birthday(birth_date: date, year: int) -> date:
    last_day = calendar.monthrange(year, birth_date.month)[1]
    return date(year, birth_date.month, min(birth_date.day, last_day))
