"""A physician's departure: announced, it waits for its day; on it, each of their attributions is told once (A16).

Until that day it may be withdrawn, and nothing is to be undone: no attribution has heard of it. From the day on it is
carried out whole, however many workers die on the way: what was told is in the database, and the server drops a signal
that it has taken before. Its history holds a licence, which is public, dates, accounts and references; nobody's name.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from gamf.activities.departures import Announced, DepartureActivities, DepartureStep, Reached
    from gamf.domain import departure as rules
    from gamf.domain.departure import DepartureRequest, DepartureState
    from gamf.domain.refusal import Reason, RefusedByRuleError
    from gamf.workflows import options, visibility
    from gamf.workflows.arguments import read_argument
    from gamf.workflows.carried import CarriedDeparture, DepartureArgument, Progress
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
    from gamf.workflows.views import DepartureView

_SHORTEST_TIMER: Final = timedelta(milliseconds=1)
_NOT_BY_TEMPORAL: Final = Reason(
    rule="A16",
    fr="Un départ ne s'annule pas dans Temporal : envoyez le fait « withdrawn ».",
    en="A departure is not cancelled in Temporal: send the fact “withdrawn”.",
)


@workflow.defn(name="PhysicianDeparture")
class PhysicianDepartureWorkflow:
    """A physician who leaves, dies or stops participating."""

    @workflow.init
    def __init__(self, argument: RawValue) -> None:
        """Read the argument; one that cannot be read fails the workflow at once instead of trying for ever."""
        given = read_argument(argument, DepartureArgument)
        self._request = DepartureRequest.model_validate(given.model_dump(exclude={"carried"}))
        self._progress = given.carried.progress if given.carried else Progress()
        self._inbox = Inbox(given.carried.inbox if given.carried else Memory())
        self._refusal: Reason | None = None
        self._look_again_at: datetime | None = None

    @workflow.run
    async def run(self, argument: RawValue) -> DepartureView:  # noqa: ARG002 - read in __init__, where signals find it
        """Live the departure until everybody was told, or it is withdrawn."""
        if await outlive_cancellations(self._live(), self._inbox, _NOT_BY_TEMPORAL):
            workflow.continue_as_new(self._carried())
        return self.view()

    @workflow.update(description="Prend un fait : l'objet du fait, avec « fact »")
    async def record(self, sent: RawValue) -> DepartureView:
        """Take a fact and answer with the new view, once all that follows is done."""
        item = self._inbox.put(Item(read_update([sent]), answers_repeats=True))
        await answered(item)
        return self.view()

    @record.validator
    def _validate_record(self, sent: RawValue) -> None:
        item = read_update([sent])
        try:
            check_legible(item)
            rules.parse(item.fact, item.argument)
            self._check_withdrawable()
        except RefusedByRuleError as refused:
            raise refusal_error(refused.reason) from None

    @workflow.update(description="Attend que l'annonce soit écrite, et donne le départ")
    async def await_announced(self) -> DepartureView:
        """Answer once no new block may be had; refuse when another departure stands (A20)."""
        await workflow.wait_condition(lambda: self._progress.state is not DepartureState.REQUESTED)
        if self._refusal is not None:
            raise refusal_error(self._refusal)
        return self.view()

    @workflow.signal(dynamic=True, description="Un fait : son nom, et un objet JSON")
    def receive(self, name: str, values: Sequence[RawValue]) -> None:
        """Take in anything that is sent; the main loop asks the rules about it in its turn."""
        self._inbox.put(Item(read(name, values)))

    @workflow.query(description="Le départ : état, date, attributions avisées")
    def view(self) -> DepartureView:
        """Return the departure as it is."""
        return DepartureView(
            **self._progress.model_dump(exclude={"time_zone", "after"}),
            departure_id=self._request.departure_id,
            physician=self._request.physician,
            on=self._request.on,
            cause=self._request.cause,
            announced_by=self._request.by,
            refused_facts=self._inbox.shown,
            refused_count=self._inbox.refused_count,
            policy=self._request.policy.version,
        )

    async def _live(self) -> bool:
        """Announce, wait for the day, tell everybody; return True when a new run must take over."""
        self._show()
        if self._progress.state is DepartureState.REQUESTED:
            await self._announce()
        while not self._over():
            if self._must_renew():
                return True
            if self._is_due():
                await self._take_effect()
            elif self._inbox and self._inbox.unwritten < options.REFUSALS_AT_ONCE:
                await self._take(self._inbox.next())
            elif self._inbox.unwritten:
                await self._keep_refused()
            elif self._progress.state is DepartureState.EFFECTIVE and not self._rests():
                await self._reach()
            else:
                await self._wait()
        return False

    def _over(self) -> bool:
        ended = self._progress.state in {DepartureState.DONE, DepartureState.WITHDRAWN}
        settled = not self._inbox and not self._inbox.unwritten
        return ended and settled and workflow.all_handlers_finished()

    def _must_renew(self) -> bool:
        return workflow.info().is_continue_as_new_suggested() and workflow.all_handlers_finished()

    def _is_due(self) -> bool:
        deadline = self._progress.deadline
        announced = self._progress.state is DepartureState.ANNOUNCED
        return announced and deadline is not None and deadline <= workflow.now()

    def _rests(self) -> bool:
        return self._look_again_at is not None and workflow.now() < self._look_again_at

    def _awake(self) -> bool:
        return bool(self._inbox) or bool(self._inbox.unwritten) or self._must_renew() or self._over()

    async def _wait(self) -> None:
        """Wait for the effective date, for attributions that are about to start, or for the last answer."""
        effective = self._progress.state is DepartureState.EFFECTIVE
        until = self._look_again_at if effective else self._progress.deadline
        if until is None:
            await workflow.wait_condition(self._awake)
            return
        summary = visibility.DEPARTURE_AGAIN if effective else visibility.DEPARTURE_TIMER
        left = max(until - workflow.now(), _SHORTEST_TIMER)
        with suppress(TimeoutError):
            await workflow.wait_condition(self._awake, timeout=left, timeout_summary=summary)

    async def _announce(self) -> None:
        step = self._step()
        announced: Announced = await workflow.execute_activity_method(
            DepartureActivities.announce_departure,
            step,
            start_to_close_timeout=options.TRANSITION_TIMEOUT,
            retry_policy=options.FOREVER,
            summary="Annoncer le départ : aucun nouveau bloc",
        )
        if announced.refusal is not None or announced.time_zone is None:
            self._refusal = announced.refusal
            self._become(DepartureState.WITHDRAWN, reason=str(announced.refusal))
            return
        lists = await self._withdraw_lists()
        self._become(
            DepartureState.ANNOUNCED,
            rls=announced.rls,
            time_zone=announced.time_zone,
            deadline=rules.effective_at(self._request.on, announced.time_zone),
            announced_at=step.at,
            remaining=announced.remaining,
            withdrawn_blocks=lists,
        )

    async def _withdraw_lists(self) -> tuple[str, ...]:
        lists: tuple[str, ...] = await workflow.execute_activity_method(
            DepartureActivities.withdraw_drawn_lists,
            self._step(),
            start_to_close_timeout=options.LISTS_TIMEOUT,
            retry_policy=options.FOREVER,
            summary="Retirer les listes tirées que personne n'a approuvées",
        )
        return lists

    async def _take(self, item: Item) -> None:
        try:
            check_legible(item.sent)
            fact = rules.parse(item.sent.fact, item.sent.argument)
            self._check_withdrawable()
        except RefusedByRuleError as refused:
            self._inbox.refuse(item, refused.reason, workflow.now())
            return
        await workflow.execute_activity_method(
            DepartureActivities.withdraw_departure,
            self._step(by=fact.by, reason=fact.reason),
            start_to_close_timeout=options.TRANSITION_TIMEOUT,
            retry_policy=options.FOREVER,
            summary="Retirer le départ : le médecin reste",
        )
        self._become(DepartureState.WITHDRAWN, reason=fact.reason, deadline=None, remaining=0)
        item.settled = True

    def _check_withdrawable(self) -> None:
        rules.check_withdrawable(self._progress.state, workflow.now(), self._progress.deadline)

    async def _take_effect(self) -> None:
        await workflow.execute_activity_method(
            DepartureActivities.begin_departure,
            self._step(),
            start_to_close_timeout=options.TRANSITION_TIMEOUT,
            retry_policy=options.FOREVER,
            summary="Le départ prend effet",
        )
        self._become(DepartureState.EFFECTIVE, deadline=None)

    async def _reach(self) -> None:
        """Tell the next ones; once nobody is left, finish, unless somebody has begun meanwhile."""
        reached: Reached = await workflow.execute_activity_method(
            DepartureActivities.reach_attributions,
            self._step(after=self._progress.after),
            start_to_close_timeout=options.REACH_TIMEOUT,
            heartbeat_timeout=options.REACH_HEARTBEAT,
            retry_policy=options.FOREVER,
            summary="Aviser les attributions du médecin de son départ",
        )
        self._become(DepartureState.EFFECTIVE, **reached.model_dump())
        self._look_again_at = None
        if reached.after is None:
            await self._finish(reached.remaining)

    async def _finish(self, remaining: int) -> None:
        done = not remaining and await workflow.execute_activity_method(
            DepartureActivities.finish_departure,
            self._step(),
            start_to_close_timeout=options.TRANSITION_TIMEOUT,
            retry_policy=options.FOREVER,
            summary="Clore le départ : toutes les attributions sont avisées",
        )
        if done:
            self._become(DepartureState.DONE)
        elif remaining:
            self._look_again_at = workflow.now() + options.REACH_AGAIN

    async def _keep_refused(self) -> None:
        # Under the departure's own id: a physician may leave twice, and each numbers what it refused.
        request = self._request
        await keep_refused(self._inbox, "physician", request.departure_id, request.policy.version)

    def _step(
        self, *, by: str | None = None, after: str | None = None, reason: str | None = None
    ) -> DepartureStep:
        return DepartureStep(
            request=self._request, at=workflow.now(), by=by or self._request.by, after=after, reason=reason
        )

    def _become(self, state: DepartureState, **changes: Any) -> None:  # noqa: ANN401 - the fields of `Progress`
        self._progress = self._progress.model_copy(update={"state": state, **changes})
        self._show()

    def _show(self) -> None:
        progress = self._progress
        known = workflow.info().typed_search_attributes
        asked = progress.state is DepartureState.REQUESTED
        deadline = known.get(visibility.DEADLINE) if asked else progress.deadline
        changed = visibility.departure_updates(known, self._request.physician, progress.rls, deadline)
        if changed:
            workflow.upsert_search_attributes(changed)
        details = visibility.departure_details(
            self._request,
            progress.state,
            reached=progress.reached,
            remaining=progress.remaining,
            lists=progress.withdrawn_blocks,
        )
        workflow.set_current_details(details)

    def _carried(self) -> DepartureArgument:
        carried = CarriedDeparture(progress=self._progress, inbox=self._inbox.memory())
        return DepartureArgument(**self._request.model_dump(), carried=carried)
