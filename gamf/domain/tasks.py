"""When a task is due, and when the clinic is reminded of a term: every task has a date, decided here."""

from datetime import date, datetime, timedelta

from gamf.domain import calendar
from gamf.domain.policy import Policy


def due(opened_at: datetime, policy: Policy, time_zone: str) -> datetime:
    """Return until when to do a task that no deadline of the rules ends: 24:00 of the last working day (A7, A23)."""
    opened_on = calendar.local_date(opened_at, time_zone)
    return calendar.end_of_day(calendar.add_working_days(opened_on, policy.task_working_days), time_zone)


def term_is_near(last_day: date, today: date, policy: Policy) -> bool:
    """Tell whether the clinic is to be reminded of that term: so many days before it, and until it has passed (R14)."""
    return last_day - timedelta(days=policy.mf_reminder_days) <= today <= last_day
