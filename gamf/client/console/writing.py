"""Dates as Québec writes them, in the language in use."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gamf.client.cli.language import say
from gamf.domain import words

ZONE: Final = "America/Toronto"
"""The clock of what has no RLS."""


def day_words(day: date) -> str:
    """Return a date as Québec writes it: 26 novembre 2026, 1er mai 2026; November 26, 2026."""
    return say(words.fr(day), words.en(day))


def instant_words(instant: datetime, zone: str = ZONE) -> str:
    """Return an instant on the clock of an RLS as Québec writes it: 26 novembre 2026, 9 h 46."""
    local = instant.astimezone(ZoneInfo(zone))
    minutes = f"\u00a0{local.minute:02d}" if local.minute else ""
    return say(
        f"{day_words(local)}, {local.hour}\u00a0h{minutes}",
        f"{day_words(local)}, {local:%-I:%M}\u00a0{_half(local)}",
    )


def deadline_words(instant: datetime, zone: str = ZONE) -> str:
    """Return a deadline likewise; the end of a day is 24 h of that day, and not 0 h of the next (A5, A10)."""
    local = instant.astimezone(ZoneInfo(zone))
    if (local.hour, local.minute, local.second) != (0, 0, 0):
        return instant_words(instant, zone)
    last = day_words(local.date() - timedelta(days=1))
    return say(f"{last}, 24\u00a0h", f"{last}, end of the day")


def number_words(number: float, places: int = 1) -> str:
    """Return a number with so many decimals, after a comma in French."""
    written = f"{number:.{places}f}"
    return say(written.replace(".", ","), written)


def _half(local: datetime) -> str:
    return "a.m." if local.hour < 12 else "p.m."  # noqa: PLR2004 - noon
