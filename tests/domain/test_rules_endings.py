"""What ends an attribution from outside: a refusal, another physician, a departure (R9, R10, A7 to A25)."""

from collections.abc import Callable
from datetime import date

import pytest

from gamf.domain import effects
from gamf.domain.attribution import drop_announced
from gamf.domain.correspondence import Standing
from gamf.domain.effects import Owner, TaskKind
from gamf.domain.policy import Policy
from gamf.domain.states import State
from tests.domain.lives import PHYSICIAN, Life, confirmed, enrolled, expired, instant

SV = date(2026, 6, 2)
ELSEWHERE = {"physician": "54321", "basis": "AMP"}
HELD: dict[State, Callable[[], Life]] = {
    State.PROPOSED: lambda: Life("2026-06-01 09:00").at("2026-06-02 10:00"),
    State.UNANSWERED: lambda: Life("2026-06-01 09:00").at("2026-06-04 09:00"),
    State.CONFIRMED: lambda: confirmed().at("2026-06-03 10:00"),
    State.OVERDUE: lambda: confirmed().at("2026-06-17 10:00"),
    State.ENROLLED_SV: lambda: enrolled(SV).at("2026-06-20 10:00"),
}
WAITING: dict[State, Callable[[], Life]] = {**HELD, State.EXPIRED: lambda: expired(SV)}
TOLD = {State.CONFIRMED, State.OVERDUE, State.ENROLLED_SV}
"""The states in which the patient has had the letter and is still attributed."""


def corrected(standing: Standing, state: State) -> list[effects.Effect]:
    return [effects.SendCorrectiveLetter(standing=standing)] if state in TOLD else []


def corrections(life: Life) -> list[effects.Effect]:
    return [effect for effect in life.effects if isinstance(effect, effects.SendCorrectiveLetter)]


@pytest.mark.parametrize("state", HELD)
def test_r9_a_patient_s_refusal_puts_them_back_on_the_list(state: State) -> None:
    life = HELD[state]().report("patient_refused", ground="distance")
    assert life.state is State.PATIENT_REFUSED
    assert "return_to_list" in life.did
    assert ("void_sv" in life.did) is (state is State.ENROLLED_SV)
    assert "close_sv" not in life.did


def test_r9_the_sv_is_deleted_as_if_it_never_was() -> None:
    life = enrolled(SV).at("2027-06-20 10:00").report("patient_refused", ground="distance")
    assert life.attribution.sv is not None
    assert (life.attribution.sv.voided, life.attribution.sv.end) == (True, None)


def test_a7_a_refusal_after_the_term_voids_the_sv_and_moves_nobody() -> None:
    life = expired(SV).at("2029-06-10 10:00").report("patient_refused", ground="distance")
    assert life.state is State.PATIENT_REFUSED
    assert "void_sv" in life.did
    assert "return_to_list" not in life.did


def test_a7_a_refusal_is_not_taken_once_the_mf_is_signed() -> None:
    life = enrolled(SV).at("2026-07-01 10:00").report("mf_signed", signed_on="2026-07-01")
    assert life.refuses("patient_refused", ground="distance").rule == "A20"


@pytest.mark.parametrize(("on", "taken"), [("2026-06-01", True), ("2026-06-20", True)])
def test_a7_a_refusal_is_dated_from_the_attribution_to_today(on: str, taken: bool) -> None:  # noqa: FBT001 - a column
    life = enrolled(SV).at("2026-06-20 10:00").report("patient_refused", ground="x", on=on)
    assert life.attribution.ended is taken


@pytest.mark.parametrize("on", ["2026-05-31", "2026-06-21"])
def test_a7_a_refusal_is_dated_neither_before_the_attribution_nor_ahead(on: str) -> None:
    reason = enrolled(SV).at("2026-06-20 10:00").refuses("patient_refused", ground="x", on=on)
    assert (reason.rule, reason.field) == ("A7", "on")


def test_a7_the_ground_is_recorded() -> None:
    assert enrolled(SV).refuses("patient_refused").field == "ground"
    life = enrolled(SV).report("patient_refused", ground="distance")
    assert life.transitions[-1].argument["ground"] == "distance"


