"""Entering the SV of many patients at once: a clinic's whole block, or all who wait for a physician (R8).

Each is the fact `sv_entered` of its own attribution, sent as a feed sends it; whoever has the SV already is left as
they are, so that the same command again enters what is missing and nothing else.
"""

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from gamf.client import access, reading
from gamf.client.feed import Outcome, Reporter, feed
from gamf.domain.access import Shown
from gamf.domain.facts import SvEntered
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.domain.roles import UseCase
from gamf.domain.states import State
from gamf.storage import standing
from gamf.storage.standing import Member

if TYPE_CHECKING:
    from gamf.client.acting import Desk

_AWAIT_SV: Final = frozenset({State.CONFIRMED, State.OVERDUE})


class Entered(BaseModel):
    """What became of one: `ended` had nothing to enter any more, and `failed` could not answer."""

    model_config = ConfigDict(frozen=True)

    attribution_id: str
    outcome: Literal["entered", "already", "ended", "refused", "failed"]
    state: str | None
    reason: Reason | None = None


async def of_block(desk: "Desk", block_id: str, but: Sequence[str]) -> list[Member]:
    """Return the attributions of a block, without those.

    Raises:
        NotFoundError: there is no such block.
        RefusedByRuleError: one of those is not of that block (rule `form`).
    """
    async with desk.pool.acquire() as conn:
        await reading.show_stored_block(conn, block_id)
        return _without(await standing.members(conn, block_id=block_id), but)


async def of_physician(desk: "Desk", licence: str, but: Sequence[str]) -> list[Member]:
    """Return the physician's attributions that wait for an SV, of all blocks and of none, without those.

    Raises:
        NotFoundError: there is no such physician.
        RefusedByRuleError: one of those is not one of these (rule `form`).
    """
    async with desk.pool.acquire() as conn:
        await reading.show_physician(conn, licence)
        found = await standing.members(conn, physician=licence)
    return [each for each in _without(found, but) if each.state in _AWAIT_SV]


def _without(members: Sequence[Member], but: Sequence[str]) -> list[Member]:
    known = {each.attribution_id for each in members}
    for attribution_id in but:
        if attribution_id not in known:
            raise RefusedByRuleError(
                "form",
                f"L’attribution {attribution_id} n’en est pas.",
                f"Attribution {attribution_id} is not one of them.",
                "except",
            )
    return [each for each in members if each.attribution_id not in but]


async def enter_sv(reporter: Reporter, members: Sequence[Member], on: date | None) -> AsyncGenerator[Entered]:
    """Enter the SV of each that has none (R8), and yield what became of each: first those with nothing to enter.

    `on` is the start date; without it, the day of the entry on the RLS's clock.

    Raises:
        ServiceUnreachable: a service stays silent; what is entered stands, and the same again enters the rest.
    """
    awaiting: list[Member] = []
    await _note(reporter, members)
    for each in members:
        if each.ended:
            yield Entered(attribution_id=each.attribution_id, outcome="ended", state=each.state)
        elif each.state == State.ENROLLED_SV:
            yield Entered(attribution_id=each.attribution_id, outcome="already", state=each.state)
        else:
            awaiting.append(each)
    async with aclosing(feed(reporter, _facts(awaiting, on))) as outcomes:
        async for outcome in outcomes:
            yield await _entered(reporter.desk, awaiting[outcome.line - 1], outcome)


async def _note(reporter: Reporter, members: Sequence[Member]) -> None:
    """Write in the log that whoever enters them is told where each is; the feed writes those that it sends."""
    settled = [each.attribution_id for each in members if each.ended or each.state == State.ENROLLED_SV]
    async with reporter.desk.pool.acquire() as conn:
        people = await access.people_of(conn, settled)
        await access.note(conn, reporter.sits(), UseCase.SV_ENTERED, (Shown.STANDING,), people)


def _facts(members: Sequence[Member], on: date | None) -> Iterator[bytes]:
    for each in members:
        fact: dict[str, Any] = {"attribution_id": each.attribution_id, "fact": SvEntered.name}
        yield json.dumps(fact if on is None else {**fact, "on": on.isoformat()}).encode()


async def _entered(desk: "Desk", member: Member, outcome: Outcome) -> Entered:
    if outcome.outcome == "taken":
        return Entered(attribution_id=member.attribution_id, outcome="entered", state=outcome.state)
    async with desk.pool.acquire() as conn:
        now = await standing.attribution(conn, member.attribution_id)
    state = now.state if now else None
    if state == State.ENROLLED_SV:
        # Somebody else entered it meanwhile.
        return Entered(attribution_id=member.attribution_id, outcome="already", state=state)
    what: Literal["refused", "failed"] = "refused" if outcome.outcome == "refused" else "failed"
    return Entered(attribution_id=member.attribution_id, outcome=what, state=state, reason=outcome.reason)
