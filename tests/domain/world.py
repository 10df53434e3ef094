"""A world in memory: it carries out the effects of the transitions as the database does, and nothing more.

It stands where the workflows, the activities and PostgreSQL stand: attributions are asked through `take`,
`overtake` and `pass_deadline`, and each effect is written to plain collections. Two worlds, this one and the
real one, given the same facts at the same instants, must end alike.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, assert_never

from gamf.domain import effects
from gamf.domain.attribution import Taken, Transition, begin, overtake, pass_deadline, take
from gamf.domain.correspondence import LetterKind, Standing
from gamf.domain.draw import Candidate
from gamf.domain.facts import EnrolledElsewhere, PatientLeft, parse
from gamf.domain.model import Attribution, Start
from gamf.domain.policy import CURRENT, Policy
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.domain.replacement import choose
from gamf.domain.states import State
from gamf.domain.tasks import due

SYSTEM: Final = "gamf"
"""Who reports what one attribution tells another."""


@dataclass
class Person:
    """Somebody on the list; `place` is one of contract.md's, `held_by` the attribution that holds them."""

    patient_id: str
    number: int
    registered_on: date
    priority: str
    vulnerable: bool
    time_zone: str
    place: str = "waiting"
    held_by: str | None = None
    left_on: date | None = None


@dataclass(frozen=True)
class Enrolled:
    """A row of the enrolments; `end` is the last day included, None while it runs; another's is an MF too."""

    physician: str
    category: str
    start: date
    attribution_id: str | None
    end: date | None = None
    voided: bool = False

    def covers(self, day: date) -> bool:
        """Tell whether it runs on that day."""
        return not self.voided and self.start <= day and (self.end is None or day <= self.end)


@dataclass
class Letter:
    """A letter: queued, then sent or withheld."""

    letter_id: str
    patient_id: str
    kind: LetterKind
    standing: Standing | None = None
    state: str = "queued"
    times_sent: int = 0


@dataclass
class Task:
    """Something to decide."""

    kind: effects.TaskKind
    owner: effects.Owner
    due: datetime
    open: bool = True


