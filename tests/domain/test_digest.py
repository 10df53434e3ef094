"""The daily digest: whose morning it is, what it looks at, what it says."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from gamf.domain import calendar, digest
from gamf.domain.digest import ZONES, Asked, Group, Recipient, Returned
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import State
from gamf.letters.digests import SHOWN, text
from tests.domain.lives import instant

TORONTO, HALIFAX, BLANC_SABLON = ZONES
SECOND = timedelta(seconds=1)
MONDAY = date(2026, 6, 1)


def at(when: str, zone: str = TORONTO) -> datetime:
    return instant(when, zone)


@pytest.mark.parametrize("zone", ZONES)
def test_a23_it_is_due_from_07_00_to_24_00_of_a_working_day_on_the_clock_of_the_rls(zone: str) -> None:
    seven, midnight = at("2026-06-01 07:00", zone), at("2026-06-02 00:00", zone)
    asked_at = (seven - SECOND, seven, seven + SECOND, midnight - SECOND, midnight, midnight + SECOND)
    due = [digest.due_on(zone, asked, asked) for asked in asked_at]
    assert due == [None, MONDAY, MONDAY, MONDAY, None, None]


@pytest.mark.parametrize(
    ("day", "due"),
    [
        ("2026-06-05", True),  # a Friday
        ("2026-06-06", False),
        ("2026-06-07", False),
        ("2026-06-24", False),  # Québec's holiday, a Wednesday
        ("2026-04-06", False),  # Easter Monday
        ("2026-12-31", False),  # closed in the public administration
        ("2026-03-09", True),  # the Monday after the clocks went forward
        ("2026-11-02", True),  # the Monday after they went back
        ("2028-02-29", True),
    ],
)
@pytest.mark.parametrize("zone", ZONES)
def test_a23_nothing_is_due_on_a_day_off(day: str, due: bool, zone: str) -> None:  # noqa: FBT001 - a parameter
    seven = at(f"{day} 07:00", zone)
    assert (digest.due_on(zone, seven, seven) is not None) is due


def test_what_was_missed_is_made_up_for_on_the_same_day_and_no_later() -> None:
    seven, evening, next_day = at("2026-06-01 07:00"), at("2026-06-01 23:59:59"), at("2026-06-02 00:00")
    assert digest.due_on(TORONTO, seven, evening) == MONDAY
    assert digest.due_on(TORONTO, seven, next_day) is None


def test_a23_the_province_wakes_at_two_hours_and_the_islands_before_it() -> None:
    assert digest.strikes([], 2026) == (time(6), time(7))
    assert digest.strikes(["America/Toronto"], 2026) == (time(6), time(7))
    # A zone that no RLS of Québec has now, half an hour off.
    assert time(5, 30) in digest.strikes(["America/St_Johns"], 2026)


@pytest.mark.parametrize("zone", ZONES)
def test_a23_each_clock_strikes_seven_at_a_firing_of_the_schedule_on_each_working_day_of_ten_years(
    zone: str,
) -> None:
    hours = digest.strikes([], 2026)
    province = calendar.zone(calendar.PROVINCE)
    days = (date(2026, 1, 1) + timedelta(days=number) for number in range(3653))
    for day in filter(calendar.is_working_day, days):
        fired = [datetime.combine(day, hour, province).astimezone(UTC) for hour in hours]
        due = [each for each in fired if digest.due_on(zone, each, each) == day]
        assert due, day
        assert due[0] == digest.made_at(day, zone)


def test_it_looks_ahead_to_the_third_working_day_and_back_to_the_last_one() -> None:
    friday = date(2026, 6, 5)
    assert digest.horizon(friday, TORONTO) == at("2026-06-11 00:00")
    assert digest.since(friday, TORONTO) == at("2026-06-04 07:00")
    # Across a week-end, and across Québec's holiday.
    assert digest.since(date(2026, 6, 8), TORONTO) == at("2026-06-05 07:00")
    assert digest.since(date(2026, 6, 25), TORONTO) == at("2026-06-23 07:00")


def composed(*asked: Asked, returned: tuple[Returned, ...] = ()) -> digest.Digest:
    return digest.compose(
        Recipient.CLINIC, ["12345"], on=MONDAY, time_zone=TORONTO, asked=asked, returned=returned
    )


def test_what_is_late_stands_apart_from_what_is_due() -> None:
    seven, horizon = at("2026-06-01 07:00"), at("2026-06-05 00:00")
    moments = {
        "late": seven,
        "due": seven + SECOND,
        "last": horizon,
        "later": horizon + SECOND,
    }
    told = composed(*(Asked(kind="sv_to_enter", reference=name, due=due) for name, due in moments.items()))
    assert [group.references for group in told.late] == [("late",)]
    assert [group.references for group in told.due] == [("due",), ("last",)]


def test_what_others_must_decide_for_a_clinic_s_lateness_is_late_whatever_its_date() -> None:
    told = composed(Asked(kind="sv_overdue", reference="2026-000001", due=at("2026-06-08 00:00"), late=True))
    assert (len(told.late), told.due) == (1, ())


def test_the_same_thing_until_the_same_instant_is_said_once() -> None:
    due = at("2026-06-03 00:00")
    references = [f"2026-{number:06d}" for number in range(SHOWN + 7, 0, -1)]
    told = composed(*(Asked(kind="sv_to_enter", reference=each, due=due) for each in references))
    assert told.due == (Group(kind="sv_to_enter", due=due, references=tuple(sorted(references))),)
    said = text(told)
    assert "Inscription SV à saisir, avant 2026-06-02 24:00 (27)" in said
    assert "SV to enter, before 2026-06-02 24:00 (27)" in said
    assert "2026-000020 et 7 autres" in said
    assert "2026-000020 and 7 others" in said
    assert "2026-000021" not in said


def test_what_came_back_is_said_with_its_cause() -> None:
    told = composed(returned=(Returned(reference="2026-000001", state=State.LAPSED),))
    assert told.says_something
    assert "caduque (1)" in text(told)
    assert "lapsed (1)" in text(told)


def test_nothing_to_say_is_said_by_nothing() -> None:
    assert not composed().says_something
    assert not composed(Asked(kind="mf_term_near", reference="x", due=at("2026-06-05 00:01"))).says_something


@pytest.mark.parametrize("address", ["coordo@exemple.test", "prenom.nom+gamf@sous.exemple.test"])
def test_an_address_is_taken(address: str) -> None:
    digest.check_address(address)


@pytest.mark.parametrize(
    "address", ["", "x", "x@y", "a b@exemple.test", "a@exemple.test, b@exemple.test", "Nom <a@exemple.test>"]
)
def test_what_is_not_an_address_is_refused(address: str) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        digest.check_address(address)
    assert refused.value.reason.field == "email"
