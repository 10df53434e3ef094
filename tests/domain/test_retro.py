"""The retroactive cohort: which attributions are of it, and what each becomes (R1, R11, R12, R14, A6, A8, A9, A10)."""

from datetime import date, datetime
from typing import Any

import pytest

from gamf.domain import consequences, effects, retro
from gamf.domain.draw import Applicant
from gamf.domain.effects import Owner, TaskKind
from gamf.domain.policy import Policy
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.retro import Adopted, DatedWindow, Declared, Holder
from gamf.domain.states import State
from tests.domain.lives import BLANC_SABLON, HALIFAX, SECOND, TORONTO, ZONES, Life, instant, start, wall

NOVEMBER = "2026-11-26 10:00"
WINDOW = DatedWindow(opens_on=date(2026, 11, 30), reason="cohorte prise en novembre")
PHYSICIAN = Applicant(licence="12345", rls="1234", status="participating")
HOLDER = Holder(
    patient_id="patient-1", place="waiting", priority="B", vulnerable=False, registered_on=date(2024, 5, 17)
)


def day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def declared(attributed_on: str = "2026-03-10", **days: str) -> Declared:
    return Declared.model_validate({"attributed_on": attributed_on, **days})


def rules(
    what: Declared,
    *,
    today: str = "2026-05-08",
    holder: Holder | None = HOLDER,
    applicant: Applicant | None = PHYSICIAN,
) -> list[tuple[str, str | None]]:
    """Return each rule that refuses, with the column at fault."""
    found = retro.check(what, holder, applicant, Policy(), date.fromisoformat(today))
    return [(reason.rule, reason.field) for reason in found]


def adopted(
    what: Declared,
    now: str = "2026-05-08 09:00",
    zone: str = TORONTO,
    window: DatedWindow | None = None,
    **changes: Any,  # noqa: ANN401 - any field of `Start`
) -> Adopted:
    begun = start(zone=zone, attributed_at=retro.attributed_at(what, zone), **changes)
    return retro.adopt(begun, what, window, instant(now, zone))


class Cohort(Life):
    """An attribution of the cohort, from the instant at which it is taken in."""

    def __init__(
        self,
        what: Declared,
        now: str = "2026-05-08 09:00",
        zone: str = TORONTO,
        **changes: Any,  # noqa: ANN401 - any field of `Start`
    ) -> None:
        super().__init__(zone=zone)
        self.transitions.clear()
        self.attribution = adopted(what, now, zone, **changes).attribution
        self.now = instant(now, zone)


# --- which are of it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributed_on", "expected"),
    [
        ("2026-01-31", [("R1", "attributed_on")]),
        ("2026-02-01", []),
        ("2026-05-08", []),
        ("2026-05-09", [("R11", "attributed_on")]),
        ("2027-05-01", [("R11", "attributed_on")]),
    ],
)
def test_r1_r11_the_cohort_is_of_1_february_to_8_may(
    attributed_on: str, expected: list[tuple[str, str]]
) -> None:
    assert rules(declared(attributed_on), today="2026-11-26") == expected


def test_r11_an_attribution_of_tomorrow_is_not_made_yet() -> None:
    assert rules(declared("2026-05-08"), today="2026-05-07") == [("R11", "attributed_on")]


@pytest.mark.parametrize(
    ("sv_start", "expected"),
    [
        ("2026-03-09", [("R8", "sv_start")]),
        ("2026-03-10", []),
        ("2026-05-22", []),
        ("2026-05-23", [("R11", "sv_start")]),
    ],
)
def test_r8_r11_an_sv_of_the_cohort_starts_from_the_attribution_to_22_may(
    sv_start: str, expected: list[tuple[str, str]]
) -> None:
    assert rules(declared(sv_start=sv_start), today="2026-06-01") == expected


