"""Every deadline a second before, at it and a second after, over clock changes, month ends and holidays.

2026 changes its clocks on 8 March and 1 November at 2:00, in Toronto and Halifax; Blanc-Sablon does not.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

import pytest

from gamf.domain.effects import ConfirmToRamq, WriteSv
from gamf.domain.facts import EnrolledElsewhere
from gamf.domain.states import State
from tests.domain.lives import (
    BLANC_SABLON,
    HALIFAX,
    SECOND,
    TORONTO,
    ZONES,
    Life,
    confirmed,
    enrolled,
    expired,
    instant,
)


class Limit(NamedTuple):
    """A life, the instant on the wall's clock at which it changes, and its states before and after."""

    life: Callable[[], Life]
    due: str
    before: State
    after: State


def reopened(now: str, opens_on: str, zone: str) -> Life:
    day = date.fromisoformat(now[:10]) - timedelta(days=15)
    life = confirmed(f"{day} 10:00", zone=zone).at(instant(now, zone))
    return life.report("window_reopened", opens_on=opens_on, reason="x")


def answer(attributed: str, due: str, zone: str) -> Limit:
    return Limit(lambda: Life(attributed, zone), due, State.PROPOSED, State.UNANSWERED)


def answer_grace(attributed: str, due: str, zone: str) -> Limit:
    def unanswered() -> Life:
        life = Life(attributed, zone)
        return life.at(life.now + timedelta(hours=72))

    return Limit(unanswered, due, State.UNANSWERED, State.LAPSED)


def sv(confirmed_at: str, due: str, zone: str) -> Limit:
    return Limit(lambda: confirmed(confirmed_at, zone=zone), due, State.CONFIRMED, State.OVERDUE)


def window(now: str, opens_on: str, due: str, zone: str) -> Limit:
    return Limit(lambda: reopened(now, opens_on, zone), due, State.CONFIRMED, State.OVERDUE)


def sv_grace(confirmed_at: str, due: str, zone: str) -> Limit:
    def overdue() -> Life:
        life = confirmed(confirmed_at, zone=zone)
        assert life.attribution.deadline is not None
        return life.at(life.attribution.deadline)

    return Limit(overdue, due, State.OVERDUE, State.LAPSED)


def mf(start: date, due: str, zone: str, *, vulnerable: bool) -> Limit:
    return Limit(
        lambda: enrolled(start, zone=zone, vulnerable=vulnerable), due, State.ENROLLED_SV, State.EXPIRED
    )


def announced(fact: str, after: State, zone: str, **argument: str) -> Limit:
    due = next(argument[key] for key in ("on", "effective_on") if key in argument)
    life = lambda: enrolled(date(2026, 3, 2), zone=zone).report(fact, **argument)  # noqa: E731 - one line of a table
    return Limit(life, f"{due} 00:00", State.ENROLLED_SV, after)


