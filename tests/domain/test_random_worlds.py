"""A hundred thousand random steps of facts, times and duplicates: the invariants hold after each."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from gamf.domain.attribution import TABLE
from gamf.domain.model import Attribution
from gamf.domain.states import UNDER_WAY, State
from tests.domain.invariants import check_all, check_touched
from tests.domain.lives import ZONES
from tests.domain.strategies import PHYSICIANS, Choices, choices, fact, jump
from tests.domain.world import World

STEPS = 100_000
STEPS_A_WORLD = 250
PARTS = 4


class RandomWorld(RuleBasedStateMachine):
    """A few people, several physicians, and attributions one after another for the same patient."""

    steps: ClassVar[int] = 0
    rows: ClassVar[Counter[tuple[State, str]]] = Counter()
    overtaken: ClassVar[Counter[State]] = Counter()
    refused: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.world: World = World(now=datetime(2026, 2, 2, 17, tzinfo=UTC))
        self.sent: list[tuple[str, str, object]] = []

    @initialize(chosen=choices())
    def begin(self, chosen: Choices) -> None:
        later = timedelta(days=chosen.below(256), minutes=chosen.below(256))
        self.world.now = datetime(2026, 2, 2, 17, tzinfo=UTC) + later
        self._somebody_registers(chosen)
        self._somebody_registers(chosen)
        self._a_patient_is_attributed(chosen)

    @rule(chosen=choices())
    def something_happens(self, chosen: Choices) -> None:
        chosen.of(
            [
                *[self._somebody_reports] * 12,
                *[self._time_passes] * 5,
                *[self._it_is_sent_again] * 2,
                *[self._a_patient_is_attributed] * 2,
                self._the_carrier_passes,
                self._a_departure_is_undone,
            ]
        )(chosen)

    @invariant()
    def the_rules_hold(self) -> None:
        type(self).steps += 1
        check_touched(self.world)

    def teardown(self) -> None:
        check_all(self.world)
        for t in (t for records in self.world.records_of.values() for t in records):
            self.rows[t.before, t.event] += 1
        self.overtaken.update(state for _, state in self.world.overtaken)
        self.refused.update(reason.rule for _, _, reason in self.world.refused)

    def _somebody_reports(self, chosen: Choices) -> None:
        key = self._attribution(chosen)
        name, argument = fact(chosen, self.world.attributions[key], self.world.now)
        self.sent.append((key, name, argument))
        self._report(key, name, argument)

    def _it_is_sent_again(self, chosen: Choices) -> None:
        if self.sent:
            self._report(*chosen.of(self.sent[-8:]))

    def _report(self, key: str, name: str, argument: object) -> None:
        before, written = self.world.attributions[key], len(self.world.records_of[key])
        if self.world.report(key, name, argument) is not None:
            assert self.world.attributions[key] is before
            assert len(self.world.records_of[key]) == written
        else:
            self._survives_its_json(self.world.attributions[key])
            again = self.world.report(key, name, argument)
            assert again is not None
            assert again.rule == "A20"

    def _survives_its_json(self, a: Attribution) -> None:
        assert Attribution.model_validate_json(a.model_dump_json()).model_dump() == a.model_dump()

    def _time_passes(self, chosen: Choices) -> None:
        a = self.world.attributions[self._attribution(chosen)]
        self.world.advance(jump(chosen, a, self.world.now))

    def _the_carrier_passes(self, _chosen: Choices) -> None:
        self.world.send_letters()

    def _a_departure_is_undone(self, chosen: Choices) -> None:
        person = chosen.of(list(self.world.people.values()))
        if person.left_on is not None and person.left_on < self.world.now.date() - timedelta(days=1):
            self.world.reinstate(person.patient_id)

    def _somebody_registers(self, chosen: Choices) -> None:
        self.world.register(vulnerable=chosen.once_in(2), time_zone=chosen.of(ZONES))

    def _a_patient_is_attributed(self, chosen: Choices) -> None:
        if all(person.place in {"enrolled", "left"} for person in self.world.people.values()):
            self._somebody_registers(chosen)
        physicians = [*PHYSICIANS, f"2{len(self.world.attributions):04}"]
        offers = [
            (patient_id, physician)
            for patient_id in self.world.people
            for physician in physicians
            if self.world.may_be_offered(patient_id, physician)
        ]
        if offers:
            self.world.attribute(*chosen.of(offers))

    def _attribution(self, chosen: Choices) -> str:
        """Choose an attribution, mostly among those that have not ended."""
        going = list(self.world.going())
        if not going:
            self._a_patient_is_attributed(chosen)
            return next(reversed(self.world.attributions))
        return chosen.of(going if chosen.below(8) else list(self.world.attributions))


def machine(part: int) -> type[RandomWorld]:
    """Make a machine with counters of its own, which goes the same way each time."""

    class OneWorld(RandomWorld):
        steps: ClassVar[int] = 0
        rows: ClassVar[Counter[tuple[State, str]]] = Counter()
        overtaken: ClassVar[Counter[State]] = Counter()
        refused: ClassVar[Counter[str]] = Counter()

    made: Callable[[type[RandomWorld]], type[RandomWorld]] = seed(part)
    return made(OneWorld)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_invariants_hold_after_each_of_a_hundred_thousand_steps(part: int) -> None:
    random_world = machine(part)
    steps = STEPS // PARTS
    run_state_machine_as_test(
        random_world,
        settings=settings(
            max_examples=steps // STEPS_A_WORLD + 5,
            stateful_step_count=STEPS_A_WORLD,
            deadline=None,
            database=None,
            print_blob=True,
            phases=[Phase.generate, Phase.shrink],
            # A world of 250 steps is large, and a busy machine is slow: neither is a fault.
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.data_too_large,
                HealthCheck.large_base_example,
            ],
        ),
    )
    assert random_world.steps >= steps
    rows = {(state, event) for state, events in TABLE.items() for event in events}
    assert not rows - set(random_world.rows), "a row of the table that no world has come by"
    assert UNDER_WAY & set(random_world.overtaken), "no late MF has reached a newer attribution"
    assert {"R2", "R6", "R8", "A3", "A5", "A6", "A7", "A11", "A13", "A15", "A20", "A24", "form"} <= set(
        random_world.refused
    )
