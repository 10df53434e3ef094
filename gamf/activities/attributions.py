"""The activities of an attribution: one a kind of transition, so that a history reads as what was done."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from gamf.activities.messenger import Messenger
from gamf.activities.transitions import Outcome, carry_out
from gamf.domain.attribution import Step, Transition
from gamf.domain.effects import Owner, TaskKind
from gamf.domain.states import UNANSWERED
from gamf.storage import records, tasks
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
    """A letter that no carrier took in time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attribution_id: str
    transition: int
    at: datetime


class AttributionActivities:
    """What an attribution does to the world, each in one transaction that is safe to run twice."""

    def __init__(self, pool: Pool, messenger: Messenger) -> None:
        """Write through that pool, and report to blocks through that messenger."""
        self._pool = pool
        self._messenger = messenger

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
        """Open a task for a letter that no carrier took (invariant 4)."""
        async with self._pool.acquire() as conn:
            await tasks.open_(
                conn,
                late.attribution_id,
                TaskKind.LETTER_NOT_SENT,
                Owner.COORDINATOR,
                late.transition,
                late.at,
                None,
            )

    async def _carry_out(self, t: Transition) -> Outcome:
        outcome = await carry_out(self._pool, t)
        block_id = t.subject.block_id
        if (
            block_id
            and t.before in UNANSWERED
            and t.number
            and outcome.conflict is None
            and not outcome.overtaken
        ):
            await self._messenger.tell_block(block_id, t.subject.attribution_id, t.after)
        return outcome
