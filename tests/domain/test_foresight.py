"""What the rules would take now and what comes by itself: told ahead as it then happens, and nothing is changed."""

from datetime import date

import pytest

from gamf.domain import foresight
from gamf.domain.attribution import TABLE, take
from gamf.domain.facts import FACTS, parse
from gamf.domain.model import Attribution
from gamf.domain.states import State
from gamf.workflows.views import attribution_view
from tests.domain.lives import SECOND, Life, confirmed, enrolled, expired, wall

SV = date(2026, 6, 10)


def overdue() -> Life:
    return confirmed().at("2026-06-17 00:00")


def unanswered() -> Life:
    return Life().at("2026-06-04 09:00")


def recalled(life: Life) -> Attribution:
    """Return the attribution as it comes back from its view in JSON."""
    view = attribution_view(life.attribution, (), 0).model_dump(mode="json")
    return foresight.recall(life.attribution.start, view, life.now)


@pytest.mark.parametrize(
    ("life", "takes"),
    [
        (Life(), {"accepted", "refused", "cancelled"}),
        (unanswered(), {"accepted", "refused", "cancelled"}),
        (confirmed(), {"cancelled", "sv_entered", "mf_signed"}),
        (overdue(), {"cancelled", "window_reopened", "mf_signed"}),
        (enrolled(SV), {"mf_signed"}),
        (expired(SV), {"mf_signed"}),
    ],
)
def test_what_would_be_taken_is_what_is_taken(life: Life, takes: set[str]) -> None:
    a = recalled(life)
    found = foresight.prospects(a, life.now, "someone")
    assert set(found) == takes | {"patient_refused", "enrolled_elsewhere", "patient_left", "physician_left"}
    assert set(FACTS) - set(found) == {fact for fact in FACTS if fact not in TABLE[life.state]}, (
        "every fact of the table is possible on the day of its sample"
    )
    for transition in found.values():
        assert transition.before is life.state
        assert transition.number == a.transitions + 1


def test_what_would_follow_is_what_follows() -> None:
    life = confirmed()
    told = foresight.prospects(recalled(life), life.now, "someone")["sv_entered"]
    life.report("sv_entered")
    assert (told.after, told.deadline, told.effects) == (
        State.ENROLLED_SV,
        life.attribution.deadline,
        life.effects,
    )


def test_an_ended_attribution_takes_nothing_and_nothing_comes() -> None:
    life = Life().report("refused", reason="absence")
    a = recalled(life)
    assert foresight.prospects(a, life.now, "someone") == {}
    assert foresight.ahead(a, life.now) == ()


@pytest.mark.parametrize("life", [Life(), unanswered(), confirmed(), overdue(), enrolled(SV), expired(SV)])
def test_what_comes_by_itself_comes_when_it_was_said(life: Life) -> None:
    for each in foresight.ahead(recalled(life), life.now):
        life.at(each.at - SECOND)
        before = len(life.transitions)
        life.at(each.at)
        assert len(life.transitions) == before + 1
        assert (life.transitions[-1].event, life.state) == (each.event, each.to)
    assert life.attribution.ended


def test_what_was_announced_comes_on_its_day_and_its_correction_alone_counts() -> None:
    life = enrolled(SV).report("physician_left", on="2026-09-01", cause="retired")
    life.report("physician_left", on="2026-10-01", cause="retired")
    (coming,) = foresight.ahead(recalled(life), life.now)
    assert (coming.event, coming.to, wall(coming.at)) == (
        "physician_left",
        State.PHYSICIAN_LEFT,
        "2026-10-01 00:00",
    )


def test_a_window_to_come_offers_no_sv_today() -> None:
    life = overdue().report("window_reopened", opens_on="2026-07-01", reason="vacances")
    assert "sv_entered" not in foresight.prospects(recalled(life), life.now, "someone")
    assert "sv_entered" in foresight.prospects(recalled(life.at("2026-07-01 00:00")), life.now, "someone")


def test_a_deadline_that_has_come_due_is_passed_first() -> None:
    life = confirmed()
    a = recalled(life)
    assert a.deadline is not None
    assert "sv_entered" in foresight.prospects(a, a.deadline - SECOND, "someone")
    late = foresight.prospects(a, a.deadline, "someone")
    assert "sv_entered" not in late
    assert "window_reopened" in late
    assert take(a, parse("sv_entered", {"by": "x"}), life.now).attribution.sv