def test_r8_an_sv_of_tomorrow_is_not_one() -> None:
    assert rules(declared(sv_start="2026-05-09"), today="2026-05-08") == [("R8", "sv_start")]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ({"mf_signed_on": "2026-03-10"}, []),
        ({"mf_signed_on": "2026-03-09"}, [("A24", "mf_signed_on")]),
        ({"mf_signed_on": "2026-05-09"}, [("R2", "mf_signed_on")]),
        ({"mf_effective_on": "2026-04-01"}, [("R2", "mf_signed_on")]),
        ({"mf_signed_on": "2026-04-01", "mf_effective_on": "2026-03-31"}, [("R2", "mf_effective_on")]),
        ({"mf_signed_on": "2026-04-01", "mf_effective_on": "2026-06-30"}, []),
        ({"mf_signed_on": "2026-04-01", "mf_effective_on": "2026-07-01"}, [("R2", "mf_effective_on")]),
    ],
)
def test_r2_a24_an_mf_needs_a_form_signed_since_the_attribution(
    days: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    assert rules(declared(**days)) == expected


@pytest.mark.parametrize(
    ("vulnerable", "signed_on", "expected"),
    [
        (True, "2027-03-31", []),
        (True, "2027-04-01", [("A24", "mf_signed_on")]),
        (False, "2027-04-01", []),
        (False, "2029-04-01", [("A24", "mf_signed_on")]),
    ],
)
def test_a24_a_form_signed_after_the_term_is_another_enrolment(
    *, vulnerable: bool, signed_on: str, expected: list[tuple[str, str]]
) -> None:
    what = declared(sv_start="2026-03-31", mf_signed_on=signed_on)
    holder = HOLDER.model_copy(update={"vulnerable": vulnerable})
    assert rules(what, today="2029-12-01", holder=holder) == expected
    # As it was at the attribution, when the file says (A9).
    said = what.model_copy(update={"vulnerable": vulnerable})
    assert rules(said, today="2029-12-01", holder=HOLDER) == expected


@pytest.mark.parametrize(
    ("applicant", "rule"),
    [
        (None, "R3"),
        (PHYSICIAN.model_copy(update={"status": "non_participating"}), "R3"),
        (PHYSICIAN.model_copy(update={"status": "disengaged"}), "R3"),
        (PHYSICIAN.model_copy(update={"leaves_on": date(2026, 5, 8)}), "A16"),
    ],
)
def test_r3_a16_the_physician_takes_part_and_is_there(applicant: Applicant | None, rule: str) -> None:
    assert rules(declared(), applicant=applicant) == [(rule, "physician")]


def test_a16_a_departure_to_come_is_carried_out_on_its_day_like_any_other() -> None:
    leaving = PHYSICIAN.model_copy(update={"leaves_on": date(2026, 5, 9)})
    assert rules(declared(), applicant=leaving) == []


@pytest.mark.parametrize(
    ("changes", "rule", "column"),
    [
        ({"place": "proposed"}, "invariant 1", "nam"),
        ({"place": "enrolled"}, "A24", "nam"),
        ({"place": "left"}, "A15", "nam"),
        ({"place": "attributed", "open_attribution": "2026-000007"}, "invariant 2", "nam"),
        # It waits for a late MF (A11), and the patient is on the list.
        ({"open_attribution": "2026-000007"}, "invariant 2", "nam"),
        ({"refused": True}, "A8", "physician"),
        ({"registered_on": date(2026, 3, 11)}, "R4", "attributed_on"),
    ],
)
def test_a8_a15_a24_nobody_is_taken_in_from_another_place(
    changes: dict[str, Any], rule: str, column: str
) -> None:
    assert rules(declared(), holder=HOLDER.model_copy(update=changes)) == [(rule, column)]
    assert rules(declared(), holder=None) == [("R4", "nam")]


@pytest.mark.parametrize(
    ("free_from", "days", "expected"),
    [
        ("2026-03-20", {"sv_start": "2026-03-20"}, []),
        ("2026-03-21", {"sv_start": "2026-03-20"}, [("invariant 2", "sv_start")]),
        ("2026-03-21", {"mf_signed_on": "2026-03-20"}, [("invariant 2", "mf_effective_on")]),
        ("2026-03-21", {}, []),
    ],
)
def test_a24_an_enrolment_that_overlaps_another_is_refused(
    free_from: str, days: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    holder = HOLDER.model_copy(update={"free_from": day(free_from)})
    assert rules(declared(**days), holder=holder) == expected


def test_every_fault_of_a_line_is_told() -> None:
    what = declared("2026-05-09", sv_start="2026-05-30")
    assert [rule for rule, _ in rules(what, holder=None, applicant=None, today="2026-06-01")] == [
        *("R11", "R11", "R3", "R4")
    ]


# --- what each becomes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES)
def test_r11_without_sv_nor_mf_the_window_is_8_to_22_may_on_the_clock_of_the_rls(zone: str) -> None:
    life = Cohort(declared(), zone=zone)
    assert life.state is State.CONFIRMED
    assert life.deadline == "2026-05-23 00:00"
    assert life.attribution.local(life.attribution.start.attributed_at) == date(2026, 3, 10)
    assert life.refuses("sv_entered", on="2026-05-07").rule == "A5"
    due = instant("2026-05-23 00:00", zone)
    assert Cohort(declared(), zone=zone).at(due - SECOND).report("sv_entered").state is State.ENROLLED_SV
    for late in (due, due + SECOND):
        assert Cohort(declared(), zone=zone).at(late).refuses("sv_entered", on="2026-05-22").rule == "A6"


@pytest.mark.parametrize("on", ["2026-05-08", "2026-05-21", "2026-05-22"])
def test_r11_an_sv_of_the_window_starts_on_its_day(on: str) -> None:
    life = Cohort(declared()).at("2026-05-22 23:59:59").report("sv_entered", on=on)
    assert life.attribution.sv is not None
    assert life.attribution.sv.start == day(on)


def test_r11_taken_in_before_the_window_it_opens_on_8_may() -> None:
    life = Cohort(declared("2026-02-01"), "2026-03-01 09:00")
    assert life.refuses("sv_entered").rule == "A5"
    assert life.at("2026-05-08 00:00").report("sv_entered").state is State.ENROLLED_SV


@pytest.mark.parametrize(
    ("taken_in", "grace_over"),
    [
        ("2026-05-22 23:59:59", "2026-05-30 00:00"),
        # The 23rd is a Saturday: the fifth working day is the 29th still.
        ("2026-05-23 00:00", "2026-05-30 00:00"),
        ("2026-05-25 12:00", "2026-06-02 00:00"),
        (NOVEMBER, "2026-12-04 00:00"),
    ],
)
def test_r11_a6_taken_in_after_the_window_it_is_overdue_at_once_and_its_grace_begins_then(
    taken_in: str, grace_over: str
) -> None:
    life = Cohort(declared(), taken_in).at("2026-05-23 00:00" if taken_in < "2026-05-23" else taken_in)
    assert life.state is State.OVERDUE
    (overdue,) = life.transitions
    assert wall(overdue.at) == "2026-05-23 00:00"
    (task,) = life.effects_of(effects.OpenTask)
    assert isinstance(task, effects.OpenTask)
    assert (task.kind, task.owner, wall(task.due)) == (
        TaskKind.SV_OVERDUE,
        Owner.COORDINATOR,
        grace_over,
    )
    assert life.deadline == grace_over
    assert life.at(instant(grace_over) - SECOND).state is State.OVERDUE
    assert life.at(grace_over).state is State.LAPSED


def test_r11_a6_a_window_reopened_since_has_its_own_grace() -> None:
    life = Cohort(declared(), NOVEMBER).at(NOVEMBER)
    life.report("window_reopened", opens_on="2026-11-27", reason="cohorte").at("2026-12-12 00:00")
    assert (life.state, life.deadline) == (State.OVERDUE, "2026-12-19 00:00")


def test_r11_a6_a_dated_window_given_with_the_file_is_open_at_once() -> None:
    life = Cohort(declared(), NOVEMBER, window=WINDOW).at(NOVEMBER)
    assert (life.state, life.deadline) == (State.CONFIRMED, "2026-12-15 00:00")
    assert life.refuses("sv_entered").rule == "A5"
    assert life.at("2026-11-30 08:00").report("sv_entered").state is State.ENROLLED_SV


@pytest.mark.parametrize(
    ("now", "opens_on"),
    [
        ("2026-05-22 23:59:59", "2026-05-22"),
        (NOVEMBER, "2026-11-11"),
        (NOVEMBER, "2026-12-27"),
    ],
)
def test_a6_a_dated_window_comes_after_the_cohorts_own_and_is_neither_over_nor_far(
    now: str, opens_on: str
) -> None:
    window = DatedWindow(opens_on=date.fromisoformat(opens_on), reason="x")
    with pytest.raises(RefusedByRuleError) as refused:
        adopted(declared(), now, window=window)
    assert (refused.value.reason.rule, refused.value.reason.field) == ("A6", "opens_on")


@pytest.mark.parametrize(
    ("sv_start", "vulnerable", "term"),
    [
        ("2026-02-28", True, "2027-02-28"),
        ("2026-03-31", True, "2027-03-31"),
        ("2026-02-28", False, "2029-02-28"),
        ("2026-04-30", False, "2029-04-30"),
        ("2026-05-22", False, "2029-05-22"),
    ],
)
def test_r14_a9_a10_an_existing_sv_runs_from_its_own_start(
    *, sv_start: str, vulnerable: bool, term: str
) -> None:
    life = Cohort(declared("2026-02-01", sv_start=sv_start), NOVEMBER, vulnerable=vulnerable)
    assert (life.state, life.attribution.term) == (State.ENROLLED_SV, day(term))
    over = life.attribution.deadline
    assert over is not None
    assert life.at(over - SECOND).state is State.ENROLLED_SV
    assert life.at(over).state is State.EXPIRED
    assert effects.CloseSv(end=date.fromisoformat(term)) in life.effects


def test_r15_a11_a_term_already_past_passes_dated_when_due() -> None:
    life = Cohort(declared(sv_start="2026-03-12"), "2027-09-01 09:00", vulnerable=True).at("2027-09-01 09:00")
    assert [(t.event, wall(t.at)) for t in life.transitions] == [
        ("mf_due", "2027-03-13 00:00"),
        ("late_mf_over", "2027-06-11 00:00"),
    ]
    assert life.attribution.ended_on == date(2027, 6, 11)


def test_r15_a25_whoever_was_enrolled_before_was_told_elsewhere_and_is_told_of_the_end() -> None:
    life = Cohort(declared(sv_start="2026-03-12"), NOVEMBER, vulnerable=True).at("2027-03-13 00:00")
    (letter,) = life.effects_of(effects.SendCorrectiveLetter)
    assert isinstance(letter, effects.SendCorrectiveLetter)
    assert letter.told_outside


@pytest.mark.parametrize(
    ("days", "sv", "mf"),
    [
        ({"mf_signed_on": "2026-04-01"}, None, "2026-04-01"),
        (
            {"sv_start": "2026-03-20", "mf_signed_on": "2026-04-01"},
            ("2026-03-20", "2026-03-31", False),
            "2026-04-01",
        ),
        (
            {"sv_start": "2026-03-20", "mf_signed_on": "2026-04-01", "mf_effective_on": "2026-05-01"},
            ("2026-03-20", "2026-04-30", False),
            "2026-05-01",
        ),
        (
            {"sv_start": "2026-04-01", "mf_signed_on": "2026-04-01"},
            ("2026-04-01", None, True),
            "2026-04-01",
        ),
    ],
)
def test_r12_a12_an_existing_mf_ends_it_and_closes_the_sv_the_day_before(
    days: dict[str, str], sv: tuple[str, str | None, bool] | None, mf: str
) -> None:
    a = adopted(declared(**days), NOVEMBER).attribution
    assert (a.state, a.ended_on, a.deadline, a.under_way) == (
        State.ENROLLED_MF,
        date(2026, 4, 1),
        None,
        False,
    )
    assert a.mf is not None
    assert a.mf.start == day(mf)
    assert (a.sv and (a.sv.start, a.sv.end, a.sv.voided)) == (sv and (day(sv[0]), day(sv[1]), sv[2]))


# --- who is told ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "now", "window", "due"),
    [
        (declared(), "2026-05-08 09:00", None, True),
        (declared(), "2026-05-22 23:59:59", None, True),
        (declared(), "2026-05-23 00:00", None, False),
        (declared(), NOVEMBER, WINDOW, True),
        (declared(sv_start="2026-03-12"), NOVEMBER, None, False),
        (declared(mf_signed_on="2026-03-12"), NOVEMBER, None, False),
    ],
)
def test_r7_the_letter_is_for_who_has_neither_and_waits_for_a_window(
    what: Declared, now: str, window: DatedWindow | None, *, due: bool
) -> None:
    taken_in = adopted(what, now, window=window)
    assert taken_in.letter_due is due
    # The clinic is asked for the SV for as long as a window is open (R8).
    asked = consequences.asked_at_once(taken_in.attribution, instant(now))
    assert [(task.kind, task.owner) for task in asked] == [(TaskKind.SV_TO_ENTER, Owner.CLINIC)] * due


def test_r7_taken_in_late_the_letter_goes_with_the_first_window_and_no_other() -> None:
    life = Cohort(declared(), NOVEMBER).at(NOVEMBER)
    life.report("window_reopened", opens_on="2026-11-26", reason="cohorte")
    assert life.did == {"close_tasks", "send_attribution_letter", "open_task"}
    life.at("2026-12-12 00:00").report("window_reopened", opens_on="2026-12-12", reason="encore")
    assert life.did == {"close_tasks", "open_task"}


def test_r7_the_window_of_who_was_told_brings_no_second_letter() -> None:
    life = Cohort(declared()).at("2026-05-23 00:00")
    life.report("window_reopened", opens_on="2026-05-25", reason="cohorte")
    assert life.did == {"close_tasks", "open_task"}


# --- what is remembered ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "days",
    [{}, {"sv_start": "2026-03-12"}, {"sv_start": "2026-03-12", "mf_signed_on": "2026-04-01"}],
)
@pytest.mark.parametrize("zone", [HALIFAX, BLANC_SABLON])
def test_a20_an_adoption_is_made_again_from_its_record(days: dict[str, str], zone: str) -> None:
    what, now = declared(**days), instant(NOVEMBER, zone)
    window = None if what.enrolled else WINDOW
    made = adopted(what, NOVEMBER, zone, window).attribution
    assert retro.adopt_again(made.start, retro.argument(what, window), now) == made


def test_a20_the_same_declaration_is_known_and_another_of_that_day_is_refused() -> None:
    what = declared(sv_start="2026-03-12")
    kept = [retro.argument(declared("2026-03-09"), WINDOW), retro.argument(what, None)]
    assert retro.taken_before(what, kept)
    assert retro.taken_before(declared("2026-03-09"), kept)
    assert not retro.taken_before(declared("2026-03-11"), kept)
    with pytest.raises(RefusedByRuleError) as refused:
        retro.taken_before(declared(sv_start="2026-03-13"), kept)
    assert refused.value.reason.rule == "A20"


def test_a23_the_instant_of_an_attribution_is_the_first_of_its_local_day() -> None:
    halifax = retro.attributed_at(declared(), HALIFAX)
    assert halifax == instant("2026-03-10 00:00", HALIFAX)
    assert halifax < retro.attributed_at(declared(), TORONTO)
    assert isinstance(halifax, datetime)
