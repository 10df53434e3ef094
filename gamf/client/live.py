"""What is on a screen, told when it changes: one look at PostgreSQL a second for all the screens of this process.

A screen is told that something changed, by reference, and nothing of what: it asks for its page again, as anybody
would, with the role checked and the look in the access log. It is told of its own only, while its session lasts.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from gamf.client import access, accounts
from gamf.client.access import Seat
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import Actor, Matter, UseCase, allowed, check_allowed
from gamf.runtime.database import AWAY
from gamf.storage import changes
from gamf.storage.changes import Touched

if TYPE_CHECKING:
    from gamf.storage.connection import Connection, Pool

LOOKS_EVERY: Final = timedelta(seconds=1)
OF_ONE_ACCOUNT: Final = 12
OF_ALL: Final = 500
"""Screens told at a time, in this process; one more costs PostgreSQL nothing, and the process a connection."""
_MOST: Final = 2_000
"""How many records one look reads; where there are more, everybody is told."""
_log = structlog.get_logger("gamf.console")


class Subject(NamedTuple):
    """What is on a screen: a list, or one attribution or block."""

    use_case: UseCase
    reference: str | None = None

    @classmethod
    def parse(cls, written: str) -> "Subject":
        """Return what `taches`, `blocs`, `attributions`, `bloc:…` or `attribution:…` means.

        Raises:
            RefusedByRuleError: it means nothing.
        """
        kind, _, reference = written.partition(":")
        found = (_ONES if reference else _LISTS).get(kind)
        if found is None:
            raise RefusedByRuleError(
                "form", "Il n’y a pas de tel écran.", "There is no such screen.", "sujet"
            )
        return cls(found, reference or None)

    def concerns(self, actor: Actor, change: Touched) -> bool:
        """Tell whether what is on this screen of the actor may look otherwise after that change."""
        if not allowed(actor, self.use_case, Matter.of(change.rls, change.physician)):
            return False
        match self.use_case:
            case UseCase.TASK_LIST:
                return True
            case UseCase.BLOCK_LIST:
                return change.block_id is not None
            case UseCase.ATTRIBUTION_LIST:
                return change.attribution_id is not None
            case UseCase.BLOCK_SHOW:
                return change.block_id == self.reference
            case _:
                return change.attribution_id == self.reference


_LISTS: Final = {
    "taches": UseCase.TASK_LIST,
    "blocs": UseCase.BLOCK_LIST,
    "attributions": UseCase.ATTRIBUTION_LIST,
}
_ONES: Final = {"bloc": UseCase.BLOCK_SHOW, "attribution": UseCase.ATTRIBUTION_SHOW}


class News(StrEnum):
    """What a screen is told."""

    CHANGED = "changed"
    OVER = "over"
    """Its session is over."""
    GONE = "gone"
    """It is no longer for this account."""


@dataclass(eq=False)
class Screen:
    """A screen that is open: in which session, of whom, what is on it, and since which transaction it is."""

    session: bytes
    actor: Actor
    subject: Subject
    since: int
    ended: bool = False
    _news: list[News] = field(default_factory=list)
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, news: News) -> None:
        """Tell it, once for all that it has not been told yet."""
        if news not in self._news:
            self._news.append(news)
        self._told.set()

    def end(self) -> None:
        """Let it go: there is nothing more to tell."""
        self.ended = True
        self._told.set()

    async def told(self, within: timedelta) -> list[News]:
        """Return what it is told, or nothing after that long or at the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), within.total_seconds())
        news, self._news = self._news, []
        if not self.ended:
            self._told.clear()
        return news


async def since(conn: "Connection") -> int:
    """Return the transaction from which on a page that is read after this is to be told of changes."""
    return await changes.horizon(conn)


async def check(conn: "Connection", seat: Seat, subject: Subject) -> None:
    """Refuse a screen that is not for the actor; what is not there is nobody's.

    Raises:
        RefusedByRuleError: it is not.
    """
    check_allowed(seat.actor, subject.use_case)
    if subject.reference is None:
        return
    block = subject.use_case is UseCase.BLOCK_SHOW
    find = access.of_block if block else access.of_attribution
    known = await find(conn, subject.reference)
    people = [known.patient_id] if known and known.patient_id else []
    matter = known.matter if known else Matter()
    await access.check(conn, seat, subject.use_case, matter, patient_ids=people)


