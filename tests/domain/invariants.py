"""The invariants of rules.md, asked of a world in memory, and what must hold of each attribution besides."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise

from gamf.domain import calendar
from gamf.domain.correspondence import LetterKind
from gamf.domain.effects import OF_STATE, TaskKind
from gamf.domain.model import Attribution
from gamf.domain.states import UNANSWERED, State
from tests.domain.world import Enrolled, Person, World

ASKED_IN = {
    State.UNANSWERED: [TaskKind.ANSWER_OVERDUE],
    State.CONFIRMED: [TaskKind.SV_TO_ENTER],
    State.OVERDUE: [TaskKind.SV_OVERDUE],
}
PLACES = {"waiting", "proposed", "attributed", "enrolled", "left"}


def check_all(world: World) -> None:
    """Raise AssertionError when an invariant of rules.md does not hold for somebody."""
    check(world, world.people)


def check_touched(world: World) -> None:
    """Ask the same of those of whom something was written since the last time."""
    check(world, world.touched)
    world.touched.clear()


def check(world: World, patients: Iterable[str]) -> None:
    """Ask the invariants of these patients, and of every attribution that it is not late."""
    for a in world.going().values():
        assert a.next_deadline is not None
        assert a.next_deadline > world.now, "something was due and has not passed"
    for patient_id in patients:
        check_person(world, world.people[patient_id])
        for key in world.attributions_of[patient_id]:
            check_attribution(world, world.attributions[key])
            check_letters(world, world.attributions[key])
            check_tasks(world, world.attributions[key])
            check_records(world, world.attributions[key])


def check_person(world: World, person: Person) -> None:
    """Invariants 1 and 2: one place, one attribution under way, no two enrolments at a time."""
    mine = [world.attributions[key] for key in world.attributions_of[person.patient_id]]
    held = [a.start.attribution_id for a in mine if a.under_way]
    enrolments = [e for e in world.enrolments_of[person.patient_id] if not e.voided]
    assert person.place in PLACES
    assert held == ([person.held_by] if person.place == "attributed" else [])
    assert (person.held_by is not None) == (person.place == "attributed")
    assert (person.place == "enrolled") == any(e.category == "MF" and e.end is None for e in enrolments)
    if person.place in {"enrolled", "left"}:
        assert all(a.ended for a in mine), "an attribution goes on for who is enrolled or gone"
    check_no_overlap(enrolments)
    check_replacements(world, mine)


def check_replacements(world: World, cancelled: Iterable[Attribution]) -> None:
    """R5, A17: another patient of the same priority, with the same physician, from the cancellation on."""
    for a in cancelled:
        if (key := world.replaced.get(a.start.attribution_id)) is not None:
            new = world.attributions[key].start
            assert a.state is State.CANCELLED
            assert (new.priority, new.physician) == (a.start.priority, a.start.physician)
            assert new.patient_id != a.start.patient_id
            assert new.attributed_at == world.records_of[a.start.attribution_id][-1].at


def check_no_overlap(enrolments: list[Enrolled]) -> None:
    """Invariant 2: enrolments that are not voided follow one another."""
    ordered = sorted(enrolments, key=lambda e: e.start)
    for earlier, later in pairwise(ordered):
        assert earlier.end is not None
        assert earlier.end < later.start
    assert all(e.end is None or e.start <= e.end for e in ordered)


def check_attribution(world: World, a: Attribution) -> None:
    """What must hold of an attribution once what was due has passed."""
    if a.ended:
        assert (a.deadline, a.announced, a.waiting_for, a.next_deadline) == (None, (), None, None)
    else:
        assert a.deadline is not None
        assert a.waiting_for is not None
    if a.mf is not None:
        assert a.state is State.ENROLLED_MF
        assert a.confirmed_on is not None, "A13: an MF before the acceptance"
    assert world.confirmed_on.get(a.start.attribution_id) == a.confirmed_on
    if a.state in {*UNANSWERED, State.REFUSED}:
        assert a.confirmed_on is None, "A2: silence is never acceptance"
    if a.sv is not None:
        check_sv(world, a)


def check_sv(world: World, a: Attribution) -> None:
    """R8, R12, R14, A5, A9, A10: an SV in its window, with the term of the patient's vulnerability."""
    assert a.sv is not None
    assert a.confirmed_on is not None
    assert a.window_opens_on is not None
    assert a.sv_last_day is not None
    months = a.start.policy.mf_months_vulnerable if a.start.vulnerable else a.start.policy.mf_months
    term = calendar.add_months(a.sv.start, months)
    assert a.term == term
    assert max(a.confirmed_on, a.window_opens_on) <= a.sv.start <= min(a.sv_last_day, a.local(world.now))
    assert a.sv.end is None or a.sv.start <= a.sv.end <= term
    assert a.sv.voided or (a.sv.end is None) == (a.state is State.ENROLLED_SV)
    if a.mf is not None and not a.sv.voided:
        assert a.sv.end == min(a.mf.start - timedelta(days=1), term), "R12: not closed the day before"
    check_sv_row(world, a)


