"""The use cases on a physician's departure: announce, withdraw, come back, see what it has reached (A16)."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from temporalio.common import WorkflowIDConflictPolicy

from gamf.client import asking, reading
from gamf.client.asking import ClosedError, View
from gamf.client.errors import NotFoundError
from gamf.client.reading import PAGE, Page, PhysicianView
from gamf.client.registering import Stamp
from gamf.domain import calendar
from gamf.domain import departure as rules
from gamf.domain.block import Withdrawn
from gamf.domain.departure import (
    DepartureRequest,
    DepartureState,
    Foretold,
    Latest,
    Leaver,
    Reaches,
)
from gamf.domain.facts import PhysicianLeft
from gamf.domain.names import TASK_QUEUE, departure_workflow_id
from gamf.domain.policy import CURRENT
from gamf.domain.states import State
from gamf.storage import departures, records
from gamf.workflows import visibility

if TYPE_CHECKING:
    from gamf.client.acting import Desk
    from gamf.storage.connection import Connection


class DepartureEntry(BaseModel):
    """A departure as the database has it; `deadline` is when it takes effect, as long as that is to come."""

    model_config = ConfigDict(frozen=True)

    departure_id: str
    state: DepartureState
    rls: str
    on: date
    cause: str
    deadline: datetime | None
    announced_by: str
    announced_at: datetime
    reached: int
    """Attributions that were told, each once."""
    remaining: int
    """Open attributions that are still to be told."""
    reason: str | None
    ended_at: datetime | None
    policy: str


class DepartingView(PhysicianView):
    """A physician, with how many attributions are in each state, and their departures, the latest first."""

    by_state: dict[str, int]
    departures: tuple[DepartureEntry, ...]


class ReachedView(BaseModel):
    """An attribution that a departure told, and what it has become."""

    model_config = ConfigDict(frozen=True)

    attribution_id: str
    block_id: str | None
    patient_id: str
    at: datetime
    state: str
    ended_on: date | None


async def announce(desk: "Desk", licence: str, fact: PhysicianLeft, *, now: datetime) -> View:
    """Announce that a physician leaves on that day; give the departure, with no new block from now on.

    One dated today or before takes effect at once, dated as it is. The same again changes nothing.

    Raises:
        RefusedByRuleError: another departure stands (A20), or a death is dated ahead (A16).
        NotFoundError: no physician has that licence.
        ServiceUnreachable: a service is silent; the same command again counts once.
    """
    leaver, latest = await _known(desk, licence)
    new = rules.announces(leaver, latest, fact.on, fact.cause, now)
    if latest is not None and not new:
        return await show(desk, latest.departure_id)
    async with desk.pool.acquire() as conn:
        number = len(await departures.of_physician(conn, licence)) + 1
    request = DepartureRequest(
        departure_id=f"{licence}-{number}", physician=licence, policy=CURRENT, **fact.model_dump()
    )
    await _start(desk, request, leaver)
    workflow_id = departure_workflow_id(request.departure_id)
    view = await asking.update(desk.temporal, workflow_id, "await_announced")
    # Somebody else may have announced another one at the same instant, under the same number.
    rules.announces(*await _known(desk, licence), fact.on, fact.cause, now)
    return view


async def _known(desk: "Desk", licence: str) -> tuple[Leaver, Latest | None]:
    async with desk.pool.acquire() as conn:
        leaver = await departures.leaver(conn, licence)
        latest = await departures.latest(conn, licence)
    if leaver is None:
        raise _nobody()
    return leaver, latest


async def _start(desk: "Desk", request: DepartureRequest, leaver: Leaver) -> None:
    deadline = rules.effective_at(request.on, leaver.time_zone)
    async with asking.answering(desk.temporal):
        await desk.temporal.start_workflow(
            "PhysicianDeparture",
            request,
            id=departure_workflow_id(request.departure_id),
            task_queue=TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=visibility.departure_pairs(request, leaver.rls, deadline),
            static_summary=visibility.departure_summary(request),
            rpc_timeout=asking.PATIENCE,
        )


async def withdraw(desk: "Desk", licence: str, *, by: str, reason: str, now: datetime) -> View:
    """Withdraw an announced departure: the physician stays, and may have blocks again (A16, A20).

    Raises:
        RefusedByRuleError: it has taken effect, or there is none; or the reason has not its form.
        NotFoundError: no physician has that licence, or none was ever announced.
        ServiceUnreachable: a service is silent; the same command again counts once.
    """
    fact = rules.parse(Withdrawn.name, {"by": by, "reason": reason})
    leaver, latest = await _known(desk, licence)
    if latest is None:
        raise NotFoundError(
            fr="Aucun départ n’est annoncé pour ce médecin.",
            en="No departure is announced for this physician.",
        )
    if (latest.state, latest.reason) == (DepartureState.WITHDRAWN, fact.reason):
        return await show(desk, latest.departure_id)
    deadline = rules.effective_at(latest.leaves_on, leaver.time_zone)
    rules.check_withdrawable(latest.state, now, deadline)
    workflow_id = departure_workflow_id(latest.departure_id)
    try:
        return await asking.update(
            desk.temporal, workflow_id, "record", {**fact.argument(), "fact": fact.name}
        )
    except ClosedError:
        return await show(desk, latest.departure_id)


async def show(desk: "Desk", departure_id: str) -> View:
    """Give a departure's view: its workflow's, or the database's when Temporal no longer has it.

    Raises:
        NotFoundError: there is no such departure.
    """
    try:
        return await asking.view(desk.temporal, departure_workflow_id(departure_id))
    except ClosedError:
        async with desk.pool.acquire() as conn:
            return await stored(conn, departure_id)


async def stored(conn: "Connection", departure_id: str) -> View:
    """Give a departure as the database has it, as JSON.

    Raises:
        NotFoundError: there is no such departure.
    """
    licence = departure_id.partition("-")[0]
    for each in await _entries(conn, licence):
        if each.departure_id == departure_id:
            return {**each.model_dump(mode="json"), "physician": licence}
    raise NotFoundError(
        fr=f"Le départ {departure_id} n’existe pas.", en=f"There is no departure {departure_id}."
    )


async def show_physician(conn: "Connection", licence: str) -> DepartingView:
    """Return a physician, with their departures.

    Raises:
        NotFoundError: no physician has that licence.
    """
    shown = await reading.show_physician(conn, licence)
    states = await departures.by_state(conn, licence)
    return DepartingView(**shown.model_dump(), by_state=states, departures=await _entries(conn, licence))


async def foretell(conn: "Connection", licence: str, fact: PhysicianLeft, *, now: datetime) -> Foretold:
    """Return what a departure would bring if it were announced now; it holds nobody and changes nothing.

    Raises:
        RefusedByRuleError: it would be refused: another departure stands (A20), or a death is dated ahead (A16).
        NotFoundError: no physician has that licence.
    """
    leaver = await departures.leaver(conn, licence)
    if leaver is None:
        raise _nobody()
    rules.announces(leaver, await departures.latest(conn, licence), fact.on, fact.cause, now)
    told = await departures.by_state(conn, licence, still_open=True)
    reaches = Reaches(
        told={State(state): number for state, number in told.items()},
        blocks=await departures.open_blocks(conn, licence),
        drawn=tuple(await departures.drawn_lists(conn, licence)),
    )
    return rules.foretell(fact, licence, leaver, reaches, now)


def _nobody() -> NotFoundError:
    return NotFoundError(fr="Aucun médecin n’a ce permis.", en="No physician has this licence.")


async def _entries(conn: "Connection", licence: str) -> tuple[DepartureEntry, ...]:
    return tuple(_entry(row) for row in await departures.of_physician(conn, licence))


def _entry(row: dict[str, object]) -> DepartureEntry:
    to_come = row["state"] == DepartureState.ANNOUNCED
    found = DepartureEntry.model_validate({**row, "deadline": None})
    deadline = rules.effective_at(found.on, str(row["time_zone"])) if to_come else None
    return found.model_copy(update={"deadline": deadline})


async def list_reached(
    conn: "Connection", licence: str, *, after: str | None = None, limit: int = PAGE
) -> Page[ReachedView]:
    """Return what the physician's latest departure has reached, by reference, those after that attribution.

    Raises:
        NotFoundError: no departure was ever announced.
    """
    latest = await departures.latest(conn, licence)
    if latest is None:
        raise NotFoundError(
            fr="Aucun départ n’est annoncé pour ce médecin.",
            en="No departure is announced for this physician.",
        )
    rows = await departures.reached(conn, latest.departure_id, after, limit + 1)
    items = tuple(ReachedView.model_validate(row) for row in rows[:limit])
    return Page(items=items, after=items[-1].attribution_id if len(rows) > limit else None)


async def come_back(conn: "Connection", licence: str, on: date, stamp: Stamp) -> bool:
    """Record that a physician who had left is back: they may have blocks again (R3, A16); tell whether it is new.

    Raises:
        RefusedByRuleError: they have not left, or the day is to come or before their departure.
        NotFoundError: no physician has that licence.
    """
    stamp = stamp.checked()
    async with conn.transaction():
        leaver = await departures.leaver(conn, licence)
        if leaver is None:
            raise _nobody()
        today = calendar.local_date(stamp.at, leaver.time_zone)
        leaving = leaver.leaves_on is not None
        latest = await departures.latest(conn, licence)
        if not rules.returns(latest, on, today, leaving=leaving):
            return False
        await departures.stays(conn, licence)
        await records.append(
            conn,
            "physician",
            licence,
            "returned",
            stamp.at,
            by=stamp.by,
            argument={"on": on.isoformat(), "reason": stamp.reason},
            rules=("R3", "A16", "A20"),
            policy=CURRENT.version,
        )
    return True