@dataclass
class World:
    """All that is remembered, and the one clock.

    Attributions and enrolments are kept by patient, letters, tasks and records by attribution. `overtaken`
    names the attributions ended by another's fact, with the state they were in; `replaced` names, for a cancelled
    attribution, the one that took its place; `touched` names the patients
    of whom something was written since it was last emptied.
    """

    now: datetime
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    attributions: dict[str, Attribution] = field(default_factory=dict[str, Attribution])
    attributions_of: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    enrolments_of: defaultdict[str, list[Enrolled]] = field(default_factory=lambda: defaultdict(list))
    letters_of: defaultdict[str, list[Letter]] = field(default_factory=lambda: defaultdict(list))
    tasks_of: defaultdict[str, list[Task]] = field(default_factory=lambda: defaultdict(list))
    records_of: defaultdict[str, list[Transition]] = field(default_factory=lambda: defaultdict(list))
    refused: list[tuple[str, str, Reason]] = field(default_factory=list[tuple[str, str, Reason]])
    not_offered: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    departed: dict[str, date] = field(default_factory=dict[str, date])
    confirmed_on: dict[str, date] = field(default_factory=dict[str, date])
    replaced: dict[str, str] = field(default_factory=dict[str, str])
    overtaken: list[tuple[str, State]] = field(default_factory=list[tuple[str, State]])
    touched: set[str] = field(default_factory=set[str])
    _done: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])

    # --- what people do ---

    def register(
        self,
        *,
        registered_on: date = date(2023, 5, 1),
        priority: str = "B",
        vulnerable: bool = False,
        time_zone: str = "America/Toronto",
    ) -> str:
        """Put a new person on the list; return their opaque identifier."""
        number = len(self.people) + 1
        patient_id = f"patient-{number}"
        self.touched.add(patient_id)
        self.people[patient_id] = Person(patient_id, number, registered_on, priority, vulnerable, time_zone)
        return patient_id

    def may_be_offered(self, patient_id: str, physician: str) -> bool:
        """Tell whether a draw may give this patient to this physician (A8, A16)."""
        waiting = self.people[patient_id].place == "waiting"
        return waiting and (patient_id, physician) not in self.not_offered and physician not in self.departed

    def attribute(self, patient_id: str, physician: str, policy: Policy = CURRENT) -> str:
        """Attribute a waiting person to a physician, now; return the attribution's identifier."""
        person = self.people[patient_id]
        attribution_id = f"2026-{len(self.attributions) + 1:06}"
        taken = begin(
            Start(
                attribution_id=attribution_id,
                block_id="2026-0001",
                patient_id=patient_id,
                physician=physician,
                rls="9999",
                time_zone=person.time_zone,
                priority=person.priority,
                vulnerable=person.vulnerable,
                attributed_at=self.now,
                policy=policy,
            )
        )
        if person.place != "waiting":
            raise AssertionError(f"attributed from {person.place}")
        person.place, person.held_by = "attributed", attribution_id
        self.attributions_of[patient_id].append(attribution_id)
        self.keep(taken)
        return attribution_id

    def report(self, attribution_id: str, name: str, argument: object) -> Reason | None:
        """Report a fact now; return why it was refused, or None when it was taken."""
        try:
            fact = parse(name, argument)
            taken = take(self.attributions[attribution_id], fact, self.now)
        except RefusedByRuleError as error:
            self.refused.append((attribution_id, name, error.reason))
            return error.reason
        self.keep(taken)
        return None

    def advance(self, to: datetime) -> None:
        """Let the time pass until that instant: whatever comes due on the way is carried out in order."""
        while due := self._first_due(to):
            when, attribution_id = due
            taken = pass_deadline(self.attributions[attribution_id], when)
            if taken is None:
                raise AssertionError("what is due does not pass")
            self.now = max(self.now, when)
            self.keep(taken)
        self.now = to

    def send_letters(self) -> None:
        """Hand every queued letter to the carrier."""
        for letter in (letter for letters in self.letters_of.values() for letter in letters):
            if letter.state == "queued":
                letter.state, letter.times_sent = "sent", letter.times_sent + 1
                self.touched.add(letter.patient_id)

    def reinstate(self, patient_id: str) -> None:
        """Undo a departure noted in error: a new registration that keeps the initial date (A15)."""
        person = self.people[patient_id]
        if person.place == "left":
            person.place, person.left_on = "waiting", None
            self.touched.add(patient_id)

    def going(self) -> dict[str, Attribution]:
        """Return the attributions that have not ended."""
        return {key: a for key, a in self.attributions.items() if not a.ended}

    # --- what follows ---

    def keep(self, taken: Taken) -> None:
        """Carry out a transition, at most once, and remember where it leaves the attribution."""
        t = taken.transition
        key = t.subject.attribution_id, t.number
        if key in self._done:
            return
        self._done.add(key)
        self.attributions[t.subject.attribution_id] = taken.attribution
        self.records_of[t.subject.attribution_id].append(t)
        self.touched.add(t.subject.patient_id)
        for effect in t.effects:
            self._carry_out(t, effect)

    def _first_due(self, to: datetime) -> tuple[datetime, str] | None:
        dues = (
            (a.next_deadline, key)
            for key, a in self.going().items()
            if a.next_deadline is not None and a.next_deadline <= to
        )
        return min(dues, default=None)

    def _carry_out(self, t: Transition, effect: effects.Effect) -> None:  # noqa: C901, PLR0912 - one case an effect
        match effect:
            case effects.WriteSv(start=start):
                sv = Enrolled(t.subject.physician, "SV", start, t.subject.attribution_id)
                self._write(t.subject.patient_id, sv)
            case effects.CloseSv(end=end):
                self._change_sv(t, end=end)
            case effects.VoidSv():
                self._change_sv(t, voided=True)
            case effects.WriteMf(start=start):
                self._enrol(t, t.subject.physician, start, "LE 321 (A11)", t.subject.attribution_id)
            case effects.WriteElsewhere(physician=physician, start=start, basis=basis):
                self._enrol(t, physician, start, basis, None)
            case effects.ReturnToList():
                self._return_to_list(t)
            case effects.LeaveList(on=on, cause=cause):
                self._leave(t, on, cause)
            case effects.Replace(policy=policy):
                self._replace(t, policy)
            case effects.NotOfferedAgain():
                self.not_offered.add((t.subject.patient_id, t.subject.physician))
            case effects.NoNewBlock(on=on):
                self.departed[t.subject.physician] = on
            case effects.ConfirmToRamq(on=on):
                self.confirmed_on[t.subject.attribution_id] = on
            case effects.SendAttributionLetter():
                self._queue(t, LetterKind.ATTRIBUTION, None)
            case effects.SendCorrectiveLetter(standing=standing):
                self._correct(t, standing)
            case effects.WithholdLetters():
                self._withhold(t.subject.attribution_id)
            case effects.OpenTask(kind=kind, owner=owner, due=due):
                self.tasks_of[t.subject.attribution_id].append(Task(kind, owner, due))
            case effects.CloseTasks(kinds=kinds):
                self._close_tasks(t.subject.attribution_id, kinds)
            case effects.ClosePatientTasks(kinds=kinds):
                for attribution_id in self.attributions_of[t.subject.patient_id]:
                    self._close_tasks(attribution_id, kinds)
            case _:
                assert_never(effect)

    def _write(self, patient_id: str, new: Enrolled) -> None:
        mine = self.enrolments_of[patient_id]
        key = new.physician, new.category, new.start
        if not any((e.physician, e.category, e.start) == key and not e.voided for e in mine):
            mine.append(new)

    def _change_sv(self, t: Transition, *, end: date | None = None, voided: bool = False) -> None:
        key, patient_id = t.subject.attribution_id, t.subject.patient_id
        self.enrolments_of[patient_id] = [
            replace(e, end=end or e.end, voided=voided)
            if e.attribution_id == key and e.category == "SV" and not e.voided
            else e
            for e in self.enrolments_of[patient_id]
        ]

    def _enrol(
        self, t: Transition, physician: str, start: date, basis: str, attribution_id: str | None
    ) -> None:
        """Enrol the patient, and end whatever else held or awaited them (R10, A11, A24)."""
        patient_id = t.subject.patient_id
        self.enrolments_of[patient_id] = [
            self._make_room(e, start, t.subject.attribution_id) for e in self.enrolments_of[patient_id]
        ]
        self._write(patient_id, Enrolled(physician, "MF", start, attribution_id))
        person = self.people[patient_id]
        person.place, person.held_by = "enrolled", None
        fact = EnrolledElsewhere(by=SYSTEM, physician=physician, effective_on=start, basis=basis)
        self._tell_others(t, fact)

    @staticmethod
    def _make_room(e: Enrolled, start: date, own: str) -> Enrolled:
        if e.category != "SV" or e.attribution_id == own or e.voided:
            return e
        if e.start >= start:
            return replace(e, voided=True)
        return replace(e, end=start - timedelta(days=1)) if e.covers(start) else e

    def _return_to_list(self, t: Transition) -> None:
        person = self.people[t.subject.patient_id]
        if person.held_by != t.subject.attribution_id:
            raise AssertionError("returned to the list by an attribution that does not hold the patient")
        person.place, person.held_by = "waiting", None

    def _replace(self, t: Transition, policy: Policy) -> None:
        """Attribute the first of the same priority whom this physician may be offered and never was (R5, A17)."""
        physician = t.subject.physician
        waiting = [
            Candidate(
                patient_id=person.patient_id,
                priority=person.priority,
                registered_on=person.registered_on,
                number=person.number,
                vulnerable=person.vulnerable,
                birth_date=date(1980, 1, 2),
            )
            for person in self.people.values()
            if self.may_be_offered(person.patient_id, physician)
            and physician not in self._physicians_of(person.patient_id)
        ]
        chosen = choose(waiting, t.subject)
        if chosen is None:
            until = due(t.at, policy, t.subject.time_zone)
            task = Task(effects.TaskKind.NO_REPLACEMENT, effects.Owner.COORDINATOR, until)
            self.tasks_of[t.subject.attribution_id].append(task)
            return
        self.replaced[t.subject.attribution_id] = self.attribute(chosen.patient_id, physician, policy)

    def _physicians_of(self, patient_id: str) -> set[str]:
        return {self.attributions[key].start.physician for key in self.attributions_of[patient_id]}

    def _leave(self, t: Transition, on: date, cause: str) -> None:
        person = self.people[t.subject.patient_id]
        person.place, person.held_by, person.left_on = "left", None, on
        self._tell_others(t, PatientLeft.model_validate({"by": SYSTEM, "on": on, "cause": cause}))

    def _tell_others(self, t: Transition, fact: EnrolledElsewhere | PatientLeft) -> None:
        """End the patient's other attributions: the fact concerns them as well (A11)."""
        for key in self.attributions_of[t.subject.patient_id]:
            if key != t.subject.attribution_id and not self.attributions[key].ended:
                self.overtaken.append((key, self.attributions[key].state))
                self.keep(overtake(self.attributions[key], fact, self.now))

    def _queue(self, t: Transition, kind: LetterKind, standing: Standing | None) -> None:
        letter_id = f"{t.subject.attribution_id}-{t.number}"
        letter = Letter(letter_id, t.subject.patient_id, kind, standing)
        self.letters_of[t.subject.attribution_id].append(letter)

    def _correct(self, t: Transition, standing: Standing) -> None:
        key = t.subject.attribution_id
        self._withhold(key)
        if any(letter.state == "sent" for letter in self.letters_of[key]):
            self._queue(t, LetterKind.CORRECTIVE, standing)

    def _withhold(self, attribution_id: str) -> None:
        for letter in self.letters_of[attribution_id]:
            if letter.state == "queued":
                letter.state = "withheld"

    def _close_tasks(self, attribution_id: str, kinds: tuple[effects.TaskKind, ...]) -> None:
        for task in self.tasks_of[attribution_id]:
            task.open = task.open and task.kind not in kinds
