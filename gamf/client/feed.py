"""Facts in bulk: one JSON object a line, one outcome a line, in the order of the lines (contract.md).

They are sent at the rate that the servers bear. A feed with a name keeps a journal in the database, written before an
outcome is given out: stopped at any instant and started again, it has each line's outcome once. A line whose fact was
taken and whose outcome was not yet kept is sent again, and a fact sent again to the letter counts once.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict

from gamf.client import access, acting
from gamf.client import lines as reading
from gamf.client.access import Seat
from gamf.client.acting import Desk
from gamf.client.asking import View
from gamf.client.errors import FileRefusedError, NotFoundError, NotThereError
from gamf.client.lines import Line
from gamf.client.pacing import Pace
from gamf.domain.access import Channel, Shown
from gamf.domain.facts import FACTS
from gamf.domain.identifiers import parse_attribution_reference
from gamf.domain.refusal import Reason, RefusedByRuleError
from gamf.domain.roles import UseCase, operator
from gamf.runtime.errors import Fault, ServiceUnreachable
from gamf.storage import feeds
from gamf.storage.feeds import Settled

if TYPE_CHECKING:
    from gamf.storage.connection import Connection

AT_ONCE: Final = 64
"""Lines begun and not settled: twice what is sent at a time, so that the pace always has a next one."""
JOURNAL_KEPT: Final = timedelta(days=30)
"""How long the journal of a finished feed is kept."""
_PAGE: Final = 1000
_TELLING: Final = ("taken", "refused")
"""The outcomes that say where an attribution is: its state, or a rule that refuses."""
_TRIES: Final = 10
_BETWEEN_TRIES_SECONDS: Final = 0.2
_PAUSES_SECONDS: Final = (0.2, 0.8, 2.0)
"""Before an attribution that has no workflow is given up: a block that is just approved starts its own."""


class Outcome(BaseModel):
    """What became of one line: `state` is the attribution's afterwards, `reason` why it was not taken."""

    model_config = ConfigDict(frozen=True)

    line: int
    attribution_id: str | None = None
    fact: str | None = None
    outcome: Literal["taken", "refused", "not_found", "failed"]
    """`failed`: the attribution cannot answer, though the servers do; nothing was taken."""
    state: str | None = None
    reason: Reason | None = None


@dataclass(frozen=True)
class Reporter:
    """Through what facts are reported, by whom and at what pace; `now` is the client's clock."""

    desk: Desk
    by: str
    now: Callable[[], datetime]
    pace: Pace
    seat: Seat | None = None
    """Who is told the outcomes, where that is not the reporter at this machine."""

    def sits(self) -> Seat:
        """Return who is told the outcomes, now."""
        return replace(self.seat or Seat(operator(self.by), Channel.CLI, self.now()), now=self.now())


# --- a feed and its journal -----------------------------------------------------------------------------------------


async def feed(
    reporter: Reporter, source: Iterable[bytes], name: str | None = None, *, anew: bool = False
) -> AsyncGenerator[Outcome]:
    """Report every fact and yield what became of each; those of one attribution keep their order.

    A line without `by` is reported by the reporter. With a name, the outcomes of an earlier run that was stopped
    come first, and it goes on after them; a feed that was finished begins again, as it does `anew`.

    Raises:
        FileRefusedError: a line is not the one that had that number when the feed was stopped.
        FeedUnderWayError: another process feeds under that name.
        ServiceUnreachable: a service stays silent; the outcomes yielded until then stand.
    """
    # What is under way is let go of before the lines are, and before another may feed under that name.
    async with aclosing(reading.read(source)) as lines:
        if name is None:
            async with aclosing(_settle(reporter, lines)) as batches:
                async for batch in batches:
                    await _note(reporter, [outcome for _, outcome in batch])
                    for _, outcome in batch:
                        yield outcome
            return
        async with _held(reporter, name):
            await _in_database(reporter, partial(feeds.begin, feed=name, at=reporter.now(), anew=anew))
            async with aclosing(_before(reporter, lines, name)) as earlier:
                async for outcome in earlier:
                    yield outcome
            async with aclosing(_settle(reporter, lines)) as batches:
                async for batch in batches:
                    await _in_database(reporter, partial(feeds.keep, feed=name, lines=_kept(batch)))
                    await _note(reporter, [outcome for _, outcome in batch])
                    for _, outcome in batch:
                        yield outcome
            await _in_database(reporter, partial(feeds.finish, feed=name, at=reporter.now()))


