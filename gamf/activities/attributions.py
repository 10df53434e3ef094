"""The activities of an attribution: one a kind of transition, so that a history reads as what was done."""

import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from gamf.activities.blocks import Listed, Starter
from gamf.activities.messenger import Messenger
from gamf.activities.transitions import Outcome, carry_out
from gamf.domain.attribution import Step, Transition
from gamf.domain.effects import Owner, TaskKind
from gamf.domain.model import Start
from gamf.domain.states import UNANSWERED
from gamf.storage import letters, records, tasks
from gamf.storage.connection import Pool


class RefusedFact(BaseModel):
    """A fact that was refused, as it goes to the record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    fact: str
    at: datetime
    argument: Any
    rule: str
    reason: str


class RefusedFacts(BaseModel):
    """Facts refused by one attribution or block, in the order they came."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str
    subject_id: str
    policy: str
    refused: tuple[RefusedFact, ...]


class LetterTask(BaseModel):
    """A letter that no carrier took in time; what to do about it is due at that instant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribution_id: str
    transition: int
    at: datetime
    due: datetime


class AttributionActivities:
    """What an attribution does to the world, each in one transaction that is safe to run twice."""

    def __init__(self, pool: Pool, messenger: Messenger, starter: Starter) -> None:
        """Write through that pool, report to blocks through that messenger, start replacements with that starter."""
        self._pool = pool
        self._messenger = messenger
        self._starter = starter

    @activity.defn(name=Step.PROPOSE)
    async def propose(self, t: Transition) -> Outcome:
        """Reserve the patient and propose them to the physician (R4, R6)."""
        return await self._carry_out(t)

    @activity.defn(name=Step.CONFIRM)
    async def confirm_acceptance(self, t: Transition) -> Outcome:
        """Confirm the acceptance and queue the attribution letter (R6, R7)."""
        return await self._carry_out(t)

    @activity.defn(name=Step.ENROL_SV)
    async def enrol_sv(self, t: Transition) -> Outcome:
        """Write the SV enrolment (R8)."""
        return await self._carry_out(t)

    @activity.defn(name=Step.ENROL_MF)
    async def enrol_mf(self, t: Transition) -> Outcome:
        """Write the MF enrolment and close or void the SV (R12, A12)."""
        return await self._carry_out(t)

    @activity.defn(name=Step.RETURN_TO_LIST)
    async def return_to_list(self, t: Transition) -> Outcome:
        """Close or void the SV and put the patient back on the list at the initial date (R9, R15)."""
        return await self._carry_out(t)

    @activity.defn(name=Step.LEAVE_LIST)
    async def leave_list(self, t: Transition) -> Outcome:
        """Take the patient off the list: enrolled elsewhere or gone (A14, A15)."""
        return await self._carry_out(t)

    @activity.defn(name=Step.OPEN_TASK)
    async def open_task(self, t: Transition) -> Outcome:
        """Open the coordinator's task: an answer or an SV is late (A2, A6)."""
        return await self._carry_out(t)

    @activity.defn(name=Step.REOPEN_WINDOW)
    async def reopen_window(self, t: Transition) -> Outcome:
        """Reopen the window to enter the SV, and close the task that asked for it (A6)."""
        return await self._carry_out(t)

    @activity.defn(name=Step.NOTE)
    async def note(self, t: Transition) -> Outcome:
        """Write to the record what changes nothing else yet (A11, A16)."""
        return await self._carry_out(t)

    @activity.defn
    async def keep_refused_facts(self, refused: RefusedFacts) -> None:
        """Write to the record the facts that the rules refused, each with its reason."""
        rows = [records.Refusal(r.key, r.fact, r.at, r.argument, r.rule, r.reason) for r in refused.refused]
        async with self._pool.acquire() as conn:
            await records.append_refusals(conn, refused.subject, refused.subject_id, refused.policy, rows)

    @activity.defn
    async def ask_about_letter(self, late: LetterTask) -> None:
        """Open a task for a letter that no carrier took, unless it went or is no longer due (invariant 4, A15)."""
        async with self._pool.acquire() as conn, conn.transaction():
            if not await letters.still_due(conn, f"{late.attribution_id}-{late.transition}"):
                return
            await tasks.open_(
                conn,
                late.attribution_id,
                TaskKind.LETTER_NOT_SENT,
                Owner.COORDINATOR,
                late.transition,
                late.at,
                late.due,
            )

    async def _carry_out(self, t: Transition) -> Outcome:
        outcome = await carry_out(self._pool, t)
        block_id, new = t.subject.block_id, await self._begin_replacement(t, outcome)
        if block_id and (new or _answers(t, outcome)):
            after = outcome.written.after if outcome.written else t.after
            await self._messenger.tell_block(block_id, t.subject.attribution_id, after, new)
        return outcome

    async def _begin_replacement(self, t: Transition, outcome: Outcome) -> dict[str, Any] | None:
        """Start the workflow of the patient who takes the place, and return their line of the block's list (A17)."""
        if outcome.replacement is None:
            return None
        start = Start.model_validate_json(json.dumps(outcome.replacement))
        await self._starter.start(start)
        of_list = start.model_dump(
            include={"patient_id", "priority", "vulnerable", "attribution_id", "attributed_at"}
        )
        return Listed(**of_list, replaces=t.subject.attribution_id).model_dump(mode="json")


def _answers(t: Transition, outcome: Outcome) -> bool:
    """Tell whether it gave an attribution without an answer another state, of which its block is to hear."""
    written = outcome.conflict is None and not outcome.overtaken
    return t.before in UNANSWERED and t.number > 0 and written
