"""The list is attributed and the physician answers, or does not (R1, R5, R6, R7, A1 to A4, A21)."""

import pytest
from pydantic import ValidationError

from gamf.domain import effects
from gamf.domain.correspondence import Standing
from gamf.domain.effects import Owner, TaskKind
from gamf.domain.policy import Policy
from gamf.domain.states import State
from tests.domain.lives import Life, confirmed, instant, start


def test_r1_an_attribution_of_1_february_2026_is_under_the_agreement() -> None:
    assert Life("2026-02-01 00:00").state is State.PROPOSED


def test_r1_an_attribution_of_the_day_before_is_not() -> None:
    with pytest.raises(ValidationError, match="R1"):
        start("2026-01-31 23:59:59")


def test_r1_the_first_day_is_that_of_the_rls_s_clock() -> None:
    midnight_in_halifax = instant("2026-02-01 00:00", "America/Halifax")
    assert Life("2026-02-01 00:00", "America/Halifax").now == midnight_in_halifax
    with pytest.raises(ValidationError, match="R1"):
        start(attributed_at=midnight_in_halifax)


def test_r5_a_cancelled_patient_goes_back_to_the_list() -> None:
    life = Life().at("2026-06-02 10:00").report("cancelled", reason="hors territoire")
    assert life.state is State.CANCELLED
    assert "return_to_list" in life.did
    assert life.attribution.ended_on is not None


def test_r5_a_cancellation_carries_a_reason() -> None:
    reason = Life().refuses("cancelled")
    assert (reason.rule, reason.field) == ("R5", "reason")


@pytest.mark.parametrize("when", ["2026-06-02 10:00", "2026-06-05 10:00"])
def test_r5_cancelled_while_the_answer_is_awaited_and_in_the_grace(when: str) -> None:
    assert Life().at(when).report("cancelled", reason="x").state is State.CANCELLED


def test_r5_cancelled_once_confirmed_and_once_overdue() -> None:
    assert confirmed().report("cancelled", reason="x").state is State.CANCELLED
    assert confirmed().at("2026-06-17 00:00").report("cancelled", reason="x").state is State.CANCELLED


def test_r5_nothing_is_cancelled_after_the_sv() -> None:
    assert confirmed().report("sv_entered").refuses("cancelled", reason="x").rule == "R5"


def test_r6_the_72_hours_run_from_the_attribution() -> None:
    assert Life("2026-06-01 09:00").deadline == "2026-06-04 09:00"


def test_r6_an_acceptance_confirms() -> None:
    life = Life().at("2026-06-04 08:59:59").report("accepted")
    assert life.state is State.CONFIRMED
    assert life.attribution.waiting_for is Owner.CLINIC


def test_r6_a_refusal_ends_and_the_patient_goes_back() -> None:
    life = Life().at("2026-06-02 10:00").report("refused", reason="x")
    assert life.state is State.REFUSED
    assert "return_to_list" in life.did


@pytest.mark.parametrize("at", ["2026-06-01T08:59:59-04:00", "2026-06-02T10:00:31-04:00"])
@pytest.mark.parametrize(
    ("fact", "more"), [("accepted", {}), ("refused", {"reason": "x"}), ("cancelled", {"reason": "x"})]
)
def test_r6_an_answer_is_neither_before_the_list_nor_in_the_future(
    fact: str, more: dict[str, str], at: str
) -> None:
    reason = Life().at("2026-06-02 10:00").refuses(fact, at=at, **more)
    assert (reason.rule, reason.field) == ("R6", "at")


@pytest.mark.parametrize("at", ["2026-06-01T09:00:00-04:00", "2026-06-02T10:00:00-04:00"])
def test_r6_an_answer_is_taken_from_the_first_instant_to_the_present_one(at: str) -> None:
    assert Life().at("2026-06-02 10:00").report("accepted", at=at).state is State.CONFIRMED


def test_r6_a_clock_30_seconds_ahead_of_ours_is_taken_for_ours() -> None:
    life = Life().at("2026-06-02 23:59:45").report("accepted", at="2026-06-03T00:00:15-04:00")
    assert life.attribution.confirmed_on is not None
    assert life.attribution.confirmed_on.isoformat() == "2026-06-02"


def test_r6_a_physician_answers_once() -> None:
    life = confirmed()
    assert life.refuses("accepted", at="2026-06-02T09:00:00-04:00").rule == "R6"
    assert life.refuses("refused", reason="x").rule == "R6"


def test_r7_the_letter_is_due_with_the_confirmation_and_not_before() -> None:
    life = Life()
    assert life.effects == ()
    assert "send_attribution_letter" in life.at("2026-06-02 10:00").report("accepted").did
    assert len(life.effects_of(effects.SendAttributionLetter)) == 1


