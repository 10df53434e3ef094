"""The MF, in time, late, early or elsewhere (R2, R12, R13, A11, A12, A13, A24)."""

from datetime import date, timedelta

import pytest

from gamf.domain import effects
from gamf.domain.facts import FACTS, EnrolledElsewhere, PatientLeft
from gamf.domain.policy import Policy
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import State
from tests.domain.lives import PHYSICIAN, Life, confirmed, enrolled, expired

SV = date(2026, 6, 2)
TERM = date(2029, 6, 2)


def test_r2_an_mf_starts_on_the_day_of_the_signature_unless_said() -> None:
    life = enrolled(SV).at("2026-09-01 10:00").report("mf_signed", signed_on="2026-08-31")
    assert life.state is State.ENROLLED_MF
    assert effects.WriteMf(start=date(2026, 8, 31)) in life.effects


@pytest.mark.parametrize("effective_on", ["2026-09-01", "2026-09-05", "2026-11-30"])
def test_r2_an_mf_may_take_effect_in_the_90_days_after_the_signature(effective_on: str) -> None:
    life = enrolled(SV).at("2026-09-01 10:00")
    life.report("mf_signed", signed_on="2026-09-01", effective_on=effective_on)
    assert life.attribution.mf is not None
    assert life.attribution.mf.start == date.fromisoformat(effective_on)


@pytest.mark.parametrize("effective_on", ["2026-08-31", "2026-12-01"])
def test_r2_an_mf_takes_effect_neither_before_the_signature_nor_long_after(effective_on: str) -> None:
    life = enrolled(SV).at("2026-09-01 10:00")
    reason = life.refuses("mf_signed", signed_on="2026-09-01", effective_on=effective_on)
    assert (reason.rule, reason.field) == ("R2", "effective_on")


def test_r2_a_form_is_not_signed_in_the_future() -> None:
    reason = enrolled(SV).at("2026-09-01 10:00").refuses("mf_signed", signed_on="2026-09-02")
    assert (reason.rule, reason.field) == ("R2", "signed_on")


@pytest.mark.parametrize(("start", "sv_end"), [("2026-08-31", "2026-08-30"), ("2026-06-03", "2026-06-02")])
def test_r12_mf_closes_the_sv_the_day_before(start: str, sv_end: str) -> None:
    life = enrolled(SV).at("2026-08-31 10:00").report("mf_signed", signed_on=start)
    assert life.effects == (
        effects.CloseTasks(),
        effects.ClosePatientTasks(),
        effects.CloseSv(end=date.fromisoformat(sv_end)),
        effects.WriteMf(start=date.fromisoformat(start)),
    )
    assert life.attribution.sv is not None
    assert life.attribution.sv.end == date.fromisoformat(sv_end)


def test_r12_the_day_before_is_that_of_the_effect_and_not_of_the_signature() -> None:
    life = enrolled(SV).at("2026-08-31 10:00")
    life.report("mf_signed", signed_on="2026-08-31", effective_on="2026-09-10")
    assert effects.CloseSv(end=date(2026, 9, 9)) in life.effects


def test_r12_an_sv_never_runs_past_its_term() -> None:
    life = enrolled(SV).at("2029-06-02 10:00")
    life.report("mf_signed", signed_on="2029-06-02", effective_on="2029-06-20")
    assert effects.CloseSv(end=TERM) in life.effects


@pytest.mark.parametrize("key", ["condition", "vulnerability", "code", "vulnerable"])
@pytest.mark.parametrize("fact", sorted(set(FACTS) - {"mf_signed"}))
def test_r13_no_condition_is_recorded_with_a_fact_that_comes_before_the_first_visit(
    fact: str, key: str
) -> None:
    assert key not in FACTS[fact].model_fields
    assert confirmed().refuses(fact, **{key: "x"}).rule in {"form", "A4", "R5"}


@pytest.mark.parametrize("start", ["2026-06-02", "2026-06-01"])
def test_a12_an_mf_on_or_before_the_start_of_the_sv_voids_it(start: str) -> None:
    life = enrolled(SV).at("2026-06-10 10:00").report("mf_signed", signed_on=start)
    assert life.effects == (
        effects.CloseTasks(),
        effects.ClosePatientTasks(),
        effects.VoidSv(),
        effects.WriteMf(start=date.fromisoformat(start)),
    )
    assert life.attribution.sv is not None
    assert (life.attribution.sv.voided, life.attribution.sv.end) == (True, None)


def test_a12_a_late_mf_on_the_start_of_the_sv_voids_what_was_closed() -> None:
    policy = Policy(version="short", mf_months=1)
    life = expired(SV, policy=policy).report("mf_signed", signed_on="2026-06-02")
    assert effects.VoidSv() in life.effects


@pytest.mark.parametrize("when", ["2026-06-10 10:00", "2026-06-17 10:00"])
def test_a13_an_mf_before_any_sv_is_taken_once_accepted(when: str) -> None:
    life = confirmed().at(when).report("mf_signed", signed_on="2026-06-05")
    assert life.state is State.ENROLLED_MF
    written = effects.WriteMf(start=date(2026, 6, 5))
    assert life.effects == (effects.CloseTasks(), effects.ClosePatientTasks(), written)
    assert life.attribution.sv is None


@pytest.mark.parametrize("when", ["2026-06-02 10:00", "2026-06-05 10:00"])
def test_a13_an_mf_before_the_acceptance_is_refused(when: str) -> None:
    assert Life().at(when).refuses("mf_signed", signed_on="2026-06-02").rule == "A13"


