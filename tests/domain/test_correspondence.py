"""Who is written to, and in which language."""

from datetime import date, timedelta

import pytest

from gamf.domain.correspondence import (
    Language,
    LetterKind,
    Standing,
    goes_to_representative,
    letter_language,
)


@pytest.mark.parametrize(
    ("asked", "attested", "language"),
    [
        ("fr", False, Language.FRENCH),
        ("fr", True, Language.FRENCH),
        ("en", False, Language.FRENCH),
        ("en", True, Language.ENGLISH),
        ("", True, Language.FRENCH),
        ("EN", True, Language.FRENCH),
    ],
)
def test_a22_english_needs_the_wish_and_the_attestation(
    asked: str, language: Language, *, attested: bool
) -> None:
    assert letter_language(asked, english_attested=attested) is language


@pytest.mark.parametrize(
    ("birth_date", "fourteenth"),
    [
        (date(2012, 5, 8), date(2026, 5, 8)),
        (date(2012, 1, 1), date(2026, 1, 1)),
        (date(2011, 12, 31), date(2025, 12, 31)),
        (date(2012, 2, 29), date(2026, 2, 28)),
        (date(2012, 3, 1), date(2026, 3, 1)),
        (date(2014, 2, 28), date(2028, 2, 28)),
    ],
)
def test_a19_the_fourteenth_birthday_itself_is_fourteen(birth_date: date, fourteenth: date) -> None:
    assert goes_to_representative(birth_date, fourteenth - timedelta(days=1))
    assert not goes_to_representative(birth_date, fourteenth)
    assert not goes_to_representative(birth_date, fourteenth + timedelta(days=1))


def test_a19_a_letter_to_a_newborn_goes_to_the_representative() -> None:
    born = date(2026, 5, 8)
    assert goes_to_representative(born, born)


def test_a25_who_is_back_on_the_list() -> None:
    elsewhere = {Standing.ENROLLED_ELSEWHERE, Standing.LEFT}
    assert {standing for standing in Standing if not standing.back_on_list} == elsewhere


def test_the_names_are_those_that_the_database_keeps() -> None:
    assert [*LetterKind] == ["attribution", "corrective"]
    assert [*Standing] == [
        "lapsed",
        "cancelled",
        "patient_refused",
        "expired",
        "physician_left",
        "enrolled_elsewhere",
        "left",
    ]
    assert [*Language] == ["fr", "en"]
