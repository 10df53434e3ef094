"""Now and today, for the tests that run on the real clock.

A day is Québec's, whatever zone the machine is in: in the evening there, a server in UTC is a day ahead.
"""

from datetime import UTC, date, datetime

from gamf.domain.calendar import PROVINCE, local_date


def now() -> datetime:
    """Return the present instant, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Return the date that it is in most of the RLS."""
    return local_date(now(), PROVINCE)
