"""A hundred thousand random steps of facts, times and duplicates; the invariants of rules.md hold after each."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from gamf.domain.attribution import Attribution
from tests.domain.invariants import check_all, check_touched
from tests.domain.strategies import PHYSICIANS, Choices, choices, fact, jump
from tests.domain.world import World

ZONES = ("America/Toronto", "America/Halifax", "America/Blanc-Sablon")
STEPS_A_WORLD = 250
PARTS = 4
STEPS = 100_000
taken_steps = 0


class RandomWorld(RuleBasedStateMachine):
    """A few people, several physicians, and attributions one after another."""

    world: World

    @initialize(chosen=choices())
    def begin(self, chosen: Choices) -> None:
        start = datetime(2026, 2, 2, 17, tzinfo=UTC) + timedelta(days=chosen.below(256), minutes=chosen.below(256))
        self.world = World(now=start)
        self.sent: list[tuple[str, str, object]] = []
        for _ in range(2):
            self._newcomer(chosen)
        self._a_patient_is_attributed(chosen)

    @rule(chosen=choices())
    def something_happens(self, chosen: Choices) -> None:
        chosen.of(
            (
                *(self._somebody_reports,) * 12,
                *(self._time_passes,) * 4,
                *(self._it_is_sent_again,) * 2,
                *(self._a_patient_is_attributed,) * 4,
                self._the_carrier_passes,
                self._a_departure_is_undone,
            )
        )(chosen)

    def _somebody_reports(self, chosen: Choices) -> None:
        key = self._attribution(chosen)
        name, argument = fact(chosen, self.world.attributions[key], self.world.now)
        self.sent.append((key, name, argument))
        self._report(key, name, argument)

    def _time_passes(self, chosen: Choices) -> None:
        a = self.world.attributions[self._attribution(chosen)]
        self.world.advance(jump(chosen, a, self.world.now))

    def _it_is_sent_again(self, chosen: Choices) -> None:
        if self.sent:
            self._report(*chosen.of(self.sent[-8:]))

    def _the_carrier_passes(self, _chosen: Choices) -> None:
        self.world.send_letters()

    def _a_departure_is_undone(self, chosen: Choices) -> None:
        person = chosen.of(list(self.world.people.values()))
        if person.left_on is not None and person.left_on < self.world.now.date() - timedelta(days=1):
            self.world.reinstate(person.patient_id)

    @invariant()
    def the_rules_hold(self) -> None:
        global taken_steps  # noqa: PLW0603 - hypothesis makes the machines; what they did is counted here
        taken_steps += 1
        check_touched(self.world)

    def _report(self, key: str, name: str, argument: object) -> None:
        before, records = self.world.attributions[key], sum(map(len, self.world.records_of.values()))
        refusal = self.world.report(key, name, argument)
        if refusal is not None:
            assert self.world.attributions[key] is before
            assert sum(map(len, self.world.records_of.values())) == records

    def _attribution(self, chosen: Choices) -> str:
        """Choose an attribution, mostly among those that have not ended."""
        going = list(self.world.going())
        if not going:
            self._a_patient_is_attributed(chosen)
            return next(reversed(self.world.attributions))
        return chosen.of(going if chosen.below(8) else list(self.world.attributions))

    def _a_patient_is_attributed(self, chosen: Choices) -> None:
        if all(person.place in {"enrolled", "left"} for person in self.world.people.values()):
            self._newcomer(chosen)
        physicians = [*PHYSICIANS, f"2{len(self.world.attributions):04}"]
        offers = [
            (patient_id, physician)
            for patient_id in self.world.people
            for physician in physicians
            if self.world.may_be_offered(patient_id, physician)
        ]
        if offers:
            self.world.attribute(*chosen.of(offers))

    def _newcomer(self, chosen: Choices) -> None:
        """Put somebody on the list: fewer patients than attributions, so that each is attributed again and again."""
        self.world.register(vulnerable=chosen.once_in(2), time_zone=chosen.of(ZONES))
