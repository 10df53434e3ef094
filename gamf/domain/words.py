"""Days as Québec writes them, for every text that people read: 26 novembre 2026, 1er mai 2026; November 26, 2026."""

from datetime import date
from typing import Final

_MONTHS: Final = (
    ("janvier", "January"),
    ("février", "February"),
    ("mars", "March"),
    ("avril", "April"),
    ("mai", "May"),
    ("juin", "June"),
    ("juillet", "July"),
    ("août", "August"),
    ("septembre", "September"),
    ("octobre", "October"),
    ("novembre", "November"),
    ("décembre", "December"),
)


def fr(day: date) -> str:
    """Return a day in French."""
    first = "1er" if day.day == 1 else str(day.day)
    return f"{first} {_MONTHS[day.month - 1][0]} {day.year}"


def en(day: date) -> str:
    """Return a day in English."""
    return f"{_MONTHS[day.month - 1][1]} {day.day}, {day.year}"
