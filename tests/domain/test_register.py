"""What may happen to somebody on the list besides an attribution: leaving, coming back, moving."""

from datetime import date, timedelta

import pytest

from gamf.domain.facts import PatientLeft
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.register import (
    Whereabouts,
    check_enrolled_outside,
    leaves,
    moves,
    place_after_move,
    reinstates,
    waiting_days,
)

TODAY = date(2026, 6, 1)
WAITING = Whereabouts(place="waiting", rls="0101")
LEFT = Whereabouts(place="left", rls="0101", left_on=TODAY, left_cause="deceased")


def left(on: date = TODAY, cause: str = "deceased") -> PatientLeft:
    return PatientLeft.model_validate({"by": "gaco", "on": on, "cause": cause})


@pytest.mark.parametrize("place", ["waiting", "proposed", "enrolled"])
def test_a15_whoever_is_not_attributed_leaves_on_the_day_or_before(place: str) -> None:
    where = WAITING.model_copy(update={"place": place})
    assert leaves(where, left(), TODAY)
    assert leaves(where, left(TODAY - timedelta(days=400)), TODAY)


def test_a15_a_departure_to_come_waits_for_its_day() -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        leaves(WAITING, left(TODAY + timedelta(days=1), "left_quebec"), TODAY)
    assert (refused.value.reason.rule, refused.value.reason.field) == ("A15", "on")


def test_a20_the_same_departure_again_changes_nothing_and_another_is_refused() -> None:
    assert not leaves(LEFT, left(), TODAY)
    for other in (left(TODAY - timedelta(days=1)), left(cause="left_quebec")):
        with pytest.raises(RefusedByRuleError) as refused:
            leaves(LEFT, other, TODAY)
        assert refused.value.reason.rule == "A20"


def test_a15_only_a_departure_is_undone_and_once() -> None:
    assert reinstates("left", repeated=False)
    assert reinstates("left", repeated=True)
    assert not reinstates("waiting", repeated=True)
    with pytest.raises(RefusedByRuleError) as refused:
        reinstates("waiting", repeated=False)
    assert refused.value.reason.rule == "A15"


def test_a18_a_move_gives_back_a_drawn_list_and_leaves_an_attribution_to_its_course() -> None:
    assert moves(WAITING, "0102", TODAY, TODAY, known=True)
    assert not moves(WAITING, "0101", TODAY, TODAY, known=True)
    places = ["waiting", "proposed", "attributed", "enrolled"]
    assert [place_after_move(place) for place in places] == ["waiting", "waiting", "attributed", "enrolled"]


@pytest.mark.parametrize(
    ("where", "on", "known", "rule"),
    [
        (WAITING, TODAY, False, "form"),
        (WAITING, TODAY + timedelta(days=1), True, "A20"),
        (LEFT, TODAY, True, "A15"),
    ],
)
def test_a_move_is_refused_with_its_rule(where: Whereabouts, on: date, rule: str, *, known: bool) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        moves(where, "0102", on, TODAY, known=known)
    assert refused.value.reason.rule == rule


def test_days_are_counted_for_whoever_has_no_family_doctor() -> None:
    assert waiting_days("waiting", date(2024, 2, 29), date(2024, 3, 1)) == 1
    assert waiting_days("attributed", date(2024, 2, 29), date(2025, 2, 28)) == 365
    assert waiting_days("waiting", TODAY, TODAY - timedelta(days=1)) == 0
    assert waiting_days("enrolled", date(2024, 2, 29), TODAY) is None
    assert waiting_days("left", date(2024, 2, 29), TODAY) is None


def test_a24_an_enrolment_outside_is_of_today_or_before() -> None:
    for days in (0, 1, 400):
        check_enrolled_outside("waiting", TODAY - timedelta(days=days), TODAY)
    with pytest.raises(RefusedByRuleError) as refused:
        check_enrolled_outside("waiting", TODAY + timedelta(days=1), TODAY)
    assert (refused.value.reason.rule, refused.value.reason.field) == ("A24", "effective_on")
    with pytest.raises(RefusedByRuleError) as gone:
        check_enrolled_outside("left", TODAY, TODAY)
    assert gone.value.reason.rule == "A15"
