"""The language of what is shown: French, or English on request (A22). Everything shown is written in both."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, NamedTuple

from typing_extensions import override

from gamf.runtime.errors import Language

VARIABLE: Final = "GAMF_LANG"
OPTION: Final = "--lang"
_current: ContextVar[Language] = ContextVar("language", default="fr")


class Text(NamedTuple):
    """The same words in both languages; as a string, those of the language in use."""

    fr: str
    en: str

    @override
    def __str__(self) -> str:
        return self.en if current() == "en" else typeset(self.fr)


def current() -> Language:
    """Return the language in use."""
    return _current.get()


def say(fr: str, en: str) -> str:
    """Return the words in the language in use."""
    return str(Text(fr, en))


def typeset(french: str) -> str:
    """Return the French with its no-break spaces: no line begins with a mark of the one before."""
    for mark in ":;?!»":
        french = french.replace(f" {mark}", f"\u00a0{mark}")
    return french.replace("« ", "«\u00a0")


@contextmanager
def speaking(language: Language) -> Generator[None]:
    """Use that language within the block."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def wanted(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """Return the language asked for, wherever `--lang` stands: a usage error is said in it too."""
    asked = environment.get(VARIABLE, "fr")
    for word, following in zip(arguments, (*arguments[1:], ""), strict=False):
        if word == "--":
            break
        if word == OPTION:
            asked = following
        elif word.startswith(f"{OPTION}="):
            asked = word.partition("=")[2]
    return "en" if asked == "en" else "fr"
