"""Several attributions of one patient: what one of them learns concerns the others (A11, A14, A15, A24)."""

from datetime import date, datetime, timedelta

import pytest

from gamf.domain import effects
from gamf.domain.attribution import Taken, pass_deadlines
from gamf.domain.correspondence import LetterKind, Standing
from gamf.domain.refusal import Reason
from gamf.domain.states import State
from tests.domain.invariants import check_all
from tests.domain.lives import Life, instant
from tests.domain.world import World

OLD, NEW = "10001", "10002"
TERM = date(2027, 6, 2)


def attributed_anew(newer: str = NEW) -> tuple[World, str, str, str]:
    """Return a world in which a patient's SV expired, who was attributed anew ten days later."""
    world = World(now=instant("2026-06-01 09:00"))
    patient = world.register(vulnerable=True)
    first = world.attribute(patient, OLD)
    report(world, first, "2026-06-02 10:00", "accepted")
    world.send_letters()
    report(world, first, "2026-06-02 10:00", "sv_entered")
    world.advance(instant("2027-06-12 09:00"))
    second = world.attribute(patient, newer)
    return world, patient, first, second


def report(world: World, key: str, when: str, fact: str, **argument: str) -> None:
    refused = try_report(world, key, when, fact, **argument)
    assert refused is None, refused
    check_all(world)


def try_report(world: World, key: str, when: str, fact: str, **argument: str) -> Reason | None:
    world.advance(instant(when))
    return world.report(key, fact, {"by": "someone"} | argument)


def rows(world: World, patient: str) -> list[tuple[str, str, date, date | None, bool]]:
    return [(e.category, e.physician, e.start, e.end, e.voided) for e in world.enrolments_of[patient]]


@pytest.mark.parametrize("newer", [NEW, OLD])
def test_a11_a_late_mf_ends_the_newer_attribution(newer: str) -> None:
    world, patient, first, second = attributed_anew(newer)
    report(world, second, "2027-06-13 10:00", "accepted")
    report(world, second, "2027-06-14 10:00", "sv_entered")
    report(world, first, "2027-06-20 10:00", "mf_signed", signed_on="2027-05-30")
    assert world.attributions[first].state is State.ENROLLED_MF
    assert world.attributions[second].state is State.ENROLLED_ELSEWHERE
    assert world.people[patient].place == "enrolled"
    assert rows(world, patient) == [
        ("SV", OLD, date(2026, 6, 2), date(2027, 5, 29), False),
        ("SV", newer, date(2027, 6, 14), None, True),
        ("MF", OLD, date(2027, 5, 30), None, False),
    ]


def test_a11_a_late_mf_that_takes_effect_later_ends_the_newer_one_at_once() -> None:
    world, patient, first, second = attributed_anew()
    report(world, second, "2027-06-13 10:00", "accepted")
    report(world, second, "2027-06-14 10:00", "sv_entered")
    report(world, first, "2027-06-20 10:00", "mf_signed", signed_on="2027-06-01", effective_on="2027-07-01")
    assert world.attributions[second].ended
    assert rows(world, patient) == [
        ("SV", OLD, date(2026, 6, 2), TERM, False),
        ("SV", NEW, date(2027, 6, 14), date(2027, 6, 30), False),
        ("MF", OLD, date(2027, 7, 1), None, False),
    ]


def test_a11_a_late_mf_ends_a_newer_attribution_without_an_answer() -> None:
    world, patient, first, second = attributed_anew()
    report(world, first, "2027-06-12 10:00", "mf_signed", signed_on="2027-06-02")
    assert world.attributions[second].state is State.ENROLLED_ELSEWHERE
    assert not world.letters_of[second]
    assert world.people[patient].place == "enrolled"


def test_a24_an_mf_of_the_newer_attribution_ends_the_wait_for_a_late_one() -> None:
    world, _, first, second = attributed_anew()
    report(world, second, "2027-06-13 10:00", "accepted")
    report(world, second, "2027-06-14 10:00", "mf_signed", signed_on="2027-06-14", effective_on="2027-06-20")
    assert world.attributions[first].state is State.ENROLLED_ELSEWHERE
    refused = try_report(world, first, "2027-06-15 10:00", "mf_signed", signed_on="2027-06-01")
    assert refused is not None
    assert refused.rule == "A20"


def test_a14_another_s_enrolment_learnt_by_the_older_attribution_ends_the_newer() -> None:
    world, patient, first, second = attributed_anew()
    outside = {"physician": "10009", "effective_on": "2027-06-15", "basis": "hors LE 321"}
    report(world, first, "2027-06-13 10:00", "enrolled_elsewhere", **outside)
    assert world.attributions[second].state is State.PROPOSED
    world.advance(instant("2027-06-15 00:00"))
    assert world.attributions[second].state is State.ENROLLED_ELSEWHERE
    assert world.people[patient].place == "enrolled"
    check_all(world)