class Lookout:
    """Looks at what was written, once a second, while there is a screen to tell."""

    def __init__(self, pool: "Pool") -> None:
        self._pool: Pool = pool
        self._screens: set[Screen] = set()
        self._task: asyncio.Task[None] | None = None
        self._place: int = 0
        self._closed: bool = False

    @property
    def screens(self) -> int:
        """Return how many screens are open."""
        return len(self._screens)

    @asynccontextmanager
    async def watching(self, screen: Screen) -> AsyncGenerator[Screen]:
        """Tell the screen what changes, and first whether anything has since its page was read.

        Raises:
            RefusedByRuleError: too many are open.
        """
        self._check_room(screen.actor)
        # Before the look at what has changed already: what comes after that look is told by the next one of all.
        self._screens.add(screen)
        try:
            async with self._pool.acquire() as conn:
                written = await _written(conn, screen.since)
            _tell([screen], written)
            self._begin(written.until)
            yield screen
        finally:
            self._screens.discard(screen)
            if not self._screens and self._task is not None:
                self._task.cancel()
                self._task = None

    def _check_room(self, actor: Actor) -> None:
        of_account = sum(each.actor.account == actor.account for each in self._screens)
        if self._closed or of_account >= OF_ONE_ACCOUNT or len(self._screens) >= OF_ALL:
            raise RefusedByRuleError(
                "streams",
                "Trop d’écrans sont tenus à jour à la fois ; fermez-en un, ou rechargez celui-ci de temps à autre.",
                "Too many screens are kept up to date at once; close one, or reload this one from time to time.",
            )

    def close(self) -> None:
        """Let every screen go, so that a server that stops waits for none."""
        self._closed = True
        for each in self._screens:
            each.end()

    def _begin(self, until: int) -> None:
        if self._closed:
            self.close()
        if self._task is None:
            self._place = until
            self._task = asyncio.create_task(self._look())
        # Told twice is harmless; not told is not.
        self._place = min(self._place, until)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOKS_EVERY.total_seconds())
            try:
                await self._look_once()
            except AWAY:
                # The screens stay; once PostgreSQL is back, what changed meanwhile is told.
                continue
            except Exception as error:  # noqa: BLE001 - whatever it is, the screens come back and are told anew
                _log.error("what is on the screens could not be looked at", exc_info=error)
                for each in self._screens:
                    each.end()

    async def _look_once(self) -> None:
        begun, screens = self._place, tuple(self._screens)
        async with self._pool.acquire() as conn:
            whose = {each.session: each.actor.account for each in screens}
            alive = await accounts.still_signed_in(conn, whose, now=datetime.now(UTC))
            written = await _written(conn, begun)
        if self._place == begun:
            self._place = written.until
        _tell(_still_theirs(screens, alive), written)


class _Written(NamedTuple):
    """What was written before a transaction; None for more than is looked at, or for a PostgreSQL put back."""

    until: int
    what: Sequence[Touched] | None


async def _written(conn: "Connection", begun: int) -> _Written:
    until = await changes.horizon(conn)
    if begun > until:
        return _Written(until, None)
    found = await changes.touched(conn, begun, until, _MOST + 1)
    return _Written(until, None if len(found) > _MOST else tuple(dict.fromkeys(found)))


def _still_theirs(screens: Iterable[Screen], alive: Mapping[bytes, Actor]) -> list[Screen]:
    """Return the screens that may still be told; the others are told why not, and let go."""
    kept: list[Screen] = []
    for each in screens:
        actor = alive.get(each.session)
        if actor is not None and allowed(actor, each.subject.use_case):
            each.actor = actor
            kept.append(each)
            continue
        each.tell(News.OVER if actor is None else News.GONE)
        each.end()
    return kept


def _tell(screens: Iterable[Screen], written: _Written) -> None:
    """Tell those whom it concerns; what is on their page from then on has all of it."""
    for screen in screens:
        if written.what is None or any(
            each.transaction >= screen.since and screen.subject.concerns(screen.actor, each)
            for each in written.what
        ):
            screen.tell(News.CHANGED)
        screen.since = written.until
