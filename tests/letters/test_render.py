"""The sheet: accessible, set for its envelope, the same each time, and proof against any name."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import pairwise, product
from typing import Any

import psutil
import pypdf
import pytest
from pypdf.generic import ArrayObject, BooleanObject, DictionaryObject, IndirectObject

from gamf.domain.correspondence import Language, LetterKind, Standing
from gamf.letters.content import LetterContent
from gamf.letters.render import LetterRenderer, RenderError
from tests.letters.samples import corrective, opened, sample, sample_with, words

POINTS_PER_INCH = 72
LEAST_LINE_HEIGHT = 0.13
WIDEST_LETTERS_IN_A_LINE = 48
# What shows in a #10 envelope's window wherever the folded sheet has slid to, and what may show: two corners,
# in inches from the left and from the top.
ALWAYS_SEEN = (0.875, 2.5, 4.375, 3.17)
EVER_SEEN = (0.0, 2.04, 5.375, 3.63)

EVERY_LETTER = [
    *(sample_with(LetterKind.ATTRIBUTION, language=language) for language in Language),
    *(corrective(standing, language=language) for standing, language in product(Standing, Language)),
]

HOSTILE_NAMES = [
    '#let "x',
    "*a* _b_ $c$ `d` <e> @f",
    "#panic() #image(\"/etc/hostname\") #read('fr.typ')",
    "= Titre / - liste + énumération // fin /* rien */",
    "\\u{41} \\# ~ -- --- ... [x] {y}",
    '{"letter": "autre"}',
    "N'Guyễn-D’Œuvré Ÿvonne Łukasz Šťastný Ægir Þór Ştefan",
    "Ééèêëàâäîïôöùûüçœæ ÉÈÊËÀÂÄÎÏÔÖÙÛÜÇŒÆ",
]


@pytest.fixture(scope="module")
def renderer() -> LetterRenderer:
    return LetterRenderer()


def placed_words(pdf: bytes) -> list[tuple[str, float, float]]:
    """Give each run of text with where it begins, in inches from the left and from the top."""
    found: list[tuple[str, float, float]] = []
    page = opened(pdf).pages[0]
    height = float(page.mediabox.height)

    def visit(text: str, cm: list[float], tm: list[float], _font: Any, _size: float) -> None:  # noqa: ANN401 - pypdf's own
        if text.strip():
            x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
            y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
            found.append((text.strip(), x / POINTS_PER_INCH, (height - y) / POINTS_PER_INCH))

    page.extract_text(visitor_text=visit)
    return found


def inner(outer: DictionaryObject, key: str) -> DictionaryObject:
    found = outer[key]
    assert isinstance(found, DictionaryObject)
    return found


def structure_roles(reader: pypdf.PdfReader) -> Iterator[str]:
    """Walk the structure tree: the role of each element, as a reading aid meets them."""
    pending: list[Any] = [reader.root_object["/StructTreeRoot"]]
    while pending:
        node = pending.pop(0)
        if isinstance(node, IndirectObject):
            node = node.get_object()
        if isinstance(node, ArrayObject):
            pending[:0] = list(node)
        elif isinstance(node, DictionaryObject):
            if "/S" in node:
                yield str(node["/S"])
            if "/K" in node:
                pending.insert(0, node["/K"])


@pytest.mark.parametrize("letter", EVERY_LETTER, ids=lambda letter: f"{letter.standing}-{letter.language}")
def test_every_letter_is_one_page_of_letter_paper(renderer: LetterRenderer, letter: LetterContent) -> None:
    reader = opened(renderer.render(letter))
    assert len(reader.pages) == 1
    assert (reader.pages[0].mediabox.width, reader.pages[0].mediabox.height) == (8.5 * 72, 11 * 72)


@pytest.mark.parametrize("letter", EVERY_LETTER, ids=lambda letter: f"{letter.standing}-{letter.language}")
def test_every_letter_is_accessible(renderer: LetterRenderer, letter: LetterContent) -> None:
    reader = opened(renderer.render(letter))
    catalog = reader.root_object
    assert str(catalog["/Lang"]) == f"{letter.language}-CA"
    assert inner(catalog, "/MarkInfo")["/Marked"] == BooleanObject(value=True)
    assert inner(catalog, "/ViewerPreferences")["/DisplayDocTitle"] == BooleanObject(value=True)
    roles = list(structure_roles(reader))
    assert roles.count("/H1") == 1
    assert roles.count("/H2") >= 2
    assert "/P" in roles
    assert reader.metadata is not None
    assert reader.metadata.title is not None
    assert reader.metadata.title.endswith(" – 2026-000042")
    assert letter.patient_name not in reader.metadata.title
    assert b"<pdfuaid:part>1</pdfuaid:part>" in renderer.render(letter)


def test_the_steps_are_a_list_for_those_who_listen(renderer: LetterRenderer) -> None:
    roles = list(structure_roles(opened(renderer.render(sample(LetterKind.ATTRIBUTION)))))
    assert roles.count("/L") == 1
    assert roles.count("/LI") == 3


def test_every_typeface_is_embedded_and_comes_with_typst(renderer: LetterRenderer) -> None:
    page = opened(renderer.render(sample(LetterKind.ATTRIBUTION))).pages[0]
    fonts = inner(inner(page, "/Resources"), "/Font")
    names = {str(inner(fonts, font)["/BaseFont"]) for font in fonts}
    assert names
    assert all("LibertinusSerif" in name for name in names)


def test_colons_and_dates_are_not_parted_from_their_words(renderer: LetterRenderer) -> None:
    text = opened(renderer.render(sample(LetterKind.ATTRIBUTION))).pages[0].extract_text()
    assert "réputé donné\u00a0: si" in text
    assert "8\u00a0mai\u00a02026" in text
    assert " :" not in text
    assert "'" not in text.replace("L'Heureux", "").replace("l'É", "").replace("l'E", "")


@pytest.mark.parametrize(
    "lines",
    [
        ("Maëlle Exemple-L'Heureux",),
        ("Aux parents ou au représentant de", "Zoé Exemple"),
        ("Ève-Gabrielle Spécimen-Échantillon", "Parent ou représentant de Zoé Spécimen-Échantillon"),
    ],
)
def test_the_address_shows_in_the_window_and_nothing_else_does(
    renderer: LetterRenderer, lines: tuple[str, ...]
) -> None:
    pdf = renderer.render(sample_with(LetterKind.ATTRIBUTION, addressee_lines=lines))
    expected = [*lines, "1234, rue de l'Échantillon, app. 5", "Trois-Rivières (Québec)\u00a0 G9A\u00a01A1"]
    left, top, right, bottom = EVER_SEEN
    seen = [(text, x, y) for text, x, y in placed_words(pdf) if left <= x <= right and top <= y <= bottom]
    assert "".join(text for text, _, _ in seen).replace("\n", "") == "".join(expected)
    left, top, right, bottom = ALWAYS_SEEN
    assert all(left <= x <= right and top <= y <= bottom for _, x, y in seen)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("language", Language)
def test_a_name_is_printed_as_it_is(
    renderer: LetterRenderer, kind: LetterKind, language: Language, name: str
) -> None:
    everywhere = dict.fromkeys(
        ("patient_name", "address", "city", "physician_name", "place", "place_address", "gaco_name"), name
    )
    letter = sample_with(
        kind, **everywhere, addressee_lines=(name, f"Pour {name}"), for_child=True, language=language
    )
    text = words(renderer.render(letter))
    assert text.count(name) == len(everywhere) + 3


def test_a_real_long_name_and_address_stay_on_one_page(renderer: LetterRenderer) -> None:
    letter = sample_with(
        LetterKind.ATTRIBUTION,
        addressee_lines=(
            "Marie-Élisabeth-Antoinette Spécimen-Échantillon de la Bouteillerie",
            "Parent ou représentant de Jean-Christophe-Alexandre Spécimen-Échantillon de la Bouteillerie",
        ),
        for_child=True,
        patient_name="Jean-Christophe-Alexandre Spécimen-Échantillon de la Bouteillerie",
        address="12345, boulevard du Très-Honorable-Premier-Ministre-de-l'Exemple Ouest, appartement 1234-B",
        city="Saint-Louis-du-Ha! Ha!",
        physician_name="Marie-Joséphine-Françoise Modèle-Échantillon de la Chevrotière",
        place="Groupe de médecine de famille universitaire du Centre local de services de l'Exemple-Modèle",
        place_address="12345, boulevard du Très-Honorable-Premier-Ministre-de-l'Exemple Ouest, bureau 1234",
        gaco_name="Guichet d'accès pour la clientèle orpheline du réseau local de services de l'Exemple-Nord",
        gaco_phone="819 555-0142 ou, sans frais, 1 800 555-0142, poste 12345",
    )
    pdf = renderer.render(letter)
    assert len(opened(pdf).pages) == 1
    assert_nothing_overlaps(pdf)


def test_a_name_without_end_wraps_and_goes_on_to_a_second_page(renderer: LetterRenderer) -> None:
    endless = "W" * 90
    letter = sample_with(
        LetterKind.ATTRIBUTION,
        **dict.fromkeys(("address", "city", "place", "place_address", "gaco_name", "gaco_phone"), endless),
        addressee_lines=(endless, endless),
        physician_name=endless,
    )
    pdf = renderer.render(letter)
    assert words(pdf).replace(" ", "").count(endless) == 10
    assert "Numéro de référence : 2026-000042 Page 1 de 2" in words(pdf)
    assert_nothing_overlaps(pdf)
    lines = [line for page in opened(pdf).pages for line in page.extract_text().splitlines() if "WW" in line]
    assert max(line.count("W") for line in lines) <= WIDEST_LETTERS_IN_A_LINE


def assert_nothing_overlaps(pdf: bytes) -> None:
    """Check that two lines of the same column are a line's height apart."""
    lines = sorted({(round(x, 2), round(y, 3)) for _, x, y in placed_words(pdf)})
    assert len(lines) > 20
    for (x, y), (next_x, next_y) in pairwise(lines):
        assert x != next_x or next_y - y > LEAST_LINE_HEIGHT


