"""NAM, licence and postal code (facts.md), and the references that people say (contract.md).

All of it reads what a person typed or a file holds: a refusal says what is wrong and never repeats the value.
"""

import re
import unicodedata
from datetime import date
from typing import Final, Literal, NamedTuple

from gamf.domain.refusal import RefusedByRuleError

Sex = Literal["F", "M"]

# Letters, year, month (a woman's has 50 more), day, sequence, check digit.
_NAM: Final = re.compile(
    r"([A-Z]{4})([0-9]{2})(0[1-9]|1[0-2]|5[1-9]|6[0-2])(0[1-9]|[12][0-9]|3[01])([1-9A-HJ-NP-Z])([0-9])"
)
_NAM_SHAPE: Final = re.compile(r"[A-Za-z]{4}[0-9]{6}[0-9A-Za-z][0-9]")
_WOMAN: Final = 50
_WEIGHTS: Final = (1, 3, 7, 9, 1, 7, 1, 3, 4, 5, 7, 6, 9, 1)
_EBCDIC: Final = "cp037"
SEQUENCES: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""The characters that tell apart people of the same letters, birth date and sex."""

_LICENCE: Final = re.compile(r"[0-9]{5}")
_CANADIAN: Final = re.compile(r"[ABCEGHJ-NPRSTV-Z][0-9][ABCEGHJ-NPRSTV-Z][0-9][ABCEGHJ-NPRSTV-Z][0-9]")
# What begins so is a Canadian code with a slip in it, and no foreign one.
_CANADIAN_BEGINNING: Final = re.compile(r"[A-Z][0-9][A-Z]|[GHJ][0-9]")
_FOREIGN: Final = re.compile(r"(?=.*[0-9])[0-9A-Z][0-9A-Z -]{1,9}")
_QUEBEC: Final = ("G", "H", "J")
_REFERENCE: Final = re.compile(r"([0-9]{4})-([0-9]{4,})")


class Nam(NamedTuple):
    """What a NAM shows. It can change: it is data, never a key."""

    text: str
    birth_dates: tuple[date, ...]
    """The dates that the check digit allows, or every real one when it allows none; the youngest first."""
    sex: Sex
    check_digit_holds: bool
    """A failed check digit is a warning that a person may override, never proof of anything."""


class Reference(NamedTuple):
    """A year and a number that a person can say on the telephone."""

    year: int
    number: int


def looks_like_nam(text: str) -> bool:
    """Tell whether that is a NAM by its looks, right or wrong; no identifier of ours looks so."""
    return _NAM_SHAPE.fullmatch("".join(text.split())) is not None


def normal_nam(text: str) -> str:
    """Write a NAM as the register keeps it: capitals and no spaces."""
    return "".join(text.split()).upper()


def parse_nam(text: str, today: date) -> Nam:
    """Read a NAM; by `today`, the year of an age under 100 comes first, then a hundred years before.

    Raises:
        RefusedByRuleError: rule `form`; it has not the form of a NAM, or no real date.
    """
    normal = normal_nam(text)
    found = _NAM.fullmatch(normal)
    if found is None:
        raise RefusedByRuleError(
            "form",
            "Un NAM compte 12 caractères : NNNP AAMMJJ S V.",
            "A NAM has 12 characters: NNNP YYMMDD S V.",
            "nam",
        )
    letters, year, month, day, sequence, check = found.groups()
    sex: Sex = "F" if int(month) > _WOMAN else "M"
    dates = _birth_dates(int(year), int(month) % _WOMAN, int(day), today)
    if not dates:
        raise RefusedByRuleError(
            "form", "Le NAM ne porte pas une date réelle.", "The NAM does not show a real date.", "nam"
        )
    proven = tuple(born for born in dates if _check_digit(letters, born, sex, sequence) == int(check))
    return Nam(normal, proven or dates, sex, bool(proven))


def make_nam(last_name: str, first_name: str, birth_date: date, sex: Sex, sequence: str = "1") -> str:
    """Make the NAM of an invented person (facts.md): three letters of the surname, one of the first name.

    Accents and hyphens go; a name that is too short is filled with `X`. `sequence` is one of `SEQUENCES`.
    """
    letters = f"{plain_letters(last_name)[:3]:X<3}{plain_letters(first_name)[:1]:X<1}"
    month = birth_date.month + (_WOMAN if sex == "F" else 0)
    check = _check_digit(letters, birth_date, sex, sequence)
    return f"{letters}{birth_date.year % 100:02}{month:02}{birth_date.day:02}{sequence}{check}"


def _birth_dates(year: int, month: int, day: int, today: date) -> tuple[date, ...]:
    latest = today.year - (today.year - year) % 100
    if (latest, month, day) > (today.year, today.month, today.day):
        latest -= 100
    return tuple(born for year in (latest, latest - 100) if (born := _real(year, month, day)))


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _check_digit(letters: str, born: date, sex: Sex, sequence: str) -> int:
    text = f"{letters}{born.year:04}{sex}{born.month:02}{born.day:02}{sequence}"
    return sum(weight * code for weight, code in zip(_WEIGHTS, text.encode(_EBCDIC), strict=True)) % 10


def plain_letters(name: str) -> str:
    """Return the letters A to Z of a name, in capitals, without accents, hyphens or spaces."""
    return "".join(char for char in unicodedata.normalize("NFD", name).upper() if "A" <= char <= "Z")


def parse_licence(text: str) -> str:
    """Read a physician's licence: 5 digits, public, and our reference to them.

    Raises:
        RefusedByRuleError: rule `form`; the 7-digit RAMQ number, which is personal, is refused too.
    """
    licence = text.strip()
    if _LICENCE.fullmatch(licence) is None:
        raise RefusedByRuleError(
            "form",
            "Un permis compte 5 chiffres (ce n'est pas le numéro de 7 chiffres de la RAMQ).",
            "A licence has 5 digits (it is not RAMQ's number of 7 digits).",
            "licence",
        )
    return licence


def parse_postal_code(text: str) -> str:
    """Read a postal code: a Canadian one is written `A1A 1A1`; a foreign one is left as it is, in capitals.

    Raises:
        RefusedByRuleError: rule `form`; it is neither, or it has one of the letters D F I O Q U.
    """
    capitals = " ".join(text.upper().split())
    compact = capitals.replace(" ", "").replace("-", "")
    if _CANADIAN.fullmatch(compact):
        return f"{compact[:3]} {compact[3:]}"
    if _CANADIAN_BEGINNING.match(compact) or not _FOREIGN.fullmatch(capitals):
        raise RefusedByRuleError(
            "form",
            "Un code postal s'écrit A1A 1A1, sans D, F, I, O, Q ni U.",
            "A postal code is written A1A 1A1, without D, F, I, O, Q or U.",
            "postal_code",
        )
    return capitals


def in_quebec(postal_code: str) -> bool:
    """Tell whether a normal postal code begins with G, H or J, as Québec's do with a few exceptions."""
    return postal_code.startswith(_QUEBEC) and _CANADIAN.fullmatch(postal_code.replace(" ", "")) is not None


