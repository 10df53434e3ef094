"""Training only: one attribution's own clock is moved, by the server's own time skipping."""

from datetime import datetime, timedelta
from typing import Final

from dateutil.relativedelta import relativedelta
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper

from gamf.client import acting, asking
from gamf.client.acting import Desk
from gamf.client.asking import ClosedError, View
from gamf.domain.names import attribution_workflow_id
from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.polling import until

_SETTLES_WITHIN: Final = 30
"""Seconds for what came due on the way to be written."""
_JUST_AFTER: Final = timedelta(seconds=1)
_REFUSED: Final = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.UNIMPLEMENTED,
    }
)


def check_allowed(*, training: bool) -> None:
    """Refuse unless `gamf up` was told that this is a training.

    Raises:
        RefusedByRuleError: it was not.
    """
    if not training:
        raise _not_training()


def _not_training() -> RefusedByRuleError:
    return RefusedByRuleError(
        "training",
        "L’horloge n’avance que dans une formation\u00a0: démarrez «\u00a0gamf up --training\u00a0».",
        "The clock moves only in a training: start “gamf up --training”.",
    )


async def advance(desk: Desk, attribution_id: str, length: relativedelta) -> View:
    """Move the attribution's clock by that length, and give its view once all that came due is done.

    An attribution that ends on the way stops there. Others' clocks, and the machine's, stay as they are.

    Raises:
        RefusedByRuleError: the server does not allow it, or the attribution has ended.
        NotFoundError: there is no such attribution.
        ServiceUnreachable: a service is silent.
    """
    before = await acting.show_attribution(desk, attribution_id)
    return await _advance(desk, before, await clock(desk, attribution_id) + length)


async def pass_deadline(desk: Desk, attribution_id: str) -> View:
    """Move the attribution's clock to just after its next deadline; otherwise as `advance`."""
    before = await acting.show_attribution(desk, attribution_id)
    deadline = before["deadline"]
    arrival = datetime.fromisoformat(deadline) if deadline else await clock(desk, attribution_id)
    return await _advance(desk, before, arrival + _JUST_AFTER)


async def clock(desk: Desk, attribution_id: str) -> datetime:
    """Return what time it is for that attribution, in UTC."""
    handle = desk.temporal.get_workflow_handle(attribution_workflow_id(attribution_id))
    async with asking.answering(desk.temporal):
        told = TimeSkipper(desk.temporal).get_current_time(handle)
        return await asking.heard(desk.temporal, told)


async def _advance(desk: Desk, before: View, arrival: datetime) -> View:
    if before["ended_on"] is not None:
        raise RefusedByRuleError(
            "A20",
            f"L’attribution est terminée depuis le {before['ended_on']}\u00a0: son horloge est arrêtée.",
            f"The attribution ended on {before['ended_on']}: its clock has stopped.",
        )
    attribution_id = before["attribution_id"]
    try:
        async with asking.answering(desk.temporal):
            await asking.heard(desk.temporal, fast_forward(desk, attribution_id, arrival))
    except ClosedError:
        return await acting.show_attribution(desk, attribution_id)
    return await _settled(desk, attribution_id, arrival)


async def fast_forward(desk: Desk, attribution_id: str, arrival: datetime) -> None:
    """Move the clock to that instant, or to the attribution's end; what came due may not be done yet."""
    skipper = TimeSkipper(desk.temporal)
    handle = desk.temporal.get_workflow_handle(attribution_workflow_id(attribution_id))
    try:
        # False says that the attribution ended on the way: its view says so as well.
        await skipper.fast_forward(handle, arrival - await skipper.get_current_time(handle))
    except RPCError as error:
        if error.status in _REFUSED:
            raise _not_training() from None
        raise


async def _settled(desk: Desk, attribution_id: str, now: datetime) -> View:
    """Return the view once nothing that came due by that time is left to do."""
    view: View = {}

    async def done() -> bool:
        nonlocal view
        view = await acting.show_attribution(desk, attribution_id)
        return view["ended_on"] is not None or datetime.fromisoformat(view["deadline"]) > now

    await until(done, within_seconds=_SETTLES_WITHIN)
    return view
