"""The identifiers of facts.md, with its test vectors."""

from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gamf.domain.identifiers import (
    SEQUENCES,
    Reference,
    Sex,
    attribution_reference,
    block_reference,
    in_quebec,
    looks_like_nam,
    make_nam,
    normal_nam,
    parse_attribution_reference,
    parse_block_reference,
    parse_licence,
    parse_nam,
    parse_postal_code,
)
from gamf.domain.refusal import RefusedByRuleError

TODAY = date(2026, 5, 8)


@pytest.mark.parametrize(
    ("text", "born", "sex"),
    [
        ("TREM04121925", date(2004, 12, 19), "M"),
        ("TREM04121916", date(1904, 12, 19), "M"),
        ("TREM00011811", date(2000, 1, 18), "M"),
        ("TREM00011855", date(2000, 1, 18), "M"),
        ("TREM00011899", date(2000, 1, 18), "M"),
        ("TEST54122816", date(1954, 12, 28), "M"),
        ("FICA85570418", date(1985, 7, 4), "F"),
        ("FICB311231A9", date(1931, 12, 31), "M"),
    ],
)
def test_a_valid_nam_shows_birth_date_and_sex(text: str, born: date, sex: Sex) -> None:
    assert parse_nam(text, TODAY) == (text, (born,), sex, True)


def test_a_failed_check_digit_is_told_and_leaves_both_centuries_open() -> None:
    nam = parse_nam("TREM04121935", TODAY)
    assert not nam.check_digit_holds
    assert nam.birth_dates == (date(2004, 12, 19), date(1904, 12, 19))


def test_a_nam_is_read_as_it_is_printed_on_the_card() -> None:
    assert parse_nam(" trem 0412 1925 ", TODAY).text == normal_nam("trem 0412 1925") == "TREM04121925"


def test_the_century_is_the_one_of_an_age_under_100() -> None:
    tomorrow, today = make_nam("Essai", "Test", date(1926, 5, 9), "M"), make_nam("Essai", "Test", TODAY, "M")
    assert parse_nam(tomorrow, TODAY).birth_dates == (date(1926, 5, 9),)
    assert parse_nam(today, TODAY).birth_dates == (TODAY,)


def test_29_february_is_real_only_in_a_leap_year() -> None:
    assert parse_nam("TEST00022910", TODAY).birth_dates == (date(2000, 2, 29),)
    with pytest.raises(RefusedByRuleError, match="date réelle"):
        parse_nam("TEST01022910", TODAY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "TREM0412192",
        "TREM041219255",
        "TRE104121925",
        "TREM04131925",
        "TREM04001925",
        "TREM04631925",
        "TREM04503015",
        "TREM04120025",
        "TREM04123225",
        "TREM041219I5",
        "TREM041219O5",
        "TREM04121905",
        "TREM0412192A",
        "TRÉM04121925",
        "TREM\u0660\u0664121925",
        "TREM04022910\n5",
    ],
)
def test_what_has_not_the_form_is_refused_without_its_value(text: str) -> None:
    with pytest.raises(RefusedByRuleError) as refusal:
        parse_nam(text, TODAY)
    assert refusal.value.reason.field == "nam"
    assert not text or text not in str(refusal.value)


@settings(deadline=None)
@given(
    born=st.dates(date(1926, 5, 9), TODAY),
    sex=st.sampled_from(("F", "M")),
    sequence=st.sampled_from(SEQUENCES),
    last_name=st.text("abcéÉÏ-' ŒÀz", max_size=9),
    first_name=st.text("abcéÉÏ-' ŒÀz", max_size=9),
)
@example(born=date(2000, 2, 29), sex="F", sequence="Z", last_name="", first_name="")
def test_a_nam_that_is_made_is_read_back(
    born: date, sex: Sex, sequence: str, last_name: str, first_name: str
) -> None:
    nam = parse_nam(make_nam(last_name, first_name, born, sex, sequence), TODAY)
    assert nam.check_digit_holds
    assert (nam.birth_dates[0], nam.sex) == (born, sex)


