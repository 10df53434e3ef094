"""An attribution lived again from what is remembered of it, by the rules alone.

What is remembered comes from the record, or from a workflow's view. Whoever mends a difference between the
two asks here what the attribution was, and which transitions led to it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from gamf.domain import attribution as rules
from gamf.domain import facts
from gamf.domain.attribution import Taken, Transition
from gamf.domain.model import Attribution, Entry
from gamf.domain.refusal import RefusedByRuleError


class Remembered(BaseModel):
    """One event as it is remembered: what, when by the workflow's clock, and the state that it led to."""

    model_config = ConfigDict(frozen=True)

    event: str
    at: datetime
    argument: dict[str, Any]
    after: str


class Relived(BaseModel):
    """The attribution as it is after all that is remembered, and the transitions that led there, in order."""

    model_config = ConfigDict(frozen=True)

    attribution: Attribution
    transitions: tuple[Transition, ...]


class NotRelivedError(ValueError):
    """What is remembered does not follow from the rules: somebody must look."""


def of_view(history: Sequence[Entry], passed: Sequence[Entry]) -> tuple[Remembered, ...]:
    """Return what a view remembers, in the order in which it happened.

    A deadline is dated when it was due and goes before whatever was reported at that instant, as the rules have it.
    """
    entries = sorted((*passed, *history), key=lambda entry: entry.at)
    return tuple(
        Remembered(event=entry.fact, at=entry.at, argument=entry.argument, after=entry.state)
        for entry in entries
    )


def relive(begun: Attribution, events: Iterable[Remembered]) -> Relived:
    """Live an attribution again, from how it began.

    Raises:
        NotRelivedError: the rules do not take one of the events, or take it to another state.
    """
    attribution, transitions = begun, list[Transition]()
    for event in events:
        taken = _again(attribution, event)
        if taken is None or taken.transition.event != event.event or taken.attribution.state != event.after:
            raise NotRelivedError(f"transition {attribution.transitions + 1} ({event.event})")
        attribution = taken.attribution
        transitions.append(taken.transition)
    return Relived(attribution=attribution, transitions=tuple(transitions))


def _again(a: Attribution, event: Remembered) -> Taken | None:
    due = rules.next_due(a, event.at)
    if event.event not in facts.FACTS:
        return rules.pass_deadline(a, event.at)
    try:
        fact = facts.parse(event.event, event.argument)
        if due is not None and due[0] == fact:
            return rules.pass_deadline(a, event.at)
        return _reported(a, fact, event, due_first=due is not None)
    except RefusedByRuleError:
        return None


def _reported(a: Attribution, fact: facts.AnyFact, event: Remembered, *, due_first: bool) -> Taken | None:
    """Take what somebody reported, or what another attribution's fact did at once, even when dated ahead (A11)."""
    taken = None if due_first else rules.take(a, fact, event.at)
    if isinstance(fact, facts.Overtaking) and (taken is None or taken.attribution.state != event.after):
        return rules.overtake(a, fact, event.at)
    return taken
