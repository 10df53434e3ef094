"""The daily digest: one run of a Schedule, which writes to whoever it is 07:00 for (A23), once each.

It decides nothing: `gamf.domain.digest` says whose day has begun and what is told. Its history holds numbers of rows,
clocks and counts; no address, no reference, nobody.
"""

from datetime import datetime
from typing import Final

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeKey
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from gamf.activities.digests import Batch, DigestActivities, DigestOrder, Made
    from gamf.workflows import options
    from gamf.workflows.arguments import read_argument
    from gamf.workflows.carried import DigestArgument, DigestResult

_SCHEDULED: Final = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""Written by the Schedule: the instant that it was to fire at, even when the server was away."""


@workflow.defn(name="DailyDigest")
class DailyDigestWorkflow:
    """The digests of one instant."""

    @workflow.init
    def __init__(self, argument: RawValue) -> None:
        """Read the argument; one that cannot be read fails the workflow at once instead of trying for ever."""
        self._asked_for = read_argument(argument, DigestArgument).at
        self._result = DigestResult()

    @workflow.run
    async def run(self, argument: RawValue) -> DigestResult:  # noqa: ARG002 - read in __init__
        """Make the digests that are due, then hand them over; those that nobody takes are counted, not waited for."""
        made = await self._make()
        self._result = DigestResult(zones=made.zones, reminders=made.reminders)
        for begin in range(0, len(made.digest_ids), options.DIGESTS_AT_ONCE):
            await self._send(made.digest_ids[begin : begin + options.DIGESTS_AT_ONCE])
        return self._result

    @workflow.query(description="Le résumé du jour : fuseaux, nombres")
    def view(self) -> DigestResult:
        """Return what was done so far."""
        return self._result

    def _at(self) -> datetime:
        scheduled = workflow.info().typed_search_attributes.get(_SCHEDULED)
        return self._asked_for or scheduled or workflow.info().workflow_start_time

    async def _make(self) -> Made:
        at = self._at()
        # Whoever names an instant wants that day's, late as it is; a table still writes to nobody twice.
        now = at if self._asked_for else workflow.now()
        return await workflow.execute_activity_method(
            DigestActivities.make_digests,
            DigestOrder(at=at, now=now),
            start_to_close_timeout=options.BULK_TIMEOUT,
            retry_policy=options.FOREVER,
            summary="Rassembler ce qui est dû, en retard ou revenu sur la liste",
        )

    async def _send(self, digest_ids: tuple[int, ...]) -> None:
        try:
            refused = await workflow.execute_activity_method(
                DigestActivities.send_digests,
                Batch(digest_ids=digest_ids, at=self._at()),
                start_to_close_timeout=options.BULK_TIMEOUT,
                heartbeat_timeout=options.DIGEST_HEARTBEAT,
                schedule_to_close_timeout=options.DIGEST_GIVE_UP,
                retry_policy=options.LETTER_RETRY,
                summary="Remettre les résumés du jour",
            )
        except ActivityError:
            self._count(unsent=len(digest_ids))
        else:
            self._count(sent=len(digest_ids) - refused, refused=refused)

    def _count(self, *, sent: int = 0, refused: int = 0, unsent: int = 0) -> None:
        before = self._result
        self._result = before.model_copy(
            update={
                "sent": before.sent + sent,
                "refused": before.refused + refused,
                "unsent": before.unsent + unsent,
            }
        )
