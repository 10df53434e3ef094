"""The draw of one block, within the transaction that reserves it (R4, A8, A18)."""

from collections import Counter
from datetime import date, datetime

from gamf.domain import draw
from gamf.domain.block import BlockRequest
from gamf.domain.calendar import local_date
from gamf.domain.draw import Drawn, Plan
from gamf.domain.profile import Group
from gamf.storage import blocks, profiles, waiting
from gamf.storage.connection import Connection
from gamf.storage.waiting import Offered


async def draw_list(conn: Connection, request: BlockRequest, at: datetime) -> tuple[Plan, list[Drawn]]:
    """Draw the list of a block and hold everybody on it; return how its seats were divided, and who is drawn.

    The caller holds the RLS against other draws. Whoever else takes a patient away in between (an enrolment outside
    LE 321, a death) makes it begin again.
    """
    on = local_date(at, await blocks.time_zone(conn, request.rls) or "UTC")
    while True:
        plan, offered = await _planned(conn, request, on)
        held = await waiting.hold(conn, [each.number for each in offered])
        drawn = draw.draw(held, plan.seats, on)
        if len(drawn) == len(offered):
            return plan, drawn


async def _planned(conn: Connection, request: BlockRequest, on: date) -> tuple[Plan, list[Offered]]:
    """Divide the seats, and again when a group turns out to have fewer people that this physician may be offered."""
    profile = await profiles.profile(conn, request.rls)
    await waiting.sum_up(conn, request.rls)
    counts = await waiting.counts(conn, request.rls, on)
    available: dict[Group, int] = dict(counts)
    while True:
        plan = draw.plan(request.size, on, profile, counts, available)
        offered = await waiting.first_of_groups(conn, request.rls, request.physician, plan.seats, on)
        found = Counter(each.group for each in offered)
        short = {group: found[group] for group, seats in plan.seats.items() if found[group] < seats}
        if not short:
            return plan, offered
        available |= short
