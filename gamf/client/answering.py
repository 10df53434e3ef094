"""A physician's mixed answer in one go: the list, except some (A4).

Those are answered first, one by one, and the list then reaches whoever has no answer yet. Given again, the same answer
finds what was done and does the rest: nobody is answered twice.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gamf.client import acting
from gamf.client.acting import Desk
from gamf.client.asking import View
from gamf.domain import block
from gamf.domain.block import ANSWERS, BlockState, ListAccepted, ListRefused
from gamf.domain.facts import Accepted, Refused
from gamf.domain.ramq import CONFIRMED
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import State


@dataclass(frozen=True)
class Answer:
    """What was answered, by whom it is reported, and when; `reason` is that of the refusals (A4)."""

    excepted: Sequence[str]
    reason: str
    by: str
    now: datetime


_REFUSED: Final = frozenset({State.REFUSED})


async def accept_except(desk: Desk, block_id: str, answer: Answer) -> View:
    """Report that the physician refuses those, and accepts all the others without an answer (R6, A4).

    Raises:
        RefusedByRuleError: one of them is not on the list or has another answer already; nothing has changed.
        NotFoundError: there is no such block.
        ServiceUnreachable: a service is silent; the same answer given again does the rest.
    """
    shown = await acting.show_block(desk, block_id)
    block.check_taken(BlockState(shown["state"]), ListAccepted(by=answer.by))
    _check_on_list(shown, answer.excepted, _REFUSED)
    await _answer_each(desk, answer, Refused.name, {"by": answer.by, "reason": answer.reason})
    if await _all_answered(desk, block_id):
        return await acting.show_block(desk, block_id)
    return await acting.accept_block(desk, block_id, by=answer.by)


async def refuse_except(desk: Desk, block_id: str, answer: Answer) -> View:
    """Report that the physician accepts those, and refuses all the others without an answer (R6, A4).

    It raises what `accept_except` raises.
    """
    shown = await acting.show_block(desk, block_id)
    block.check_taken(BlockState(shown["state"]), ListRefused(by=answer.by, reason=answer.reason))
    _check_on_list(shown, answer.excepted, CONFIRMED)
    await _answer_each(desk, answer, Accepted.name, {"by": answer.by})
    if await _all_answered(desk, block_id):
        return await acting.show_block(desk, block_id)
    return await acting.refuse_block(desk, block_id, by=answer.by, reason=answer.reason)


def _check_on_list(shown: View, excepted: Sequence[str], answered: Collection[str]) -> None:
    """Refuse before anything is sent when one of those is not on the list, or was answered otherwise."""
    states = {member["attribution_id"]: member["state"] for member in shown["list"]}
    for attribution_id in excepted:
        if attribution_id not in states:
            raise RefusedByRuleError(
                "A4",
                f"L’attribution {attribution_id} n’est pas sur la liste de ce bloc\u00a0; rien n’a changé.",
                f"Attribution {attribution_id} is not on this block's list; nothing has changed.",
                "except",
            )
        if states[attribution_id] not in {*ANSWERS, *answered}:
            raise RefusedByRuleError(
                "R6",
                f"L’attribution {attribution_id} a déjà une autre réponse\u00a0; rien n’a changé.",
                f"Attribution {attribution_id} has another answer already; nothing has changed.",
                "except",
            )


async def _answer_each(desk: Desk, answer: Answer, fact: str, argument: dict[str, Any]) -> None:
    for attribution_id in answer.excepted:
        await acting.record_fact(desk, attribution_id, fact, argument, now=answer.now)


async def _all_answered(desk: Desk, block_id: str) -> bool:
    shown = await acting.show_block(desk, block_id)
    return not any(member["state"] in ANSWERS for member in shown["list"])