class FeedUnderWayError(Fault):
    """Another process feeds under that name (exit status 2: wait for it, or name another)."""

    exit_status = 2


@asynccontextmanager
async def _held(reporter: Reporter, name: str) -> AsyncGenerator[None]:
    async with reporter.desk.pool.acquire() as conn:
        await _hold(conn, name)
        try:
            await feeds.forget(conn, reporter.now() - JOURNAL_KEPT)
            yield
        finally:
            if not conn.is_closed():
                await feeds.let_go(conn, name)


async def _hold(conn: "Connection", name: str) -> None:
    # A process that was just killed may be seen as gone a moment later.
    for _ in range(_TRIES):
        if await feeds.hold(conn, name):
            return
        await asyncio.sleep(_BETWEEN_TRIES_SECONDS)
    raise FeedUnderWayError(
        fr="Un autre processus alimente déjà sous ce nom\u00a0; attendez qu’il finisse.",
        en="Another process feeds under that name already; wait for it to end.",
    )


async def _in_database(reporter: Reporter, work: "Callable[[Connection], Any]") -> Any:  # noqa: ANN401 - what it answers
    async def done() -> Any:  # noqa: ANN401 - the same
        async with reporter.desk.pool.acquire() as conn:
            return await work(conn)

    return await reporter.pace.bear(done)


async def _note(reporter: Reporter, told: Sequence[Outcome]) -> None:
    """Write in the log whose attributions these outcomes tell of, a look for each kind of fact, before they go out."""
    of_fact: dict[str, list[str]] = {}
    for each in told:
        if each.fact and each.attribution_id and each.outcome in _TELLING:
            of_fact.setdefault(each.fact, []).append(each.attribution_id)

    async def write(conn: "Connection") -> None:
        for fact, attribution_ids in of_fact.items():
            people = await access.people_of(conn, attribution_ids)
            await access.note(conn, reporter.sits(), UseCase(fact), (Shown.STANDING,), people)

    if of_fact:
        await _in_database(reporter, write)


def _kept(batch: Sequence[tuple[Line, Outcome]]) -> list[Settled]:
    return [Settled(line.number, line.sha256, done.model_dump(mode="json")) for line, done in batch]


async def _before(reporter: Reporter, lines: AsyncIterator[Line], name: str) -> AsyncGenerator[Outcome]:
    """Give the outcomes of the run that was stopped, holding each line against the one that had it."""
    last = 0
    while page := await _in_database(reporter, partial(feeds.settled, feed=name, after=last, limit=_PAGE)):
        await _note(reporter, [Outcome.model_validate(kept.outcome) for kept in page])
        for kept in page:
            line = await anext(lines, None)
            if line is None or (line.number, line.sha256) != (kept.line, kept.sha256):
                raise _other_line(kept.line)
            yield Outcome.model_validate(kept.outcome)
            last = kept.line


def _other_line(number: int) -> FileRefusedError:
    return FileRefusedError(
        fr=f"La ligne {number} n’est plus celle d’avant l’arrêt. Donnez les mêmes lignes, un autre nom "
        "(--feed), ou tout de nouveau (--from-start).",
        en=f"Line {number} is not the one that was there before the stop. Give the same lines, another name "
        "(--feed), or everything anew (--from-start).",
    )


# --- lines under way ------------------------------------------------------------------------------------------------


async def _settle(
    reporter: Reporter, lines: AsyncIterator[Line]
) -> AsyncGenerator[list[tuple[Line, Outcome]]]:
    """Begin each line as there is room, and give those that are settled, in order, as many as there are."""
    feeder = _Feeder(reporter)
    under_way: deque[tuple[Line, asyncio.Task[Outcome]]] = deque()
    next_line: asyncio.Task[Line | None] | None = asyncio.ensure_future(_next(lines))
    try:
        while next_line or under_way:
            head = [under_way[0][1]] if under_way else []
            room = [next_line] if next_line and len(under_way) < AT_ONCE else []
            await asyncio.wait([*head, *room], return_when=asyncio.FIRST_COMPLETED)
            if room and next_line and next_line.done():
                line = next_line.result()
                next_line = asyncio.ensure_future(_next(lines)) if line else None
                if line:
                    under_way.append((line, feeder.begin(line)))
            if batch := _done(under_way):
                yield batch
    finally:
        pending = [task for _, task in under_way]
        for task in pending if next_line is None else [*pending, next_line]:
            task.cancel()
        await asyncio.gather(*pending, *([next_line] if next_line else []), return_exceptions=True)


