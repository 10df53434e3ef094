"""Replacement on the real servers: cancelled, back at the initial date, another of the same priority (R5, A8, A17)."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from gamf.client import acting, reading
from gamf.client.acting import Desk
from gamf.domain.names import block_workflow_id
from gamf.runtime.polling import until
from gamf.storage.invariants import violations
from gamf.storage.lists import TaskFilter
from tests.system import System, add_network, add_patients, add_physician

BY = "coordo"
APPROVED = {"fact": "approved", "by": BY}
ACCEPTED = {"fact": "list_accepted", "by": BY}
Block = WorkflowHandle[Any, Any]


class Case:
    """A block that is attributed, and those who wait behind it."""

    def __init__(self, system: System, block: Block, rls: str, licence: str) -> None:
        self.system = system
        self.desk = Desk(system.pool, system.client)
        self.block = block
        self.rls = rls
        self.licence = licence

    @property
    def block_id(self) -> str:
        return self.block.id.removeprefix("block-")

    async def listed(self) -> list[dict[str, Any]]:
        return list((await self.block.query("view"))["list"])

    async def tell(self, attribution_id: str, fact: str, **more: object) -> dict[str, Any]:
        given = {"by": BY, **more}
        return await acting.record_fact(self.desk, attribution_id, fact, given, now=datetime.now(UTC))

    async def cancel(self, attribution_id: str, reason: str = "conflit déclaré") -> str | None:
        view = await self.tell(attribution_id, "cancelled", reason=reason)
        assert view["state"] == "cancelled"
        replaced_by: str | None = view["replaced_by"]
        return replaced_by

    async def counts(self) -> dict[str, int]:
        counted: dict[str, int] = (await acting.show_block(self.desk, self.block_id))["counts"]
        return counted

    async def lists(self, attribution_id: str) -> dict[str, Any]:
        """Wait until the block has heard of an attribution; return its line."""

        async def there() -> bool:
            return attribution_id in {each["attribution_id"] for each in await self.listed()}

        await until(there, within_seconds=20)
        (line,) = [each for each in await self.listed() if each["attribution_id"] == attribution_id]
        return line

    async def place(self, patient_id: str) -> tuple[str, Any]:
        (row,) = await self.system.rows(
            "SELECT place, registered_on FROM patients WHERE patient_id = $1", patient_id
        )
        return row["place"], row["registered_on"]


async def attributed(system: System, size: int, behind: Sequence[str] = ()) -> Case:
    """Attribute a block of priority C, with one person waiting behind it for each priority given, in that order."""
    rls, licence, _ = await system.people(size)
    async with system.pool.acquire() as conn:
        for priority in behind:
            await add_patients(conn, rls, 1, priority=priority)
    if any(priority < "C" for priority in behind):
        raise AssertionError("they would be drawn with the block")
    block = await system.request(rls, licence, size)
    await block.execute_update("record", APPROVED)
    return Case(system, block, rls, licence)


async def test_r5_a17_cancelled_goes_back_and_another_of_the_same_priority_is_attributed(
    system: System,
) -> None:
    case = await attributed(system, 2, ["D", "C", "C"])
    first, second = await case.listed()
    before = await case.place(first["patient_id"])
    new = await case.cancel(first["attribution_id"])
    assert new is not None
    line = await case.lists(new)
    assert (line["priority"], line["state"], line["replaces"]) == ("C", "proposed", first["attribution_id"])
    assert await case.place(first["patient_id"]) == ("waiting", before[1])
    assert (await case.place(line["patient_id"]))[0] == "attributed"
    assert await case.counts() == {"cancelled": 1, "proposed": 2}
    shown = await acting.show_attribution(case.desk, new)
    assert (shown["replaces"], shown["block_id"]) == (first["attribution_id"], case.block_id)
    (cancelled,) = await system.rows(
        "SELECT at FROM records WHERE subject_id = $1 AND event = 'cancelled'", first["attribution_id"]
    )
    assert datetime.fromisoformat(shown["deadline"]) == cancelled["at"] + timedelta(hours=72)
    (record,) = await system.rows("SELECT * FROM records WHERE subject_id = $1", new)
    assert (record["by"], record["argument"]) == (BY, {"replaces": first["attribution_id"]})
    await case.block.execute_update("record", ACCEPTED)
    closed = await case.block.result()
    assert closed["counts"] == {"cancelled": 1, "confirmed": 2}
    assert second["attribution_id"] in {each["attribution_id"] for each in closed["list"]}


async def test_a17_the_first_of_the_list_and_never_another_priority(system: System) -> None:
    case = await attributed(system, 1, ["D", "C", "C"])
    waiting = await system.rows(
        """
        SELECT patient_id FROM patients WHERE rls = $1 AND place = 'waiting' AND priority = 'C'
        ORDER BY registered_on, number
        """,
        case.rls,
    )
    drawn = []
    (line,) = await case.listed()
    while new := await case.cancel(line["attribution_id"]):
        line = await case.lists(new)
        drawn.append(line["patient_id"])
    assert drawn == [row["patient_id"] for row in waiting]
    (task,) = await system.rows("SELECT * FROM tasks WHERE attribution_id = $1", line["attribution_id"])
    assert (task["kind"], task["owner"], task["closed_at"]) == ("no_replacement", "coordinator", None)
    closed = await case.block.result()
    assert closed["counts"] == {"cancelled": 3}
    async with system.pool.acquire() as conn:
        page = await reading.list_tasks(conn, TaskFilter(owner="coordinator", rls=case.rls))
    (view,) = [each for each in page.items if each.attribution_id == line["attribution_id"]]
    assert "A17" in view.decide_fr
    assert f"gamf register list --rls {case.rls} --place waiting" in view.commands


async def test_a8_a17_nobody_whom_this_physician_was_refused_by_and_nobody_who_was_cancelled_before(
    system: System,
) -> None:
    case = await attributed(system, 2, ["C"])
    (refused, other) = await case.listed()
    await case.tell(refused["attribution_id"], "refused", reason="hors champ")
    new = await case.cancel(other["attribution_id"])
    assert new is not None
    line = await case.lists(new)
    assert line["patient_id"] not in {refused["patient_id"], other["patient_id"]}
    # Both wait again, and neither may come back: one is never offered to this physician, the other was cancelled.
    assert await case.cancel(new) is None
    assert (await case.block.result())["counts"] == {"refused": 1, "cancelled": 2}


async def test_r5_a_reason_that_is_not_exceptional_brings_nobody_and_no_task(system: System) -> None:
    case = await attributed(system, 1, ["C"])
    (line,) = await case.listed()
    assert await case.cancel(line["attribution_id"], "administrative") is None
    assert await system.rows("SELECT FROM tasks WHERE attribution_id = $1", line["attribution_id"]) == []
    assert (await case.block.result())["counts"] == {"cancelled": 1}
    assert (await case.place(line["patient_id"]))[0] == "waiting"


async def test_a16_a17_nobody_for_a_physician_whose_departure_is_announced(system: System) -> None:
    case = await attributed(system, 2, ["C"])
    one, other = await case.listed()
    await case.tell(one["attribution_id"], "physician_left", on="2190-01-01", cause="retired")
    assert await case.cancel(other["attribution_id"]) is None
    (task,) = await system.rows("SELECT kind FROM tasks WHERE attribution_id = $1", other["attribution_id"])
    assert task["kind"] == "no_replacement"


async def test_a17_a_cancellation_sent_twice_brings_one_patient(system: System) -> None:
    case = await attributed(system, 1, ["C", "C"])
    (line,) = await case.listed()
    first = await case.cancel(line["attribution_id"])
    assert await case.cancel(line["attribution_id"]) == first
    await system.life(line["attribution_id"]).result()
    assert len(await system.rows("SELECT FROM attributions WHERE block_id = $1", case.block_id)) == 2


async def test_a17_cancelled_all_at_once_never_share_a_replacement(system: System) -> None:
    case = await attributed(system, 12, ["C"] * 8)
    lines = await case.listed()
    new = await asyncio.gather(*(case.cancel(each["attribution_id"]) for each in lines))
    drawn = [each for each in new if each]
    assert len(drawn) == len(set(drawn)) == 8
    (found,) = await system.rows(
        "SELECT count(DISTINCT patient_id) AS people FROM attributions WHERE block_id = $1 AND under_way",
        case.block_id,
    )
    assert found["people"] == 8
    tasks = await system.rows(
        "SELECT FROM tasks t JOIN attributions a USING (attribution_id) WHERE a.block_id = $1", case.block_id
    )
    assert len(tasks) == 4


async def test_a17_a_replacement_of_a_block_that_has_closed_is_on_its_list_with_72_hours_of_its_own(
    system: System,
) -> None:
    case = await attributed(system, 1, ["C"])
    (line,) = await case.listed()
    await case.block.execute_update("record", ACCEPTED)
    await case.block.result()
    new = await case.cancel(line["attribution_id"])
    assert new is not None
    shown = await acting.show_block(case.desk, case.block_id)
    assert (shown["state"], shown["counts"]) == ("closed", {"cancelled": 1, "proposed": 1})
    assert [(each["attribution_id"], each["replaces"]) for each in shown["list"]] == [
        (line["attribution_id"], None),
        (new, line["attribution_id"]),
    ]
    assert (await case.tell(new, "accepted"))["state"] == "confirmed"
    letters = await system.rows("SELECT FROM letters WHERE attribution_id = $1", new)
    assert len(letters) == 1


async def test_a17_a_replacement_that_nobody_answers_lapses_as_any_other(system: System) -> None:
    case = await attributed(system, 1, ["C"])
    (line,) = await case.listed()
    new = await case.cancel(line["attribution_id"])
    assert new is not None
    await case.lists(new)
    await system.skipper.fast_forward(system.life(new), timedelta(days=14))
    assert (await case.block.result())["counts"] == {"cancelled": 1, "lapsed": 1}


async def test_a17_a_list_answered_before_the_replacement_was_drawn_does_not_speak_of_it(
    system: System,
) -> None:
    case = await attributed(system, 2, ["C"])
    first, second = await case.listed()
    answered_at = datetime.fromisoformat((await case.block.query("view"))["attributed_at"])
    new = await case.cancel(first["attribution_id"])
    assert new is not None
    await case.lists(new)
    view = await case.block.execute_update("record", ACCEPTED | {"at": answered_at.isoformat()})
    assert view["counts"] == {"cancelled": 1, "confirmed": 1, "proposed": 1}
    assert (await acting.show_attribution(case.desk, new))["refused_count"] == 0
    await case.block.execute_update("record", {"fact": "list_refused", "by": BY, "reason": "congé"})
    closed = await case.block.result()
    assert closed["counts"] == {"cancelled": 1, "confirmed": 1, "refused": 1}
    assert (await case.place(second["patient_id"]))[0] == "attributed"


async def test_a17_a_report_that_cannot_be_read_is_kept_as_refused_and_lists_nobody(system: System) -> None:
    case = await attributed(system, 1)
    (line,) = await case.listed()
    report = {
        "attribution_id": line["attribution_id"],
        "state": "cancelled",
        "replacement": {"patient_id": 7},
    }
    await case.block.signal("attribution_changed", report)

    async def kept() -> bool:
        return bool((await case.block.query("view"))["refused_count"])

    await until(kept, within_seconds=20)
    assert [each["state"] for each in await case.listed()] == ["proposed"]


async def test_a17_another_rls_gives_nobody(system: System) -> None:
    case = await attributed(system, 1)
    async with system.pool.acquire() as conn:
        elsewhere = await add_network(conn)
        await add_physician(conn, elsewhere)
        await add_patients(conn, elsewhere, 3)
    (line,) = await case.listed()
    assert await case.cancel(line["attribution_id"]) is None


@pytest.mark.parametrize("signalled", [True, False])
async def test_a4_every_mix_of_answers_ends_with_each_patient_where_theirs_leads(
    system: System, *, signalled: bool
) -> None:
    case = await attributed(system, 6, ["C", "C"])
    lines = await case.listed()
    ids = [each["attribution_id"] for each in lines]
    await case.tell(ids[0], "refused", reason="lien familial")
    await case.tell(ids[1], "accepted")
    first = await case.cancel(ids[2])
    second = await case.cancel(ids[1])
    assert first is not None
    assert second is not None
    await asyncio.gather(case.lists(first), case.lists(second))
    await case.tell(first, "refused", reason="hors champ")
    await case.tell(ids[3], "patient_refused", ground="préfère attendre")
    if signalled:
        await case.block.signal("list_accepted", {"by": BY})
        await case.block.signal("list_accepted", {"by": BY})
    else:
        await case.block.execute_update("record", ACCEPTED)
    closed = await case.block.result()
    final = {"refused": 2, "cancelled": 2, "patient_refused": 1, "confirmed": 3}
    assert await case.counts() == final
    assert closed["state"] == "closed"
    confirmed = [ids[4], ids[5], second]
    rows = await system.rows(
        "SELECT attribution_id FROM attributions WHERE block_id = $1 AND state = 'confirmed'", case.block_id
    )
    assert {row["attribution_id"] for row in rows} == set(confirmed)
    async with system.pool.acquire() as conn:
        mine = {each["patient_id"] for each in lines} | set(ids) | {case.block_id}
        assert [each for each in await violations(conn) if each.subject_id in mine] == []


@pytest.mark.long
async def test_a3_a_list_accepted_in_the_grace_reaches_whoever_is_late_and_after_the_lapse_nobody(
    system: System,
) -> None:
    case = await attributed(system, 3)
    ids = [each["attribution_id"] for each in await case.listed()]
    await system.skipper.fast_forward(system.life(ids[0]), timedelta(hours=73))
    await system.skipper.fast_forward(system.life(ids[1]), timedelta(days=14))

    async def late() -> bool:
        states = [each["state"] for each in await case.listed()]
        return states == ["unanswered", "lapsed", "proposed"]

    await until(late, within_seconds=20)
    await case.block.execute_update("record", ACCEPTED)
    closed = await case.block.result()
    assert closed["counts"] == {"confirmed": 2, "lapsed": 1}
    assert block_workflow_id(case.block_id) == case.block.id
