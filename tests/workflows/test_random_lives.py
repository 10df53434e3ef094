"""The real workflow, server and database against the pure rules: the same random facts and times, the same end.

The generator is that of the domain's hundred thousand steps, shorter. What differs is that a real clock runs: the rules
are asked at the instant that the workflow itself wrote down, and no jump lands within seconds of a deadline.
"""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, cast

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from gamf.domain import attribution as rules
from gamf.domain.attribution import RepeatedError
from gamf.domain.facts import parse
from gamf.domain.model import Attribution
from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.polling import until
from gamf.storage.invariants import violations
from gamf.workflows.views import attribution_view
from tests.domain.strategies import Choices, fact, jump
from tests.system import Life, System

LIVES = 24
STEPS = 14
ZONES = ("America/Toronto", "America/Halifax", "America/Blanc-Sablon")
CLOSE = timedelta(seconds=30)
FARTHEST = timedelta(days=4 * 365)


class Pair:
    """One attribution lived twice: for real, and by the rules alone."""

    def __init__(self, life: Life, random: Random) -> None:
        self.life = life
        self.random = random
        self.model: Attribution = rules.begin(life.start).attribution
        self.skipped = timedelta(0)
        self.refused = 0
        self.sent: list[tuple[str, Any]] = []
        self.steps = 0

    def choices(self) -> Choices:
        return Choices(self.random.randbytes(16))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.skipped

    async def live(self) -> None:
        await until(self.is_written, within_seconds=20)
        while self.steps < STEPS and not self.model.ended:
            self.steps += 1
            await self.random.choice(
                (self.time_passes, self.a_signal, self.a_signal, self.an_update, self.again)
            )()
            await self.agree()

    async def is_written(self) -> bool:
        sql = "SELECT FROM attributions WHERE attribution_id = $1"
        return bool(await self.life.system.rows(sql, self.life.start.attribution_id))

    async def time_passes(self) -> None:
        target = min(jump(self.choices(), self.model, self.now()), self.now() + FARTHEST)
        due = self.model.next_deadline
        if due is not None and abs(target - due) < CLOSE:
            target = due + CLOSE
        length = target - self.now()
        if length < timedelta(seconds=1):
            return
        self.skipped += length
        await self.life.skip(length)
        self.model = rules.pass_deadlines(self.model, self.now())[0]

    async def again(self) -> None:
        if self.sent:
            await self.send_signal(*self.random.choice(self.sent))

    async def a_signal(self) -> None:
        name, argument = fact(self.choices(), self.model, self.now())
        if sendable(argument):
            self.sent.append((name, argument))
            await self.send_signal(name, argument)

    async def send_signal(self, name: str, argument: object) -> None:
        taken = len(self.model.history)
        await self.life.signal(name, argument)

        async def settled() -> bool:
            view = await self.life.view()
            return view["refused_count"] > self.refused or len(view["history"]) > taken

        await until(settled, within_seconds=20)
        view = await self.life.view()
        if view["refused_count"] > self.refused:
            self.refused += 1
            self.expect_refusal(name, argument, view["refused_facts"][-1])
        else:
            self.expect_taken(name, argument, view)

    async def an_update(self) -> None:
        name, argument = fact(self.choices(), self.model, self.now())
        if not isinstance(argument, dict) or not sendable(cast("object", argument)):
            return
        argument = cast("dict[str, object]", argument)
        at = self.now()
        try:
            view: dict[str, Any] = await self.life.handle.execute_update("record", {**argument, "fact": name})
        except WorkflowUpdateFailedError as error:
            rule = cast("ApplicationError", error.cause).details[0]["rule"]
            self.expect_refusal(name, argument, {"rule": rule, "at": at.isoformat()})
        else:
            self.expect_taken(name, argument, view)

    def expect_refusal(self, name: str, argument: object, kept: dict[str, Any]) -> None:
        at = datetime.fromisoformat(kept["at"])
        self.model = rules.pass_deadlines(self.model, at)[0]
        with pytest.raises(RefusedByRuleError) as refused:
            rules.take(self.model, parse(name, argument), at)
        assert refused.value.reason.rule == kept["rule"], (name, argument)

    def expect_taken(self, name: str, argument: object, view: dict[str, Any]) -> None:
        at = datetime.fromisoformat(view["history"][-1]["at"])
        assert abs(at - self.now()) < CLOSE or len(view["history"]) == len(self.model.history)
        self.model = rules.pass_deadlines(self.model, at)[0]
        try:
            self.model = rules.take(self.model, parse(name, argument), at).attribution
        except RepeatedError:
            return

    async def agree(self) -> None:
        """Compare the whole view, what was refused apart, and the row, the enrolments and the place."""
        real = await self.life.view()
        expected = json.loads(attribution_view(self.model, (), 0).model_dump_json())
        for view in (real, expected):
            view.pop("refused_facts")
            view.pop("refused_count")
        assert real == expected
        row = await self.life.row()
        assert (row["state"], row["under_way"], row["ended_on"]) == (
            self.model.state,
            self.model.under_way,
            self.model.ended_on,
        )
        assert row["deadline"] == self.model.next_deadline
        assert await self.life.place() == self.place()
        assert await self.enrolments() == self.expected_enrolments()

    def place(self) -> str:
        if self.model.under_way:
            return "attributed"
        ends = {"enrolled_mf": "enrolled", "enrolled_elsewhere": "enrolled", "patient_left": "left"}
        return ends.get(self.model.state, "waiting")

    async def enrolments(self) -> set[tuple[str, date, date | None, bool]]:
        rows = await self.life.system.rows(
            """
            SELECT category, lower(period) AS start, upper(period) - 1 AS end, voided FROM enrolments
            WHERE attribution_id = $1
            """,
            self.life.start.attribution_id,
        )
        return {tuple(row) for row in rows}

    def expected_enrolments(self) -> set[tuple[str, date, date | None, bool]]:
        both = (("SV", self.model.sv), ("MF", self.model.mf))
        return {(category, one.start, one.end, one.voided) for category, one in both if one is not None}


def sendable(argument: object) -> bool:
    """Tell whether a JSON client could send it at all."""
    try:
        json.dumps(argument, allow_nan=False).encode()
    except (TypeError, ValueError):
        return False
    return "\\ud" not in json.dumps(argument)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
async def test_the_real_thing_and_the_rules_agree(system: System, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - repeatable on purpose

    async def one(number: int) -> Pair:
        life = await system.attribute(time_zone=ZONES[number % 3], vulnerable=bool(number % 2))
        pair = Pair(life, Random(random.random()))  # noqa: S311 - repeatable on purpose
        await pair.live()
        return pair

    pairs = await asyncio.gather(*(one(number) for number in range(LIVES // 2)))
    assert sum(pair.steps for pair in pairs) > LIVES
    assert {pair.model.state for pair in pairs} - {"proposed"}
    for pair in pairs:
        status = (await pair.life.handle.describe()).status
        assert status in {WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED}
    async with system.pool.acquire() as conn:
        ids = {pair.life.start.attribution_id for pair in pairs} | {
            pair.life.start.patient_id for pair in pairs
        }
        assert [found for found in await violations(conn) if found.subject_id in ids] == []