async def _next(lines: AsyncIterator[Line]) -> Line | None:
    return await anext(lines, None)


def _done(under_way: deque[tuple[Line, asyncio.Task[Outcome]]]) -> list[tuple[Line, Outcome]]:
    batch: list[tuple[Line, Outcome]] = []
    while under_way and under_way[0][1].done():
        line, task = under_way.popleft()
        batch.append((line, task.result()))
    return batch


class _Feeder:
    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._latest: dict[str, asyncio.Task[Outcome]] = {}

    def begin(self, line: Line) -> asyncio.Task[Outcome]:
        """Begin a line; it waits for the line before it of the same attribution."""
        try:
            attribution_id, fact, argument = read_line(line.content)
        except RefusedByRuleError as refused:
            return asyncio.create_task(_refused(line.number, refused.reason))
        earlier = self._latest.get(attribution_id)
        told = Outcome(
            line=line.number,
            attribution_id=attribution_id,
            # An unknown name is a word of the sender's, which may be anything.
            fact=fact if fact in FACTS else None,
            outcome="taken",
        )
        given = {"by": self._reporter.by, **argument}
        task = asyncio.create_task(
            self._record(told, partial(self._send, attribution_id, fact, given), earlier)
        )
        self._latest[attribution_id] = task
        task.add_done_callback(lambda done: self._forget(attribution_id, done))
        return task

    def _forget(self, attribution_id: str, done: asyncio.Task[Outcome]) -> None:
        if self._latest.get(attribution_id) is done:
            del self._latest[attribution_id]

    async def _send(self, attribution_id: str, fact: str, argument: dict[str, Any]) -> View:
        desk, now = self._reporter.desk, self._reporter.now()
        return await acting.record_fact(desk, attribution_id, fact, argument, now=now)

    async def _record(
        self, told: Outcome, send: "Callable[[], Any]", earlier: asyncio.Task[Outcome] | None
    ) -> Outcome:
        if earlier is not None:
            await asyncio.wait([earlier])
        try:
            view = await self._patiently(send)
        except RefusedByRuleError as refused:
            return told.model_copy(update={"outcome": "refused", "reason": refused.reason})
        except NotFoundError as missing:
            return told.model_copy(update={"outcome": "not_found", "reason": _because("not_found", missing)})
        except NotThereError as missing:
            return told.model_copy(update={"outcome": "failed", "reason": _because("service", missing)})
        except ServiceUnreachable:
            raise
        except Fault as fault:
            return told.model_copy(update={"outcome": "failed", "reason": _because("fault", fault)})
        return told.model_copy(update={"state": view["state"]})

    async def _patiently(self, send: "Callable[[], Any]") -> View:
        """Send at the pace, and once more in a while to a workflow that is not there yet."""
        for pause in _PAUSES_SECONDS:
            try:
                return cast("View", await self._reporter.pace.bear(send))
            except NotThereError:
                await asyncio.sleep(pause)
        return cast("View", await self._reporter.pace.bear(send))


async def _refused(number: int, reason: Reason) -> Outcome:
    return Outcome(line=number, outcome="refused", reason=reason)


def _because(rule: str, fault: Fault) -> Reason:
    return Reason(rule=rule, fr=fault.fr, en=fault.en, field="attribution_id")


def read_line(line: str | bytes) -> tuple[str, str, dict[str, Any]]:
    """Return the attribution, the fact's name and its argument; raise `RefusedByRuleError` (form) otherwise."""
    try:
        value: Any = json.loads(line if isinstance(line, str) else line.decode())
    except (ValueError, RecursionError):
        raise _malformed("Ce n’est pas du JSON.", "This is not JSON.") from None
    if not isinstance(value, dict):
        raise _malformed("On attend un objet JSON.", "One JSON object is expected.")
    argument = cast("dict[str, Any]", value)
    attribution_id, fact = argument.pop("attribution_id", None), argument.pop("fact", None)
    if not isinstance(attribution_id, str):
        raise _malformed("Il manque « attribution_id ».", "“attribution_id” is missing.", "attribution_id")
    if not isinstance(fact, str):
        raise _malformed("Il manque « fact ».", "“fact” is missing.", "fact")
    # What names no attribution is not sent, nor repeated: it may name a person.
    parse_attribution_reference(attribution_id)
    return attribution_id.strip(), fact, argument


def _malformed(fr: str, en: str, field: str | None = None) -> RefusedByRuleError:
    return RefusedByRuleError("form", fr, en, field)
