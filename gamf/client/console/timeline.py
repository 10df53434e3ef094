"""The life of an attribution as a picture: what has happened, where it is, what comes by itself."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from gamf.client.cli import labels
from gamf.client.cli.language import Text, say
from gamf.client.console.writing import deadline_words, instant_words
from gamf.domain.facts import FACTS
from gamf.domain.states import DEADLINE_LABELS, DeadlineName

if TYPE_CHECKING:
    from gamf.client.asking import View
    from gamf.domain.foresight import Ahead

_STEP: Final = 68
"""Units of the picture between two moments: they are years apart, or hours."""
_TOP: Final = 20


class Moment(NamedTuple):
    """One moment: past, now or to come, with its words; `y` is where it is in the picture."""

    kind: str
    words: str
    when: str
    y: int


class Timeline(NamedTuple):
    """The picture: its moments from top to bottom, its height, and the same in a sentence each."""

    moments: tuple[Moment, ...]
    height: int
    now_y: int
    text: str


def timeline(view: "View", ahead: Sequence["Ahead"], now: datetime) -> Timeline:
    """Lay out the timeline of an attribution, on the clock of its RLS."""
    said = [*_past(view), _now(view, now), *_to_come(view, ahead)]
    moments = tuple(
        Moment(kind, words, when, _TOP + number * _STEP) for number, (kind, words, when) in enumerate(said)
    )
    now_y = next(each.y for each in moments if each.kind == "now")
    text = " ".join(f"{each.when}{say(' : ', ': ')}{each.words}." for each in moments)
    return Timeline(moments, moments[-1].y + _STEP - _TOP // 2, now_y, text)


def happened(view: "View") -> list["View"]:
    """Return the facts that were taken and the deadlines that passed, in order."""
    entries: list[View] = [*view["history"], *view["passed"]]
    return sorted(entries, key=lambda entry: datetime.fromisoformat(entry["at"]))


def _past(view: "View") -> Iterator[tuple[str, str, str]]:
    zone = view["time_zone"]
    attributed = datetime.fromisoformat(view["attributed_at"])
    yield "past", say("proposée au médecin", "proposed to the physician"), instant_words(attributed, zone)
    for entry in happened(view):
        at, fact = datetime.fromisoformat(str(entry["at"])), str(entry["fact"])
        words = deadline_words(at, zone) if fact not in FACTS else instant_words(at, zone)
        yield "past", labels.label(labels.FACTS, fact), words


def _now(view: "View", now: datetime) -> tuple[str, str, str]:
    state = labels.state(view["state"])
    where = say(f"maintenant : {state}", f"now: {state}")
    if view["ended_on"]:
        where = say(f"terminée : {state}", f"ended: {state}")
    return "now", where, instant_words(now, view["time_zone"])


def _to_come(view: "View", ahead: Sequence["Ahead"]) -> Iterator[tuple[str, str, str]]:
    for each in ahead:
        yield "ahead", _event(each), deadline_words(each.at, view["time_zone"])


def _event(each: "Ahead") -> str:
    if each.event in FACTS:
        return say(
            f"{labels.label(labels.FACTS, each.event)} (annoncé)",
            f"{labels.label(labels.FACTS, each.event)} (announced)",
        )
    fr, en = DEADLINE_LABELS[DeadlineName(each.event)]
    # What becomes of it is said in both languages after the colon, where there is one.
    return str(Text(fr.partition(" :")[0], en.partition(":")[0]))
