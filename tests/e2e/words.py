"""Whether a page is in its language only, and writes dates and times as Québec does in it."""

import re
from typing import Final

from playwright.async_api import Page

from tests.e2e.audits import ask


def _those(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ENGLISH: Final = _those(
    "the of and is are was were from with this that these those to be been has have by at it its not your you who "
    "whom which what when where nobody everybody somebody for none next"
)
"""Words that no French sentence has."""
_FRENCH: Final = _those(
    "le la les des du un une est sont sur dans aux avec par qui que quoi dont ce cette ces ses leur leurs vous votre "
    "vos rien aucun aucune depuis être à été où et ou au en"
)
"""Words that no English sentence has."""
_MONTHS_FR: Final = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
_MONTHS_EN: Final = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAY_FR: Final = re.compile(rf"\b(?:1er|[2-9]|[12]\d|3[01]) (?:{_MONTHS_FR}) \d{{4}}\b")
_DAY_EN: Final = re.compile(rf"\b(?:{_MONTHS_EN}) (?:[1-9]|[12]\d|3[01]), \d{{4}}\b")
_NUMERIC: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b|\b\d{1,2}:\d{2}\b")
_CLOCK_EN: Final = re.compile(r"\b\d{1,2}:\d{2}\u00a0[ap]\.m\.")
_SPACES: Final = re.compile(r" [:;?!»]|« ")
_WORD: Final = re.compile(r"[^\W\d_]+")
_NAMES: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\bLE 321\b")
"""What has letters and is no word of either language."""


async def in_french(page: Page) -> list[str]:
    """Return what is not French of a page that is, and what its parts in English have of French."""
    shown: list[str] = await ask(page, "words", "fr")
    other: list[str] = await ask(page, "words", "en")
    return [
        *_foreign(shown, _ENGLISH),
        *_foreign(other, _FRENCH),
        *(f"a space that breaks: {each!r}" for each in shown if _SPACES.search(each)),
        *(f"not Québec’s date or time: {each!r}" for each in shown if _strange_in_french(each)),
    ]


async def in_english(page: Page) -> list[str]:
    """Return what is not English of a page that is, and what its parts in French have of English."""
    shown: list[str] = await ask(page, "words", "en")
    other: list[str] = await ask(page, "words", "fr")
    return [
        *_foreign(shown, _FRENCH),
        *_foreign(other, _ENGLISH),
        *(f"a space of French: {each!r}" for each in shown if "\u00a0:" in each or " :" in each),
        *(f"not a date or time in English: {each!r}" for each in shown if _strange_in_english(each)),
    ]


def _foreign(shown: list[str], foreign: frozenset[str]) -> list[str]:
    return [
        f"{sorted(strange)} in {each!r}"
        for each in shown
        if (strange := foreign & {word.casefold() for word in _WORD.findall(_NAMES.sub("", each))})
    ]


def _strange_in_french(text: str) -> bool:
    months = len(re.findall(rf"\b\d+(?:er)? (?:{_MONTHS_FR})\b", text))
    return bool(_NUMERIC.search(text)) or months != len(_DAY_FR.findall(text))


def _strange_in_english(text: str) -> bool:
    months = len(re.findall(rf"\b(?:{_MONTHS_EN}) \d", text))
    written = _CLOCK_EN.sub("", text)
    return bool(_NUMERIC.search(written)) or months != len(_DAY_EN.findall(text))
