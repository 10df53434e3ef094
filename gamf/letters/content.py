"""What a letter says, as plain values: everything that a template prints and nothing else."""

import unicodedata
from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gamf.domain.correspondence import (
    Language,
    LetterKind,
    Standing,
    goes_to_representative,
    letter_language,
)

LETTER_ID = r"^[0-9]{4}-[0-9]{6,}-[0-9]+$"
"""The attribution's reference and the letter's rank in it, which is also its file name: `2026-000042-1`."""

_POSTAL_CODE_LENGTH = 6
_FOR_PARENTS = {
    Language.FRENCH: "Aux parents ou au représentant de",
    Language.ENGLISH: "To the parents or representative of",
}
_AS_REPRESENTATIVE = {
    Language.FRENCH: "Parent ou représentant de",
    Language.ENGLISH: "Parent or representative of",
}


def _one_line(value: str) -> str:
    """Drop what cannot be printed (controls, text-direction marks) and make a run of blanks one space."""
    spaced = "".join(" " if char.isspace() else char for char in value)
    kept = "".join(char for char in spaced if unicodedata.category(char) not in {"Cc", "Cf", "Co", "Cs"})
    return unicodedata.normalize("NFC", " ".join(kept.split()))


def _spaced(postal_code: str) -> str:
    """Write a postal code as it is printed, `A1A 1A1`; leave anything else as it came."""
    compact = postal_code.replace(" ", "").upper()
    return f"{compact[:3]} {compact[3:]}" if len(compact) == _POSTAL_CODE_LENGTH else postal_code


Line = Annotated[str, AfterValidator(_one_line)]
PrintedLine = Annotated[Line, Field(min_length=1)]
PostalCode = Annotated[Line, AfterValidator(_spaced)]


class _Part(BaseModel):
    # An error that quoted its input would carry a name or an address into a log.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Heading(_Part):
    """Which letter it is: with a standing the corrective one (A25), without one the attribution (R7)."""

    letter_id: Annotated[str, Field(pattern=LETTER_ID)]
    reference: PrintedLine
    dated: date
    standing: Standing | None = None


class Recipient(_Part):
    """The patient, as the register has them."""

    name: PrintedLine
    birth_date: date
    representative: Line | None = None
    address: Line
    city: PrintedLine
    postal_code: PostalCode
    language: str
    english_attested: bool
    registered_on: date | None = None


class Practice(_Part):
    """The physician and the place of practice (R7)."""

    physician_name: PrintedLine
    place: PrintedLine
    address: Line
    city: Line


class AccessPoint(_Part):
    """The GACO that takes refusals and questions (R7)."""

    name: PrintedLine
    phone: PrintedLine


class LetterContent(_Part):
    """One letter, complete: the same content gives the same bytes."""

    letter_id: Annotated[str, Field(pattern=LETTER_ID)]
    reference: PrintedLine
    kind: LetterKind
    language: Language
    dated: date
    addressee_lines: Annotated[tuple[PrintedLine, ...], Field(min_length=1)]
    for_child: bool
    """Whether a parent or representative reads it, about a child under 14 (A19)."""
    patient_name: PrintedLine
    address: Line
    city: PrintedLine
    postal_code: PostalCode
    physician_name: PrintedLine
    place: PrintedLine
    place_address: Line
    place_city: Line
    gaco_name: PrintedLine
    gaco_phone: PrintedLine
    standing: Standing | None
    registered_on: date | None

    @model_validator(mode="after")
    def _standing_belongs_to_corrective(self) -> Self:
        if (self.standing is not None) != (self.kind is LetterKind.CORRECTIVE):
            raise ValueError("a corrective letter has a standing, an attribution letter has none")
        return self


def addressee_lines(
    language: Language, patient_name: str, representative: str | None, *, under_14: bool
) -> tuple[str, ...]:
    """Give the lines above the address (A19).

    From 14 on it is the patient's name alone: a representative recorded in childhood is no longer written to.
    Under 14, the representative by name or, when none is recorded, the parents without a name.
    """
    if not under_14:
        return (patient_name,)
    if representative:
        return (representative, f"{_AS_REPRESENTATIVE[language]} {patient_name}")
    return (_FOR_PARENTS[language], patient_name)


def compose(heading: Heading, recipient: Recipient, practice: Practice, access: AccessPoint) -> LetterContent:
    """Put a letter together: its kind, language (A22) and addressee (A19) follow from the parts."""
    language = letter_language(recipient.language, english_attested=recipient.english_attested)
    under_14 = goes_to_representative(recipient.birth_date, heading.dated)
    return LetterContent(
        letter_id=heading.letter_id,
        reference=heading.reference,
        kind=LetterKind.CORRECTIVE if heading.standing else LetterKind.ATTRIBUTION,
        language=language,
        dated=heading.dated,
        addressee_lines=addressee_lines(
            language, recipient.name, recipient.representative, under_14=under_14
        ),
        for_child=under_14,
        patient_name=recipient.name,
        address=recipient.address,
        city=recipient.city,
        postal_code=recipient.postal_code,
        physician_name=practice.physician_name,
        place=practice.place,
        place_address=practice.address,
        place_city=practice.city,
        gaco_name=access.name,
        gaco_phone=access.phone,
        standing=heading.standing,
        registered_on=recipient.registered_on,
    )