def test_a13_a_policy_may_want_the_sv_first() -> None:
    life = confirmed(policy=Policy(version="strict", mf_without_sv=False))
    assert life.refuses("mf_signed", signed_on="2026-06-02").rule == "A13"


@pytest.mark.parametrize("signed_on", ["2029-06-02", "2029-03-20"])
def test_a11_an_mf_signed_by_the_term_and_received_late_reopens(signed_on: str) -> None:
    life = expired(SV).at("2029-06-18 10:00").report("mf_signed", signed_on=signed_on)
    signed = date.fromisoformat(signed_on)
    assert life.state is State.ENROLLED_MF
    assert effects.WriteMf(start=signed) in life.effects
    assert life.attribution.sv is not None
    assert life.attribution.sv.end == signed - timedelta(days=1)
    assert effects.CloseSv(end=signed - timedelta(days=1)) in life.effects


def test_a11_the_attribution_stays_open_90_days_after_the_term() -> None:
    life = expired(SV)
    assert life.deadline == "2029-09-01 00:00"
    assert not life.attribution.ended
    life.at("2029-09-01 00:00")
    assert life.state is State.EXPIRED
    assert life.attribution.ended_on == date(2029, 9, 1)
    assert life.effects == ()


def test_a11_the_90th_day_is_the_last_to_receive_a_form() -> None:
    assert expired(SV).at("2029-08-31 23:59:59").report("mf_signed", signed_on="2029-06-02").attribution.ended
    assert expired(SV).at("2029-09-01 00:00").refuses("mf_signed", signed_on="2029-06-02").rule == "A20"


def test_a11_a_form_received_more_than_90_days_after_its_signature_is_refused() -> None:
    on_the_90th_day = enrolled(SV).at("2026-08-31 23:59:59")
    assert on_the_90th_day.report("mf_signed", signed_on="2026-06-02").state is State.ENROLLED_MF
    reason = enrolled(SV).at("2026-09-01 00:00").refuses("mf_signed", signed_on="2026-06-02")
    assert (reason.rule, reason.field) == ("A11", "signed_on")


def test_a11_the_same_90_days_bind_a_late_mf() -> None:
    life = expired(SV).at("2029-07-01 10:00")
    assert life.refuses("mf_signed", signed_on="2029-04-01").rule == "A11"
    assert life.report("mf_signed", signed_on="2029-04-02").state is State.ENROLLED_MF


def test_a11_the_newer_attribution_ends_whatever_the_date_of_the_late_mf() -> None:
    newer = enrolled(date(2029, 6, 20), physician="54321").at("2029-07-01 10:00")
    ahead = EnrolledElsewhere(by="gamf", physician=PHYSICIAN, effective_on=date(2029, 7, 10), basis="A11")
    newer.overtaken(ahead)
    assert newer.state is State.ENROLLED_ELSEWHERE
    assert effects.CloseSv(end=date(2029, 7, 9)) in newer.effects
    assert newer.attribution.ended_on == date(2029, 7, 1)


def test_a11_the_newer_attribution_ends_even_with_the_same_physician() -> None:
    newer = enrolled(date(2029, 6, 20)).at("2029-07-01 10:00")
    late = EnrolledElsewhere(by="gamf", physician=PHYSICIAN, effective_on=date(2029, 6, 1), basis="A11")
    newer.overtaken(late)
    assert newer.state is State.ENROLLED_ELSEWHERE
    assert effects.VoidSv() in newer.effects


def test_a11_what_has_ended_is_not_overtaken() -> None:
    newer = enrolled(date(2029, 6, 20)).report("patient_refused", ground="x")
    with pytest.raises(RefusedByRuleError, match="A20"):
        newer.overtaken(PatientLeft(by="gamf", on=date(2029, 6, 20), cause="deceased"))


def test_a24_a_form_signed_after_the_term_is_refused_with_the_way_to_report_it() -> None:
    reason = expired(SV).at("2029-06-10 10:00").refuses("mf_signed", signed_on="2029-06-03")
    assert (reason.rule, reason.field) == ("A24", "signed_on")
    assert reason.fr == "Signé après le terme (2 juin 2029) : déclarez une inscription hors LE 321."
    assert reason.en == "Signed after the term (June 2, 2029): report an enrolment outside LE 321."


def test_a24_a_form_signed_before_the_attribution_is_not_under_the_agreement() -> None:
    life = enrolled(SV).at("2026-06-10 10:00")
    reason = life.refuses("mf_signed", signed_on="2026-05-31")
    assert (reason.rule, reason.field) == ("A24", "signed_on")
    assert life.report("mf_signed", signed_on="2026-06-01").state is State.ENROLLED_MF


@pytest.mark.parametrize("physician", [PHYSICIAN, "54321"])
def test_a24_an_enrolment_outside_after_the_term_is_taken_from_any_physician(physician: str) -> None:
    life = expired(SV).at("2029-06-10 10:00")
    life.report("enrolled_elsewhere", physician=physician, effective_on="2029-06-10", basis="hors LE 321")
    assert life.state is State.ENROLLED_ELSEWHERE
    written = effects.WriteElsewhere(physician=physician, start=date(2029, 6, 10), basis="hors LE 321")
    assert written in life.effects
    assert life.attribution.sv is not None
    assert life.attribution.sv.end == TERM


def test_a24_a_waiting_patient_is_not_put_back_on_the_list() -> None:
    life = expired(SV).at("2029-06-10 10:00")
    life.report("enrolled_elsewhere", physician="54321", effective_on="2029-06-10", basis="x")
    assert "return_to_list" not in life.did
