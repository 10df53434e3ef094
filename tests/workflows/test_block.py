"""The workflow `Block` on real servers: drawn, approved, answered; never a patient in two blocks."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from gamf.domain.names import block_workflow_id
from gamf.runtime.polling import until
from gamf.storage import numbers
from gamf.storage.invariants import Violation, violations
from tests.system import System, add_patients, add_physician
from tests.workflows.resetting import reset_to_beginning

APPROVED = {"fact": "approved", "by": "coordo"}
ACCEPTED = {"fact": "list_accepted", "by": "coordo"}


async def places(system: System, rls: str) -> dict[str, int]:
    rows = await system.rows("SELECT place, count(*) FROM patients WHERE rls = $1 GROUP BY place", rls)
    return {row["place"]: row["count"] for row in rows}


def reason(error: WorkflowUpdateFailedError) -> dict[str, Any]:
    assert isinstance(error.cause, ApplicationError)
    found: dict[str, Any] = error.cause.details[0]
    return found


@pytest.mark.parametrize("size", [1, 20])
async def test_from_the_request_to_the_last_answer(system: System, size: int) -> None:
    rls, licence, _ = await system.people(size + 5)
    block = await system.request(rls, licence, size)
    drawn = await block.query("view")
    assert (drawn["state"], drawn["counts"]) == ("drawn", {"drawn": size})
    assert await places(system, rls) == {"proposed": size, "waiting": 5}
    approved = await block.execute_update("record", APPROVED)
    assert (approved["state"], approved["counts"]) == ("attributed", {"proposed": size})
    assert await places(system, rls) == {"attributed": size, "waiting": 5}
    await block.execute_update("record", ACCEPTED)
    closed = await block.result()
    assert (closed["state"], closed["counts"]) == ("closed", {"confirmed": size})
    rows = await system.rows(
        "SELECT DISTINCT state FROM attributions WHERE block_id = $1", closed["block_id"]
    )
    assert [row["state"] for row in rows] == ["confirmed"]


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_block_of_850_and_the_next_one(system: System) -> None:
    rls, licence, _ = await system.people(1_000)
    for size in (850, 150):
        block = await system.request(rls, licence, size)
        approved = await block.execute_update("record", APPROVED)
        assert approved["counts"] == {"proposed": size}
        await block.execute_update("record", ACCEPTED)
        assert (await block.result())["counts"] == {"confirmed": size}
    assert await places(system, rls) == {"attributed": 1_000}
    letters = await system.rows(
        """
        SELECT count(*) FROM letters l JOIN attributions a USING (attribution_id) WHERE a.rls = $1
        """,
        rls,
    )
    assert letters[0]["count"] == 1_000


async def test_a18_the_list_is_drawn_by_priority_then_date_then_number(system: System) -> None:
    rls, licence, later = await system.people(3)
    async with system.pool.acquire() as conn:
        urgent = await add_patients(conn, rls, 2, priority="A")
    block = await system.request(rls, licence, 4)
    drawn = [member["patient_id"] for member in (await block.query("view"))["list"]]
    assert drawn == [*urgent, *later[:2]]


async def test_a21_nobody_is_attributed_before_the_approval(system: System) -> None:
    rls, licence, _ = await system.people(2)
    block = await system.request(rls, licence, 2)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await block.execute_update("record", ACCEPTED)
    assert reason(refused.value)["rule"] == "R6"
    assert await system.rows("SELECT FROM attributions WHERE rls = $1", rls) == []
    withdrawn = await block.execute_update(
        "record", {"fact": "withdrawn", "by": "coordo", "reason": "erreur"}
    )
    assert withdrawn["state"] == "withdrawn"
    assert await places(system, rls) == {"waiting": 2}


async def test_a4_by_patient_then_by_list(system: System) -> None:
    rls, licence, _ = await system.people(3)
    block = await system.request(rls, licence, 3)
    approved = await block.execute_update("record", APPROVED)
    first = system.life(approved["list"][0]["attribution_id"])
    await first.execute_update("record", {"fact": "refused", "by": "coordo", "reason": "lien familial"})
    await block.execute_update("record", {"fact": "list_accepted", "by": "coordo"})
    closed = await block.result()
    assert closed["counts"] == {"refused": 1, "confirmed": 2}
    assert await places(system, rls) == {"waiting": 1, "attributed": 2}


async def test_a8_who_was_refused_is_not_offered_the_same_physician(system: System) -> None:
    rls, licence, (first, second) = await system.people(2)
    block = await system.request(rls, licence, 1)
    await block.execute_update("record", APPROVED)
    await block.execute_update("record", {"fact": "list_refused", "by": "coordo", "reason": "hors champ"})
    await block.result()
    again = await system.request(rls, licence, 2)
    assert [member["patient_id"] for member in (await again.query("view"))["list"]] == [second]
    async with system.pool.acquire() as conn:
        other = await add_physician(conn, rls)
    elsewhere = await system.request(rls, other, 2)
    assert [member["patient_id"] for member in (await elsewhere.query("view"))["list"]] == [first]


@pytest.mark.parametrize("status", ["non_participating", "disengaged"])
async def test_r3_only_a_participating_physician(system: System, status: str) -> None:
    rls, _, _ = await system.people(1)
    async with system.pool.acquire() as conn:
        licence = await add_physician(conn, rls, status)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await system.request(rls, licence, 1)
    assert reason(refused.value)["rule"] == "R3"
    assert await places(system, rls) == {"waiting": 1}


async def test_r3_only_in_their_own_rls(system: System) -> None:
    rls, _, _ = await system.people(1)
    _, foreigner, _ = await system.people(1)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await system.request(rls, foreigner, 1)
    assert reason(refused.value)["rule"] == "R3"


async def test_a16_no_new_block_from_the_notice(system: System) -> None:
    life = await system.attribute()
    await life.record("physician_left", on="2190-01-01", cause="retired")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await system.request(life.start.rls, life.start.physician, 1)
    assert reason(refused.value)["rule"] == "A16"


async def refused_approval(system: System, block: "WorkflowHandle[Any, Any]", rls: str) -> str:
    """Approve a list of two whose physician is not eligible; return the rule, once nobody is seen to be attributed."""
    block_id = (await block.query("view"))["block_id"]
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await block.execute_update("record", APPROVED)
    view = await block.query("view")
    assert (view["state"], view["counts"]) == ("drawn", {"drawn": 2})
    assert view["deadline"] is not None
    assert (await places(system, rls))["proposed"] == 2
    assert await system.rows("SELECT FROM attributions WHERE block_id = $1", block_id) == []
    assert await forbidden(system, block_id) == []

    async def kept() -> bool:
        sql = "SELECT FROM records WHERE subject = 'block' AND subject_id = $1 AND event = 'approved' AND refused"
        return len(await system.rows(sql, block_id)) == 1

    await until(kept, within_seconds=20)
    return str(reason(refused.value)["rule"])


async def forbidden(system: System, block_id: str) -> list[Violation]:
    """Return the violations of the invariants by a block and those on its list."""
    rows = await system.rows("SELECT patient_id FROM block_patients WHERE block_id = $1", block_id)
    mine = {block_id} | {row["patient_id"] for row in rows}
    async with system.pool.acquire() as conn:
        return [each for each in await violations(conn) if each.subject_id in mine]


@pytest.mark.parametrize("status", ["non_participating", "disengaged"])
async def test_r3_nobody_is_attributed_to_whoever_stopped_participating_since_the_draw(
    system: System, status: str
) -> None:
    rls, licence, _ = await system.people(2)
    block = await system.request(rls, licence, 2)
    await system.pool.execute("UPDATE physicians SET status = $2 WHERE licence = $1", licence, status)
    assert await refused_approval(system, block, rls) == "R3"
    # A mistake in a file is mended, and the same list approved.
    await system.pool.execute("UPDATE physicians SET status = 'participating' WHERE licence = $1", licence)
    approved = await block.execute_update("record", APPROVED)
    assert (approved["state"], approved["counts"]) == ("attributed", {"proposed": 2})
    assert await places(system, rls) == {"attributed": 2}


async def test_a16_nobody_is_attributed_to_whoever_is_leaving_since_the_draw(system: System) -> None:
    life = await system.attribute()
    rls, licence = life.start.rls, life.start.physician
    async with system.pool.acquire() as conn:
        await add_patients(conn, rls, 2)
    block = await system.request(rls, licence, 2)
    await life.record("physician_left", on="2190-01-01", cause="retired")
    assert await refused_approval(system, block, rls) == "A16"
    await block.execute_update("record", {"fact": "withdrawn", "by": "coordo", "reason": "départ"})
    assert (await block.result())["counts"] == {"waiting": 2}
    assert await places(system, rls) == {"attributed": 1, "waiting": 2}


async def test_r3_an_approval_refused_by_signal_leaves_the_list_to_its_deadline(system: System) -> None:
    rls, licence, _ = await system.people(2)
    block = await system.request(rls, licence, 2)
    await system.pool.execute("UPDATE physicians SET status = 'disengaged' WHERE licence = $1", licence)
    await block.signal("approved", {"by": "coordo"})

    async def refused() -> bool:
        return bool((await block.query("view"))["refused_count"])

    await until(refused, within_seconds=20)
    assert (await block.query("view"))["refused_facts"][0]["rule"] == "R3"
    await system.skipper.fast_forward(block, timedelta(days=21))
    assert (await block.result())["state"] == "withdrawn"
    assert await places(system, rls) == {"waiting": 2}


async def test_nobody_waits(system: System) -> None:
    rls, licence, _ = await system.people(1)
    await system.request(rls, licence, 1)
    block = await system.request(rls, licence, 1)
    assert (await block.result())["state"] == "withdrawn"


async def test_two_blocks_drawn_at_once_never_share_a_patient(system: System) -> None:
    rls, licence, everybody = await system.people(40)
    blocks = await asyncio.gather(*(system.request(rls, licence, 6) for _ in range(8)))
    drawn = [member["patient_id"] for block in blocks for member in (await block.query("view"))["list"]]
    assert len(drawn) == len(set(drawn)) == 40
    assert set(drawn) == set(everybody)


async def test_approved_twice_attributes_once(system: System) -> None:
    rls, licence, _ = await system.people(5)
    block = await system.request(rls, licence, 5)
    await block.signal("approved", {"by": "coordo"})
    await block.signal("approved", {"by": "coordo"})

    async def refused() -> bool:
        return bool((await block.query("view"))["refused_count"])

    await until(refused, within_seconds=20)
    view = await block.query("view")
    assert (view["state"], view["refused_facts"][0]["rule"]) == ("attributed", "A21")
    rows = await system.rows("SELECT FROM attributions WHERE rls = $1", rls)
    assert len(rows) == 5


@pytest.mark.parametrize("argument", [None, [], {}, {"by": ""}, {"by": "c", "x": 1}])
async def test_a_malformed_signal_is_kept(system: System, argument: object) -> None:
    rls, licence, _ = await system.people(1)
    block = await system.request(rls, licence, 1)
    await block.signal("approved", argument)
    await block.signal("unheard_of", argument)
    await block.execute_update("record", APPROVED)
    view = await block.query("view")
    assert [kept["fact"] for kept in view["refused_facts"]] == ["approved", "unheard_of"]
    assert view["state"] == "attributed"


@pytest.mark.parametrize("states", [None, [], "x", {"2026-000001": []}, {"2026-000001": "unheard_of"}])
async def test_a_malformed_report_is_kept(system: System, states: object) -> None:
    rls, licence, _ = await system.people(1)
    block = await system.request(rls, licence, 1)
    await block.signal("attributions_changed", {"states": states})
    view = await block.execute_update("record", APPROVED)
    assert [kept["fact"] for kept in view["refused_facts"]] == ["attributions_changed"]
    assert view["counts"] == {"proposed": 1}


async def test_cancelling_the_workflow_does_not_end_the_block(system: System) -> None:
    rls, licence, _ = await system.people(1)
    block = await system.request(rls, licence, 1)
    await block.cancel()
    view = await block.execute_update("record", APPROVED)
    assert view["state"] == "attributed"
    assert [kept["fact"] for kept in view["refused_facts"]] == ["cancel"]


async def test_a_block_that_is_reset_to_its_beginning_finds_the_list_that_was_attributed(
    system: System,
) -> None:
    rls, licence, _ = await system.people(4)
    block = await system.request(rls, licence, 3)
    approved = await block.execute_update("record", APPROVED)
    (first, *_) = approved["list"]
    await system.life(first["attribution_id"]).execute_update("record", {"fact": "accepted", "by": "coordo"})
    counts = {"confirmed": 1, "proposed": 2}
    await until(lambda: _counted(block, counts), within_seconds=30)
    await reset_to_beginning(system.client, block)
    again = system.client.get_workflow_handle(block.id)
    await until(lambda: _counted(again, counts), within_seconds=30)
    view = await again.query("view")
    assert [view["state"], view["attributed_at"]] == ["attributed", approved["attributed_at"]]
    await again.execute_update("record", ACCEPTED)
    assert (await again.result())["counts"] == {"confirmed": 3}
    assert await places(system, rls) == {"attributed": 3, "waiting": 1}


async def _counted(block: WorkflowHandle[Any, Any], counts: dict[str, int]) -> bool:
    return bool((await block.query("view"))["counts"] == counts)


async def test_a_silent_block_closes_when_its_last_attribution_lapses(system: System) -> None:
    rls, licence, _ = await system.people(1)
    block = await system.request(rls, licence, 1)
    (member,) = (await block.execute_update("record", APPROVED))["list"]
    await system.skipper.fast_forward(system.life(member["attribution_id"]), 14 * 86_400)
    closed = await block.result()
    assert (closed["state"], closed["counts"]) == ("closed", {"lapsed": 1})


async def test_the_number_of_a_block_is_given_once(system: System) -> None:
    async def one() -> int:
        async with system.pool.acquire() as conn:
            return await numbers.next_number(conn, "block", 2031)

    taken = await asyncio.gather(*(one() for _ in range(30)))
    assert sorted(taken) == list(range(1, 31))
    assert block_workflow_id("2031-0001") == "block-2031-0001"
