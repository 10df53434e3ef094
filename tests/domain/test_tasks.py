"""What is asked of whom: each task has its date, and goes with its reason, whatever takes it away."""

from datetime import date, datetime, timedelta

import pytest

from gamf.domain import consequences, effects, tasks
from gamf.domain.attribution import TABLE
from gamf.domain.effects import OF_STATE, Owner, TaskKind
from gamf.domain.facts import FACTS
from gamf.domain.policy import CURRENT
from gamf.domain.states import WAITS, State
from tests.domain.lives import TORONTO, Life, confirmed, enrolled, instant
from tests.domain.test_table import SV, WAITING, valid

BLANC_SABLON = "America/Blanc-Sablon"
SECOND = timedelta(seconds=1)
ASKED = {
    State.UNANSWERED: (TaskKind.ANSWER_OVERDUE, Owner.COORDINATOR),
    State.CONFIRMED: (TaskKind.SV_TO_ENTER, Owner.CLINIC),
    State.OVERDUE: (TaskKind.SV_OVERDUE, Owner.COORDINATOR),
}


def patient_tasks_closed(life: Life) -> list[TaskKind]:
    """Return the kinds closed for the patient, whichever attribution asked."""
    follows = (effect for transition in life.transitions for effect in transition.effects)
    return [
        kind for effect in follows if isinstance(effect, effects.ClosePatientTasks) for kind in effect.kinds
    ]


def asked(life: Life) -> set[tuple[TaskKind, Owner]]:
    """Return what is asked after all that happened, as the transaction of each transition would leave it."""
    open_tasks: set[tuple[TaskKind, Owner]] = set()
    for effect in (effect for transition in life.transitions for effect in transition.effects):
        if isinstance(effect, effects.OpenTask):
            open_tasks.add((effect.kind, effect.owner))
        elif isinstance(effect, effects.CloseTasks | effects.ClosePatientTasks):
            open_tasks = {task for task in open_tasks if task[0] not in effect.kinds}
    return open_tasks


@pytest.mark.parametrize("state", WAITING)
def test_a_state_asks_for_what_it_waits_for(state: State) -> None:
    assert asked(WAITING[state]()) == ({ASKED[state]} if state in ASKED else set())


EVENTS = [(state, event) for state in WAITING for event in TABLE[state]]


@pytest.mark.parametrize(("state", "event"), EVENTS, ids=[f"{state}-{event}" for state, event in EVENTS])
def test_nothing_is_asked_for_longer_than_its_reason_whatever_takes_it_away(state: State, event: str) -> None:
    life = WAITING[state]()
    if event in FACTS:
        life.report(event, **valid(event, life))
    else:
        assert life.attribution.deadline is not None
        life.at(life.attribution.deadline)
    assert life.state is TABLE[state][event].to
    wanted = ASKED.get(life.state) if not life.attribution.ended else None
    assert {task for task in asked(life) if task[0] in OF_STATE} == ({wanted} if wanted else set())


@pytest.mark.parametrize("fact", ["patient_left", "enrolled_elsewhere", "mf_signed"])
def test_a15_a24_what_was_announced_is_no_longer_asked_about_once_it_is_decided(fact: str) -> None:
    life = enrolled(SV)
    assert TaskKind.ANNOUNCED_FACT in patient_tasks_closed(life.report(fact, **valid(fact, life)))


@pytest.mark.parametrize("state", WAITS)
def test_a15_nobody_is_asked_about_the_letters_of_whoever_has_left(state: State) -> None:
    life = WAITING[state]()
    left = life.report("patient_left", **valid("patient_left", life))
    assert TaskKind.LETTER_NOT_SENT in patient_tasks_closed(left)


def test_r8_the_clinic_has_a_task_from_the_acceptance_to_the_last_day() -> None:
    (task,) = confirmed("2026-06-02 10:00").opened
    assert (task.kind, task.owner, task.due) == (
        TaskKind.SV_TO_ENTER,
        Owner.CLINIC,
        instant("2026-06-17 00:00"),
    )


@pytest.mark.parametrize(
    ("opened_at", "zone", "due"),
    [
        ("2026-06-01 09:00", TORONTO, "2026-06-09 00:00"),
        # From a Friday evening, across Québec's holiday of 24 June.
        ("2026-06-19 23:59:59", TORONTO, "2026-06-30 00:00"),
        ("2026-06-19 23:59:59", BLANC_SABLON, "2026-06-30 00:00"),
        # Across the change of clocks of 8 March.
        ("2026-03-06 12:00", TORONTO, "2026-03-14 00:00"),
    ],
)
def test_a7_a_task_without_a_deadline_of_its_own_has_five_working_days(
    opened_at: str, zone: str, due: str
) -> None:
    assert tasks.due(instant(opened_at, zone), CURRENT, zone) == instant(due, zone)


def test_a7_the_ground_that_concerns_the_gaco_has_five_working_days() -> None:
    life = enrolled(SV).at("2026-06-10 15:00").report("patient_refused", ground="discriminatory")
    task = life.opened[-1]
    assert (task.owner, task.due) == (Owner.GACO, instant("2026-06-18 00:00"))


@pytest.mark.parametrize(("vulnerable", "term"), [(True, date(2029, 2, 28)), (False, date(2031, 2, 28))])
def test_r14_the_term_that_a_clinic_is_reminded_of_is_the_rules(vulnerable: bool, term: date) -> None:  # noqa: FBT001 - a parameter
    start = date(2028, 2, 29)
    assert consequences.term(CURRENT, start, vulnerable=vulnerable) == term
    life = enrolled(start, vulnerable=vulnerable)
    assert life.attribution.term == term


def test_r14_a_clinic_is_reminded_from_sixty_days_before_the_term_until_it_has_passed() -> None:
    term = date(2027, 6, 2)
    near = [
        day
        for day in (term - timedelta(days=back) for back in range(70, -5, -1))
        if tasks.term_is_near(term, day, CURRENT)
    ]
    assert (near[0], near[-1], len(near)) == (date(2027, 4, 3), term, 61)


def test_every_task_has_a_date_after_its_opening() -> None:
    for state, life in WAITING.items():
        for transition in life().transitions:
            for effect in transition.effects:
                if isinstance(effect, effects.OpenTask):
                    assert isinstance(effect.due, datetime), state
                    assert effect.due > transition.at - SECOND


def test_r11_whoever_is_taken_in_within_their_window_is_the_clinic_s_to_enter() -> None:
    within = confirmed("2026-06-02 10:00").attribution
    assert within.deadline is not None
    (task,) = consequences.asked_at_once(within, within.deadline - SECOND)
    assert consequences.asked_at_once(within, within.deadline) == ()
    assert (task.kind, task.owner, task.due) == (TaskKind.SV_TO_ENTER, Owner.CLINIC, within.deadline)
    for other in (enrolled(SV), WAITING[State.OVERDUE]()):
        assert consequences.asked_at_once(other.attribution, other.now) == ()
