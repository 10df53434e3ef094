"""An attribution lived again from its record, or from its view, is the one that was lived."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamf.domain import attribution as rules
from gamf.domain.attribution import Transition
from gamf.domain.facts import EnrolledElsewhere, parse
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.reliving import NotRelivedError, Remembered, of_view, relive
from tests.domain.lives import Life, enrolled, expired, start
from tests.domain.strategies import Choices, choices, fact, jump


def remembered(transitions: list[Transition]) -> list[Remembered]:
    return [Remembered(event=t.event, at=t.at, argument=t.argument, after=t.after) for t in transitions[1:]]


def relives(life: Life) -> None:
    begun = rules.begin(life.attribution.start)
    from_record = relive(begun.attribution, remembered(life.transitions))
    assert from_record.attribution == life.attribution
    assert (begun.transition, *from_record.transitions) == tuple(life.transitions)
    view = of_view(life.attribution.history, life.attribution.passed)
    assert relive(begun.attribution, view) == from_record


def at_random(life: Life, chosen: Choices) -> None:
    """Let time pass, or somebody report something."""
    if chosen.once_in(3):
        life.at(jump(chosen, life.attribution, life.now))
        return
    name, argument = fact(chosen, life.attribution, life.now)
    try:
        taken = rules.take(life.attribution, parse(name, argument), life.now)
    except RefusedByRuleError:
        return
    life.attribution = taken.attribution
    life.transitions.append(taken.transition)


@given(st.lists(choices(), min_size=1, max_size=25))
def test_any_life_is_lived_again(several: list[Choices]) -> None:
    life = Life("2026-03-02 09:00")
    for chosen in several:
        at_random(life, chosen)
    relives(life)


def test_a11_one_that_another_attribution_ended_at_once_is_lived_again() -> None:
    life = expired(date(2027, 3, 1), vulnerable=True)
    ahead = EnrolledElsewhere(by="gaco", physician="98765", effective_on=date(2028, 6, 1), basis="LE 321")
    relives(life.overtaken(ahead))


def test_a_fact_dated_ahead_is_lived_again_before_and_after_its_date() -> None:
    life = enrolled(date(2026, 6, 2)).report("physician_left", on="2026-09-01", cause="retired")
    relives(life)
    relives(life.at("2026-09-01 00:00"))


def test_deadlines_and_facts_of_one_instant_keep_their_order() -> None:
    life = Life("2026-06-01 09:00").at("2026-06-04 09:00").report("accepted")
    assert [t.event for t in life.transitions] == ["proposed", "answer_due", "accepted"]
    relives(life)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"after": "overdue"},
        {"event": "answer_due"},
        {"argument": {"by": "someone", "at": "never"}},
        {"at": datetime(2026, 9, 1, tzinfo=UTC)},
    ],
)
def test_what_does_not_follow_from_the_rules_is_not_guessed(spoilt: dict[str, object]) -> None:
    life = Life("2026-06-01 09:00").at("2026-06-02 09:00").report("accepted")
    (event,) = remembered(life.transitions)
    begun = rules.begin(start("2026-06-01 09:00")).attribution
    with pytest.raises(NotRelivedError):
        relive(begun, [event.model_copy(update=spoilt)])
