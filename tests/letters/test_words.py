"""Every word of every letter, read back out of its PDF and held against the letters kept in `expected/`."""

from itertools import product
from pathlib import Path

import pytest

from gamf.domain.correspondence import Language, LetterKind, Standing
from gamf.letters.content import LetterContent, addressee_lines
from gamf.letters.render import LetterRenderer
from tests.letters.samples import corrective, sample_with, words

EXPECTED = Path(__file__).with_name("expected")
CHILD = "Zoé Exemple"


@pytest.fixture(scope="module")
def renderer() -> LetterRenderer:
    return LetterRenderer()


def expected(name: str) -> str:
    return " ".join((EXPECTED / f"{name}.txt").read_text().split())


def of_a_child(letter: LetterContent) -> LetterContent:
    lines = addressee_lines(letter.language, CHILD, None, under_14=True)
    return letter.model_copy(update={"for_child": True, "patient_name": CHILD, "addressee_lines": lines})


@pytest.mark.parametrize("language", Language)
def test_r7_the_attribution_letter(renderer: LetterRenderer, language: Language) -> None:
    letter = sample_with(LetterKind.ATTRIBUTION, language=language)
    assert words(renderer.render(letter)) == expected(f"attribution.{language}")


@pytest.mark.parametrize("language", Language)
def test_a19_the_attribution_letter_about_a_child(renderer: LetterRenderer, language: Language) -> None:
    letter = of_a_child(sample_with(LetterKind.ATTRIBUTION, language=language))
    assert words(renderer.render(letter)) == expected(f"attribution.{language}.child")


@pytest.mark.parametrize(("standing", "language"), [*product(Standing, Language)])
def test_a25_the_corrective_letter(renderer: LetterRenderer, standing: Standing, language: Language) -> None:
    letter = corrective(standing, language=language)
    assert words(renderer.render(letter)) == expected(f"corrective-{standing}.{language}")


@pytest.mark.parametrize(("standing", "language"), [*product(Standing, Language)])
def test_a25_the_corrective_letter_about_a_child(
    renderer: LetterRenderer, standing: Standing, language: Language
) -> None:
    letter = of_a_child(corrective(standing, language=language))
    assert words(renderer.render(letter)) == expected(f"corrective-{standing}.{language}.child")


def test_no_expected_letter_is_left_unread() -> None:
    letters = ["attribution", *(f"corrective-{standing}" for standing in Standing)]
    names = {
        f"{letter}.{language}{child}.txt"
        for letter, language, child in product(letters, Language, ("", ".child"))
    }
    assert {path.name for path in EXPECTED.iterdir()} == names


@pytest.mark.parametrize("standing", Standing)
def test_a25_who_is_back_on_the_list_is_told_the_initial_date(
    renderer: LetterRenderer, standing: Standing
) -> None:
    text = words(renderer.render(corrective(standing)))
    assert ("de nouveau sur la liste d’attente" in text) is standing.back_on_list
    assert ("1er mars 2021" in text) is standing.back_on_list


def test_a_letter_without_the_registration_date_leaves_it_out(renderer: LetterRenderer) -> None:
    letter = sample_with(LetterKind.ATTRIBUTION, registered_on=None)
    assert "conserverez votre date d’enregistrement initiale. Votre GACO" in words(renderer.render(letter))


@pytest.mark.parametrize(
    ("dated", "in_french", "in_english"),
    [
        ("2026-02-01", "Le 1er février 2026", "February 1, 2026"),
        ("2026-08-11", "Le 11 août 2026", "August 11, 2026"),
        ("2028-12-31", "Le 31 décembre 2028", "December 31, 2028"),
    ],
)
def test_dates_are_written_as_in_quebec(
    renderer: LetterRenderer, dated: str, in_french: str, in_english: str
) -> None:
    for language, in_words in ((Language.FRENCH, in_french), (Language.ENGLISH, in_english)):
        letter = sample_with(LetterKind.ATTRIBUTION, dated=dated, language=language)
        assert in_words in words(renderer.render(letter))