@pytest.mark.parametrize("told_to", ["older", "newer"])
def test_a15_a_death_ends_every_attribution_of_the_patient(told_to: str) -> None:
    world, patient, first, second = attributed_anew()
    key = first if told_to == "older" else second
    report(world, key, "2027-06-13 10:00", "patient_left", on="2027-06-13", cause="deceased")
    assert {world.attributions[first].state, world.attributions[second].state} == {State.PATIENT_LEFT}
    assert world.people[patient].place == "left"


def test_a15_a_departure_undone_puts_the_patient_back_at_the_initial_date() -> None:
    world = World(now=instant("2026-06-01 09:00"))
    patient = world.register(registered_on=date(2021, 3, 4))
    key = world.attribute(patient, OLD)
    report(world, key, "2026-06-02 10:00", "patient_left", on="2026-06-01", cause="left_quebec")
    world.reinstate(patient)
    check_all(world)
    assert world.people[patient].place == "waiting"
    assert world.people[patient].registered_on == date(2021, 3, 4)
    assert world.may_be_offered(patient, OLD)


@pytest.mark.parametrize("fact", ["refused", "cancelled", "patient_refused", "physician_left"])
def test_a18_whoever_comes_back_to_the_list_has_the_place_they_had(fact: str) -> None:
    world = World(now=instant("2026-06-01 09:00"))
    patient = world.register(registered_on=date(2021, 3, 4), priority="C")
    before = (
        world.people[patient].priority,
        world.people[patient].registered_on,
        world.people[patient].number,
    )
    more = {"patient_refused": {"ground": "x"}, "physician_left": {"on": "2026-06-02", "cause": "moved"}}
    report(world, world.attribute(patient, OLD), "2026-06-02 10:00", fact, **more.get(fact, {"reason": "x"}))
    person = world.people[patient]
    assert person.place == "waiting"
    assert (person.priority, person.registered_on, person.number) == before


def test_a8_a_patient_who_refused_is_not_offered_to_that_physician() -> None:
    world = World(now=instant("2026-06-01 09:00"))
    patient = world.register()
    report(world, world.attribute(patient, OLD), "2026-06-02 10:00", "patient_refused", ground="x")
    assert not world.may_be_offered(patient, OLD)
    assert world.may_be_offered(patient, NEW)


def test_a16_a_physician_who_leaves_is_offered_nobody_from_the_notice_on() -> None:
    world = World(now=instant("2026-06-01 09:00"))
    patient, other = world.register(), world.register()
    report(
        world,
        world.attribute(patient, OLD),
        "2026-06-02 10:00",
        "physician_left",
        on="2026-12-01",
        cause="retired",
    )
    assert not world.may_be_offered(other, OLD)
    assert world.may_be_offered(other, NEW)


def test_a25_a_letter_that_has_not_gone_is_withheld_and_needs_no_other() -> None:
    world = World(now=instant("2026-06-01 09:00"))
    key = world.attribute(world.register(), OLD)
    report(world, key, "2026-06-02 10:00", "accepted")
    report(world, key, "2026-06-02 11:00", "cancelled", reason="x")
    world.send_letters()
    assert [(letter.kind, letter.state) for letter in world.letters_of[key]] == [
        (LetterKind.ATTRIBUTION, "withheld")
    ]


def test_a25_a_letter_that_has_gone_is_corrected_once() -> None:
    world, _, first, _ = attributed_anew()
    world.send_letters()
    world.send_letters()
    told = [(letter.kind, letter.standing, letter.times_sent) for letter in world.letters_of[first]]
    assert told == [(LetterKind.ATTRIBUTION, None, 1), (LetterKind.CORRECTIVE, Standing.EXPIRED, 1)]


def test_a_transition_carried_out_twice_has_one_effect() -> None:
    world, patient, first, _ = attributed_anew()
    before = rows(world, patient), len(world.letters_of[first]), len(world.records_of[first])
    for t in list(world.records_of[first]):
        world.keep(Taken(world.attributions[first], t))
    assert (rows(world, patient), len(world.letters_of[first]), len(world.records_of[first])) == before


def test_whoever_looks_seldom_sees_what_whoever_looks_often_saw() -> None:
    often, seldom = (
        Life().at("2026-06-02 10:00").report("accepted"),
        Life().at("2026-06-02 10:00").report("accepted"),
    )
    end = instant("2026-08-01 00:00")
    moment: datetime = often.now
    while moment < end:
        moment += timedelta(hours=7)
        often.at(moment)
    assert seldom.at(moment).attribution == often.attribution
    assert pass_deadlines(often.attribution, end) == (often.attribution, ())
    assert [t.effects for t in seldom.transitions] == [t.effects for t in often.transitions]
    assert effects.ReturnToList() in seldom.effects
