"""The SV: its fourteen days, a window reopened, its term (R2, R8, R11, R14, R15, A5, A6, A9, A10)."""

from datetime import date

import pytest

from gamf.domain import effects
from gamf.domain.correspondence import Standing
from gamf.domain.effects import OF_STATE, Owner, TaskKind
from gamf.domain.facts import FACTS
from gamf.domain.policy import Policy
from gamf.domain.states import State
from tests.domain.lives import HALIFAX, Life, confirmed, enrolled, expired, instant


def test_r2_what_the_clinic_enters_is_an_sv() -> None:
    life = confirmed().at("2026-06-03 10:00").report("sv_entered")
    assert life.state is State.ENROLLED_SV
    assert life.effects == (effects.CloseTasks(kinds=OF_STATE), effects.WriteSv(start=date(2026, 6, 3)))
    assert life.attribution.mf is None


@pytest.mark.parametrize("fact", sorted(set(FACTS) - {"mf_signed"}))
def test_r2_only_a_signed_form_4096_makes_an_mf(fact: str) -> None:
    life = enrolled(date(2026, 6, 2)).at("2026-06-04 10:00")
    argument = {
        "refused": {"reason": "x"},
        "cancelled": {"reason": "x"},
        "window_reopened": {"opens_on": "2026-06-04", "reason": "x"},
        "patient_refused": {"ground": "x"},
        "enrolled_elsewhere": {"physician": "54321", "effective_on": "2026-06-04", "basis": "x"},
        "patient_left": {"on": "2026-06-04", "cause": "deceased"},
        "physician_left": {"on": "2026-06-04", "cause": "retired"},
    }.get(fact, {})
    before = life.attribution
    try:
        life.report(fact, **argument)
    except ValueError:
        assert life.attribution is before
    assert life.attribution.mf is None
    assert not life.effects_of(effects.WriteMf)


def test_r8_the_start_is_the_day_of_the_entry() -> None:
    life = confirmed().at("2026-06-16 23:59:59").report("sv_entered")
    assert life.attribution.sv is not None
    assert life.attribution.sv.start == date(2026, 6, 16)


def test_r8_an_sv_waits_for_the_acceptance() -> None:
    assert Life().refuses("sv_entered").rule == "R8"
    assert Life().at("2026-06-04 09:00").refuses("sv_entered").rule == "R8"


def test_r8_a_patient_is_enrolled_once() -> None:
    assert (
        enrolled(date(2026, 6, 2)).at("2026-06-03 10:00").refuses("sv_entered", on="2026-06-03").rule == "R8"
    )


@pytest.mark.parametrize("on", ["2026-06-02", "2026-06-10"])
def test_a5_a_start_between_the_confirmation_and_today_is_taken(on: str) -> None:
    life = confirmed().at("2026-06-10 10:00").report("sv_entered", on=on)
    assert life.effects == (effects.CloseTasks(kinds=OF_STATE), effects.WriteSv(start=date.fromisoformat(on)))


@pytest.mark.parametrize(("on", "rule"), [("2026-06-01", "A5"), ("2026-06-11", "R8"), ("2026-06-17", "R8")])
def test_a5_the_start_is_never_before_the_confirmation_nor_in_the_future(on: str, rule: str) -> None:
    reason = confirmed().at("2026-06-10 10:00").refuses("sv_entered", on=on)
    assert (reason.rule, reason.field) == (rule, "on")


def test_a5_the_start_is_never_after_the_last_day() -> None:
    assert confirmed().at("2026-06-17 00:00").refuses("sv_entered", on="2026-06-17").rule == "A6"


def test_a5_day_0_is_not_counted_and_day_14_is() -> None:
    life = confirmed("2026-05-08 16:00")
    assert life.attribution.sv_last_day == date(2026, 5, 22)
    assert life.deadline == "2026-05-23 00:00"


def test_a5_the_day_of_the_confirmation_is_that_of_the_rls_s_clock() -> None:
    just_after_midnight_in_halifax = "2026-06-03 00:30"
    life = confirmed(just_after_midnight_in_halifax, zone=HALIFAX)
    assert life.attribution.sv_last_day == date(2026, 6, 17)
    toronto = Life("2026-06-02 08:00").at(instant(just_after_midnight_in_halifax, HALIFAX)).report("accepted")
    assert toronto.attribution.sv_last_day == date(2026, 6, 16)