def check_sv_row(world: World, a: Attribution) -> None:
    """The row says what the attribution says, unless an enrolment dated back made room for itself (R10)."""
    assert a.sv is not None
    mine = world.enrolments_of[a.start.patient_id]
    (row,) = [e for e in mine if e.attribution_id == a.start.attribution_id and e.category == "SV"]
    assert row.start == a.sv.start
    if (row.end, row.voided) != (a.sv.end, a.sv.voided):
        assert a.ended
        assert row.voided or (row.end is not None and a.sv.end is not None and row.end < a.sv.end)
        assert any(e.category == "MF" and e.attribution_id is None and not e.voided for e in mine)


def check_letters(world: World, a: Attribution) -> None:
    """Invariant 4 and A25: each letter once, and whoever was told of the attribution is told of its end."""
    letters = world.letters_of[a.start.attribution_id]
    assert all(letter.times_sent == (letter.state == "sent") for letter in letters)
    announced = [letter for letter in letters if letter.kind is LetterKind.ATTRIBUTION]
    corrected = [letter for letter in letters if letter.kind is LetterKind.CORRECTIVE]
    assert len(announced) == (a.confirmed_on is not None)
    told = bool(announced) and announced[0].state == "sent" and not a.under_way
    assert len(corrected) == (told and is_corrected(a)), "A25"
    over = not a.under_way and a.state is not State.ENROLLED_MF
    assert not (over and any(letter.state == "queued" for letter in announced)), "A15, A25: told too late"


def is_corrected(a: Attribution) -> bool:
    """Tell whether the end of this attribution is one that a patient is told: neither an MF nor a death."""
    expired = any(entry.fact == "mf_due" for entry in a.passed)
    died = a.state is State.PATIENT_LEFT and last_departure(a) == "deceased"
    return expired or not (died or a.state is State.ENROLLED_MF)


def last_departure(a: Attribution) -> str:
    """Return the cause of the departure that ended this attribution."""
    departures = [entry for entry in (*a.history, *a.passed) if entry.fact == "patient_left"]
    return str(max(departures, key=lambda entry: entry.state is State.PATIENT_LEFT).argument["cause"])


def check_tasks(world: World, a: Attribution) -> None:
    """A2, A6, R8, A15: a decision is asked for as long as it is wanted, once, and by when."""
    open_tasks = [task for task in world.tasks_of[a.start.attribution_id] if task.open]
    assert [task.kind for task in open_tasks if task.kind in OF_STATE] == ASKED_IN.get(a.state, [])
    assert all(task.due == a.deadline for task in open_tasks if task.kind in OF_STATE)
    if world.people[a.start.patient_id].place in {"enrolled", "left"}:
        assert not [task for task in open_tasks if task.kind is TaskKind.ANNOUNCED_FACT]


def check_records(world: World, a: Attribution) -> None:
    """Invariant 5: every change has its record, numbered without a gap, under the policy that applied."""
    mine = world.records_of[a.start.attribution_id]
    assert [t.number for t in mine] == list(range(a.transitions + 1))
    assert {t.policy for t in mine} == {a.start.policy.version}
    assert all(before.after is after.before for before, after in pairwise(mine))
    assert all(before.at <= after.at for before, after in pairwise(mine))
    assert mine[-1].after is a.state
    assert mine[-1].under_way == a.under_way