LIMITS = {
    # R6, A1: elapsed hours, over both clock changes
    "r6 a1 72 hours": answer("2026-06-01 09:00", "2026-06-04 09:00", TORONTO),
    "a1 spring forward, Toronto": answer("2026-03-06 12:00", "2026-03-09 13:00", TORONTO),
    "a1 spring forward, Halifax": answer("2026-03-06 12:00", "2026-03-09 13:00", HALIFAX),
    "a1 no change, Blanc-Sablon": answer("2026-03-06 12:00", "2026-03-09 12:00", BLANC_SABLON),
    "a1 fall back, Toronto": answer("2026-10-30 12:00", "2026-11-02 11:00", TORONTO),
    "a1 fall back, Halifax": answer("2026-10-30 12:00", "2026-11-02 11:00", HALIFAX),
    "a1 no change in the autumn, Blanc-Sablon": answer("2026-10-30 12:00", "2026-11-02 12:00", BLANC_SABLON),
    "a1 at the very change": answer("2026-03-05 01:59:59", "2026-03-08 01:59:59", TORONTO),
    "a1 into the hour that is skipped": answer("2026-03-05 02:30", "2026-03-08 03:30", TORONTO),
    "a1 month end": answer("2026-02-27 09:00", "2026-03-02 09:00", TORONTO),
    "a1 year end": answer("2026-12-30 09:00", "2027-01-02 09:00", TORONTO),
    # A2: 24:00 of the 2nd working day after the local date of the 72nd hour
    "a2 Thursday to Monday": answer_grace("2026-06-01 09:00", "2026-06-09 00:00", TORONTO),
    "a2 Easter 2026": answer_grace("2026-03-30 10:00", "2026-04-09 00:00", TORONTO),
    "a2 into Easter 2026": answer_grace("2026-03-31 10:00", "2026-04-09 00:00", HALIFAX),
    "a2 before Easter 2026": answer_grace("2026-03-28 10:00", "2026-04-03 00:00", TORONTO),
    "a2 Christmas and New Year": answer_grace("2026-12-20 10:00", "2026-12-30 00:00", TORONTO),
    "a2 New Year": answer_grace("2026-12-27 10:00", "2027-01-06 00:00", BLANC_SABLON),
    "a2 spring forward": answer_grace("2026-03-03 10:00", "2026-03-11 00:00", TORONTO),
    "a2 fall back": answer_grace("2026-10-27 10:00", "2026-11-04 00:00", HALIFAX),
    "a2 the 72nd hour is local midnight": answer_grace("2026-06-01 00:00", "2026-06-09 00:00", TORONTO),
    "a2 the 72nd hour is a second before": answer_grace("2026-05-31 23:59:59", "2026-06-06 00:00", TORONTO),
    # R8, A5: 14 civil days, to 24:00
    "r8 a5 14 days": sv("2026-06-02 10:00", "2026-06-17 00:00", TORONTO),
    "a5 spring forward, Toronto": sv("2026-02-22 10:00", "2026-03-09 00:00", TORONTO),
    "a5 spring forward, Halifax": sv("2026-02-22 10:00", "2026-03-09 00:00", HALIFAX),
    "a5 spring forward, Blanc-Sablon": sv("2026-02-22 10:00", "2026-03-09 00:00", BLANC_SABLON),
    "a5 fall back, Toronto": sv("2026-10-18 10:00", "2026-11-02 00:00", TORONTO),
    "a5 fall back, Halifax": sv("2026-10-18 10:00", "2026-11-02 00:00", HALIFAX),
    "a5 month end": sv("2026-02-14 23:59:59", "2026-03-01 00:00", TORONTO),
    "a5 a second into the next day": sv("2026-02-15 00:00:01", "2026-03-02 00:00", TORONTO),
    "a5 over Christmas": sv("2026-12-18 10:00", "2027-01-02 00:00", TORONTO),
    # A6, R11: a window of 14 days, and the grace of five working days
    "a6 window": window("2026-06-18 10:00", "2026-06-18", "2026-07-03 00:00", TORONTO),
    "a6 window ahead": window("2026-06-18 10:00", "2026-07-01", "2026-07-16 00:00", HALIFAX),
    "r11 8 to 22 May": window("2026-05-08 09:00", "2026-05-08", "2026-05-23 00:00", TORONTO),
    "a6 grace": sv_grace("2026-06-02 10:00", "2026-06-24 00:00", TORONTO),
    "a6 grace over Easter 2026": sv_grace("2026-03-17 10:00", "2026-04-10 00:00", TORONTO),
    "a6 grace over Easter 2026, Halifax": sv_grace("2026-03-19 10:00", "2026-04-14 00:00", HALIFAX),
    "a6 grace over Christmas and New Year": sv_grace("2026-12-09 10:00", "2027-01-06 00:00", TORONTO),
    "a6 grace over the Fête nationale": sv_grace("2026-06-08 10:00", "2026-07-01 00:00", TORONTO),
    "a6 grace, spring forward": sv_grace("2026-02-20 10:00", "2026-03-14 00:00", TORONTO),
    # R14, R15, A10: 12 and 36 months
    "r14 12 months": mf(date(2026, 6, 2), "2027-06-03 00:00", TORONTO, vulnerable=True),
    "r14 36 months": mf(date(2026, 6, 2), "2029-06-03 00:00", TORONTO, vulnerable=False),
    "a10 29 February, 12 months": mf(date(2028, 2, 29), "2029-03-01 00:00", TORONTO, vulnerable=True),
    "a10 29 February, 36 months": mf(date(2028, 2, 29), "2031-03-01 00:00", HALIFAX, vulnerable=False),
    "a10 the 31st, 12 months": mf(date(2026, 8, 31), "2027-09-01 00:00", TORONTO, vulnerable=True),
    "a10 the 31st, 36 months": mf(date(2026, 10, 31), "2029-11-01 00:00", TORONTO, vulnerable=False),
    "a10 31 December": mf(date(2026, 12, 31), "2028-01-01 00:00", BLANC_SABLON, vulnerable=True),
    "a10 the day of a clock change": mf(date(2026, 3, 14), "2027-03-15 00:00", TORONTO, vulnerable=True),
    "a10 the day of the autumn's": mf(date(2026, 11, 4), "2029-11-05 00:00", HALIFAX, vulnerable=False),
}
ANNOUNCED = {
    f"{rule} {zone} {day}": announced(fact, after, zone, **{key: day}, **more)
    for zone in ZONES
    for day in ("2026-03-08", "2026-03-09", "2026-11-01", "2026-11-02", "2027-03-01")
    for rule, fact, after, key, more in (
        ("a16 physician", "physician_left", State.PHYSICIAN_LEFT, "on", {"cause": "moved"}),
        ("a15 patient", "patient_left", State.PATIENT_LEFT, "on", {"cause": "left_quebec"}),
        (
            "a14 elsewhere",
            "enrolled_elsewhere",
            State.ENROLLED_ELSEWHERE,
            "effective_on",
            {"physician": "54321", "basis": "x"},
        ),
    )
}


