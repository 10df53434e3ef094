"""Facts and jumps in time, at random, for an attribution as it is: valid, invalid, dated ahead or behind.

Each strategy draws a few bytes and reads its choices from them, one byte a choice: it is fast, and a failure
shrinks towards the first choice of each list. The dates lie where the rules turn: on a limit, a day from it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

from hypothesis import strategies as st

from gamf.domain import calendar
from gamf.domain.attribution import TABLE
from gamf.domain.facts import FACTS
from gamf.domain.model import Attribution
from gamf.domain.states import State

T = TypeVar("T")
Argument = dict[str, Any]
SentFact = tuple[str, object]
"""The name of a fact and what was sent as its argument, mostly a JSON object."""

PHYSICIANS: Final = ("10001", "10002", "10003")
ACCOUNTS: Final = ("coordination", "clinique", "gaco")
LAST_INSTANT: Final = datetime(2150, 1, 1, tzinfo=UTC)
_CHOICES: Final = 16


class Choices:
    """Choices read one after another from bytes; past the end, the first of each list."""

    def __init__(self, data: bytes) -> None:
        self._data = iter(data)

    def below(self, count: int) -> int:
        """Return a number from 0 to `count - 1`; at most 256 are told apart."""
        return next(self._data, 0) * count // 256

    def of(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.below(len(options))]

    def once_in(self, count: int) -> bool:
        """Return true once in so many times."""
        return self.below(count) == count - 1


def _bytes() -> st.SearchStrategy[bytes]:
    return st.binary(min_size=_CHOICES, max_size=_CHOICES)


def choices() -> st.SearchStrategy[Choices]:
    """Draw some choices."""
    return _bytes().map(Choices)


def facts(a: Attribution, now: datetime) -> st.SearchStrategy[SentFact]:
    """Draw a fact about this attribution as somebody may report it now; one in sixteen has a faulty form."""
    return choices().map(lambda chosen: fact(chosen, a, now))


def jumps(a: Attribution, now: datetime) -> st.SearchStrategy[datetime]:
    """Draw an instant after now: seconds to years away, or at a deadline, a second before, a second after."""
    return choices().map(lambda chosen: jump(chosen, a, now))


def fact(chosen: Choices, a: Attribution, now: datetime) -> SentFact:
    """Choose a fact: mostly one that the state takes, rather one that leads on, and sometimes any."""
    taken = [name for name in TABLE.get(a.state, {}) if name in FACTS]
    onward = [name for name in _ONWARD if name in taken]
    any_at_all = (chosen.once_in(5) if onward else chosen.below(3)) or not taken or a.ended
    name = chosen.of(tuple(FACTS) if any_at_all else [*onward * 10, *taken])
    argument = _ARGUMENTS[name](chosen, a, now)
    return name, _spoilt(chosen, argument) if chosen.once_in(16) else argument


_ONWARD: Final = ("accepted", "sv_entered", "window_reopened")
"""What keeps an attribution going, so that most of them are not ended in their first days."""


def jump(chosen: Choices, a: Attribution, now: datetime) -> datetime:
    """Choose an instant after now, and never after `LAST_INSTANT`."""
    due = a.next_deadline
    if due is not None and due > now and chosen.below(2):
        return max(now, due + chosen.of((timedelta(0), timedelta(seconds=1), timedelta(seconds=-1))))
    length = chosen.of(_LENGTHS[: 5 + 6 * chosen.once_in(3)])
    return now + (length if now + length < LAST_INSTANT else timedelta(seconds=1))


_LENGTHS: Final = (
    timedelta(seconds=1),
    timedelta(minutes=5),
    timedelta(hours=1),
    timedelta(hours=12),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=14),
    timedelta(days=30),
    timedelta(days=90),
    timedelta(days=365),
    timedelta(days=3 * 365),
)


# --- the arguments of each fact ---


def _answer(chosen: Choices, a: Attribution, now: datetime) -> Argument:
    return _by(chosen) | _maybe(chosen, "at", lambda: _instant(chosen, a, now))


def _answer_with_reason(chosen: Choices, a: Attribution, now: datetime) -> Argument:
    return _answer(chosen, a, now) | {"reason": chosen.of(("hors territoire", "déjà suivi", "erreur"))}


def _sv(chosen: Choices, a: Attribution, now: datetime) -> Argument:
    return _by(chosen) | _maybe(chosen, "on", lambda: _day(chosen, a, now))


def _window(chosen: Choices, a: Attribution, now: datetime) -> Argument:
    return _by(chosen) | {"opens_on": _day(chosen, a, now), "reason": chosen.of(("R11", "oubli"))}


def _refusal(chosen: Choices, a: Attribution, now: datetime) -> Argument:
    ground = {"ground": chosen.of(("distance", "other", "discriminatory"))}
    return _by(chosen) | ground | _maybe(chosen, "on", lambda: _day(chosen, a, now))


def _mf(chosen: Choices, a: Attribution, now: datetime) -> Argument:
    late = a.state is State.EXPIRED and a.term is not None and chosen.below(3)
    signed = {"signed_on": a.term.isoformat() if late and a.term else _day(chosen, a, now)}
    return _by(chosen) | signed | _maybe(chosen, "effective_on", lambda: _day(chosen, a, now))


def _elsewhere(chosen: Choices, a: Attribution, now: datetime) -> Argument:
    basis = chosen.of(("AMP", "hors LE 321"))
    return _by(chosen) | {
        "physician": chosen.of(PHYSICIANS),
        "effective_on": _day(chosen, a, now),
        "basis": basis,
    }


def _patient_left(chosen: Choices, a: Attribution, now: datetime) -> Argument:
    cause = chosen.of(("deceased", "left_quebec", "not_eligible"))
    return _by(chosen) | {"on": _day(chosen, a, now), "cause": cause}


def _physician_left(chosen: Choices, a: Attribution, now: datetime) -> Argument:
    cause = chosen.of(("retired", "deceased", "non_participating", "disengaged", "moved"))
    return _by(chosen) | {"on": _day(chosen, a, now), "cause": cause}


_ARGUMENTS: Final[dict[str, Callable[[Choices, Attribution, datetime], Argument]]] = {
    "accepted": _answer,
    "refused": _answer_with_reason,
    "cancelled": _answer_with_reason,
    "sv_entered": _sv,
    "window_reopened": _window,
    "patient_refused": _refusal,
    "mf_signed": _mf,
    "enrolled_elsewhere": _elsewhere,
    "patient_left": _patient_left,
    "physician_left": _physician_left,
}


def _by(chosen: Choices) -> Argument:
    return {"by": chosen.of(ACCOUNTS)}


def _maybe(chosen: Choices, key: str, value: Callable[[], str]) -> Argument:
    return {key: value()} if chosen.once_in(4) else {}


def _day(chosen: Choices, a: Attribution, now: datetime) -> str:
    """Choose a day on which a rule turns, or one near it."""
    today = a.local(now)
    turns = (
        today,
        today,
        a.local(a.start.attributed_at),
        a.confirmed_on or today,
        a.window_opens_on or today,
        a.sv_last_day or today,
        a.sv.start if a.sv else today,
        a.term or today,
        today - timedelta(days=14),
        today - timedelta(days=90),
        today + timedelta(days=14),
        today + timedelta(days=400),
    )
    near = timedelta(days=chosen.of((0, 0, 0, -1, 1, -30, 30)))
    return _kept(chosen.of(turns) + near).isoformat()


def _kept(day: date) -> date:
    return min(max(day, calendar.FIRST_DAY), calendar.LAST_DAY)


def _instant(chosen: Choices, a: Attribution, now: datetime) -> str:
    near = timedelta(seconds=chosen.of((0, -1, 1, -3600)))
    return (chosen.of((now, a.start.attributed_at)) + near).isoformat()


def _spoilt(chosen: Choices, argument: Argument) -> object:
    """Give the argument a faulty form."""
    key = chosen.of(tuple(argument))
    return chosen.of(
        (
            {name: value for name, value in argument.items() if name != key},
            {**argument, key: None},
            {**argument, key: 12},
            {**argument, key: ""},
            {**argument, key: "x" * 501},
            {**argument, key: "9999-99-99"},
            {**argument, key: "\x00"},
            {**argument, "nom": "inconnu"},
            [argument],
            "accepted",
            None,
        )
    )
