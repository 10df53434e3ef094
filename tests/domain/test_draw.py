"""Who is drawn for a block, and for whom (R3, R4, A16, A18)."""

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamf.domain.draw import LARGEST_BLOCK, Applicant, Candidate, check_eligible, check_size, draw, list_order
from gamf.domain.refusal import Reason, RefusedByRuleError

RLS = "1234"


def candidate(number: int, priority: str, registered_on: date) -> Candidate:
    return Candidate(
        patient_id=f"patient-{number}",
        priority=priority,
        registered_on=registered_on,
        number=number,
        vulnerable=False,
    )


lists = st.lists(
    st.tuples(st.sampled_from("ABCDE"), st.dates(date(2020, 1, 1), date(2020, 1, 5))), max_size=30
).map(lambda rows: [candidate(number, *row) for number, row in enumerate(rows, 1)])


def why_not(applicant: Applicant | None, rls: str = RLS) -> Reason:
    with pytest.raises(RefusedByRuleError) as refused:
        check_eligible(applicant, rls)
    return refused.value.reason


def test_r3_a_participating_physician_of_the_rls_may_ask() -> None:
    check_eligible(Applicant(licence="12345", rls=RLS, status="participating"), RLS)


@pytest.mark.parametrize("status", ["non_participating", "disengaged", "", "Participating"])
def test_r3_only_a_participating_physician_is_under_the_agreement(status: str) -> None:
    assert why_not(Applicant(licence="12345", rls=RLS, status=status)).rule == "R3"


def test_r3_a_physician_asks_the_coordinator_of_their_own_rls() -> None:
    reason = why_not(Applicant(licence="12345", rls=RLS, status="participating"), "9999")
    assert (reason.rule, reason.field) == ("R3", "rls")


def test_r3_an_unknown_physician_is_refused_with_what_to_do() -> None:
    reason = why_not(None)
    assert reason.rule == "R3"
    assert "gamf physician import" in reason.fr


def test_a16_a_physician_whose_departure_is_announced_gets_no_new_block() -> None:
    leaving = Applicant(licence="12345", rls=RLS, status="participating", leaves_on=date(2099, 1, 1))
    assert why_not(leaving).rule == "A16"


@pytest.mark.parametrize("size", [1, 20, 850, LARGEST_BLOCK])
def test_r4_a_block_has_the_number_of_patients_asked_for(size: int) -> None:
    check_size(size)
    waiting = [candidate(number, "B", date(2020, 1, 1)) for number in range(1, LARGEST_BLOCK + 10)]
    assert len(draw(waiting, size)) == size


@pytest.mark.parametrize("size", [-1, 0, LARGEST_BLOCK + 1])
def test_r4_a_block_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(RefusedByRuleError, match="R4"):
        check_size(size)


def test_r4_a_list_too_short_gives_all_it_has() -> None:
    assert len(draw([candidate(1, "E", date(2020, 1, 1))], 850)) == 1


def test_a18_the_order_is_priority_then_initial_date_then_number() -> None:
    drawn = draw(
        [
            candidate(1, "B", date(2020, 1, 1)),
            candidate(4, "A", date(2022, 1, 1)),
            candidate(3, "A", date(2021, 1, 1)),
            candidate(2, "A", date(2022, 1, 1)),
        ],
        3,
    )
    assert [each.number for each in drawn] == [3, 2, 4]


@given(lists, st.integers(1, 30), st.randoms(use_true_random=False))
def test_a18_the_draw_does_not_depend_on_the_order_it_is_shown(
    waiting: list[Candidate],
    size: int,
    random: Random,
) -> None:
    shuffled = sorted(waiting, key=lambda _: random.random())
    assert draw(shuffled, size) == draw(waiting, size)


@given(lists, st.integers(1, 30))
def test_a18_nobody_who_waits_comes_before_somebody_who_is_drawn(waiting: list[Candidate], size: int) -> None:
    drawn = draw(waiting, size)
    left = [each for each in waiting if each not in drawn]
    assert len(drawn) == min(size, len(waiting))
    assert all(list_order(each) < list_order(other) for each in drawn for other in left)
