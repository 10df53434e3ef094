"""Reconciliation: every open workflow beside the database, both ways; each difference is mended or asked about.

The lists of both sides are compared first, a page at a time; only the attributions that look different, or whose rows
are not whole, are asked one by one. What differs twice in a row, unchanged, differs; the rest was the moment between
two writes.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from gamf.activities.transitions import SYSTEM
from gamf.client import access, comparing, mending
from gamf.client import reconciling_wholes as wholes
from gamf.client.acting import Desk
from gamf.client.comparing import Seen, Sides
from gamf.client.reconciling_wholes import Kind
from gamf.domain.access import Shown
from gamf.domain.effects import TaskKind
from gamf.domain.reconciliation import (
    LABELS,
    MEND_LABELS,
    MENDS,
    Difference,
    Mend,
    looks_alike,
    mend_of_whole,
)
from gamf.domain.reliving import NotRelivedError
from gamf.domain.roles import UseCase
from gamf.domain.states import State
from gamf.runtime.polling import until
from gamf.storage import reconciliation, tasks

if TYPE_CHECKING:
    from gamf.client.access import Seat
    from gamf.storage.connection import Connection

_PAGE: Final = 5_000
_SETTLES_WITHIN: Final = 20
"""Seconds for a mended workflow to take up its life."""
_BETWEEN_LOOKS: Final = 1.0
"""Seconds in which a write under way on one side reaches the other."""


Outcome = Literal["found", "mended", "asked", "left"]


class Subject(NamedTuple):
    """What differs."""

    kind: Literal["attribution", "block", "departure"]
    reference: str


class Finding(BaseModel):
    """A difference between the two sides, and what became of it; one that is `left` can be nobody's task."""

    model_config = ConfigDict(frozen=True)

    subject: Literal["attribution", "block", "departure"]
    reference: str
    difference: Difference
    mend: Mend
    outcome: Outcome
    said_fr: str
    said_en: str


async def note(conn: "Connection", seat: "Seat", found: Sequence[Finding]) -> None:
    """Write in the log that whoever compared is shown the people of the attributions that differ."""
    named = [each.reference for each in found if each.subject == "attribution"]
    people = await access.people_of(conn, named)
    await access.note(conn, seat, UseCase.RECONCILE, (Shown.STANDING,), people)


async def reconcile(desk: Desk, *, now: datetime, dry_run: bool) -> AsyncIterator[Finding]:
    """Compare, and yield each difference once it is mended or asked about; with `dry_run`, only say it.

    Raises:
        ServiceUnreachable: a service is silent; what was yielded until then stands.
    """
    async for finding in _attributions(desk, now, dry_run=dry_run):
        yield finding
    for kind in (wholes.BLOCKS, wholes.DEPARTURES):
        async for finding in _wholes(desk, kind, now, dry_run=dry_run):
            yield finding
    if not dry_run:
        await _close_questions(desk, now)


async def _attributions(desk: Desk, now: datetime, *, dry_run: bool) -> AsyncIterator[Finding]:
    suspects = await _suspects(desk)
    first = {suspect: await comparing.look(desk, suspect) for suspect in suspects}
    differing = [suspect for suspect in suspects if first[suspect].difference is not None]
    if differing:
        await asyncio.sleep(_BETWEEN_LOOKS)
    for suspect in differing:
        again = await comparing.look(desk, suspect)
        if again == first[suspect] and again.difference is not None:
            yield await _treat(desk, suspect, again.difference, now, dry_run=dry_run)


async def _wholes(desk: Desk, kind: Kind, now: datetime, *, dry_run: bool) -> AsyncIterator[Finding]:
    suspects = await wholes.suspects(desk, kind)
    first = {suspect: await wholes.look(desk, kind, suspect) for suspect in suspects}
    differing = [suspect for suspect in suspects if first[suspect][0] is not None]
    if differing:
        await asyncio.sleep(_BETWEEN_LOOKS)
    for suspect in differing:
        again = await wholes.look(desk, kind, suspect)
        if again == first[suspect] and again[0] is not None:
            yield await _treat_whole(desk, kind, (suspect, again[0]), now, dry_run=dry_run)


