"""The rules of a physician's departure: its day, its withdrawal, what stands in its way (A16, A20, A23)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gamf.domain import departure as rules
from gamf.domain.departure import DepartureState, Latest, Leaver, Reaches, Step
from gamf.domain.facts import PhysicianLeft
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import State

LEAVER = Leaver(rls="0101", time_zone="America/Toronto")
NOW = datetime(2026, 6, 1, 16, tzinfo=UTC)
TODAY = date(2026, 6, 1)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def latest(state: DepartureState, on: date = TODAY + 30 * DAY) -> Latest:
    return Latest(departure_id="10001-1", leaves_on=on, cause="retired", state=state)


@pytest.mark.parametrize(
    ("on", "zone", "instant"),
    [
        (date(2026, 7, 1), "America/Toronto", datetime(2026, 7, 1, 4, tzinfo=UTC)),
        (date(2026, 7, 1), "America/Halifax", datetime(2026, 7, 1, 3, tzinfo=UTC)),
        (date(2026, 7, 1), "America/Blanc-Sablon", datetime(2026, 7, 1, 4, tzinfo=UTC)),
        # The clocks change at 2:00 of these days, after their beginning.
        (date(2026, 3, 8), "America/Toronto", datetime(2026, 3, 8, 5, tzinfo=UTC)),
        (date(2026, 11, 1), "America/Toronto", datetime(2026, 11, 1, 4, tzinfo=UTC)),
        (date(2028, 2, 29), "America/Toronto", datetime(2028, 2, 29, 5, tzinfo=UTC)),
    ],
)
def test_a16_a23_a_departure_takes_effect_as_its_day_begins_in_the_rls(
    on: date, zone: str, instant: datetime
) -> None:
    assert rules.effective_at(on, zone) == instant


@pytest.mark.parametrize("offset", [-SECOND, timedelta(0), SECOND])
def test_a16_a_departure_is_withdrawn_until_its_day_begins(offset: timedelta) -> None:
    due = rules.effective_at(date(2026, 7, 1), "America/Toronto")
    if offset < timedelta(0):
        rules.check_withdrawable(DepartureState.ANNOUNCED, due + offset, due)
        return
    with pytest.raises(RefusedByRuleError) as refused:
        rules.check_withdrawable(DepartureState.ANNOUNCED, due + offset, due)
    assert refused.value.reason.rule == "A16"


@pytest.mark.parametrize("state", [each for each in DepartureState if each is not DepartureState.ANNOUNCED])
def test_a16_only_an_announced_departure_is_withdrawn(state: DepartureState) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        rules.check_withdrawable(state, NOW, None)
    assert refused.value.reason.rule == "A16"


def test_a16_a_notice_takes_effect_on_the_30th_day_and_a_reengagement_on_the_8th() -> None:
    assert rules.effect_of_notice(date(2026, 1, 30)) == date(2026, 3, 1)
    assert rules.effect_of_notice(date(2028, 1, 30)) == date(2028, 2, 29)
    assert rules.effect_of_reengagement(date(2026, 12, 28)) == date(2027, 1, 5)


def test_a20_the_same_departure_again_changes_nothing_and_another_is_refused() -> None:
    on = TODAY + 30 * DAY
    assert rules.announces(LEAVER, None, on, "retired", NOW)
    assert rules.announces(LEAVER, latest(DepartureState.WITHDRAWN), on, "retired", NOW)
    leaving = LEAVER.model_copy(update={"leaves_on": on})
    for state in rules.STANDING:
        assert not rules.announces(leaving, latest(state), on, "retired", NOW)
        for other in ((on + DAY, "retired"), (on, "moved")):
            with pytest.raises(RefusedByRuleError) as refused:
                rules.announces(leaving, latest(state), *other, NOW)
            assert refused.value.reason.rule == "A20"
            assert "déjà consigné au 1er juillet 2026 ; retirez-le d'abord." in refused.value.reason.fr
            assert "already on July 1, 2026; withdraw it first." in refused.value.reason.en


def test_a16_who_has_come_back_may_leave_again() -> None:
    gone = latest(DepartureState.DONE, TODAY - DAY)
    assert rules.announces(LEAVER, gone, TODAY - DAY, "retired", NOW)
    assert rules.returns(gone, TODAY, TODAY, leaving=True)
    assert not rules.returns(gone, TODAY, TODAY, leaving=False)
    for latest_one, on in ((None, TODAY), (latest(DepartureState.ANNOUNCED), TODAY), (gone, TODAY + DAY)):
        with pytest.raises(RefusedByRuleError) as refused:
            rules.returns(latest_one, on, TODAY, leaving=True)
        assert refused.value.reason.rule == "A16"


def test_a16_a_death_is_not_dated_ahead_on_the_clock_of_the_rls() -> None:
    late = datetime(2026, 6, 2, 3, 59, 59, tzinfo=UTC)
    assert rules.announces(LEAVER, None, TODAY, "deceased", late)
    with pytest.raises(RefusedByRuleError) as refused:
        rules.announces(LEAVER, None, TODAY + DAY, "deceased", late)
    assert refused.value.reason.rule == "A16"
    assert rules.announces(LEAVER, None, TODAY + DAY, "deceased", late + SECOND)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("approved", {"by": "coordo"}),
        ("withdrawn", {"by": "coordo"}),
        ("withdrawn", {"by": "coordo", "reason": "x", "on": "2026-07-01"}),
        ("withdrawn", ["coordo"]),
    ],
)
def test_a_departure_takes_one_fact_of_one_form(name: str, argument: object) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        rules.parse(name, argument)
    assert refused.value.reason.rule == "form"
    assert rules.parse("withdrawn", {"by": "coordo", "reason": "il reste"}).reason == "il reste"


def test_a16_a_departure_is_foretold_by_the_attributions_own_table() -> None:
    fact = PhysicianLeft(by="coordo", on=TODAY + 30 * DAY, cause="retired")
    told = {State.CONFIRMED: 2, State.ENROLLED_SV: 3, State.EXPIRED: 4}
    reaches = Reaches(told=told, blocks=2, drawn=("2026-0007",))
    foretold = rules.foretell(fact, "10001", LEAVER, reaches, NOW)
    assert foretold.effective_at == rules.effective_at(fact.on, LEAVER.time_zone)
    # An expired one goes on as it was: its patient is on the list already (A11).
    assert (foretold.returned, foretold.at_once) == (5, False)
    assert (foretold.sv_end_on, foretold.withdrawn) == (TODAY + 29 * DAY, ("2026-0007",))
    assert rules.foretell(fact.model_copy(update={"on": TODAY}), "10001", LEAVER, reaches, NOW).at_once


@pytest.mark.parametrize(
    ("state", "leaving", "step"),
    [
        (None, False, Step.ANNOUNCE),
        (DepartureState.WITHDRAWN, False, Step.ANNOUNCE),
        (DepartureState.ANNOUNCED, True, Step.WITHDRAW),
        (DepartureState.EFFECTIVE, True, None),
        (DepartureState.DONE, True, Step.RETURN),
        (DepartureState.DONE, False, Step.ANNOUNCE),
    ],
)
def test_a16_what_may_be_done_next_about_a_departure(
    *, state: DepartureState | None, leaving: bool, step: Step | None
) -> None:
    assert rules.next_step(state, NOW + SECOND, NOW, leaving=leaving) is step
    if state is DepartureState.ANNOUNCED:
        assert rules.next_step(state, NOW, NOW, leaving=leaving) is None


def test_a16_the_day_of_effect_is_given_or_follows_from_the_mailing_and_never_both() -> None:
    assert rules.day_of_effect(TODAY, None, rules.effect_of_notice) == TODAY
    assert rules.day_of_effect(None, TODAY, rules.effect_of_notice) == TODAY + 30 * DAY
    for day in (None, TODAY):
        with pytest.raises(RefusedByRuleError) as refused:
            rules.day_of_effect(day, day, rules.effect_of_notice)
        assert refused.value.reason.field == "on"
