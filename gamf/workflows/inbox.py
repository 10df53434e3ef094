"""The inbox of a workflow: signals and updates wait here, as raw JSON, until the main loop asks the rules about each.

A signal whose body does not decode into a handler's model is dropped by the SDK with a log line; so none has a model.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Final, cast

from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from gamf.activities.attributions import AttributionActivities, RefusedFacts
    from gamf.activities.attributions import RefusedFact as Refused
    from gamf.domain.inbox import RefusedFact, Sent, illegible, refused, sent
    from gamf.domain.refusal import Reason, RefusedByRuleError
    from gamf.workflows import options, visibility

_SHOWN: Final = 100
"""Refused facts kept in the workflow for its view; the record has them all."""
_ONE_OBJECT: Final = Reason(
    rule="form", fr="On attend un seul objet JSON.", en="One JSON object is expected.", field=None
)


class Item:
    """Something sent, and what became of it."""

    def __init__(self, sent: Sent | Callable[[], Sent], *, answers_repeats: bool = False) -> None:
        """Keep it until it is settled, unread until its turn if it comes as a way to read it.

        A caller who waits for an answer gets one for a repeated fact too.
        """
        self._sent = sent
        self.answers_repeats = answers_repeats
        self.settled = False
        self.refusal: Reason | None = None

    @property
    def sent(self) -> Sent:
        """Return what was sent."""
        if not isinstance(self._sent, Sent):
            self._sent = self._sent()
        return self._sent


class Unwritten(BaseModel):
    """A refused fact on its way to the record, under the number that makes it one row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    refused: RefusedFact


class Memory(BaseModel):
    """All of an inbox that a new run must be given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    waiting: tuple[Sent, ...] = ()
    shown: tuple[RefusedFact, ...] = ()
    unwritten: tuple[Unwritten, ...] = ()
    total: int = 0


class Inbox:
    """What was sent and is not settled, and what was refused."""

    def __init__(self, memory: Memory) -> None:
        """Go on from an earlier run."""
        self._waiting = deque(Item(sent) for sent in memory.waiting)
        self._shown = deque(memory.shown, maxlen=_SHOWN)
        self._unwritten = deque(memory.unwritten)
        self._total = memory.total

    def __len__(self) -> int:
        """Count what waits."""
        return len(self._waiting)

    @property
    def unwritten(self) -> int:
        """Count what was refused and is not in the record yet."""
        return len(self._unwritten)

    @property
    def refused_count(self) -> int:
        """Count all that was ever refused."""
        return self._total

    @property
    def shown(self) -> tuple[RefusedFact, ...]:
        """Return the latest refused facts, the oldest first."""
        return tuple(self._shown)

    def memory(self) -> Memory:
        """Return what a new run must be given."""
        return Memory(
            waiting=tuple(item.sent for item in self._waiting),
            shown=tuple(self._shown),
            unwritten=tuple(self._unwritten),
            total=self._total,
        )

    def put(self, item: Item) -> Item:
        """Let something sent wait for its turn."""
        self._waiting.append(item)
        return item

    def next(self) -> Item:
        """Take what has waited longest."""
        return self._waiting.popleft()

    def put_back(self, item: Item) -> None:
        """Let what was taken have its turn again, before what came after it."""
        self._waiting.appendleft(item)

    def refuse(self, item: Item, reason: Reason, at: datetime) -> None:
        """Settle something as refused, and keep it with its reason."""
        self._total += 1
        kept = refused(item.sent, reason, at)
        self._shown.append(kept)
        self._unwritten.append(Unwritten(number=self._total, refused=kept))
        item.refusal = reason
        item.settled = True

    def first_unwritten(self, count: int) -> tuple[Unwritten, ...]:
        """Return the oldest that are not in the record yet."""
        return tuple(self._unwritten[n] for n in range(min(count, len(self._unwritten))))

    def written(self, count: int) -> None:
        """Say that the oldest so many are in the record now."""
        for _ in range(count):
            self._unwritten.popleft()


def read(fact: str, values: Sequence[RawValue]) -> Sent:
    """Read the raw arguments of a signal or update: one JSON object, or something illegible."""
    if len(values) != 1:
        return illegible(fact, f"{len(values)} arguments")
    payload = values[0].payload
    try:
        value = workflow.payload_converter().from_payload(payload)
    except Exception:  # noqa: BLE001 - whatever a converter makes of a stranger's bytes, they are kept and refused
        return illegible(fact, payload.data[:2_000].decode("utf-8", "replace"))
    return sent(fact, value)


def read_update(values: Sequence[RawValue]) -> Sent:
    """Read an update's argument: the fact's object with one more key, `fact` (contract.md)."""
    whole = read("record", values)
    if not whole.legible or not isinstance(whole.argument, dict):
        return whole
    argument = cast("dict[str, object]", whole.argument)
    name = argument.get("fact")
    rest = {key: value for key, value in argument.items() if key != "fact"}
    return Sent(fact=name, argument=rest) if isinstance(name, str) else whole


def check_legible(item: Sent) -> None:
    """Refuse what is not one JSON object that can be kept as it is."""
    if not item.legible:
        raise RefusedByRuleError(_ONE_OBJECT.rule, _ONE_OBJECT.fr, _ONE_OBJECT.en)


def refused_facts(subject: str, subject_id: str, policy: str, batch: Sequence[Unwritten]) -> RefusedFacts:
    """Return what the activity that writes refused facts to the record is given."""
    rows = tuple(
        Refused(
            key=str(u.number),
            fact=u.refused.fact,
            at=u.refused.at,
            argument=u.refused.argument,
            rule=u.refused.rule,
            reason=u.refused.reason,
        )
        for u in batch
    )
    return RefusedFacts(subject=subject, subject_id=subject_id, policy=policy, refused=rows)


def refusal_error(reason: Reason) -> ApplicationError:
    """Return what the caller of an update gets: both languages as text, and the reason as data."""
    text = f"[{reason.rule}] {reason.fr} / {reason.en}"
    return ApplicationError(text, reason.model_dump(mode="json"), type="RefusedByRule", non_retryable=True)


async def answered(item: Item) -> None:
    """Wait until something sent by an update is settled; raise its refusal to the caller."""
    await workflow.wait_condition(lambda: item.settled)
    if item.refusal is not None:
        raise refusal_error(item.refusal)


async def outlive_cancellations(life: "Coroutine[Any, Any, bool]", inbox: Inbox, reason: Reason) -> bool:
    """Live to the end: an operator's cancellation is kept as refused, since it would lose a patient."""
    living = asyncio.create_task(life)
    while not living.done():
        try:
            await asyncio.shield(living)
        except asyncio.CancelledError:
            inbox.refuse(Item(Sent(fact="cancel")), reason, workflow.now())
    return living.result()


async def keep_refused(inbox: Inbox, subject: str, subject_id: str, policy: str) -> None:
    """Write to the record the oldest refused facts that are not in it yet."""
    batch = inbox.first_unwritten(options.REFUSALS_AT_ONCE)
    await workflow.execute_activity_method(
        AttributionActivities.keep_refused_facts,
        refused_facts(subject, subject_id, policy, batch),
        start_to_close_timeout=options.TRANSITION_TIMEOUT,
        retry_policy=options.FOREVER,
        summary=visibility.REFUSED_SUMMARY,
    )
    inbox.written(len(batch))