@pytest.mark.parametrize("state", WAITING)
def test_a7_a_discriminatory_ground_opens_a_task_and_decides_nothing(state: State) -> None:
    with_task = WAITING[state]().report("patient_refused", ground="discriminatory")
    without = WAITING[state]().report("patient_refused", ground="distance")
    task = with_task.opened[-1]
    assert (task.kind, task.owner) == (TaskKind.DISCRIMINATORY_GROUND, Owner.GACO)
    assert [effect for effect in with_task.effects if effect != task] == list(without.effects)
    assert with_task.state is without.state


def test_a8_after_a_refusal_the_same_physician_is_not_offered_again() -> None:
    assert "not_offered_again" in Life().report("refused", reason="x").did
    for life in WAITING.values():
        assert "not_offered_again" in life().report("patient_refused", ground="x").did


def test_a8_nothing_else_keeps_a_patient_from_a_physician() -> None:
    lapsed, cancelled = Life().at("2026-06-09 00:00"), Life().report("cancelled", reason="x")
    gone = Life().report("physician_left", on="2026-06-01", cause="moved")
    for life in (lapsed, cancelled, gone, expired(SV)):
        assert not life.effects_of(effects.NotOfferedAgain)


def test_a8_a_policy_may_offer_the_same_physician_again() -> None:
    policy = Policy(version="other", not_offered_again=False)
    assert "not_offered_again" not in Life(policy=policy).report("refused", reason="x").did
    assert "not_offered_again" not in Life(policy=policy).report("patient_refused", ground="x").did


@pytest.mark.parametrize("state", WAITING)
def test_r10_until_the_form_is_signed_another_physician_may_enrol(state: State) -> None:
    life = WAITING[state]()
    today = life.attribution.local(life.now)
    life.report("enrolled_elsewhere", effective_on=today.isoformat(), **ELSEWHERE)
    assert life.state is State.ENROLLED_ELSEWHERE
    assert effects.WriteElsewhere(start=today, physician="54321", basis="AMP") in life.effects


def test_r10_once_the_form_is_signed_ours_has_ended() -> None:
    life = enrolled(SV).at("2026-07-01 10:00").report("mf_signed", signed_on="2026-07-01")
    assert life.refuses("enrolled_elsewhere", effective_on="2026-07-01", **ELSEWHERE).rule == "A20"


@pytest.mark.parametrize(
    ("effective_on", "undone"),
    [
        ("2026-06-10", effects.CloseSv(end=date(2026, 6, 9))),
        ("2026-06-03", effects.CloseSv(end=date(2026, 6, 2))),
        ("2026-06-02", effects.VoidSv()),
        ("2026-05-20", effects.VoidSv()),
    ],
)
def test_a14_ours_is_closed_the_day_before_or_voided(effective_on: str, undone: effects.Effect) -> None:
    life = (
        enrolled(SV)
        .at("2026-06-20 10:00")
        .report("enrolled_elsewhere", effective_on=effective_on, **ELSEWHERE)
    )
    assert undone in life.effects


@pytest.mark.parametrize("state", WAITING)
def test_a14_the_patient_does_not_go_back_on_the_list_and_the_basis_is_recorded(state: State) -> None:
    life = WAITING[state]()
    today = life.attribution.local(life.now).isoformat()
    life.report("enrolled_elsewhere", effective_on=today, **ELSEWHERE)
    assert "return_to_list" not in life.did
    assert life.transitions[-1].argument["basis"] == "AMP"
    assert life.refuses("enrolled_elsewhere", effective_on="2030-01-01", physician="54321").rule == "form"


def test_a14_an_enrolment_to_come_changes_nothing_before_its_day() -> None:
    life = (
        enrolled(SV)
        .at("2026-06-20 10:00")
        .report("enrolled_elsewhere", effective_on="2026-07-01", **ELSEWHERE)
    )
    assert life.state is State.ENROLLED_SV
    assert life.effects == ()
    assert life.deadline == "2026-07-01 00:00"
    assert life.at("2026-06-30 23:59:59").state is State.ENROLLED_SV
    assert life.at("2026-07-01 00:00").state is State.ENROLLED_ELSEWHERE
    assert effects.CloseSv(end=date(2026, 6, 30)) in life.effects


