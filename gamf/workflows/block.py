"""One block: a physician's request, the list drawn for it, its approval, and the answers (R3-R6, A4, A21).

The attributions live for years and the block for days: it starts them, lets them report by signal, and does not wait
for them. Its history holds opaque identifiers only.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, cast

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from gamf.activities.blocks import Answer, BlockActivities, Decision, Drawn, DrawRequest, Listed
    from gamf.activities.ramq import RamqActivities, RamqDue
    from gamf.domain import block as rules
    from gamf.domain.block import BlockRequest, BlockState
    from gamf.domain.facts import Accepted, Refused
    from gamf.domain.refusal import Reason, RefusedByRuleError
    from gamf.domain.states import State
    from gamf.workflows import options, visibility
    from gamf.workflows.arguments import read_argument
    from gamf.workflows.carried import BlockArgument, CarriedBlock
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
    from gamf.workflows.views import BlockMember, BlockView

CHANGED: Final = "attributions_changed"
"""The signal by which attributions report the states that they have reached."""
_SYSTEM: Final = "gamf"
_SHORTEST_TIMER: Final = timedelta(milliseconds=1)
_NOT_BY_TEMPORAL: Final = Reason(
    rule="A21",
    fr="Un bloc ne s'annule pas dans Temporal : envoyez le fait « withdrawn ».",
    en="A block is not cancelled in Temporal: send the fact “withdrawn”.",
)


@workflow.defn(name="Block")
class BlockWorkflow:
    """The patients attributed together to one physician."""

    @workflow.init
    def __init__(self, argument: RawValue) -> None:
        """Read the argument; one that cannot be read fails the workflow at once instead of trying for ever."""
        given = read_argument(argument, BlockArgument)
        self._request = BlockRequest.model_validate(given.model_dump(exclude={"carried"}))
        earlier = given.carried
        self._state = earlier.state if earlier else BlockState.REQUESTED
        self._listed = earlier.listed if earlier else ()
        self._states = dict(earlier.states) if earlier else {}
        self._attributed_at = earlier.attributed_at if earlier else None
        self._deadline = earlier.deadline if earlier else None
        self._zone = earlier.time_zone if earlier else None
        self._refusal: Reason | None = None
        self._withdrawn_for: str | None = None
        self._inbox = Inbox(earlier.inbox if earlier else Memory())

    @workflow.run
    async def run(self, argument: RawValue) -> BlockView:  # noqa: ARG002 - read in __init__, where signals find it
        """Live the block until every attribution has its answer, or the list is withdrawn."""
        if await outlive_cancellations(self._live(), self._inbox, _NOT_BY_TEMPORAL):
            workflow.continue_as_new(self._carried())
        return self.view()

    @workflow.update(description="Prend un fait : l'objet du fait, avec « fact »")
    async def record(self, sent: RawValue) -> BlockView:
        """Take a fact and answer with the new view, once all that follows is done."""
        item = self._inbox.put(Item(read_update([sent]), answers_repeats=True))
        await answered(item)
        return self.view()

    @record.validator
    def _validate_record(self, sent: RawValue) -> None:
        item = read_update([sent])
        try:
            check_legible(item)
            fact = rules.parse(item.fact, item.argument)
            # What comes before it may change the answer: after a reset, the server tells all facts again at once.
            if self._state is not BlockState.REQUESTED and not self._inbox:
                self._check(fact)
        except RefusedByRuleError as refused:
            raise refusal_error(refused.reason) from None

    @workflow.update(description="Attend le tirage et donne la liste")
    async def await_drawn(self) -> BlockView:
        """Answer once the draw is done; refuse when the physician is not eligible (R3)."""
        await workflow.wait_condition(lambda: self._state is not BlockState.REQUESTED)
        if self._refusal is not None:
            raise refusal_error(self._refusal)
        return self.view()

    @workflow.signal(dynamic=True, description="Un fait : son nom, et un objet JSON")
    def receive(self, name: str, values: Sequence[RawValue]) -> None:
        """Take in anything that is sent; the main loop asks the rules about it in its turn."""
        item = read(name, values)
        if name == CHANGED and item.legible and self._note_change(item.argument):
            return
        self._inbox.put(Item(item))

    @workflow.query(description="Le bloc : état, nombres par état, liste")
    def view(self) -> BlockView:
        """Return the block as it is."""
        return BlockView(
            block_id=self._request.block_id,
            state=self._state,
            physician=self._request.physician,
            rls=self._request.rls,
            size=self._request.size,
            requested_by=self._request.requested_by,
            attributed_at=self._attributed_at,
            deadline=self._deadline,
            reason=self._withdrawn_for,
            counts=dict(Counter(self._state_of(listed) for listed in self._listed)),
            list=tuple(self._member(listed) for listed in self._listed),
            refused_facts=self._inbox.shown,
            refused_count=self._inbox.refused_count,
            policy=self._request.policy.version,
        )

    async def _live(self) -> bool:
        """Draw, then go from one fact to the next; return True when a new run must take over."""
        self._show()
        if self._state is BlockState.REQUESTED:
            await self._draw()
        while not self._over():
            if self._must_renew():
                return True
            if self._state is BlockState.ATTRIBUTED and not self._unanswered():
                await self._close()
            elif self._deadline is not None and self._deadline <= workflow.now():
                await self._withdraw(rules.not_approved(self._request.policy), self._deadline)
            elif self._inbox and self._inbox.unwritten < options.REFUSALS_AT_ONCE:
                await self._take(self._inbox.next())
            elif self._inbox.unwritten:
                await keep_refused(self._inbox, "block", self._request.block_id, self._request.policy.version)
            else:
                await self._wait()
        return False

    async def _wait(self) -> None:
        if self._deadline is None:
            await workflow.wait_condition(self._awake)
            return
        left = max(self._deadline - workflow.now(), _SHORTEST_TIMER)
        with suppress(TimeoutError):
            await workflow.wait_condition(
                self._awake, timeout=left, timeout_summary=visibility.APPROVAL_TIMER
            )

    def _over(self) -> bool:
        ended = self._state in {BlockState.CLOSED, BlockState.WITHDRAWN}
        return ended and not self._inbox and not self._inbox.unwritten and workflow.all_handlers_finished()

    def _must_renew(self) -> bool:
        return workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished()

    def _awake(self) -> bool:
        answered = self._state is BlockState.ATTRIBUTED and not self._unanswered()
        return (
            bool(self._inbox) or bool(self._inbox.unwritten) or answered or self._must_renew() or self._over()
        )

    async def _draw(self) -> None:
        drawn: Drawn = await workflow.execute_activity_method(
            BlockActivities.draw_list,
            DrawRequest(request=self._request, at=workflow.now()),
            start_to_close_timeout=options.TRANSITION_TIMEOUT,
            retry_policy=options.FOREVER,
            summary="Tirer la liste et réserver les patients",
        )
        self._listed = drawn.listed
        self._refusal = drawn.refusal
        self._withdrawn_for = str(drawn.refusal) if drawn.refusal else None
        self._deadline, self._zone = drawn.deadline, drawn.time_zone
        self._state = BlockState.WITHDRAWN if drawn.refusal else BlockState.DRAWN
        self._show()
        if not drawn.listed and not drawn.refusal:
            nobody = rules.Withdrawn(
                by=_SYSTEM, reason="Personne n'attend dans ce RLS. / Nobody waits in this RLS."
            )
            await self._withdraw(nobody)

    async def _take(self, item: Item) -> None:
        try:
            check_legible(item.sent)
            fact = rules.parse(item.sent.fact, item.sent.argument)
            self._check(fact)
            refusal = await self._follow(fact)
        except RefusedByRuleError as refused:
            refusal = refused.reason
        if refusal is not None:
            self._inbox.refuse(item, refusal, workflow.now())
        item.settled = True

    def _check(self, fact: rules.AnyBlockFact) -> None:
        now = workflow.now()
        rules.check_taken(self._state, fact, now, self._deadline)
        rules.check_answered_at(fact, self._attributed_at, now)

    async def _follow(self, fact: rules.AnyBlockFact) -> Reason | None:
        """Do what follows from a fact; return why not, for what the database alone could tell."""
        match fact:
            case rules.Approved():
                return await self._approve(fact)
            case rules.Withdrawn():
                await self._withdraw(fact)
            case rules.ListAccepted():
                await self._answer(Accepted.name, {"by": fact.by}, fact.at or workflow.now())
            case rules.ListRefused():
                argument = {"by": fact.by, "reason": fact.reason}
                await self._answer(Refused.name, argument, fact.at or workflow.now())
        return None

    async def _approve(self, fact: rules.Approved) -> Reason | None:
        """Attribute the list; refused, it stays as drawn: to be withdrawn, or approved once the physician may."""
        decision = self._decision(fact.by)
        attributed: tuple[Listed, ...] | Reason = await workflow.execute_activity_method(
            BlockActivities.attribute_list,
            decision,
            start_to_close_timeout=options.BULK_TIMEOUT,
            heartbeat_timeout=options.BULK_HEARTBEAT,
            retry_policy=options.FOREVER,
            summary="Attribuer les patients de la liste : les 72 heures commencent",
        )
        if isinstance(attributed, Reason):
            return attributed
        self._listed = attributed
        self._attributed_at = min(
            (one.attributed_at or decision.at for one in attributed), default=decision.at
        )
        self._deadline = None
        self._state = BlockState.ATTRIBUTED
        self._show()
        return None

    async def _withdraw(self, fact: rules.Withdrawn, at: datetime | None = None) -> None:
        await workflow.execute_activity_method(
            BlockActivities.withdraw_list,
            self._decision(fact.by, fact.reason, at),
            start_to_close_timeout=options.TRANSITION_TIMEOUT,
            retry_policy=options.FOREVER,
            summary="Remettre les patients de la liste où ils étaient",
        )
        self._withdrawn_for = fact.reason
        self._deadline = None
        self._state = BlockState.WITHDRAWN
        self._show()

    async def _answer(self, fact: str, argument: dict[str, Any], at: datetime) -> None:
        # Whoever replaced another after the physician answered is not in that answer (A17).
        unanswered = self._unanswered(at)
        await workflow.execute_activity_method(
            BlockActivities.answer_list,
            Answer(fact=fact, argument={**argument, "at": at.isoformat()}, attribution_ids=unanswered),
            start_to_close_timeout=options.BULK_TIMEOUT,
            heartbeat_timeout=options.BULK_HEARTBEAT,
            retry_policy=options.FOREVER,
            summary="Transmettre la réponse du médecin à chaque attribution sans réponse",
        )
        # The caller is answered once each attribution has said what became of it, or when that takes too long.
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: not set(unanswered) & set(self._unanswered()),
                timeout=options.ANSWERS_SETTLE,
                timeout_summary="Attendre que chaque attribution ait pris la réponse",
            )

    async def _close(self) -> None:
        await workflow.execute_activity_method(
            BlockActivities.close_block,
            self._decision(_SYSTEM),
            start_to_close_timeout=options.TRANSITION_TIMEOUT,
            retry_policy=options.FOREVER,
            summary="Fermer le bloc : toutes les réponses sont données",
        )
        self._state = BlockState.CLOSED
        self._show()
        await workflow.execute_activity_method(
            RamqActivities.confirm_to_ramq,
            RamqDue(block_id=self._request.block_id, at=workflow.now()),
            start_to_close_timeout=options.RAMQ_TIMEOUT,
            retry_policy=options.RAMQ_RETRY,
            summary=visibility.RAMQ_LIST_SUMMARY,
        )

    def _note_change(self, report: object) -> bool:
        states = _reported(report)
        if states is None or not self._note_replacement(cast("dict[str, object]", report).get("replacement")):
            return False
        for attribution_id, state in states.items():
            # Reports may come twice or out of order; an answer is never taken back.
            if self._states.get(attribution_id, State.PROPOSED) in rules.ANSWERS:
                self._states[attribution_id] = state
        self._tell_operators()
        return True

    def _note_replacement(self, line: object) -> bool:
        """List whoever takes a cancelled patient's place, once (A17); return False when that cannot be read."""
        if line is None:
            return True
        try:
            new = Listed.model_validate(line)
        except ValidationError:
            return False
        if new.attribution_id not in {listed.attribution_id for listed in self._listed}:
            self._listed = (*self._listed, new)
        return True

    def _unanswered(self, at: datetime | None = None) -> tuple[str, ...]:
        """Return the attributions without an answer; of those whom an answer given at that instant may concern."""
        ids = (
            listed.attribution_id
            for listed in self._listed
            if at is None or listed.attributed_at is None or listed.attributed_at <= at
        )
        return tuple(i for i in ids if i and self._states.get(i, State.PROPOSED) in rules.ANSWERS)

    def _state_of(self, listed: Listed) -> str:
        if listed.attribution_id is None:
            return "waiting" if self._state is BlockState.WITHDRAWN else "drawn"
        return self._states.get(listed.attribution_id, State.PROPOSED)

    def _member(self, listed: Listed) -> BlockMember:
        return BlockMember(**listed.model_dump(exclude={"attributed_at"}), state=self._state_of(listed))

    def _decision(self, by: str, reason: str | None = None, at: datetime | None = None) -> Decision:
        return Decision(
            block_id=self._request.block_id,
            by=by,
            at=at or workflow.now(),
            policy=self._request.policy,
            reason=reason,
        )

    def _show(self) -> None:
        known = workflow.info().typed_search_attributes
        if changed := visibility.block_updates(known, self._request, self._deadline):
            workflow.upsert_search_attributes(changed)
        self._tell_operators()

    def _tell_operators(self) -> None:
        counts = Counter(self._state_of(listed) for listed in self._listed)
        details = visibility.block_details(self._state, dict(counts), self._deadline, self._zone)
        workflow.set_current_details(details)

    def _carried(self) -> BlockArgument:
        carried = CarriedBlock(
            state=self._state,
            listed=self._listed,
            states=self._states,
            attributed_at=self._attributed_at,
            deadline=self._deadline,
            time_zone=self._zone,
            inbox=self._inbox.memory(),
        )
        return BlockArgument(**self._request.model_dump(), carried=carried)


def _reported(report: object) -> dict[str, State] | None:
    """Return the states that are reported, or None when it is no such report."""
    states = cast("dict[str, object]", report).get("states") if isinstance(report, dict) else None
    if not isinstance(states, dict):
        return None
    sent = cast("dict[str, object]", states)
    known = {name: State(each) for name, each in sent.items() if isinstance(each, str) and each in set(State)}
    return known if len(known) == len(sent) else None
