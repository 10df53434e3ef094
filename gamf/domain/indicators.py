"""The indicators by RLS and month: what is counted, and what may be published of it (nothing of fewer than five)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict

from gamf.domain import calendar
from gamf.domain.digest import RETURNED
from gamf.domain.masking import LEAST, Cell, Sums, masked

WAITING: Final = "waiting"
"""On the list, drawn or not, at the end of the month, or now if it is not over."""
CAUSES: Final = tuple(f"returned_{state}" for state in RETURNED)
COUNTS: Final = (WAITING, "attributed", "unanswered", "enrolled_sv", "enrolled_mf", "returned", *CAUSES)
"""Persons, in the order in which they are shown; `returned` is the sum of its causes."""
MEDIAN: Final = "median_wait_days"
"""Days from the initial registration to the first SV or MF under LE 321, for those enrolled that month."""
COLUMNS: Final = (*COUNTS, MEDIAN)
_WHOLE: Final = ""


class Measured(BaseModel):
    """What was counted for an RLS in a month; the median with how many it is of. The whole province has no RLS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rls: str | None
    month: date
    counts: dict[str, int]
    median: float | None = None
    median_of: int = 0


class Published(BaseModel):
    """A line that may be shown; a value of None is masked, or a median of nobody."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rls: str | None
    month: str
    values: dict[str, float | int | None]
    masked: tuple[str, ...]


def months(first: date, last: date) -> tuple[date, ...]:
    """Return the first days of the months from one to the other, both included."""
    start = first.replace(day=1)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return tuple(calendar.add_months(start, number) for number in range(max(count, 0)))


def publish(measured: Iterable[Measured], rls: Sequence[str]) -> tuple[Published, ...]:
    """Return what may be shown of all that was measured, and of it only the lines of these RLS, if any are named.

    What is masked does not depend on which lines are asked for, or two answers together would tell what each hides.
    Without an RLS named, a line of the whole province is added to each month.
    """
    by_month: dict[date, list[Measured]] = {}
    for each in measured:
        by_month.setdefault(each.month, []).append(each)
    lines = [line for month in sorted(by_month) for line in _month(month, by_month[month])]
    return tuple(line for line in lines if (line.rls in rls if rls else True))


def _month(month: date, measured: Sequence[Measured]) -> list[Published]:
    rows = sorted((each for each in measured if each.rls is not None), key=lambda each: str(each.rls))
    whole = next((each for each in measured if each.rls is None), None)
    total = Measured(
        rls=None,
        month=month,
        counts={column: sum(row.counts.get(column, 0) for row in rows) for column in COUNTS},
        median=whole.median if whole else None,
        median_of=whole.median_of if whole else 0,
    )
    counts: dict[Cell, int] = {
        (row.rls or _WHOLE, column): row.counts.get(column, 0) for row in (*rows, total) for column in COUNTS
    }
    hidden = masked(counts, Sums(total="returned", parts=CAUSES, whole=_WHOLE))
    return [_published(row, counts, hidden) for row in (*rows, total)]


def _published(row: Measured, counts: Mapping[Cell, int], hidden: frozenset[Cell]) -> Published:
    key = row.rls or _WHOLE
    values: dict[str, float | int | None] = {
        column: None if (key, column) in hidden else counts[key, column] for column in COUNTS
    }
    few = row.median_of < LEAST
    values[MEDIAN] = None if few else row.median
    names = tuple(column for column in COLUMNS if values[column] is None)
    return Published(rls=row.rls, month=f"{row.month:%Y-%m}", values=values, masked=names)