def attribution_reference(year: int, number: int) -> str:
    """Write the reference of an attribution, `2026-000042` (contract.md)."""
    return f"{year:04}-{number:06}"


def block_reference(year: int, number: int) -> str:
    """Write the reference of a block, `2026-0007` (contract.md)."""
    return f"{year:04}-{number:04}"


def parse_attribution_reference(text: str) -> Reference:
    """Read the reference of an attribution.

    Raises:
        RefusedByRuleError: rule `form`; it is not written as `attribution_reference` writes it.
    """
    reference = _reference(text)
    if reference is None or attribution_reference(*reference) != text.strip():
        raise RefusedByRuleError(
            "form",
            "Une attribution se désigne par l'année et 6 chiffres : 2026-000042.",
            "An attribution is named by the year and 6 digits: 2026-000042.",
            "attribution_id",
        )
    return reference


def parse_block_reference(text: str) -> Reference:
    """Read the reference of a block.

    Raises:
        RefusedByRuleError: rule `form`; it is not written as `block_reference` writes it.
    """
    reference = _reference(text)
    if reference is None or block_reference(*reference) != text.strip():
        raise RefusedByRuleError(
            "form",
            "Un bloc se désigne par l'année et 4 chiffres : 2026-0007.",
            "A block is named by the year and 4 digits: 2026-0007.",
            "block_id",
        )
    return reference


def _reference(text: str) -> Reference | None:
    found = _REFERENCE.fullmatch(text.strip())
    return Reference(int(found[1]), int(found[2])) if found and int(found[2]) > 0 else None
