"""How a letter is put together from what is known."""

from datetime import date
from typing import Any

import pydantic
import pytest

from gamf.domain.correspondence import Language, LetterKind, Standing
from gamf.letters.content import (
    AccessPoint,
    Heading,
    LetterContent,
    Practice,
    Recipient,
    addressee_lines,
    compose,
)
from tests.letters.samples import sample

HEADING = Heading(letter_id="2026-000042-1", reference="2026-000042", dated=date(2026, 5, 8))
PRACTICE = Practice(
    physician_name="Benoît Spécimen",
    place="Clinique médicale du Modèle",
    address="99, boulevard de l'Essai",
    city="Trois-Rivières",
)
ACCESS = AccessPoint(name="GACO de l'Exemple", phone="819 555-0142")


def recipient(**changes: Any) -> Recipient:  # noqa: ANN401 - any field of a recipient
    known = {
        "name": "Maëlle Exemple-L'Heureux",
        "birth_date": date(1990, 7, 1),
        "representative": None,
        "address": "1234, rue de l'Échantillon, app. 5",
        "city": "Trois-Rivières",
        "postal_code": "G9A 1A1",
        "language": "fr",
        "english_attested": False,
        "registered_on": date(2021, 3, 1),
    }
    return Recipient.model_validate(known | changes)


def test_the_parts_give_the_sample() -> None:
    assert compose(HEADING, recipient(), PRACTICE, ACCESS) == sample(LetterKind.ATTRIBUTION)


def test_a25_a_standing_makes_it_the_corrective_letter() -> None:
    heading = Heading(
        letter_id="2026-000042-2",
        reference="2026-000042",
        dated=date(2026, 6, 3),
        standing=Standing.LAPSED,
    )
    assert compose(heading, recipient(), PRACTICE, ACCESS) == sample(LetterKind.CORRECTIVE)


@pytest.mark.parametrize(
    ("language", "attested", "expected"),
    [("en", True, Language.ENGLISH), ("en", False, Language.FRENCH), ("fr", True, Language.FRENCH)],
)
def test_a22_the_language_follows_the_attestation(
    language: str, expected: Language, *, attested: bool
) -> None:
    written = compose(HEADING, recipient(language=language, english_attested=attested), PRACTICE, ACCESS)
    assert written.language is expected


@pytest.mark.parametrize(
    ("birth_date", "representative", "lines", "for_child"),
    [
        (date(2012, 5, 8), "Ève Exemple", ("Zoé Exemple",), False),
        (date(2012, 5, 9), "Ève Exemple", ("Ève Exemple", "Parent ou représentant de Zoé Exemple"), True),
        (date(2012, 5, 9), None, ("Aux parents ou au représentant de", "Zoé Exemple"), True),
        (date(2012, 5, 9), "  ", ("Aux parents ou au représentant de", "Zoé Exemple"), True),
        (date(1950, 1, 1), "Ève Exemple", ("Zoé Exemple",), False),
    ],
)
def test_a19_who_is_addressed(
    birth_date: date, representative: str | None, lines: tuple[str, ...], *, for_child: bool
) -> None:
    child = recipient(name="Zoé Exemple", birth_date=birth_date, representative=representative)
    written = compose(HEADING, child, PRACTICE, ACCESS)
    assert written.addressee_lines == lines
    assert written.for_child is for_child


def test_a19_who_is_addressed_in_english() -> None:
    lines = addressee_lines(Language.ENGLISH, "Zoé Exemple", None, under_14=True)
    assert lines == ("To the parents or representative of", "Zoé Exemple")
    lines = addressee_lines(Language.ENGLISH, "Zoé Exemple", "Ève Exemple", under_14=True)
    assert lines == ("Ève Exemple", "Parent or representative of Zoé Exemple")


@pytest.mark.parametrize("written", ["g9a1a1", "G9A 1A1", " G9A  1A1 ", "G9A\u00a01a1"])
def test_a_postal_code_is_printed_in_its_usual_form(written: str) -> None:
    assert recipient(postal_code=written).postal_code == "G9A 1A1"


def test_what_cannot_be_printed_is_dropped_and_blanks_are_made_one() -> None:
    name = recipient(name=" Ana\t\u202eSpécimen\n\x07de\u00a0la \u200bBaie ").name
    assert name == "Ana Spécimen de la Baie"


def test_a_name_written_with_combining_accents_is_the_same_name() -> None:
    assert recipient(name="Zoe\u0301 Exemple").name == "Zoé Exemple"


@pytest.mark.parametrize("name", ["", "   ", "\u200b"])
def test_a_letter_needs_a_name(name: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        recipient(name=name)


def test_an_error_does_not_quote_the_person() -> None:
    with pytest.raises(pydantic.ValidationError) as refused:
        recipient(name={"Spécimen": 1}, city="")
    assert "Spécimen" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "standing"), [(LetterKind.ATTRIBUTION, Standing.LAPSED), (LetterKind.CORRECTIVE, None)]
)
def test_the_standing_belongs_to_the_corrective_letter(kind: LetterKind, standing: Standing | None) -> None:
    with pytest.raises(pydantic.ValidationError, match="standing"):
        LetterContent.model_validate(
            sample(LetterKind.ATTRIBUTION).model_dump() | {"kind": kind, "standing": standing}
        )


@pytest.mark.parametrize("letter_id", ["", "42", "../2026-000042-1", "2026-000042-1/x", "2026-000042"])
def test_a_letter_id_is_a_plain_file_name(letter_id: str) -> None:
    with pytest.raises(pydantic.ValidationError):
        Heading(letter_id=letter_id, reference="2026-000042", dated=date(2026, 5, 8))
