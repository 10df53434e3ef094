"""The activities of a block: draw and reserve, attribute and start, answer, withdraw, close (R3, R4, A4, A21)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from gamf.activities import drawing
from gamf.activities.messenger import Messenger
from gamf.domain import draw
from gamf.domain.block import BlockRequest, BlockState, approval_due
from gamf.domain.calendar import add_hours
from gamf.domain.identifiers import attribution_reference
from gamf.domain.model import Start, Subject
from gamf.domain.policy import Policy
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.storage import attributions, blocks, numbers, physicians, records
from gamf.storage.connection import Connection, Pool

_AT_ONCE: Final = 32
"""Starts or signals under way at a time: enough to keep the server busy, few enough to leave it to others."""
Item = TypeVar("Item")


class Starter(Protocol):
    """Starts the workflow of an attribution; one that is or was there already is left alone."""

    async def start(self, start: Start) -> None:
        """Start it."""


class DrawRequest(BaseModel):
    """A request for a block, and the workflow's instant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: BlockRequest
    at: datetime


class Listed(BaseModel):
    """One patient of a list, under opaque identifiers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patient_id: str
    priority: str
    vulnerable: bool
    attribution_id: str | None = None
    replaces: str | None = None
    """The attribution of this block that this one replaces (A17)."""
    attributed_at: datetime | None = None
    """When, for one that was not attributed with the list."""


class Drawn(BaseModel):
    """The list as drawn, or why none was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listed: tuple[Listed, ...] = ()
    time_zone: str | None = None
    deadline: datetime | None = None
    """Until when it may be approved (A21)."""
    refusal: Reason | None = None


class Decision(BaseModel):
    """What was decided of a whole list: by whom, when, why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    block_id: str
    by: str
    at: datetime
    policy: Policy
    reason: str | None = None


class Answer(BaseModel):
    """The physician's answer, for each attribution that has none yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fact: str
    argument: dict[str, Any]
    attribution_ids: tuple[str, ...]


class BlockActivities:
    """What a block does to the world; each is safe to run twice."""

    def __init__(self, pool: Pool, messenger: Messenger, starter: Starter) -> None:
        """Write through that pool; start and tell attributions through the other two."""
        self._pool = pool
        self._messenger = messenger
        self._starter = starter

    @activity.defn
    async def draw_list(self, due: DrawRequest) -> Drawn:
        """Draw the list and reserve everybody on it, if the physician is eligible (R3, R4, A8, A18)."""
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                return await _wait_for_approval(conn, due, await _draw(conn, due.request, due.at))
        except RefusedByRuleError as refused:
            return Drawn(refusal=refused.reason)

    @activity.defn
    async def attribute_list(self, decision: Decision) -> tuple[Listed, ...] | Reason:
        """Attribute everybody on the approved list and start their workflows: the 72 hours run (A21, R6).

        Nobody, and why, when the physician is no longer eligible (R3, A16). The list itself is the bare tuple that it
        was before there was a refusal: a block begun then reads the same.
        """
        try:
            subjects = await self._attributed(decision)
        except RefusedByRuleError as refused:
            return refused.reason
        starts = [Start(**subject.model_dump(), policy=decision.policy) for subject in subjects]
        await _for_each(starts, self._starter.start)
        return tuple(
            Listed(
                patient_id=s.patient_id,
                priority=s.priority,
                vulnerable=s.vulnerable,
                attribution_id=s.attribution_id,
                # Of a block that is reset, which attributed them before.
                attributed_at=s.attributed_at if s.attributed_at != decision.at else None,
            )
            for s in subjects
        )

    @activity.defn
    async def answer_list(self, answer: Answer) -> None:
        """Give the physician's answer to each attribution of the list that has none (A4)."""

        async def tell(attribution_id: str) -> None:
            await self._messenger.tell_attribution(attribution_id, answer.fact, answer.argument)

        await _for_each(answer.attribution_ids, tell)

    @activity.defn
    async def withdraw_list(self, decision: Decision) -> None:
        """Put everybody on the drawn list back where they were (A21)."""
        await self._end(decision, BlockState.WITHDRAWN, BlockState.DRAWN)

    @activity.defn
    async def close_block(self, decision: Decision) -> None:
        """Write that every attribution of the list has its answer."""
        await self._end(decision, BlockState.CLOSED, BlockState.ATTRIBUTED)

    async def _attributed(self, decision: Decision) -> list[Subject]:
        async with self._pool.acquire() as conn:
            async with conn.transaction():
                await _attribute(conn, decision)
            return await attributions.of_block(conn, decision.block_id)

    async def _end(self, decision: Decision, state: BlockState, expected: BlockState) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            if await blocks.lock(conn, decision.block_id) != expected:
                return
            await blocks.release(conn, decision.block_id)
            await blocks.end(conn, decision.block_id, state, decision.at)
            await _record(conn, decision, state)