@pytest.mark.parametrize("fact", ["refused", "cancelled"])
def test_r7_nobody_is_written_to_without_a_confirmation(fact: str) -> None:
    life = Life().report(fact, reason="x")
    assert not life.effects_of(effects.SendAttributionLetter)


def test_a1_the_vector_over_the_clock_change_of_march_2026() -> None:
    life = Life("2026-03-06 12:00")
    assert life.attribution.deadline == instant("2026-03-09 13:00")


@pytest.mark.parametrize(
    ("attributed", "due"),
    [
        ("2026-04-02 17:00", "2026-04-05 17:00"),
        ("2026-12-24 09:00", "2026-12-27 09:00"),
        ("2026-06-05 23:00", "2026-06-08 23:00"),
        ("2026-10-30 12:00", "2026-11-02 11:00"),
    ],
)
def test_a1_nights_week_ends_and_holidays_suspend_nothing(attributed: str, due: str) -> None:
    assert Life(attributed).deadline == due


def test_a2_silence_is_never_acceptance() -> None:
    life = Life().at("2026-06-04 09:00")
    assert life.state is State.UNANSWERED
    assert life.at("2026-06-09 00:00").state is State.LAPSED
    assert life.attribution.confirmed_on is None
    assert not life.effects_of(effects.WriteSv)


def test_a2_at_72_hours_the_patient_is_still_reserved_and_the_coordinator_has_a_task() -> None:
    life = Life().at("2026-06-04 09:00")
    assert life.attribution.under_way
    assert life.attribution.waiting_for is Owner.COORDINATOR
    grace = instant("2026-06-09 00:00")
    assert life.effects == (
        effects.OpenTask(kind=TaskKind.ANSWER_OVERDUE, owner=Owner.COORDINATOR, due=grace),
    )


def test_a2_the_grace_ends_at_24_00_of_the_second_working_day() -> None:
    # The 72nd hour is on Thursday 4 June: Friday is the first working day, Monday the second.
    life = Life().at("2026-06-04 09:00")
    assert life.deadline == "2026-06-09 00:00"


def test_a2_the_lapse_puts_the_patient_back_and_closes_the_task() -> None:
    life = Life().at("2026-06-09 00:00")
    assert life.effects == (effects.CloseTasks(), effects.ReturnToList())


def test_a3_an_answer_is_taken_in_the_grace() -> None:
    life = Life().at("2026-06-08 23:59:59").report("accepted")
    assert life.state is State.CONFIRMED
    assert "close_tasks" in life.did
    assert life.attribution.confirmed_on is not None
    assert life.attribution.confirmed_on.isoformat() == "2026-06-08"
    assert Life().at("2026-06-08 23:59:59").report("refused", reason="x").state is State.REFUSED


@pytest.mark.parametrize(("fact", "more"), [("accepted", {}), ("refused", {"reason": "x"})])
def test_a3_after_the_lapse_an_answer_is_refused(fact: str, more: dict[str, str]) -> None:
    reason = Life().at("2026-06-09 00:00").refuses(fact, **more)
    assert reason.rule == "A3"
    assert "terminée" in reason.fr
    assert "ended" in reason.en


def test_a3_a_policy_may_close_the_grace_to_acceptances() -> None:
    life = Life(policy=Policy(version="strict", answer_in_grace=False)).at("2026-06-04 09:00")
    assert life.refuses("accepted").rule == "A3"


def test_a4_a_physician_s_refusal_carries_a_reason() -> None:
    reason = Life().refuses("refused")
    assert (reason.rule, reason.field) == ("A4", "reason")


@pytest.mark.parametrize("empty", ["", "   ", None, 3])
def test_a4_an_empty_reason_is_none(empty: object) -> None:
    assert Life().refuses("refused", reason=empty).rule == "A4"


def test_a4_each_patient_has_an_answer_of_their_own() -> None:
    accepted, refused = Life(attribution_id="2026-000001"), Life(attribution_id="2026-000002")
    accepted.report("accepted")
    refused.report("refused", reason="x")
    assert (accepted.state, refused.state) == (State.CONFIRMED, State.REFUSED)


def test_a21_the_72_hours_start_at_the_approval_and_its_rule_is_on_the_record() -> None:
    (proposed,) = Life("2026-06-01 09:00").transitions
    assert proposed.at == instant("2026-06-01 09:00")
    assert "A21" in proposed.rules


def test_a25_a_patient_who_had_no_letter_gets_no_correction() -> None:
    assert not Life().at("2026-06-09 00:00").effects_of(effects.SendCorrectiveLetter)
    assert not Life().report("cancelled", reason="x").effects_of(effects.SendCorrectiveLetter)


def test_a25_a_cancellation_after_the_letter_is_told() -> None:
    life = confirmed().report("cancelled", reason="x")
    assert effects.SendCorrectiveLetter(standing=Standing.CANCELLED) in life.effects