def test_a14_the_other_physician_may_be_ours_when_it_was_told_by_an_older_attribution() -> None:
    life = enrolled(SV).at("2026-06-20 10:00")
    life.report("enrolled_elsewhere", physician=PHYSICIAN, effective_on="2026-05-01", basis="A11")
    assert life.state is State.ENROLLED_ELSEWHERE


@pytest.mark.parametrize("cause", ["deceased", "left_quebec", "not_eligible"])
@pytest.mark.parametrize("state", WAITING)
def test_a15_a_departure_ends_it_from_any_state_for_good(state: State, cause: str) -> None:
    life = WAITING[state]()
    today = life.attribution.local(life.now)
    life.report("patient_left", on=today.isoformat(), cause=cause)
    assert life.state is State.PATIENT_LEFT
    assert life.attribution.next_deadline is None
    assert effects.LeaveList(on=today, cause=cause) in life.effects
    assert "withhold_letters" in life.did
    assert "close_tasks" in life.did
    assert "return_to_list" not in life.did


def test_a15_the_sv_is_closed_on_the_date_of_the_departure() -> None:
    life = enrolled(SV).at("2026-06-20 10:00").report("patient_left", on="2026-06-18", cause="deceased")
    assert effects.CloseSv(end=date(2026, 6, 18)) in life.effects


@pytest.mark.parametrize(("on", "kind"), [("2026-06-02", "close_sv"), ("2026-06-01", "void_sv")])
def test_a15_an_sv_that_began_after_the_departure_is_voided(on: str, kind: str) -> None:
    life = enrolled(SV).at("2026-06-20 10:00").report("patient_left", on=on, cause="deceased")
    assert kind in life.did


def test_a15_a_departure_before_the_term_learnt_after_it_closes_the_sv_earlier() -> None:
    life = expired(SV).at("2029-06-10 10:00").report("patient_left", on="2029-05-20", cause="deceased")
    assert effects.CloseSv(end=date(2029, 5, 20)) in life.effects
    later = expired(SV).at("2029-06-10 10:00").report("patient_left", on="2029-06-08", cause="deceased")
    assert "close_sv" not in later.did


def test_a15_a_death_is_never_announced() -> None:
    reason = enrolled(SV).at("2026-06-20 10:00").refuses("patient_left", on="2026-06-21", cause="deceased")
    assert (reason.rule, reason.field) == ("A15", "on")


def test_a15_a_departure_to_come_takes_effect_at_00_00_of_its_day() -> None:
    life = enrolled(SV).at("2026-06-20 10:00").report("patient_left", on="2026-09-01", cause="left_quebec")
    assert life.at("2026-08-31 23:59:59").state is State.ENROLLED_SV
    assert life.at("2026-09-01 00:00").state is State.PATIENT_LEFT
    assert effects.CloseSv(end=date(2026, 9, 1)) in life.effects


@pytest.mark.parametrize("fact", ["cancelled", "patient_refused", "physician_left"])
def test_a15_a_departure_to_come_is_not_lost_when_the_attribution_ends_before_it(fact: str) -> None:
    more = {
        "cancelled": {"reason": "x"},
        "patient_refused": {"ground": "x"},
        "physician_left": {"on": "2026-06-03", "cause": "moved"},
    }
    life = confirmed().at("2026-06-03 10:00").report("patient_left", on="2026-09-01", cause="left_quebec")
    life.report(fact, **more[fact])
    due = instant("2026-09-01 00:00")
    assert effects.OpenTask(kind=TaskKind.ANNOUNCED_FACT, owner=Owner.GACO, due=due) in life.effects


def test_a15_a_departure_to_come_is_not_lost_when_the_attribution_lapses() -> None:
    life = confirmed().at("2026-06-03 10:00").report("patient_left", on="2026-09-01", cause="left_quebec")
    life.report("enrolled_elsewhere", effective_on="2026-09-02", **ELSEWHERE)
    life.at("2026-06-24 00:00")
    assert life.state is State.LAPSED
    task = effects.OpenTask(kind=TaskKind.ANNOUNCED_FACT, owner=Owner.GACO, due=instant("2026-09-01 00:00"))
    assert [effect for effect in life.effects if effect.do == "open_task"] == [task]