def test_a5_the_confirmation_is_dated_when_the_physician_answered() -> None:
    life = Life().at("2026-06-03 10:00").report("accepted", at="2026-06-01T23:59:59-04:00")
    assert life.attribution.sv_last_day == date(2026, 6, 15)


def test_a5_neither_week_ends_nor_holidays_extend_the_14_days() -> None:
    # Saturday 5 September 2026, before Labour Day; Christmas Day.
    assert confirmed("2026-08-22 10:00").deadline == "2026-09-06 00:00"
    assert confirmed("2026-12-11 10:00").deadline == "2026-12-26 00:00"


def test_a6_fourteen_days_without_an_sv_block_its_entry_and_open_a_task() -> None:
    life = confirmed().at("2026-06-17 00:00")
    assert life.state is State.OVERDUE
    assert life.attribution.under_way
    grace = instant("2026-06-24 00:00")
    assert life.effects == (
        effects.CloseTasks(kinds=effects.OF_STATE),
        effects.OpenTask(kind=TaskKind.SV_OVERDUE, owner=Owner.COORDINATOR, due=grace),
    )
    assert life.refuses("sv_entered").rule == "A6"


def test_a6_the_grace_ends_at_24_00_of_the_fifth_working_day_and_the_attribution_lapses() -> None:
    # The last day is Tuesday 16 June: 17, 18, 19, 22 and 23 are worked.
    life = confirmed().at("2026-06-24 00:00")
    assert life.state is State.LAPSED
    assert life.effects == (
        effects.CloseTasks(),
        effects.ReturnToList(),
        effects.SendCorrectiveLetter(standing=Standing.LAPSED),
    )


def test_a6_a_reopened_window_has_14_days_and_closes_the_task() -> None:
    life = confirmed().at("2026-06-18 10:00").report("window_reopened", opens_on="2026-06-18", reason="x")
    assert life.state is State.CONFIRMED
    assert life.deadline == "2026-07-03 00:00"
    assert life.effects == (
        effects.CloseTasks(kinds=effects.OF_STATE),
        effects.OpenTask(kind=TaskKind.SV_TO_ENTER, owner=Owner.CLINIC, due=instant("2026-07-03 00:00")),
    )
    assert life.at("2026-07-02 23:59:59").report("sv_entered").state is State.ENROLLED_SV


def test_a6_a_window_that_nobody_uses_is_overdue_again() -> None:
    life = confirmed().at("2026-06-18 10:00").report("window_reopened", opens_on="2026-06-18", reason="x")
    assert life.at("2026-07-03 00:00").state is State.OVERDUE
    assert life.deadline == "2026-07-10 00:00"


def test_a6_a_window_may_open_later_and_no_sv_is_taken_before_it_does() -> None:
    life = confirmed().at("2026-06-18 10:00").report("window_reopened", opens_on="2026-06-22", reason="x")
    assert life.at("2026-06-21 10:00").refuses("sv_entered").rule == "A5"
    assert life.at("2026-06-22 10:00").refuses("sv_entered", on="2026-06-21").rule == "A5"
    assert life.report("sv_entered").state is State.ENROLLED_SV


@pytest.mark.parametrize("opens_on", ["2026-06-04", "2026-07-18"])
def test_a6_a_window_opens_neither_over_already_nor_beyond_30_days(opens_on: str) -> None:
    life = confirmed().at("2026-06-18 10:00")
    assert life.report("window_reopened", opens_on=opens_on, reason="x").state is State.CONFIRMED


@pytest.mark.parametrize("opens_on", ["2026-06-03", "2026-07-19"])
def test_a6_a_window_a_day_too_early_or_too_late_is_refused(opens_on: str) -> None:
    reason = confirmed().at("2026-06-18 10:00").refuses("window_reopened", opens_on=opens_on, reason="x")
    assert (reason.rule, reason.field) == ("A6", "opens_on")


def test_a6_only_an_overdue_sv_is_reopened() -> None:
    assert confirmed().refuses("window_reopened", opens_on="2026-06-02", reason="x").rule == "A6"


def test_a6_a_window_that_opens_before_the_confirmation_does_not_bring_the_start_before_it() -> None:
    policy = Policy(version="short", sv_days=2)
    life = confirmed("2026-06-10 10:00", policy=policy).at("2026-06-13 10:00")
    life.report("window_reopened", opens_on="2026-06-05", reason="x")
    assert life.refuses("sv_entered", on="2026-06-09").rule == "A5"
    assert life.report("sv_entered", on="2026-06-10").state is State.ENROLLED_SV