def test_a_nam_begins_with_three_letters_of_the_surname_and_one_of_the_first_name() -> None:
    assert make_nam("St-Pierre", "Émile", date(2004, 12, 19), "M").startswith("STPE041219")
    assert make_nam("Ly", "Ève", date(2004, 12, 19), "F").startswith("LYXE046219")


@pytest.mark.parametrize("text", ["TREM04121935", "trem 0412 1935", "XXXX99999999", "FICB311231A9"])
def test_a_nam_is_known_by_its_looks(text: str) -> None:
    assert looks_like_nam(text)


@pytest.mark.parametrize("text", ["", "2026-000042", "abcd1234-0b6e-4e0f-8e0c-0123456789ab", "TREM0412192"])
def test_an_identifier_of_ours_does_not_look_like_a_nam(text: str) -> None:
    assert not looks_like_nam(text)


def test_a_licence_is_five_digits() -> None:
    assert parse_licence(" 01234 ") == "01234"
    for text in ("1234", "123456", "1012345", "A1234", "\u0661\u0662\u0663\u0664\u0665"):
        with pytest.raises(RefusedByRuleError) as refusal:
            parse_licence(text)
        assert refusal.value.reason.field == "licence"


@pytest.mark.parametrize("text", ["G1R2B5", "g1r 2b5", " G1R-2B5 "])
def test_a_postal_code_is_written_one_way(text: str) -> None:
    assert parse_postal_code(text) == "G1R 2B5"


@pytest.mark.parametrize("letter", "DFIOQU")
@pytest.mark.parametrize("form", ["{}1A 1A1", "G1{} 1A1", "G1A 1{}1"])
def test_a_postal_code_never_has_these_letters(letter: str, form: str) -> None:
    with pytest.raises(RefusedByRuleError) as refusal:
        parse_postal_code(form.format(letter))
    assert refusal.value.reason.field == "postal_code"


@pytest.mark.parametrize("text", ["G1R", "G1R 2B", "G1R 2B55", "G11 2B5", "", "?", "ABCDEF"])
def test_what_is_no_postal_code_is_refused(text: str) -> None:
    with pytest.raises(RefusedByRuleError):
        parse_postal_code(text)


@pytest.mark.parametrize("code", ["G1R 2B5", "H2X 1Y6", "J8X 3X5"])
def test_quebec_begins_with_g_h_or_j(code: str) -> None:
    assert in_quebec(code)


@pytest.mark.parametrize("code", ["K1A 0B1", "E3B 5A3", "05401", "GX11 1AA", "H2X1", "75008"])
def test_another_place_is_known_as_such(code: str) -> None:
    assert not in_quebec(parse_postal_code(code) if code != "H2X1" else code)


def test_references_are_written_as_said_on_the_telephone() -> None:
    assert attribution_reference(2026, 42) == "2026-000042"
    assert attribution_reference(2026, 1_234_567) == "2026-1234567"
    assert block_reference(2026, 7) == "2026-0007"
    assert block_reference(2026, 12_345) == "2026-12345"


@settings(deadline=None)
@given(year=st.integers(1000, 9999), number=st.integers(1, 10_000_000))
def test_references_are_read_back(year: int, number: int) -> None:
    assert parse_attribution_reference(attribution_reference(year, number)) == Reference(year, number)
    assert parse_block_reference(block_reference(year, number)) == Reference(year, number)


@pytest.mark.parametrize(
    "text",
    [
        "2026-0042",
        "2026-0000042",
        "26-000042",
        "2026-000000",
        "2026000042",
        "\u0662\u0660\u0662\u0666-000042",
        "",
    ],
)
def test_another_writing_is_no_attribution(text: str) -> None:
    with pytest.raises(RefusedByRuleError) as refusal:
        parse_attribution_reference(text)
    assert refusal.value.reason.field == "attribution_id"


@pytest.mark.parametrize("text", ["2026-007", "2026-00007", "2026-0000", "2026-000042", "-0007", ""])
def test_another_writing_is_no_block(text: str) -> None:
    with pytest.raises(RefusedByRuleError) as refusal:
        parse_block_reference(text)
    assert refusal.value.reason.field == "block_id"