async def _suspects(desk: Desk) -> Sequence[str]:
    """Return, in order, the attributions that do not look alike on both sides."""
    running = await comparing.running(desk.temporal)
    suspects: set[str] = set()
    after = ""
    async with desk.pool.acquire() as conn:
        while page := await reconciliation.open_attributions(conn, after, _PAGE):
            for each in page:
                seen = running.pop(each.attribution_id, None)
                if not each.sound or seen is None or not _alike(each, seen):
                    suspects.add(each.attribution_id)
            after = page[-1].attribution_id
    return sorted(suspects | running.keys())


def _alike(row: reconciliation.Open, seen: Seen) -> bool:
    return looks_alike(State(row.state), row.deadline, seen.state, seen.deadline)


async def _treat(
    desk: Desk, attribution_id: str, difference: Difference, now: datetime, *, dry_run: bool
) -> Finding:
    subject, mend = Subject("attribution", attribution_id), MENDS[difference]
    if dry_run:
        return _finding(subject, difference, mend, "found")
    if mend is not Mend.ASK and await _mended(desk, attribution_id, mend, now):
        return _finding(subject, difference, mend, "mended")
    await mending.ask(desk, attribution_id, now)
    return _finding(subject, difference, Mend.ASK, "asked")


async def _treat_whole(
    desk: Desk, kind: Kind, sides: tuple[str, Difference], now: datetime, *, dry_run: bool
) -> Finding:
    reference, difference = sides
    subject, mend = Subject(kind.subject, reference), mend_of_whole(difference)
    if dry_run:
        return _finding(subject, difference, mend, "found")
    if mend is not Mend.ASK and await _whole_mended(desk, kind, reference):
        return _finding(subject, difference, mend, "mended")
    asked = await wholes.ask(desk, kind, reference, now)
    return _finding(subject, difference, Mend.ASK, "asked" if asked else "left")


async def _whole_mended(desk: Desk, kind: Kind, reference: str) -> bool:
    async def agrees() -> bool:
        return (await wholes.look(desk, kind, reference))[0] is None

    try:
        await wholes.mend(desk, kind, reference)
        await until(agrees, within_seconds=_SETTLES_WITHIN)
    except (NotRelivedError, TimeoutError):
        return False
    return True


async def _mended(desk: Desk, attribution_id: str, mend: Mend, now: datetime) -> bool:
    async def agrees() -> bool:
        return (await comparing.look(desk, attribution_id)).difference is None

    try:
        await mending.MEND[mend](desk, attribution_id, now)
        await until(agrees, within_seconds=_SETTLES_WITHIN)
    except (NotRelivedError, TimeoutError):
        return False
    return True


def _finding(subject: Subject, difference: Difference, mend: Mend, outcome: Outcome) -> Finding:
    (fr, en), (mend_fr, mend_en) = LABELS[difference], MEND_LABELS[mend]
    return Finding(
        subject=subject.kind,
        reference=subject.reference,
        difference=difference,
        mend=mend,
        outcome=outcome,
        said_fr=f"{fr}\u00a0: {mend_fr}",
        said_en=f"{en}: {mend_en}",
    )


async def _close_questions(desk: Desk, now: datetime) -> None:
    async with desk.pool.acquire() as conn:
        asked = await reconciliation.open_questions(conn, TaskKind.DIFFERENCE)
        blocks = await reconciliation.block_questions(conn, TaskKind.DIFFERENCE)
    for attribution_id in asked:
        sides: Sides = await comparing.look(desk, attribution_id)
        if sides.difference is None:
            async with desk.pool.acquire() as conn:
                await mending.close_question(conn, attribution_id, now)
    for block_id in blocks:
        if (await wholes.look(desk, wholes.BLOCKS, block_id))[0] is None:
            async with desk.pool.acquire() as conn:
                await tasks.close_about_block(conn, block_id, [TaskKind.DIFFERENCE], now, SYSTEM)
