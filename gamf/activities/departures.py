"""The activities of a physician's departure: announce, withdraw, reach each attribution once, finish (A16)."""

import asyncio
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from gamf.activities.messenger import Herald
from gamf.domain import departure as rules
from gamf.domain import words
from gamf.domain.departure import DepartureRequest, DepartureState
from gamf.domain.facts import PhysicianLeft
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.storage import departures, physicians, records
from gamf.storage.connection import Connection, Pool

_AT_ONCE: Final = 32
"""Attributions told at a time, and written as told together: enough to keep the server busy."""
_A_TURN: Final = 512
"""Attributions told by one activity: a second or so of work, after which the workflow shows how far it is."""


class Announced(BaseModel):
    """A departure as announced, or why it was not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rls: str | None = None
    time_zone: str | None = None
    remaining: int = 0
    """Attributions that were open then."""
    refusal: Reason | None = None


class DepartureStep(BaseModel):
    """What a departure has done: which one, when, and where the last turn ended or why it is withdrawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: DepartureRequest
    at: datetime
    by: str
    after: str | None = None
    reason: str | None = None


class Reached(BaseModel):
    """How many attributions were told in all, how many were not, and where the next turn begins, if there is one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reached: int
    remaining: int
    after: str | None = None


class DepartureActivities:
    """What a departure does to the world; each is safe to run twice."""

    def __init__(self, pool: Pool, herald: Herald) -> None:
        """Write through that pool, and tell attributions and blocks through that herald."""
        self._pool = pool
        self._herald = herald

    @activity.defn
    async def announce_departure(self, step: DepartureStep) -> Announced:
        """Write the departure: from now on the physician gets no new block (A16)."""
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                return await _announce(conn, step)
        except RefusedByRuleError as refused:
            return Announced(refusal=refused.reason)

    @activity.defn
    async def withdraw_drawn_lists(self, step: DepartureStep) -> tuple[str, ...]:
        """Withdraw the physician's lists that nobody has approved; return their blocks (A16, A21)."""
        async with self._pool.acquire() as conn:
            drawn = await departures.drawn_lists(conn, step.request.physician)
        on = step.request.on
        reason = f"Départ du médecin le {words.fr(on)} (A16). / The physician leaves on {words.en(on)} (A16)."
        told = {"by": step.request.by, "reason": reason}
        return tuple([each for each in drawn if await self._herald.withdraw_list(each, told)])

    @activity.defn
    async def withdraw_departure(self, step: DepartureStep) -> None:
        """Write that the physician stays: they get blocks again (A16, A20)."""
        async with self._pool.acquire() as conn, conn.transaction():
            await departures.leaver(conn, step.request.physician)
            if await _moves(conn, step, DepartureState.ANNOUNCED, DepartureState.WITHDRAWN):
                await departures.stays(conn, step.request.physician)

    @activity.defn
    async def begin_departure(self, step: DepartureStep) -> None:
        """Write that the departure takes effect: it is no longer to be withdrawn."""
        async with self._pool.acquire() as conn, conn.transaction():
            await _moves(conn, step, DepartureState.ANNOUNCED, DepartureState.EFFECTIVE)

    @activity.defn
    async def reach_attributions(self, step: DepartureStep) -> Reached:
        """Tell `physician_left` to the next of the physician's open attributions, each once (A16)."""
        request, after = step.request, step.after
        async with self._pool.acquire() as conn:
            ids = await departures.unreached(conn, request.departure_id, request.physician, after, _A_TURN)
        for first in range(0, len(ids), _AT_ONCE):
            told = await self._tell(request, ids[first : first + _AT_ONCE])
            async with self._pool.acquire() as conn:
                await departures.mark_reached(conn, request.departure_id, told, step.at)
            activity.heartbeat(first + _AT_ONCE)
        async with self._pool.acquire() as conn:
            await departures.mark_ended(conn, request.departure_id, request.fact.argument(), step.at)
            reached, remaining = await departures.counts(conn, request.departure_id)
        return Reached(reached=reached, remaining=remaining, after=ids[-1] if len(ids) == _A_TURN else None)

    @activity.defn
    async def finish_departure(self, step: DepartureStep) -> bool:
        """Write that every attribution was told; return False when another one has begun meanwhile."""
        async with self._pool.acquire() as conn, conn.transaction():
            await departures.leaver(conn, step.request.physician)
            reached, remaining = await departures.counts(conn, step.request.departure_id)
            if not remaining:
                await _moves(conn, step, DepartureState.EFFECTIVE, DepartureState.DONE, reached)
            return not remaining

    async def _tell(self, request: DepartureRequest, ids: list[str]) -> list[str]:
        """Tell these at once; return those that were there to be told. One that is not started yet is told later."""
        told = request.fact.argument()

        async def tell(attribution_id: str) -> bool:
            return await self._herald.tell_once(
                attribution_id, PhysicianLeft.name, told, request.departure_id
            )

        there = await asyncio.gather(*map(tell, ids))
        return [each for each, found in zip(ids, there, strict=True) if found]


async def _announce(conn: Connection, step: DepartureStep) -> Announced:
    request = step.request
    leaver = await departures.leaver(conn, request.physician)
    if leaver is None:
        raise RefusedByRuleError("R3", "Aucun médecin n'a ce permis.", "No physician has this licence.")
    if await departures.lock(conn, request.departure_id) is None:
        latest = await departures.latest(conn, request.physician)
        rules.announces(leaver, latest, request.on, request.cause, step.at)
        await departures.announce(conn, request, leaver, step.at)
        await physicians.departs(conn, request.physician, request.on, request.cause)
        await _record(conn, step, DepartureState.ANNOUNCED)
    _, remaining = await departures.counts(conn, request.departure_id)
    return Announced(rls=leaver.rls, time_zone=leaver.time_zone, remaining=remaining)


async def _moves(
    conn: Connection,
    step: DepartureStep,
    before: DepartureState,
    after: DepartureState,
    reached: int | None = None,
) -> bool:
    """Go from one state to the next, once; return False when that was done before."""
    if await departures.lock(conn, step.request.departure_id) is not before:
        return False
    ended = step.at if after in {DepartureState.DONE, DepartureState.WITHDRAWN} else None
    await departures.become(conn, step.request.departure_id, after, ended, step.reason)
    await _record(conn, step, after, reached)
    return True


async def _record(
    conn: Connection, step: DepartureStep, state: DepartureState, reached: int | None = None
) -> None:
    request = step.request
    what = {"departure_id": request.departure_id, "on": request.on.isoformat(), "cause": request.cause}
    extra = {"reason": step.reason, "reached": reached}
    await records.append(
        conn,
        "physician",
        request.physician,
        f"departure_{state}",
        step.at,
        by=step.by,
        argument=what | {name: value for name, value in extra.items() if value is not None},
        after=state,
        rules=("A16", "A20") if state is DepartureState.WITHDRAWN else ("A16",),
        policy=request.policy.version,
    )
