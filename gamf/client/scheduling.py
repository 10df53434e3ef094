"""The Schedule of the daily digest: made by the set-up, and brought up to date by the next one."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final, Literal

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from gamf.domain.calendar import PROVINCE
from gamf.domain.digest import strikes
from gamf.domain.names import TASK_QUEUE

DIGEST: Final = "daily-digest"
"""The Schedule's id (contract.md)."""
CATCH_UP: Final = timedelta(hours=17)
"""From 07:00 to 24:00: what was missed while the server was away is made up for on the same day, and no later."""
_MONDAY_TO_FRIDAY: Final = (ScheduleRange(1, 5),)
_MEANING: Final = "07:00 sur l'horloge d'un RLS / 07:00 on the clock of an RLS"


def digest_schedule(zones: Iterable[str], year: int) -> Schedule:
    """Return the Schedule: from Monday to Friday, whenever it is 07:00 in one of the zones (A23).

    One Schedule for all clocks: the contract names one, and the rules say whose morning it is. It fires on holidays
    too, which the rules know and a Schedule would have to be told of each year. Runs may overlap: each has its own
    zones, and a slow mail server at 06:00 must not keep back those of 07:00.
    """
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "DailyDigest", {}, id=DIGEST, task_queue=TASK_QUEUE, static_summary="Résumé du jour"
        ),
        spec=ScheduleSpec(calendars=[_calendar(at) for at in strikes(zones, year)], time_zone_name=PROVINCE),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL, catchup_window=CATCH_UP),
    )


def _calendar(at: time) -> ScheduleCalendarSpec:
    return ScheduleCalendarSpec(
        hour=[ScheduleRange(at.hour)],
        minute=[ScheduleRange(at.minute)],
        day_of_week=_MONDAY_TO_FRIDAY,
        comment=_MEANING,
    )


async def ensure_digest_schedule(
    client: Client, zones: Iterable[str], now: datetime
) -> Literal["created", "updated", "unchanged"]:
    """Have Temporal know the Schedule as it is today; whether it is paused is left to its operators."""
    wanted = digest_schedule(zones, now.year)
    try:
        await client.create_schedule(DIGEST, wanted)
    except ScheduleAlreadyRunningError:
        return await _updated(client.get_schedule_handle(DIGEST), wanted)
    return "created"


async def _updated(handle: ScheduleHandle, wanted: Schedule) -> Literal["updated", "unchanged"]:
    known = (await handle.describe()).schedule
    if _essence(known) == _essence(wanted):
        return "unchanged"

    def update(given: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(replace(wanted, state=given.description.schedule.state))

    await handle.update(update)
    return "updated"


def _essence(schedule: Schedule) -> tuple[object, ...]:
    """Return what the set-up decides of a Schedule; the server gives the rest back in forms of its own."""
    action = schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)  # noqa: S101 - there is no other kind
    times = {
        (hour.start, minute.start, tuple((day.start, day.end) for day in each.day_of_week))
        for each in schedule.spec.calendars
        for hour in each.hour
        for minute in each.minute
    }
    return (
        frozenset(times),
        schedule.spec.time_zone_name,
        schedule.policy.overlap,
        schedule.policy.catchup_window,
        action.workflow,
        action.task_queue,
    )