def test_a15_nothing_is_left_to_decide_for_who_is_enrolled_or_gone() -> None:
    for fact, more in (
        ("enrolled_elsewhere", {"effective_on": "2026-06-20", **ELSEWHERE}),
        ("mf_signed", {"signed_on": "2026-06-20"}),
        ("patient_left", {"on": "2026-06-20", "cause": "deceased"}),
    ):
        life = (
            enrolled(SV).at("2026-06-20 10:00").report("patient_left", on="2026-09-01", cause="left_quebec")
        )
        assert "open_task" not in life.report(fact, **more).did


@pytest.mark.parametrize("state", HELD)
def test_a16_a_physician_s_departure_ends_it_and_the_patient_is_back(state: State) -> None:
    life = HELD[state]()
    today = life.attribution.local(life.now)
    life.report("physician_left", on=today.isoformat(), cause="retired")
    assert life.state is State.PHYSICIAN_LEFT
    assert "return_to_list" in life.did
    assert effects.NoNewBlock(on=today, cause="retired") in life.effects


@pytest.mark.parametrize(
    ("on", "undone"),
    [
        ("2026-06-20", effects.CloseSv(end=date(2026, 6, 19))),
        ("2026-06-03", effects.CloseSv(end=date(2026, 6, 2))),
        ("2026-06-02", effects.VoidSv()),
    ],
)
def test_a16_the_sv_is_closed_the_day_before_the_departure(on: str, undone: effects.Effect) -> None:
    life = enrolled(SV).at("2026-06-20 10:00").report("physician_left", on=on, cause="retired")
    assert undone in life.effects


def test_a16_from_the_notice_no_new_block_and_nothing_else_before_the_day() -> None:
    life = enrolled(SV).at("2026-06-20 10:00").report("physician_left", on="2026-09-01", cause="disengaged")
    assert life.effects == (effects.NoNewBlock(on=date(2026, 9, 1), cause="disengaged"),)
    assert life.state is State.ENROLLED_SV
    assert life.deadline == "2026-09-01 00:00"
    assert life.at("2026-08-31 23:59:59").state is State.ENROLLED_SV
    assert life.at("2026-09-01 00:00").state is State.PHYSICIAN_LEFT
    assert life.effects_of(effects.CloseSv) == [effects.CloseSv(end=date(2026, 8, 31))]


def test_a16_an_attribution_without_an_answer_is_over_on_the_day() -> None:
    life = Life().at("2026-06-02 10:00").report("physician_left", on="2026-06-03", cause="retired")
    assert life.at("2026-06-03 00:00").state is State.PHYSICIAN_LEFT


def test_a16_a_departure_announced_anew_replaces_the_one_before() -> None:
    life = enrolled(SV).at("2026-06-20 10:00").report("physician_left", on="2026-09-01", cause="retired")
    life.report("physician_left", on="2026-11-01", cause="retired")
    assert life.at("2026-10-31 23:59:59").state is State.ENROLLED_SV
    assert life.at("2026-11-01 00:00").state is State.PHYSICIAN_LEFT


def test_a16_after_the_term_a_form_signed_before_the_departure_is_still_taken() -> None:
    life = expired(SV).at("2029-06-10 10:00").report("physician_left", on="2029-06-01", cause="deceased")
    assert life.state is State.EXPIRED
    assert effects.ReturnToList() not in life.effects
    assert life.deadline == "2029-09-01 00:00"
    assert life.refuses("mf_signed", signed_on="2029-06-01").rule == "A16"
    assert life.report("mf_signed", signed_on="2029-05-31").state is State.ENROLLED_MF


def test_a16_after_the_term_what_has_happened_corrects_what_was_announced() -> None:
    life = expired(SV).at("2029-06-10 10:00").report("physician_left", on="2029-07-01", cause="retired")
    life.report("physician_left", on="2029-06-02", cause="deceased")
    assert life.deadline == "2029-09-01 00:00"
    assert life.at("2029-07-02 10:00").refuses("mf_signed", signed_on="2029-06-02").rule == "A16"


