"""One attribution, from the list to MF or back to the list: the process that loses nobody.

It waits for the next fact or deadline, asks `gamf.domain` what follows, and has one activity do it. It decides nothing
itself. What enters its history is opaque: a patient's random identifier, a physician's public licence, dates, accounts;
never a name, a NAM, an address or anything about health.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from gamf.activities.attributions import AttributionActivities, LetterTask
    from gamf.activities.letters import LetterActivities, LetterDue
    from gamf.activities.ramq import RamqActivities, RamqDue
    from gamf.activities.transitions import Outcome
    from gamf.domain import attribution as rules
    from gamf.domain import facts, tasks
    from gamf.domain.attribution import RepeatedError, Taken, Transition
    from gamf.domain.inbox import Sent
    from gamf.domain.model import Attribution, Start
    from gamf.domain.names import attribution_workflow_id
    from gamf.domain.refusal import Reason, RefusedByRuleError
    from gamf.domain.reliving import Remembered, relive
    from gamf.workflows import options, visibility
    from gamf.workflows.arguments import read_argument
    from gamf.workflows.carried import Argument, Carried, Result
    from gamf.workflows.inbox import (
        Inbox,
        Item,
        Memory,
        answered,
        check_legible,
        keep_refused,
        outlive_cancellations,
        read,
        read_update,
        refusal_error,
    )
    from gamf.workflows.transitions import carry_out
    from gamf.workflows.views import AttributionView, attribution_view

_SHORTEST_TIMER: Final = timedelta(milliseconds=1)
_MOST_CARRIED: Final = 2_000
"""Sent or refused facts that a new run is given; more are settled first, so that its argument stays small."""
_OVERTAKEN: Final = Reason(
    rule="A11",
    fr="Le patient est parti ou inscrit ailleurs ; l'attribution est terminée.",
    en="The patient has left or is enrolled elsewhere; the attribution has ended.",
)
_CONFLICT: Final = Reason(
    rule="invariant 2",
    fr="Une autre inscription du patient couvre ces dates ; rien n'a changé.",
    en="Another enrolment of the patient covers these dates; nothing has changed.",
)
_NOT_BY_TEMPORAL: Final = Reason(
    rule="R5",
    fr="Une attribution ne s'annule pas dans Temporal : envoyez le fait « cancelled ».",
    en="An attribution is not cancelled in Temporal: send the fact “cancelled”.",
)


@workflow.defn(name="Attribution")
class AttributionWorkflow:
    """A patient attributed to a physician under LE 321."""

    @workflow.init
    def __init__(self, argument: RawValue) -> None:
        """Read the argument; one that cannot be read fails the workflow at once instead of trying for ever."""
        given = read_argument(argument, Argument)
        self._start = Start.model_validate(given.model_dump(exclude={"carried"}))
        self._new = given.carried is None
        self._attribution = (
            given.carried.attribution if given.carried else rules.begin(self._start).attribution
        )
        self._inbox = Inbox(given.carried.inbox if given.carried else Memory())
        self._letters_due = dict.fromkeys(given.carried.letters if given.carried else ())
        self._ramq_due = bool(given.carried and given.carried.ramq)
        self._sending: set[asyncio.Task[None]] = set()

    @workflow.run
    async def run(self, argument: RawValue) -> Result:  # noqa: ARG002 - read in __init__, where signals find it
        """Live the attribution to its end."""
        if await outlive_cancellations(self._live(), self._inbox, _NOT_BY_TEMPORAL):
            workflow.continue_as_new(self._carried())
        return Result(state=self._attribution.state, ended_on=self._attribution.ended_on)

    @workflow.update(description="Prend un fait : l'objet du fait, avec « fact »")
    async def record(self, sent: RawValue) -> AttributionView:
        """Take a fact and answer with the new view; the same fact again changes nothing and answers as well."""
        item = self._inbox.put(Item(read_update([sent]), answers_repeats=True))
        await answered(item)
        return self.view()

    @record.validator
    def _validate_record(self, sent: RawValue) -> None:
        item = read_update([sent])
        try:
            check_legible(item)
            fact = facts.parse(item.fact, item.argument)
            # What came before it may change the answer: after a reset, the server tells all facts again at once.
            if not self._inbox:
                rules.would_take(self._attribution, fact, workflow.now())
        except RepeatedError:
            return
        except RefusedByRuleError as refused:
            raise refusal_error(refused.reason) from None

    @workflow.signal(dynamic=True, description="Un fait : son nom, et un objet JSON")
    def receive(self, name: str, values: Sequence[RawValue]) -> None:
        """Take in anything that is sent; the main loop asks the rules about it in its turn."""
        self._inbox.put(Item(partial(read, name, values)))

    @workflow.query(description="L'attribution : état, échéance, faits pris et refusés")
    def view(self) -> AttributionView:
        """Return the attribution as it is."""
        return attribution_view(self._attribution, self._inbox.shown, self._inbox.refused_count)

    async def _live(self) -> bool:
        """Go from one fact or deadline to the next; return True when a new run must take over."""
        await self._begin()
        while not self._over():
            if self._must_renew():
                return True
            if rules.next_due(self._attribution, workflow.now()):
                await self._pass_deadline()
            elif self._inbox and self._inbox.unwritten < options.REFUSALS_AT_ONCE:
                await self._take(self._inbox.next())
            elif self._inbox.unwritten:
                await keep_refused(
                    self._inbox, "attribution", self._start.attribution_id, self._start.policy.version
                )
            else:
                await self._wait()
        return False

    async def _begin(self) -> None:
        self._show(None)
        if self._new and self._start.block_id is None:
            # Nobody approved a list that reserved this patient: reserve them here.
            outcome = await self._do(rules.begin(self._start))
            if outcome.conflict is not None:
                text = (
                    "Le patient n'est pas sur la liste ; rien n'a changé. / The patient is not on the list."
                )
                raise ApplicationError(text, type="NotAttributable", non_retryable=True)
        for letter_id in self._letters_due:
            self._send(letter_id)
        if self._ramq_due:
            self._beside(self._confirm_to_ramq())

    def _over(self) -> bool:
        settled = not self._inbox and not self._inbox.unwritten
        handed_over = not self._letters_due and not self._ramq_due
        return self._attribution.ended and settled and handed_over and workflow.all_handlers_finished()

    def _must_renew(self) -> bool:
        if not workflow.info().is_continue_as_new_suggested() or not workflow.all_handlers_finished():
            return False
        return len(self._inbox) + self._inbox.unwritten <= _MOST_CARRIED

    async def _wait(self) -> None:
        deadline = self._attribution.next_deadline
        if deadline is None:
            await workflow.wait_condition(lambda: self._awake() or self._over())
            return
        left = max(deadline - workflow.now(), _SHORTEST_TIMER)
        summary = visibility.timer_summary(self._attribution)
        try:
            await workflow.wait_condition(self._awake, timeout=left, timeout_summary=summary)
        except TimeoutError:
            return

    def _awake(self) -> bool:
        return bool(self._inbox) or bool(self._inbox.unwritten) or self._must_renew()

    async def _pass_deadline(self) -> None:
        due = rules.next_due(self._attribution, workflow.now())
        taken = rules.pass_deadline(self._attribution, workflow.now())
        if due is None or taken is None:
            return
        outcome = await self._do(taken)
        if outcome.conflict is not None and isinstance(due[0], facts.Fact):
            self._attribution = rules.drop_announced(self._attribution, due[0])
            self._inbox.refuse(
                Item(Sent(fact=due[0].name, argument=due[0].argument())), _CONFLICT, workflow.now()
            )

    async def _take(self, item: Item) -> None:
        now = workflow.now()
        try:
            check_legible(item.sent)
            taken = rules.take(self._attribution, facts.parse(item.sent.fact, item.sent.argument), now)
        except RefusedByRuleError as refused:
            self._refuse(item, refused, now)
            return
        outcome = await self._do(taken)
        if outcome.written is not None and not _same(outcome.written, taken.transition):
            self._inbox.put_back(item)
            return
        if outcome.overtaken or outcome.conflict is not None:
            self._inbox.refuse(item, _OVERTAKEN if outcome.overtaken else _CONFLICT, now)
        item.settled = True

    def _refuse(self, item: Item, refused: RefusedByRuleError, now: datetime) -> None:
        if isinstance(refused, RepeatedError) and item.answers_repeats:
            item.settled = True
            return
        self._inbox.refuse(item, refused.reason, now)

    async def _do(self, taken: Taken) -> Outcome:
        """Carry out a transition; the attribution changes only once it is written."""
        outcome = await carry_out(taken.transition)
        if outcome.overtaken:
            await self._do(rules.overtake(self._attribution, _told(outcome), workflow.now()))
        elif outcome.written is not None:
            await self._become(relive(self._attribution, [outcome.written]).attribution, outcome)
        elif outcome.conflict is None:
            await self._become(taken.attribution, outcome)
        return outcome

    async def _become(self, attribution: Attribution, outcome: Outcome) -> None:
        before, self._attribution = self._attribution, attribution
        self._show(before)
        for letter_id in outcome.letters:
            self._send(letter_id)
        if outcome.ramq:
            self._ramq_due = True
            self._beside(self._confirm_to_ramq())
        for attribution_id in outcome.tell:
            await self._tell(attribution_id, outcome)

    async def _tell(self, attribution_id: str, outcome: Outcome) -> None:
        """Tell the patient's other attribution what this one's fact did to it (A11)."""
        other = workflow.get_external_workflow_handle(attribution_workflow_id(attribution_id))
        try:
            fact = _told(outcome)
            await other.signal(fact.name, fact.argument())
        except FailureError:
            # It ended by itself meanwhile: there is nobody to tell, and the database knows already.
            workflow.logger.info("the other attribution has ended", extra={"attribution_id": attribution_id})

    def _show(self, before: Attribution | None) -> None:
        """Keep the search attributes and the current details true."""
        known = workflow.info().typed_search_attributes
        if before is None and known.get(visibility.STATE) is None:
            workflow.upsert_search_attributes(visibility.at_start_updates(self._attribution))
        elif before is not None and (changed := visibility.updates(before, self._attribution)):
            workflow.upsert_search_attributes(changed)
        workflow.set_current_details(visibility.details(self._attribution))

    def _send(self, letter_id: str) -> None:
        self._letters_due[letter_id] = None
        self._beside(self._send_letter(letter_id))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Hand over beside the rest of the attribution's life: a carrier may be long, and people do not wait."""
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send_letter(self, letter_id: str) -> None:
        try:
            await workflow.execute_activity_method(
                LetterActivities.send_letter,
                LetterDue(letter_id=letter_id, at=workflow.now()),
                start_to_close_timeout=options.LETTER_TIMEOUT,
                schedule_to_close_timeout=options.LETTER_GIVE_UP,
                retry_policy=options.LETTER_RETRY,
                summary=visibility.SEND_LETTER_SUMMARY,
            )
        except ActivityError:
            await self._ask_about(letter_id)
        self._letters_due.pop(letter_id, None)

    async def _confirm_to_ramq(self) -> None:
        """Hand over a supplement: the block closed, and its list went, before this patient was confirmed (R6)."""
        assert self._start.block_id is not None  # noqa: S101 - only a block has a list
        await workflow.execute_activity_method(
            RamqActivities.confirm_to_ramq,
            RamqDue(block_id=self._start.block_id, at=workflow.now()),
            start_to_close_timeout=options.RAMQ_TIMEOUT,
            retry_policy=options.RAMQ_RETRY,
            summary=visibility.RAMQ_SUPPLEMENT_SUMMARY,
        )
        self._ramq_due = False

    async def _ask_about(self, letter_id: str) -> None:
        number, now = int(letter_id.rpartition("-")[2]), workflow.now()
        due = tasks.due(now, self._start.policy, self._start.time_zone)
        late = LetterTask(attribution_id=self._start.attribution_id, transition=number, at=now, due=due)
        await workflow.execute_activity_method(
            AttributionActivities.ask_about_letter,
            late,
            start_to_close_timeout=options.TRANSITION_TIMEOUT,
            retry_policy=options.FOREVER,
            summary=visibility.LETTER_TASK_SUMMARY,
        )

    def _carried(self) -> Argument:
        carried = Carried(
            attribution=self._attribution,
            inbox=self._inbox.memory(),
            letters=tuple(self._letters_due),
            ramq=self._ramq_due,
        )
        return Argument(**self._start.model_dump(), carried=carried)


def _same(written: Remembered, t: Transition) -> bool:
    """Tell whether what is written is the very fact that was to be, but for the instant at which it was taken."""
    return (written.event, written.argument) == (t.event, t.argument)


def _told(outcome: Outcome) -> facts.Overtaking:
    """Return the fact that one attribution tells another."""
    argument = dict(outcome.fact or {})
    fact = facts.parse(argument.pop("fact", ""), argument)
    assert isinstance(fact, facts.Overtaking)  # noqa: S101 - the activity writes no other
    return fact
