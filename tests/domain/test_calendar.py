"""Hours, days, months and working days (A1, A5, A10, A23), against the dates of facts.md."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamf.domain import calendar
from tests.domain.lives import BLANC_SABLON, HALIFAX, SECOND, TORONTO, ZONES, instant

days = st.dates(date(2026, 1, 1), date(2120, 12, 31))
zones = st.sampled_from(ZONES)

LEGAL_2026 = ("01-01", "04-03", "04-06", "05-18", "06-24", "07-01", "09-07", "10-12", "12-25")
ADMINISTRATION_2026 = ("01-02", "12-24", "12-26", "12-31")


def test_a2_the_days_off_of_2026_are_those_of_the_public_administration() -> None:
    off = {date.fromisoformat(f"2026-{day}") for day in (*LEGAL_2026, *ADMINISTRATION_2026)}
    year = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    week_ends = {day for day in year if day.isoweekday() > 5}
    assert {day for day in year if not calendar.is_working_day(day)} == off | week_ends


@pytest.mark.parametrize(
    ("friday", "monday"), [(date(2027, 3, 26), date(2027, 3, 29)), (date(2028, 4, 14), date(2028, 4, 17))]
)
def test_a2_good_friday_and_easter_monday_are_both_off_in_other_years(friday: date, monday: date) -> None:
    assert not calendar.is_working_day(friday)
    assert not calendar.is_working_day(monday)
    assert calendar.is_working_day(friday - timedelta(days=1))
    assert calendar.is_working_day(monday + timedelta(days=1))


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 4, 2), 1, date(2026, 4, 7)),
        (date(2026, 4, 2), 2, date(2026, 4, 8)),
        (date(2026, 4, 4), 1, date(2026, 4, 7)),
        (date(2026, 12, 23), 1, date(2026, 12, 28)),
        (date(2026, 12, 30), 1, date(2027, 1, 4)),
        (date(2026, 6, 5), 1, date(2026, 6, 8)),
        (date(2026, 6, 4), 0, date(2026, 6, 4)),
    ],
)
def test_a2_working_days_are_counted_from_the_next_day(day: date, count: int, expected: date) -> None:
    assert calendar.add_working_days(day, count) == expected


@given(days, st.integers(1, 30))
def test_a6_the_last_counted_day_is_worked_and_so_many_are(day: date, count: int) -> None:
    last = calendar.add_working_days(day, count)
    between = [day + timedelta(days=n) for n in range(1, (last - day).days + 1)]
    assert calendar.is_working_day(last)
    assert sum(map(calendar.is_working_day, between)) == count


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2028, 2, 29), 36, date(2031, 2, 28)),
        (date(2028, 2, 29), 48, date(2032, 2, 29)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 8, 31), 1, date(2026, 9, 30)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 11, 30), 12, date(2027, 11, 30)),
    ],
)
def test_a10_months_end_on_the_same_day_or_on_the_month_s_last(
    day: date, months: int, expected: date
) -> None:
    assert calendar.add_months(day, months) == expected


@given(days, st.integers(1, 120))
def test_a10_so_many_months_later_is_in_that_month_and_never_after_the_day(day: date, months: int) -> None:
    later = calendar.add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@given(days, zones)
def test_a5_the_end_of_a_day_is_its_first_instant_after(day: date, zone: str) -> None:
    end = calendar.end_of_day(day, zone)
    assert calendar.local_date(end, zone) == day + timedelta(days=1)
    assert calendar.local_date(end - SECOND, zone) == day
    assert calendar.start_of_day(day + timedelta(days=1), zone) == end
    assert end.tzinfo is UTC


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (TORONTO, date(2026, 3, 8), 23),
        (HALIFAX, date(2026, 3, 8), 23),
        (BLANC_SABLON, date(2026, 3, 8), 24),
        (TORONTO, date(2026, 11, 1), 25),
        (HALIFAX, date(2026, 11, 1), 25),
        (BLANC_SABLON, date(2026, 11, 1), 24),
    ],
)
def test_a23_the_days_of_2026_on_which_clocks_change(zone: str, day: date, hours: int) -> None:
    assert calendar.end_of_day(day, zone) - calendar.start_of_day(day, zone) == timedelta(hours=hours)


def test_a1_hours_are_elapsed_hours() -> None:
    assert calendar.add_hours(instant("2026-03-06 12:00"), 72) == instant("2026-03-09 13:00")
    noon_est = datetime.fromisoformat("2026-03-06T12:00:00-05:00")
    assert calendar.add_hours(noon_est, 72) == datetime.fromisoformat("2026-03-09T13:00:00-04:00")


@given(
    st.datetimes(datetime.fromisoformat("2026-01-01"), timezones=zones.map(calendar.zone)),
    st.integers(1, 8760),
)
def test_a1_hours_are_the_same_in_every_zone(moment: datetime, hours: int) -> None:
    assert calendar.add_hours(moment, hours) - moment.astimezone(UTC) == timedelta(hours=hours)


def test_a23_a_date_is_that_of_the_wall_s_clock() -> None:
    moment = datetime(2026, 6, 17, 3, 30, tzinfo=UTC)
    assert calendar.local_date(moment, TORONTO) == date(2026, 6, 16)
    assert calendar.local_date(moment, HALIFAX) == date(2026, 6, 17)


def test_a23_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        calendar.zone("America/Nowhere")
