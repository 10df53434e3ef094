"""The command that goes on from a refusal: rules say what to do, and only the command line names its commands."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from gamf.client.cli.language import Text


class Way(NamedTuple):
    """What was typed and refused, by which rule, and the command that goes on from there."""

    typed: str
    rule: str
    command: str
    field: str | None = None


_WAYS: Final = (
    Way("physician leaves", "A20", "gamf physician stays", "on"),
    Way("physician returns", "A16", "gamf physician stays"),
    Way("attribution record", "A24", "gamf register enrolled", "signed_on"),
    Way("attribution record", "not_found", "gamf attribution list"),
    Way("attribution show", "not_found", "gamf attribution list"),
    Way("block request", "R3", "gamf physician import", "physician"),
    Way("register move", "form", "gamf network list", "to"),
    Way("register correct", "A22", "gamf register correct … english_attested=true", "english_attested"),
    Way("register condition add", "R13", "gamf register condition codes", "code"),
    Way("network profile", "not_found", "gamf network list"),
)


def with_way(words: Text, typed: Sequence[str], rule: str, field: str | None) -> Text:
    """Return what is said of a refusal, with the command that goes on from there where there is one."""
    line = f" {' '.join(each for each in typed if not each.startswith('-'))} "
    for way in _WAYS:
        if (way.rule, way.field) == (rule, field) and f" {way.typed} " in line:
            return Text(f"{words.fr} Voyez « {way.command} ».", f"{words.en} See “{way.command}”.")
    return words
