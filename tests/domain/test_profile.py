"""The groups of the population profile (R4): everybody is of exactly one, at their age on the day of the request."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gamf.domain.calendar import add_months
from gamf.domain.policy import CURRENT
from gamf.domain.profile import AGES, GROUPS, Group, births, check_shares, group_of, turned
from gamf.domain.refusal import RefusedByRuleError

ON = date(2026, 11, 26)
EVEN = dict.fromkeys(GROUPS, Decimal("8.33"))
days = st.dates(date(1900, 1, 1), date(2150, 12, 31))


def ages_of(birth_date: date, on: date) -> str:
    return group_of(vulnerable=True, birth_date=birth_date, on=on).ages


def test_r4_the_age_bands_are_those_of_the_population_and_leave_nobody_out() -> None:
    assert AGES == ("0-5", "6-17", "18-34", "35-54", "55-69", "70+")
    assert CURRENT.draw_ages_from[0] == 0
    assert len(GROUPS) == 2 * len(AGES)


@pytest.mark.parametrize(
    ("born", "ages"),
    [
        (date(2026, 11, 26), "0-5"),
        (date(2027, 1, 1), "0-5"),
        (date(2020, 11, 27), "0-5"),
        (date(2020, 11, 26), "6-17"),
        (date(2008, 11, 27), "6-17"),
        (date(2008, 11, 26), "18-34"),
        (date(1991, 11, 26), "35-54"),
        (date(1971, 11, 27), "35-54"),
        (date(1971, 11, 26), "55-69"),
        (date(1956, 11, 27), "55-69"),
        (date(1956, 11, 26), "70+"),
        (date(1900, 1, 1), "70+"),
    ],
)
def test_r4_the_age_is_that_of_the_day(born: date, ages: str) -> None:
    assert ages_of(born, ON) == ages


@pytest.mark.parametrize(
    ("on", "ages"), [(date(2026, 2, 27), "0-5"), (date(2026, 2, 28), "6-17"), (date(2026, 3, 1), "6-17")]
)
def test_r4_a10_who_was_born_on_29_february_is_older_on_the_28th_of_a_common_year(
    on: date, ages: str
) -> None:
    assert ages_of(date(2020, 2, 29), on) == ages


@given(days, days)
@example(date(2020, 2, 29), date(2026, 2, 28))
@example(date(2022, 2, 28), date(2028, 2, 28))
@example(date(2022, 3, 1), date(2028, 2, 29))
def test_r4_who_is_of_an_age_band_was_born_between_its_dates(born: date, on: date) -> None:
    bands = [ages for ages in AGES if within(born, *births(ages, on))]
    assert bands == [ages_of(born, on)]


def within(day: date, first: date | None, after: date | None) -> bool:
    return (first is None or first <= day) and (after is None or day < after)


@given(st.integers(1, 99), days)
@example(6, date(2028, 2, 28))
@example(6, date(2028, 2, 29))
@example(6, date(2026, 2, 28))
def test_r4_the_first_who_is_not_of_an_age_has_the_birthday_later(age: int, on: date) -> None:
    first = turned(age, on)
    assert add_months(first, 12 * age) > on
    assert add_months(first - timedelta(days=1), 12 * age) <= on


def test_r4_a_profile_of_twelve_rounded_shares_is_taken() -> None:
    check_shares(EVEN)


def test_r4_a_profile_without_a_group_says_which() -> None:
    without = {group: share for group, share in EVEN.items() if group != Group(vulnerable=True, ages="70+")}
    with pytest.raises(RefusedByRuleError) as refused:
        check_shares(without)
    assert refused.value.reason.rule == "R4"
    assert "70+ vulnérable" in refused.value.reason.fr
    assert "70+ vulnerable" in refused.value.reason.en


@pytest.mark.parametrize("share", ["7.87", "8.87"])
def test_r4_a_profile_makes_a_hundred_within_half_a_point(share: str) -> None:
    # The eleven others make 91.63.
    check_shares(EVEN | {GROUPS[0]: Decimal(share)})


@pytest.mark.parametrize("share", ["0", "7.86", "8.88"])
def test_r4_a_profile_that_does_not_make_a_hundred_says_what_it_makes(share: str) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        check_shares(EVEN | {GROUPS[0]: Decimal(share)})
    total = Decimal("91.63") + Decimal(share)
    assert refused.value.reason.field == "share"
    assert f"{total} %".replace(".", ",") in refused.value.reason.fr
    assert f"{total}%" in refused.value.reason.en
