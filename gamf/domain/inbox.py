"""What people send, before the rules see it, and what the rules refused: nothing that someone sent is lost."""

import json
import re
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from gamf.domain.refusal import Reason

_LONGEST: Final = 2_000
_DEEPEST: Final = 20
_NUL: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""An escaped NUL in JSON text, and not the six characters of its escape, whose backslash is itself escaped."""


class Sent(BaseModel):
    """A fact as it was sent; `argument` is JSON that PostgreSQL can keep, `legible` tells whether all of it is there."""

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
    if len(storable) > _LONGEST or _deeper(argument, _DEEPEST):
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


def _deeper(value: object, levels: int) -> bool:
    # The converters of the workflow's history stop at some 200 levels, which must not stop the workflow.
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return any(levels == 0 or _deeper(each, levels - 1) for each in inner)


def _cut(name: str) -> str:
    return name[:100].encode("utf-8", "replace").decode("utf-8").replace("\0", "�")