def test_the_same_letter_is_the_same_bytes_in_any_renderer(renderer: LetterRenderer) -> None:
    for letter in EVERY_LETTER:
        again = LetterContent.model_validate_json(letter.model_dump_json())
        assert renderer.render(letter) == LetterRenderer().render(again)


def test_the_pdf_is_dated_as_the_letter_is(renderer: LetterRenderer) -> None:
    metadata = opened(renderer.render(sample(LetterKind.ATTRIBUTION))).metadata
    assert metadata is not None
    for written in (metadata.creation_date, metadata.modification_date):
        assert written is not None
        assert written.date() == date(2026, 5, 8)


def test_threads_get_each_their_own_letter(renderer: LetterRenderer) -> None:
    every_template = list(product(LetterKind, Language)) * 10
    letters = [
        sample_with(kind, language=language, physician_name=f"Médecin {number}")
        for number, (kind, language) in enumerate(every_template)
    ]
    start = threading.Barrier(4)

    def render(letter: LetterContent) -> bytes:
        return renderer.render(letter)

    with ThreadPoolExecutor(4, initializer=start.wait) as threads:
        pdfs = list(threads.map(render, letters))
    for number, pdf in enumerate(pdfs):
        assert f"Médecin {number} " in words(pdf)


@pytest.mark.long
def test_hundreds_of_letters_leave_no_memory_behind(renderer: LetterRenderer) -> None:
    def memory_after(first: int, letters: int) -> int:
        for number in range(first, first + letters):
            renderer.render(sample_with(LetterKind.ATTRIBUTION, physician_name=f"Médecin {number}"))
        return psutil.Process().memory_info().rss

    settled = memory_after(0, 150)
    assert memory_after(150, 300) - settled < 15_000_000


@pytest.mark.parametrize("name", ["张伟", "ᐊᓕᒃ", "😀"])
def test_a_letter_that_no_typeface_can_print_is_refused_without_a_word_of_it(
    renderer: LetterRenderer, name: str
) -> None:
    with pytest.raises(RenderError) as refused:
        renderer.render(sample_with(LetterKind.ATTRIBUTION, patient_name=name, addressee_lines=(name,)))
    assert str(refused.value) == "letter 2026-000042-1 cannot be printed"
    assert refused.value.__suppress_context__
    assert words(renderer.render(sample(LetterKind.ATTRIBUTION)))