async def _draw(conn: Connection, request: BlockRequest, at: datetime) -> tuple[Listed, ...]:
    await blocks.one_draw_at_a_time(conn, request.rls)
    state = await blocks.state(conn, request.block_id)
    if state is None:
        draw.check_size(request.size)
        draw.check_eligible(await physicians.applicant(conn, request.physician), request.rls)
        plan, drawn = await drawing.draw_list(conn, request, at)
        await blocks.reserve(conn, request, drawn, at)
        await records.append(
            conn,
            "block",
            request.block_id,
            BlockState.DRAWN,
            at,
            by=request.requested_by,
            argument={"size": request.size, "drawn": len(drawn), "plan": plan.model_dump(mode="json")},
            after=BlockState.DRAWN,
            rules=("R3", "R4", "A8", "A18"),
            policy=request.policy.version,
        )
    # A block that is reset draws again what its list has become.
    listed = blocks.proposed if state in {None, BlockState.DRAWN} else blocks.drawn
    return tuple(
        Listed(patient_id=each.patient_id, priority=each.priority, vulnerable=each.vulnerable)
        for each in await listed(conn, request.block_id)
    )


async def _wait_for_approval(conn: Connection, due: DrawRequest, listed: tuple[Listed, ...]) -> Drawn:
    zone = await blocks.time_zone(conn, due.request.rls)
    assert zone is not None  # noqa: S101 - an eligible physician is of a known RLS
    deadline = approval_due(due.at, zone, due.request.policy)
    await blocks.wait_until(conn, due.request.block_id, deadline)
    return Drawn(listed=listed, time_zone=zone, deadline=deadline)


async def _attribute(conn: Connection, decision: Decision) -> None:
    if await blocks.lock(conn, decision.block_id) != BlockState.DRAWN:
        return
    licence, rls = await blocks.asked_for(conn, decision.block_id)
    # They may have left, or stopped participating, since the draw.
    draw.check_eligible(await physicians.applicant(conn, licence), rls)
    listed = await blocks.proposed(conn, decision.block_id)
    year = decision.at.year
    taken = await numbers.next_numbers(conn, "attribution", year, len(listed)) if listed else range(0)
    ids = {
        one.patient_id: attribution_reference(year, number) for one, number in zip(listed, taken, strict=True)
    }
    deadline = add_hours(decision.at, decision.policy.answer_hours)
    await attributions.insert_many(conn, decision.block_id, decision.at, deadline, ids)
    await blocks.attributed(conn, decision.block_id, decision.at)
    await _record(conn, decision, BlockState.ATTRIBUTED)


async def _record(conn: Connection, decision: Decision, state: BlockState) -> None:
    await records.append(
        conn,
        "block",
        decision.block_id,
        state,
        decision.at,
        by=decision.by,
        argument={"reason": decision.reason} if decision.reason else {},
        after=state,
        rules=("A21",) if state is not BlockState.CLOSED else ("R6",),
        policy=decision.policy.version,
    )


async def _for_each(items: Sequence[Item], do: Callable[[Item], Awaitable[None]]) -> None:
    """Do it for each, a few at a time; a heartbeat says how far it went. The first failure ends it."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(item: Item) -> None:
        async with places:
            await do(item)

    async with asyncio.TaskGroup() as group:
        pending = [group.create_task(one(item)) for item in items]
        for done, task in enumerate(pending, start=1):
            await task
            if done % _AT_ONCE == 0:
                activity.heartbeat(done)
