"""What happens to one attribution, by chance: facts one to three times and out of order, or a deadline that passes."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, TypeVar

import asyncpg
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper

from gamf.client.acting import Desk
from gamf.domain.calendar import local_date
from gamf.domain.names import attribution_workflow_id
from gamf.domain.states import State
from gamf.runtime.errors import Fault
from gamf.runtime.polling import until
from tests.chaos.board import BY, Board, Standing

T = TypeVar("T")
ZONE: Final = "America/Toronto"
_PATIENCE_SECONDS: Final = 200
_HURRY_AFTER: Final = 6.0
"""Seconds: a dead worker's activity is another's once its timeout has passed, and in training that can be hurried."""
_HURRY: Final = timedelta(minutes=3)
_JUST_AFTER: Final = timedelta(seconds=1)
_UNANSWERED: Final = (RPCError, Fault, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
Argument = dict[str, Any]


async def insist(work: Callable[[], Awaitable[T]], *, until_there: bool = False) -> T:
    """Do it again until nothing that was killed stands in the way, as whoever reports a fact does.

    That there is no such workflow under way is an answer, unless it is waited for until it is there.
    """
    answers: list[T] = []

    async def answered() -> bool:
        try:
            answers.append(await asyncio.wait_for(work(), 15))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND and not until_there:
                raise
            return False
        except _UNANSWERED:
            return False
        return True

    await until(answered, within_seconds=_PATIENCE_SECONDS)
    return answers[0]


@dataclass
class Told:
    """How often facts were sent: at least so often, since Temporal said so, and at most so often."""

    acknowledged: int = 0
    attempted: int = 0
    at_the_door: int = 0
    """Those that came after the end: Temporal refused them, and whoever sent them was told."""


@dataclass
class StormyLife:
    """One attribution."""

    desk: Desk
    board: Board
    attribution_id: str
    chance: Random
    told: Told = field(default_factory=Told)
    facts: Counter[str] = field(default_factory=Counter)

    @property
    def handle(self) -> "WorkflowHandle[Any, Any]":
        """Return its workflow."""
        return self.desk.temporal.get_workflow_handle(attribution_workflow_id(self.attribution_id))

    async def live(self) -> None:
        """Go from state to state until the end."""
        # The list is written before its workflows are started.
        await insist(self.handle.describe, until_there=True)
        while self.stands.ended_on is None:
            before = self.stands
            facts = await self._next_facts(State(before.state))
            for name, argument in facts:
                await self._send(name, argument)
            await self._hurried(self._settled)
            if not facts:
                await self._pass(before)

    @property
    def stands(self) -> Standing:
        """Return where it stands."""
        return self.board.standings[self.attribution_id]

    async def now(self) -> datetime:
        """Return what time it is for it."""
        return await insist(lambda: TimeSkipper(self.desk.temporal).get_current_time(self.handle))

    async def _next_facts(self, state: State) -> list[tuple[str, Argument]]:
        today = local_date(await self.now(), ZONE).isoformat()
        onward = self.chance.choices(*zip(*_ONWARD[state], strict=True))[0]
        if onward is None:
            return []
        names = [onward]
        if self.chance.random() < 0.4:
            names += self.chance.choices(tuple(_ARGUMENTS), k=2)
        sent = [(name, {"by": BY, **_ARGUMENTS[name](today)}) for name in names]
        sent *= self.chance.randint(1, 3)
        self.chance.shuffle(sent)
        return sent

    async def _send(self, name: str, argument: Argument) -> None:
        self.facts[name] += 1

        async def signal() -> None:
            self.told.attempted += 1
            await self.handle.signal(name, argument)

        try:
            await insist(signal)
        except RPCError:
            self.told.at_the_door += 1
        else:
            self.told.acknowledged += 1

    async def _settled(self) -> bool:
        """Tell whether every fact that Temporal took is in the record, and every letter has gone."""
        return self.stands.answers >= self.told.acknowledged and not self.stands.waiting

    async def _pass(self, before: Standing) -> None:
        """Move its clock past the deadline, as often as it takes, and wait until something followed."""

        async def moved() -> bool:
            return self.stands.ended_on is not None or self.stands.deadline != before.deadline

        await self._to_the_deadline(before)
        while not await self._within_a_moment(moved):
            await self._to_the_deadline(before)

    async def _to_the_deadline(self, before: Standing) -> None:
        assert before.deadline is not None
        left = before.deadline + _JUST_AFTER - await self.now()
        await self._forward(left if left > timedelta(0) else _HURRY)

    async def _hurried(self, done: Callable[[], Awaitable[bool]]) -> None:
        while not await self._within_a_moment(done):
            await self._forward(_HURRY)

    async def _within_a_moment(self, done: Callable[[], Awaitable[bool]]) -> bool:
        try:
            await until(done, within_seconds=_HURRY_AFTER)
        except TimeoutError:
            return False
        return True

    async def _forward(self, length: timedelta) -> None:
        try:
            await asyncio.wait_for(TimeSkipper(self.desk.temporal).fast_forward(self.handle, length), 10)
        except (RPCError, TimeoutError, RuntimeError):
            # It has ended, or the server was killed: whoever waits looks again.
            return


_ARGUMENTS: Final[dict[str, Callable[[str], Argument]]] = {
    "accepted": lambda _: {},
    "refused": lambda _: {"reason": "pratique réduite"},
    "cancelled": lambda _: {"reason": "conflit déclaré"},
    "sv_entered": lambda _: {},
    "window_reopened": lambda today: {"opens_on": today, "reason": "oubli"},
    "patient_refused": lambda _: {"ground": "distance"},
    "mf_signed": lambda today: {"signed_on": today},
    "enrolled_elsewhere": lambda today: {
        "physician": "98765",
        "effective_on": today,
        "basis": "hors LE 321",
    },
    "patient_left": lambda today: {"on": today, "cause": "left_quebec"},
}
_ONWARD: Final[dict[State, tuple[tuple[str | None, int], ...]]] = {
    State.PROPOSED: (("accepted", 16), ("refused", 1), ("patient_left", 1), (None, 2)),
    State.UNANSWERED: (("accepted", 6), ("cancelled", 2), (None, 2)),
    State.CONFIRMED: (("sv_entered", 16), ("mf_signed", 1), ("patient_refused", 1), (None, 2)),
    State.OVERDUE: (("window_reopened", 6), (None, 4)),
    State.ENROLLED_SV: (
        ("mf_signed", 9),
        ("patient_refused", 2),
        ("enrolled_elsewhere", 2),
        ("patient_left", 1),
        (None, 6),
    ),
    State.EXPIRED: (("enrolled_elsewhere", 1), (None, 3)),
}
"""What is reported in each state, and how often of twenty; None: nobody does anything, and the deadline passes."""