@pytest.mark.parametrize("limit", [*LIMITS.values(), *ANNOUNCED.values()], ids=[*LIMITS, *ANNOUNCED])
def test_a_deadline_a_second_before_at_it_and_a_second_after(limit: Limit) -> None:
    life = limit.life()
    due = instant(limit.due, life.zone)
    assert life.attribution.next_deadline == due
    assert limit.life().at(due - SECOND).state is limit.before
    assert limit.life().at(due).state is limit.after
    after = limit.life().at(due + SECOND)
    assert after.state is limit.after
    assert after.transitions[-1].at == due, "dated when it was due, not when it was noticed"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("start", "due"),
    [
        (date(2026, 6, 2), "2029-09-01 00:00"),
        (date(2028, 2, 29), "2031-05-30 00:00"),
        (date(2026, 12, 9), "2030-03-10 00:00"),
        (date(2026, 8, 31), "2029-11-30 00:00"),
    ],
)
def test_a11_the_90_days_of_a_late_mf_a_second_before_at_it_and_a_second_after(
    start: date, due: str, zone: str
) -> None:
    end = instant(due, zone)
    assert expired(start, zone=zone).attribution.next_deadline == end
    assert not expired(start, zone=zone).at(end - SECOND).attribution.ended
    assert expired(start, zone=zone).at(end).attribution.ended
    assert expired(start, zone=zone).at(end + SECOND).attribution.ended


@pytest.mark.parametrize("zone", ZONES)
def test_a23_the_same_words_are_other_instants_in_another_zone(zone: str) -> None:
    hours = {TORONTO: 4, HALIFAX: 3, BLANC_SABLON: 4}[zone]
    assert instant("2026-06-17 00:00", zone).hour == hours
    assert confirmed("2026-06-02 10:00", zone=zone).attribution.deadline == instant("2026-06-17 00:00", zone)


# In UTC it is 3 June at each; the last two are of one instant and have two dates.
EVENINGS = [
    (HALIFAX, "2026-06-02 22:30", date(2026, 6, 2)),
    (TORONTO, "2026-06-02 23:30", date(2026, 6, 2)),
    (HALIFAX, "2026-06-03 00:30", date(2026, 6, 3)),
]


@pytest.mark.parametrize(("zone", "evening", "day"), EVENINGS)
def test_a23_an_acceptance_in_the_evening_is_of_the_day_on_the_rls_s_clock(
    zone: str, evening: str, day: date
) -> None:
    life = Life("2026-06-01 09:00", zone).at(evening).report("accepted")
    assert life.attribution.confirmed_on == day
    assert life.attribution.window_opens_on == day
    assert life.attribution.sv_last_day == day + timedelta(days=14)
    assert life.effects_of(ConfirmToRamq) == [ConfirmToRamq(on=day)]
    # Entered at once and without a date, the SV is of that day too.
    assert life.report("sv_entered").effects_of(WriteSv) == [WriteSv(start=day)]


@pytest.mark.parametrize("fact", ["cancelled", "refused"])
@pytest.mark.parametrize(("zone", "evening", "day"), EVENINGS)
def test_a23_what_ends_in_the_evening_ends_on_the_day_of_the_rls_s_clock(
    zone: str, evening: str, day: date, fact: str
) -> None:
    life = Life("2026-06-01 09:00", zone).at(evening).report(fact, reason="congé")
    assert life.attribution.ended_on == day
    assert life.transitions[-1].ended_on == day


@pytest.mark.parametrize(("zone", "evening", "day"), EVENINGS)
def test_a23_what_is_overtaken_in_the_evening_ends_on_the_day_of_the_rls_s_clock(
    zone: str, evening: str, day: date
) -> None:
    elsewhere = EnrolledElsewhere(by="x", physician="54321", effective_on=date(2026, 5, 20), basis="A11")
    life = Life("2026-06-01 09:00", zone).at(evening).overtaken(elsewhere)
    assert life.attribution.ended_on == day


def test_a23_blanc_sablon_keeps_its_time_when_toronto_changes() -> None:
    assert instant("2026-03-07 12:00", TORONTO) - instant("2026-03-07 12:00", BLANC_SABLON) == timedelta(
        hours=1
    )
    assert instant("2026-03-09 12:00", TORONTO) == instant("2026-03-09 12:00", BLANC_SABLON)


def test_what_came_due_while_nobody_looked_passes_in_order_at_its_own_time() -> None:
    life = Life("2026-06-01 09:00").at("2040-01-01 12:00")
    assert [(t.event, t.at) for t in life.transitions[1:]] == [
        ("answer_due", instant("2026-06-04 09:00")),
        ("answer_grace_over", instant("2026-06-09 00:00")),
    ]
    life = enrolled(date(2026, 6, 2)).at("2040-01-01 12:00")
    assert [(t.event, t.at) for t in life.transitions[3:]] == [
        ("mf_due", instant("2029-06-03 00:00")),
        ("late_mf_over", instant("2029-09-01 00:00")),
    ]
    assert [entry.fact for entry in life.attribution.passed] == ["mf_due", "late_mf_over"]
    assert life.attribution.ended_on == date(2029, 9, 1)


def test_a_fact_that_arrives_with_its_deadline_comes_too_late() -> None:
    life = Life("2026-06-01 09:00").at("2026-06-09 00:00")
    assert life.refuses("accepted").rule == "A3"
    assert confirmed().at("2026-06-17 00:00").refuses("sv_entered").rule == "A6"