def test_r11_the_retroactive_window_is_8_to_22_may_2026_both_included() -> None:
    life = confirmed("2026-02-11 10:00").at("2026-02-26 10:00")
    assert life.state is State.OVERDUE
    life = confirmed("2026-04-22 10:00").at("2026-05-08 09:00")
    life.report("window_reopened", opens_on="2026-05-08", reason="R11")
    assert life.attribution.window_opens_on == date(2026, 5, 8)
    assert life.attribution.sv_last_day == date(2026, 5, 22)
    assert life.at("2026-05-22 23:59:59").state is State.CONFIRMED
    assert life.refuses("sv_entered", on="2026-05-07").rule == "A5"
    assert life.report("sv_entered", on="2026-05-08").state is State.ENROLLED_SV


def test_r11_the_day_after_the_retroactive_window_no_sv_is_taken() -> None:
    life = confirmed("2026-04-22 10:00").at("2026-05-08 09:00")
    life.report("window_reopened", opens_on="2026-05-08", reason="R11")
    assert life.at("2026-05-23 00:00").refuses("sv_entered", on="2026-05-22").rule == "A6"


@pytest.mark.parametrize(("vulnerable", "term"), [(True, date(2027, 6, 2)), (False, date(2029, 6, 2))])
def test_r14_the_first_visit_is_within_12_or_36_months_of_the_sv(vulnerable: bool, term: date) -> None:  # noqa: FBT001 - a column
    assert enrolled(date(2026, 6, 2), vulnerable=vulnerable).attribution.term == term


def test_r14_the_months_run_from_the_sv_and_not_from_the_attribution() -> None:
    life = confirmed().at("2026-06-15 10:00").report("sv_entered")
    assert life.attribution.term == date(2029, 6, 15)


def test_r15_at_the_term_the_sv_is_closed_and_the_patient_is_back_on_the_list() -> None:
    life = expired(date(2026, 6, 2))
    assert life.now == instant("2029-06-03 00:00")
    assert life.state is State.EXPIRED
    assert [effect for effect in life.effects if not isinstance(effect, effects.CloseTasks)] == [
        effects.CloseSv(end=date(2029, 6, 2)),
        effects.ReturnToList(),
        effects.SendCorrectiveLetter(standing=Standing.EXPIRED),
    ]
    assert not life.attribution.under_way
    assert life.refuses("sv_entered", on="2029-06-03").rule == "R15"


def test_a9_the_vulnerability_is_that_of_the_attribution() -> None:
    for vulnerable, months in ((True, 12), (False, 36)):
        life = Life(vulnerable=vulnerable)
        assert life.attribution.start.vulnerable is vulnerable
        life.at("2026-06-02 10:00").report("accepted").report("sv_entered")
        assert life.attribution.term == date(2026 + months // 12, 6, 2)


@pytest.mark.parametrize("fact", FACTS)
def test_a9_no_fact_changes_the_vulnerability(fact: str) -> None:
    reason = enrolled(date(2026, 6, 2)).refuses(fact, vulnerable=True)
    assert reason.rule in {"form", "A4", "R5"}
    assert "vulnerable" not in FACTS[fact].model_fields


@pytest.mark.parametrize(
    ("sv", "vulnerable", "term"),
    [
        (date(2028, 2, 29), True, date(2029, 2, 28)),
        (date(2028, 2, 29), False, date(2031, 2, 28)),
        (date(2027, 2, 28), True, date(2028, 2, 28)),
        (date(2026, 8, 31), True, date(2027, 8, 31)),
        (date(2026, 12, 31), False, date(2029, 12, 31)),
        (date(2026, 4, 30), True, date(2027, 4, 30)),
    ],
)
def test_a10_the_last_day_is_the_same_day_of_the_month_else_its_last(
    sv: date,
    vulnerable: bool,  # noqa: FBT001 - a column
    term: date,
) -> None:
    life = enrolled(sv, vulnerable=vulnerable)
    assert life.attribution.term == term
    assert life.deadline[:10] > term.isoformat()
    assert life.deadline.endswith("00:00")


def test_a10_the_sv_ends_on_the_term_and_the_patient_is_on_the_list_the_next_day() -> None:
    life = enrolled(date(2028, 2, 29), vulnerable=True).at("2029-02-28 23:59:59")
    assert life.state is State.ENROLLED_SV
    life.at("2029-03-01 00:00")
    assert life.attribution.sv is not None
    assert life.attribution.sv.end == date(2029, 2, 28)
    assert effects.ReturnToList() in life.effects
