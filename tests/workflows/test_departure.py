"""The workflow `PhysicianDeparture` on real servers: announced, withdrawn, carried out (A16)."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from gamf.client import acting, departing, reading
from gamf.client.acting import Desk
from gamf.client.errors import NotFoundError
from gamf.client.registering import Stamp
from gamf.domain.calendar import start_of_day
from gamf.domain.facts import PhysicianLeft
from gamf.domain.names import departure_workflow_id
from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.polling import until
from tests.clock import now, today
from tests.system import System
from tests.workflows.test_privacy import found_in, history

BY = "coordo"
ZONE = "America/Toronto"


def left(days: int = 0, cause: str = "retired") -> PhysicianLeft:
    return PhysicianLeft.model_validate({"by": BY, "on": today() + timedelta(days=days), "cause": cause})


@pytest.fixture
def desk(system: System) -> Desk:
    return Desk(system.pool, system.client)


def handle(system: System, view: dict[str, Any]) -> "WorkflowHandle[Any, Any]":
    return system.client.get_workflow_handle(departure_workflow_id(view["departure_id"]))


async def attributed(desk: Desk, licence: str, size: int) -> list[str]:
    """Attribute a block of that size; return its attributions."""
    drawn = await acting.request_block(desk, licence, size, by=BY, now=now())
    view = await acting.approve_block(desk, drawn["block_id"], by=BY)
    return [each["attribution_id"] for each in view["list"]]


async def told(system: System, ids: list[str]) -> dict[str, int]:
    """Return how many times each attribution was told, whatever it made of it."""
    rows = await system.rows(
        """
        SELECT subject_id, count(*) FROM records
        WHERE subject = 'attribution' AND subject_id = ANY ($1::text[]) AND event = 'physician_left' GROUP BY 1
        """,
        ids,
    )
    return {row["subject_id"]: row["count"] for row in rows}


async def test_a16_a_departure_reaches_each_attribution_once_whatever_its_state(
    system: System, desk: Desk
) -> None:
    rls, licence, people = await system.people(5)
    ids = await attributed(desk, licence, 4)
    for attribution_id, fact in ((ids[0], "accepted"), (ids[1], "accepted"), (ids[1], "sv_entered")):
        await acting.record_fact(desk, attribution_id, fact, {"by": BY}, now=now())
    await acting.record_fact(desk, ids[2], "refused", {"by": BY, "reason": "congé"}, now=now())
    before = await system.rows(
        "SELECT patient_id, registered_on FROM patients WHERE rls = $1 ORDER BY 1", rls
    )
    view = await departing.announce(desk, licence, left(-1), now=now())
    done = await handle(system, view).result()
    assert (done["state"], done["reached"], done["remaining"], done["deadline"]) == ("done", 3, 0, None)
    for attribution_id in (ids[0], ids[1], ids[3]):
        ended = await system.life(attribution_id).result()
        assert ended["state"] == "physician_left"
    assert await told(system, ids) == {ids[0]: 1, ids[1]: 1, ids[3]: 1}
    after = await system.rows("SELECT patient_id, registered_on FROM patients WHERE rls = $1 ORDER BY 1", rls)
    assert after == before
    places = await system.rows(
        "SELECT DISTINCT place FROM patients WHERE patient_id = ANY ($1::text[])", people
    )
    assert [row["place"] for row in places] == ["waiting"]
    (sv,) = await system.rows("SELECT voided FROM enrolments WHERE attribution_id = $1", ids[1])
    # It was entered after the day on which the physician had left.
    assert sv["voided"]
    async with system.pool.acquire() as conn:
        page = await departing.list_reached(conn, licence, limit=2)
        rest = await departing.list_reached(conn, licence, after=page.after, limit=2)
    assert [each.attribution_id for each in (*page.items, *rest.items)] == sorted((ids[0], ids[1], ids[3]))
    assert found_in(await history(system, handle(system, view).id)) == []


async def test_a16_the_sv_is_closed_the_day_before_and_the_patients_are_back(
    system: System, desk: Desk
) -> None:
    life = await system.attribute()
    await life.record("accepted")
    await life.record("sv_entered")
    view = await departing.announce(desk, life.start.physician, left(40), now=now())
    assert view["state"] == "announced"
    assert (await life.view())["history"][-1]["fact"] == "sv_entered"
    await life.skip(timedelta(days=41))
    await system.skipper.fast_forward(handle(system, view), timedelta(days=41))
    done = await handle(system, view).result()
    assert done["reached"] == 1
    ended = await life.reaches("physician_left")
    assert ended["sv"]["end"] == str(today() + timedelta(days=39))
    assert await life.place() == "waiting"


async def test_a16_from_the_notice_no_new_block_and_a_drawn_list_is_withdrawn(
    system: System, desk: Desk
) -> None:
    rls, licence, _ = await system.people(4)
    ids = await attributed(desk, licence, 1)
    drawn = await acting.request_block(desk, licence, 2, by=BY, now=now())
    view = await departing.announce(desk, licence, left(30), now=now())
    assert (view["state"], view["withdrawn_blocks"]) == ("announced", [drawn["block_id"]])
    assert view["deadline"] == start_of_day(today() + timedelta(days=30), ZONE).isoformat().replace(
        "+00:00", "Z"
    )
    shown = await acting.show_block(desk, drawn["block_id"])
    assert (shown["state"], "A16" in shown["reason"]) == ("withdrawn", True)
    with pytest.raises(RefusedByRuleError) as refused:
        await acting.request_block(desk, licence, 1, by=BY, now=now())
    assert refused.value.reason.rule == "A16"
    assert (await acting.show_attribution(desk, ids[0]))["state"] == "proposed"
    assert await told(system, ids) == {}
    waiting = await system.rows("SELECT count(*) FROM patients WHERE rls = $1 AND place = 'waiting'", rls)
    assert waiting[0]["count"] == 3


async def test_a16_a_departure_withdrawn_leaves_nothing_behind(system: System, desk: Desk) -> None:
    _, licence, _ = await system.people(3)
    ids = await attributed(desk, licence, 1)
    view = await departing.announce(desk, licence, left(30), now=now())
    assert (view["reached"], view["remaining"]) == (0, 1)
    assert await departing.announce(desk, licence, left(30), now=now()) == view
    with pytest.raises(RefusedByRuleError) as refused:
        await departing.announce(desk, licence, left(31), now=now())
    assert refused.value.reason.rule == "A20"
    for _ in range(2):
        stays = await departing.withdraw(desk, licence, by=BY, reason="il reste", now=now())
        assert (stays["state"], stays["reason"], stays["deadline"]) == ("withdrawn", "il reste", None)
        assert stays["remaining"] == 0
    assert await told(system, ids) == {}
    assert len(await attributed(desk, licence, 1)) == 1
    again = await departing.announce(desk, licence, left(60), now=now())
    assert again["departure_id"] == f"{licence}-2"
    with pytest.raises(RefusedByRuleError) as refused:
        await departing.withdraw(desk, licence, by=BY, reason="", now=now())
    assert refused.value.reason.field == "reason"


async def test_a16_once_effective_it_is_not_withdrawn_and_the_physician_may_come_back(
    system: System, desk: Desk
) -> None:
    _, licence, _ = await system.people(2)
    view = await departing.announce(desk, licence, left(), now=now())
    await handle(system, view).result()
    with pytest.raises(RefusedByRuleError) as refused:
        await departing.withdraw(desk, licence, by=BY, reason="il reste", now=now())
    assert refused.value.reason.rule == "A16"
    stamp = Stamp(BY, now(), "réengagement")
    async with system.pool.acquire() as conn:
        assert [await departing.come_back(conn, licence, today(), stamp) for _ in range(2)] == [True, False]
        shown = await departing.show_physician(conn, licence)
    assert (shown.leaves_on, [each.state for each in shown.departures]) == (None, ["done"])
    assert len(await attributed(desk, licence, 1)) == 1
    again = await departing.announce(desk, licence, left(), now=now())
    assert (await handle(system, again).result())["reached"] == 1


async def test_a16_an_attribution_that_expired_learns_of_it_and_still_waits_for_a_late_form(
    system: System, desk: Desk
) -> None:
    life = await system.attribute()
    await life.record("accepted")
    await life.record("sv_entered")
    await life.skip(timedelta(days=400))
    await life.reaches("expired")
    view = await departing.announce(desk, life.start.physician, left(), now=now())
    assert (await handle(system, view).result())["reached"] == 1

    async def noted() -> bool:
        return bool((await life.view())["history"][-1]["fact"] == "physician_left")

    await until(noted, within_seconds=20)
    assert (await life.view())["state"] == "expired"


async def test_a16_what_is_not_a_withdrawal_is_kept_with_its_reason(system: System, desk: Desk) -> None:
    _, licence, _ = await system.people(1)
    view = await departing.announce(desk, licence, left(30), now=now())
    departure = handle(system, view)
    await departure.signal("withdrawn", ["illisible"])
    await departure.signal("approved", {"by": BY})
    await departure.cancel()

    async def kept() -> bool:
        return bool((await departure.query("view"))["refused_count"] == 3)

    await until(kept, within_seconds=20)
    rules = {each["rule"] for each in (await departure.query("view"))["refused_facts"]}
    assert rules == {"form", "A16"}
    await departure.signal("withdrawn", {"by": BY, "reason": "il reste"})
    assert (await departure.result())["state"] == "withdrawn"
    rows = await system.rows("SELECT FROM records WHERE subject_id = $1 AND refused", view["departure_id"])
    assert len(rows) == 3


async def test_a16_the_temporal_ui_shows_whose_it_is_and_when(system: System, desk: Desk) -> None:
    rls, licence, _ = await system.people(1)
    view = await departing.announce(desk, licence, left(30), now=now())
    ours = f"WorkflowType = 'PhysicianDeparture' AND Physician = '{licence}' AND Rls = '{rls}'"
    query = f"{ours} AND Deadline > '{today()}T00:00:00Z'"

    async def listed() -> bool:
        return [each.id async for each in system.client.list_workflows(query)] == [handle(system, view).id]

    await until(listed, within_seconds=20)
    described = await handle(system, view).describe()
    assert await described.static_summary() == f"Départ du médecin {licence} le {view['on']} (retraite)"


async def test_nobody_leaves_who_is_not_a_physician(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        await departing.announce(desk, "99999", left(), now=now())
    with pytest.raises(NotFoundError):
        await departing.withdraw(desk, "99999", by=BY, reason="x", now=now())
    async with desk.pool.acquire() as conn:
        with pytest.raises(NotFoundError):
            await reading.show_physician(conn, "99999")
