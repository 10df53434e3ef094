"""Facts in bulk: one JSON object a line, one outcome a line, in the order of the file (contract.md)."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from typing import Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict

from gamf.client import acting
from gamf.client.acting import Desk
from gamf.client.errors import NotFoundError
from gamf.domain.refusal import Reason, RefusedByRuleError

AT_ONCE: Final = 32
"""Facts under way at a time: enough to keep a worker busy, few enough to leave room for people."""


class Outcome(BaseModel):
    """What became of one line: `state` is the attribution's afterwards, `reason` why it was not taken."""

    model_config = ConfigDict(frozen=True)

    line: int
    attribution_id: str | None = None
    fact: str | None = None
    outcome: Literal["taken", "refused", "not_found"]
    state: str | None = None
    reason: Reason | None = None


async def feed(
    desk: Desk, lines: Iterable[str], *, by: str, now: Callable[[], datetime]
) -> AsyncIterator[Outcome]:
    """Report every fact and yield what became of each; those of one attribution keep their order.

    A line without `by` is reported by `by`. A file fed again counts once.

    Raises:
        ServiceUnreachable: a service is silent; the outcomes yielded until then stand.
    """
    feeder = _Feeder(desk, by, now)
    under_way: deque[asyncio.Task[Outcome]] = deque()
    try:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            under_way.append(feeder.begin(number, line))
            if len(under_way) >= AT_ONCE:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


class _Feeder:
    def __init__(self, desk: Desk, by: str, now: Callable[[], datetime]) -> None:
        self._desk = desk
        self._by = by
        self._now = now
        self._latest: dict[str, asyncio.Task[Outcome]] = {}

    def begin(self, number: int, line: str) -> asyncio.Task[Outcome]:
        """Begin a line; it waits for the line before it of the same attribution."""
        try:
            attribution_id, fact, argument = _read(line)
        except RefusedByRuleError as refused:
            return asyncio.create_task(_refused(number, refused.reason))
        earlier = self._latest.get(attribution_id)
        work = self._record(number, attribution_id, fact, {"by": self._by, **argument}, earlier)
        task = asyncio.create_task(work)
        self._latest[attribution_id] = task
        task.add_done_callback(lambda done: self._forget(attribution_id, done))
        return task

    def _forget(self, attribution_id: str, done: asyncio.Task[Outcome]) -> None:
        if self._latest.get(attribution_id) is done:
            del self._latest[attribution_id]

    async def _record(
        self,
        number: int,
        attribution_id: str,
        fact: str,
        argument: dict[str, Any],
        earlier: asyncio.Task[Outcome] | None,
    ) -> Outcome:
        if earlier is not None:
            await asyncio.wait([earlier])
        told = Outcome(line=number, attribution_id=attribution_id, fact=fact, outcome="taken")
        try:
            view = await acting.record_fact(self._desk, attribution_id, fact, argument, now=self._now())
        except RefusedByRuleError as refused:
            return told.model_copy(update={"outcome": "refused", "reason": refused.reason})
        except NotFoundError as missing:
            reason = Reason(rule="not_found", fr=missing.fr, en=missing.en, field="attribution_id")
            return told.model_copy(update={"outcome": "not_found", "reason": reason})
        return told.model_copy(update={"state": view["state"]})


async def _refused(number: int, reason: Reason) -> Outcome:
    return Outcome(line=number, outcome="refused", reason=reason)


def _read(line: str) -> tuple[str, str, dict[str, Any]]:
    try:
        value: Any = json.loads(line)
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
    return attribution_id, fact, argument


def _malformed(fr: str, en: str, field: str | None = None) -> RefusedByRuleError:
    return RefusedByRuleError("form", fr, en, field)
