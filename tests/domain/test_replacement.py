"""Who replaces a cancelled patient, and for which reasons anybody does (R5, A8, A17, A18, A21)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamf.domain import effects, replacement
from gamf.domain.draw import Applicant, Candidate, list_order
from gamf.domain.model import Subject
from gamf.domain.policy import CURRENT, Policy
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.replacement import CancellationReason, choose, is_replaced, may_receive
from gamf.domain.states import State
from tests.domain.lives import SECOND, Life, confirmed, instant, start

REASON = CancellationReason(code="dispute", label_fr="Litige", label_en="Dispute", exceptional=True)
ORDINARY = REASON.model_copy(update={"exceptional": False})
BORN = date(1980, 1, 2)
WAITING = st.lists(
    st.builds(
        Candidate,
        patient_id=st.sampled_from([f"patient-{n}" for n in range(9)]),
        priority=st.sampled_from("ABC"),
        registered_on=st.dates(date(2023, 1, 1), date(2023, 1, 5)),
        number=st.integers(1, 9),
        vulnerable=st.booleans(),
        birth_date=st.just(BORN),
    ),
    max_size=9,
)


def of_a_block() -> Subject:
    return start("2026-06-01 09:00").subject


def candidate(patient_id: str, priority: str = "B") -> Candidate:
    return Candidate(
        patient_id=patient_id,
        priority=priority,
        registered_on=date(2023, 5, 1),
        number=3,
        vulnerable=True,
        birth_date=BORN,
    )


@given(WAITING)
def test_a17_a18_the_first_of_the_same_priority_and_never_the_cancelled_patient(
    waiting: list[Candidate],
) -> None:
    cancelled = of_a_block()
    fit = [c for c in waiting if c.priority == "B" and c.patient_id != cancelled.patient_id]
    chosen = choose(waiting, cancelled)
    assert (chosen is None) is (not fit)
    assert chosen is None or list_order(chosen) == min(map(list_order, fit))


@pytest.mark.parametrize("priority", ["A", "C"])
def test_a17_nobody_of_another_priority(priority: str) -> None:
    assert choose([candidate("patient-2", priority)], of_a_block()) is None


def test_r5_a_free_text_is_an_exceptional_situation_and_a_code_says_whether_it_is_one() -> None:
    assert is_replaced(None)
    assert is_replaced(REASON)
    assert not is_replaced(ORDINARY)


def test_r5_a_code_that_is_no_longer_offered_keeps_its_meaning() -> None:
    assert is_replaced(REASON.model_copy(update={"active": False}))
    assert not is_replaced(ORDINARY.model_copy(update={"active": False}))


def test_a17_a_replacement_has_their_own_72_hours_and_the_coordinator_who_cancels_approves_them() -> None:
    at = instant("2026-06-03 15:00")
    taken = replacement.attribute(of_a_block(), candidate("patient-2"), 42, at, "coordo", CURRENT)
    new, transition = taken.attribution.start, taken.transition
    assert (new.attribution_id, new.block_id, new.patient_id) == ("2026-000042", "2026-0007", "patient-2")
    assert (new.attributed_at, transition.deadline) == (at, at + timedelta(hours=72))
    assert (transition.by, transition.argument) == ("coordo", {"replaces": of_a_block().attribution_id})
    assert {"R5", "A17", "A21"} <= set(transition.rules)
    assert (transition.after, transition.under_way) == (State.PROPOSED, True)


def test_a17_the_72_hours_are_those_of_the_policy_that_applied() -> None:
    policy = Policy(version="essai", answer_hours=1)
    taken = replacement.attribute(
        of_a_block(), candidate("patient-2"), 1, instant("2026-06-03 15:00"), None, policy
    )
    assert taken.attribution.deadline == instant("2026-06-03 16:00")
    assert taken.transition.policy == "essai"


@pytest.mark.parametrize("when", ["2026-06-02 10:00", "2026-06-05 10:00"])
def test_r5_a17_a_cancellation_in_a_block_asks_for_another_patient(when: str) -> None:
    life = Life("2026-06-01 09:00").at(when).report("cancelled", reason="litige")
    assert life.effects_of(effects.Replace) == [effects.Replace(reason="litige", policy=CURRENT)]
    names = [effect.do for effect in life.effects]
    assert names.index("return_to_list") < names.index("replace")


def test_a17_whoever_was_attributed_alone_is_on_no_list_to_be_replaced_on() -> None:
    alone = Life(block_id=None).at("2026-06-02 10:00").report("cancelled", reason="x")
    assert not alone.effects_of(effects.Replace)


def test_a17_nothing_but_a_cancellation_brings_another_patient() -> None:
    for fact, more in (("refused", {"reason": "x"}), ("patient_refused", {"ground": "x"})):
        life = Life("2026-06-01 09:00").at("2026-06-02 10:00").report(fact, **more)
        assert not life.effects_of(effects.Replace)
    silent = Life("2026-06-01 09:00").at("2026-06-09 00:00")
    assert silent.state is State.LAPSED
    assert not silent.effects_of(effects.Replace)


def test_r5_a17_the_last_instant_at_which_a_confirmed_patient_is_replaced_is_before_the_sv() -> None:
    assert confirmed().report("cancelled", reason="x").state is State.CANCELLED
    assert confirmed().report("sv_entered").refuses("cancelled", reason="x").rule == "R5"
    overdue = confirmed("2026-06-01 09:00")
    assert (
        overdue.at(instant("2026-06-16 00:00") + SECOND).report("cancelled", reason="x").state
        is State.CANCELLED
    )


@pytest.mark.parametrize(
    "physician",
    [
        None,
        Applicant(licence="12345", rls="1", status="disengaged"),
        Applicant(licence="12345", rls="2", status="participating"),
        Applicant(licence="12345", rls="1", status="participating", leaves_on=date(2027, 1, 1)),
    ],
)
def test_r3_a16_a_physician_who_may_get_no_block_gets_no_replacement_either(
    physician: Applicant | None,
) -> None:
    assert not may_receive(physician, "1")
    assert may_receive(Applicant(licence="12345", rls="1", status="participating"), "1")


@pytest.mark.parametrize("code", ["", "A", "x", "Litige", "été", "1er", "a b", "a" * 41])
def test_r5_a_code_of_another_form_is_refused(code: str) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        replacement.new_reason(code, "Litige", "Dispute", exceptional=True)
    assert (refused.value.reason.rule, refused.value.reason.field) == ("form", "code")


@pytest.mark.parametrize("label", ["", "  ", "a\nb", "a" * 201, "\x00"])
def test_r5_a_reason_has_words_in_both_languages(label: str) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        replacement.new_reason("litige", "Litige", label, exceptional=True)
    assert refused.value.reason.field == "label_en"
    assert replacement.new_reason("litige", " Litige ", "Dispute", exceptional=True).label_fr == "Litige"
