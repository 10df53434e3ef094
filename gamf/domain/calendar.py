"""Hours, civil days, months and working days, in the RLS's time zone (A1, A2, A5, A6, A10, A23).

Instants are aware datetimes in UTC. A *day* is a local civil date; "24:00 of a day" is the instant at which the next
local day begins, so that a clock change makes a day of 23 or 25 hours and moves nothing else.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.easter import easter
from holidays import country_holidays

PROVINCE: Final = "America/Toronto"
"""The clock of nearly every RLS, by which a day is meant that is said of several, or of none (A23)."""
FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
_SATURDAY: Final = 5
_FIRST_YEAR: Final = 2026
# Closed in Québec's public administration besides the legal holidays (facts.md).
_ADMINISTRATION_CLOSED: Final = ((1, 2), (12, 24), (12, 26), (12, 31))


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return the IANA zone of that name; raise `ZoneInfoNotFoundError` when there is none (A23)."""
    return ZoneInfo(name)


def local_date(instant: datetime, time_zone: str) -> date:
    """Return the civil date that a clock on the wall of the RLS shows at that instant (A5, A23)."""
    return instant.astimezone(zone(time_zone)).date()


def start_of_day(day: date, time_zone: str) -> datetime:
    """Return 00:00 of that local day, as an instant in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone(time_zone)).astimezone(UTC)


def end_of_day(day: date, time_zone: str) -> datetime:
    """Return 24:00 of that local day, as an instant in UTC: the first instant that is no longer in it (A5, A10)."""
    return start_of_day(day + timedelta(days=1), time_zone)


def add_hours(instant: datetime, hours: int) -> datetime:
    """Return the instant that many elapsed hours later; nothing suspends them (A1)."""
    return instant.astimezone(UTC) + timedelta(hours=hours)


def add_months(day: date, months: int) -> date:
    """Return the same day of the month that many months later, else that month's last day (A10)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def is_working_day(day: date) -> bool:
    """Tell whether Québec's public administration works on that day (A2, A6; facts.md)."""
    return day.weekday() < _SATURDAY and day not in _DAYS_OFF


def add_working_days(day: date, count: int) -> date:
    """Return the `count`-th working day after that day, itself not counted (A2, A6)."""
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def _days_off(year: int) -> Iterator[date]:
    # The library knows Québec's legal holidays but one: Good Friday *or* Easter Monday is the employer's choice, and
    # the public administration closes on both.
    yield from country_holidays("CA", subdiv="QC", years=year)
    yield easter(year) + timedelta(days=1)
    for month, day in _ADMINISTRATION_CLOSED:
        yield date(year, month, day)


# Read once, as the module is imported: the library looks at files and the locale, which a workflow may not.
_DAYS_OFF: Final = frozenset(day for year in range(_FIRST_YEAR, LAST_DAY.year + 1) for day in _days_off(year))