def test_a16_an_mf_takes_effect_before_the_departure_or_not_at_all() -> None:
    life = enrolled(SV).at("2026-06-20 10:00").report("physician_left", on="2026-07-01", cause="retired")
    for effective_on in ("2026-07-01", "2026-07-02"):
        reason = life.refuses("mf_signed", signed_on="2026-06-20", effective_on=effective_on)
        assert (reason.rule, reason.field) == ("A16", "effective_on")
    life.report("mf_signed", signed_on="2026-06-20", effective_on="2026-06-30")
    assert life.state is State.ENROLLED_MF


def test_a16_a_late_mf_takes_effect_before_the_departure_that_came_after_the_term() -> None:
    life = expired(SV).at("2029-06-10 10:00").report("physician_left", on="2029-06-05", cause="deceased")
    reason = life.refuses("mf_signed", signed_on="2029-06-01", effective_on="2029-06-05")
    assert (reason.rule, reason.field) == ("A16", "effective_on")
    late = life.report("mf_signed", signed_on="2029-06-01", effective_on="2029-06-04")
    assert late.state is State.ENROLLED_MF


@pytest.mark.parametrize("physician_first", [True, False])
def test_a16_of_two_departures_on_one_day_the_patient_s_comes_first(physician_first: bool) -> None:  # noqa: FBT001 - a column
    patient = ("patient_left", {"on": "2026-09-01", "cause": "left_quebec"})
    physician = ("physician_left", {"on": "2026-09-01", "cause": "moved"})
    life = enrolled(SV).at("2026-06-20 10:00")
    for fact, more in (physician, patient) if physician_first else (patient, physician):
        life.report(fact, **more)
    assert life.at("2026-09-01 00:00").state is State.PATIENT_LEFT


@pytest.mark.parametrize("state", WAITING)
def test_a25_whoever_had_the_letter_is_told_of_the_end(state: State) -> None:
    today = WAITING[state]().attribution.local(WAITING[state]().now).isoformat()
    refused = WAITING[state]().report("patient_refused", ground="x")
    assert corrections(refused) == corrected(Standing.PATIENT_REFUSED, state)
    elsewhere = WAITING[state]().report("enrolled_elsewhere", effective_on=today, **ELSEWHERE)
    assert corrections(elsewhere) == corrected(Standing.ENROLLED_ELSEWHERE, state)
    left = WAITING[state]().report("patient_left", on=today, cause="left_quebec")
    assert corrections(left) == corrected(Standing.LEFT, state)


@pytest.mark.parametrize("state", HELD)
def test_a25_whoever_had_the_letter_is_told_that_the_physician_left(state: State) -> None:
    life = HELD[state]()
    life.report("physician_left", on=life.attribution.local(life.now).isoformat(), cause="moved")
    assert corrections(life) == corrected(Standing.PHYSICIAN_LEFT, state)


@pytest.mark.parametrize("state", WAITING)
def test_a25_nobody_is_written_to_after_a_death(state: State) -> None:
    life = WAITING[state]()
    life.report("patient_left", on=life.attribution.local(life.now).isoformat(), cause="deceased")
    assert corrections(life) == []


def test_a25_the_letter_of_the_end_comes_after_what_is_withheld() -> None:
    life = enrolled(SV).report("patient_left", on="2026-06-02", cause="left_quebec")
    order = [effect.do for effect in life.effects]
    assert order.index("withhold_letters") < order.index("send_corrective_letter")


def test_a25_a_policy_may_tell_nobody() -> None:
    policy = Policy(version="silent", tell_the_patient=False)
    life = enrolled(SV, policy=policy).report("patient_refused", ground="x")
    assert corrections(life) == []


def test_a20_what_could_not_be_carried_out_is_forgotten_but_stays_in_the_history() -> None:
    life = enrolled(SV).at("2026-06-20 10:00").report("physician_left", on="2026-09-01", cause="retired")
    life.report("patient_left", on="2026-10-01", cause="left_quebec")
    (first, _) = life.attribution.announced
    kept = drop_announced(life.attribution, first)
    assert [fact.name for fact in kept.announced] == ["physician_left"]
    assert kept.history == life.attribution.history
