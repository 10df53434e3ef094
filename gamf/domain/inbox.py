"""What people send, before the rules see it, and what the rules refused: nothing that someone sent is lost."""

import json
import re
from datetime import datetime
from itertools import accumulate
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from gamf.domain.refusal import Reason

_LONGEST: Final = 2_000
_DEEPEST: Final = 20
"""Levels. The converters of a workflow's history stop at some 200, which must not stop the workflow."""
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""An escaped NUL in JSON text, and not the six characters of its escape, whose backslash is escaped too."""


class Sent(BaseModel):
    """A fact as it was sent; `argument` is JSON that PostgreSQL can keep, `legible` says whether all of it is there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fact: str
    argument: Any = None
    legible: bool = True


class RefusedFact(BaseModel):
    """A fact that the rules refused: what it was, when it came, the rule and the reason in both languages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fact: str
    at: datetime
    argument: Any
    rule: str
    reason: str
    reason_en: str


def sent(fact: str, argument: object) -> Sent:
    """Keep what was sent in a form that can be stored: a long one is cut, and is then no longer legible as a fact."""
    try:
        text = json.dumps(argument, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return illegible(fact, str(type(argument).__name__))
    storable = _NUL.sub(r"\1�", text.encode("utf-8", "replace").decode("utf-8"))
    if len(storable) > _LONGEST or _depth(storable) > _DEEPEST:
        return illegible(fact, storable)
    return Sent(fact=_cut(fact), argument=json.loads(storable), legible=storable == text)


def illegible(fact: str, text: str) -> Sent:
    """Keep what cannot be a fact: its beginning, as text."""
    return Sent(fact=_cut(fact), argument={"illegible": text[:_LONGEST].replace("\0", "�")}, legible=False)


def refused(item: Sent, reason: Reason, at: datetime) -> RefusedFact:
    """Join what was sent to why it was refused."""
    return RefusedFact(
        fact=item.fact, at=at, argument=item.argument, rule=reason.rule, reason=reason.fr, reason_en=reason.en
    )


def _depth(text: str) -> int:
    """Count the levels of a JSON text."""
    steps = (1 if sign in "[{" else -1 for sign in _STRING.sub("", text) if sign in "[{]}")
    return max(accumulate(steps), default=0)


def _cut(name: str) -> str:
    return name[:100].encode("utf-8", "replace").decode("utf-8").replace("\0", "�")
