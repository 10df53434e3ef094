"""The database and the workflows set apart by hand, on real servers: each difference is mended or asked about."""

import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest

from gamf.client import acting, comparing, departing, reconciling
from gamf.client.acting import Desk
from gamf.client.reconciling import Finding
from gamf.domain.facts import PhysicianLeft
from gamf.domain.names import block_workflow_id, departure_workflow_id
from gamf.domain.policy import CURRENT, Policy
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.polling import until
from gamf.storage import invariants
from tests.clock import today
from tests.system import Life, System, running

# Servers and processes begin and end in each: together they take longer than `make test` may.
pytestmark = pytest.mark.long

BY = "coordination"


@pytest.fixture(scope="module")
async def apart(postgres: EmbeddedPostgres) -> AsyncGenerator[System]:
    """Return a whole system of its own: everything on both sides is compared."""
    url = await postgres.create_database(f"reconcile_{uuid4().hex}", template="migrated")
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        async with (
            EmbeddedTemporal(Path(name), ui_port=None, durable=False, time_skipping=True) as server,
            running(url, server.address, Path(name) / "outbox") as system,
        ):
            yield system


@pytest.fixture
def desk(apart: System) -> Desk:
    return Desk(apart.pool, apart.client)


async def reconciled(desk: Desk, *, dry_run: bool = False) -> list[tuple[str, str, str]]:
    found: list[Finding] = [
        each async for each in reconciling.reconcile(desk, now=datetime.now(UTC), dry_run=dry_run)
    ]
    return [(each.reference, each.difference.value, each.outcome) for each in found]


_GUARDED = ("records", "enrolments", "attributions", "patients")
_COUNTS = ("waiting_counted_in", "waiting_counted")
"""They forbid nothing: they count who waits, whoever moves them."""


async def by_hand(system: System, reference: str, *statements: str) -> None:
    """Change rows as nobody may: with the guards off; `$1` is the attribution."""
    async with system.pool.acquire() as conn, conn.transaction():
        for table in _GUARDED:
            await conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for trigger in _COUNTS:
            await conn.execute(f"ALTER TABLE patients ENABLE TRIGGER {trigger}")
        for statement in statements:
            await conn.execute(statement, reference)
        for table in _GUARDED:
            await conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


async def stop(life: Life) -> None:
    await stop_workflow(life.system, life.handle.id)


async def stop_workflow(system: System, workflow_id: str) -> None:
    await system.client.get_workflow_handle(workflow_id).terminate("à la main")
    await until(lambda: unlisted(system, workflow_id), within_seconds=20)


async def forget(life: Life) -> None:
    await forget_workflow(life.system, life.handle.id)


async def forget_workflow(system: System, workflow_id: str) -> None:
    """Have Temporal lose all that it has of a workflow."""
    execution = WorkflowExecution(workflow_id=workflow_id)
    request = DeleteWorkflowExecutionRequest(namespace=system.client.namespace, workflow_execution=execution)
    await system.client.workflow_service.delete_workflow_execution(request)

    async def forgotten() -> bool:
        found = await comparing.describe(system.client, workflow_id)
        return found is None and await unlisted(system, workflow_id)

    await until(forgotten, within_seconds=20)


async def unlisted(system: System, workflow_id: str) -> bool:
    query = f"WorkflowId = '{workflow_id}' AND ExecutionStatus = 'Running'"
    return (await system.client.count_workflows(query)).count == 0


async def lived(system: System, *facts: str) -> Life:
    life = await attributed(system)
    for fact in facts:
        await life.record(fact)
    return life


async def attributed(system: System, policy: Policy = CURRENT) -> Life:
    life = await system.attribute(policy=policy)

    async def written() -> bool:
        return await life.place() == "attributed"

    await until(written, within_seconds=20)
    await life.view()
    return life


async def whole(system: System) -> None:
    async with system.pool.acquire() as conn:
        assert await invariants.violations(conn) == []


async def test_two_sides_that_agree_are_left_alone(apart: System, desk: Desk) -> None:
    life = await lived(apart, "accepted", "sv_entered")
    assert await reconciled(desk) == []
    assert (await life.view())["state"] == "enrolled_sv"


@pytest.mark.parametrize("facts", [(), ("accepted",), ("accepted", "sv_entered")])
async def test_a_workflow_stopped_by_hand_goes_on(apart: System, desk: Desk, facts: Sequence[str]) -> None:
    life = await lived(apart, *facts)
    before = await life.view()
    await stop(life)
    expected = (life.start.attribution_id, "stopped")
    assert await reconciled(desk, dry_run=True) == [(*expected, "found")]
    assert await reconciled(desk) == [(*expected, "mended")]
    assert await life.view() == before
    assert await reconciled(desk) == []
    await whole(apart)


@pytest.mark.parametrize("facts", [(), ("accepted",), ("accepted", "sv_entered")])
async def test_a_workflow_that_temporal_lost_begins_where_the_record_is(
    apart: System, desk: Desk, facts: Sequence[str]
) -> None:
    life = await lived(apart, *facts)
    before = await life.view()
    await forget(life)
    expected = (life.start.attribution_id, "never_started")
    assert await reconciled(desk) == [(*expected, "mended")]
    assert await life.view() == before
    # It goes on to its end by the rules.
    view = await life.record("patient_refused", ground="autre")
    assert view["state"] == "patient_refused"
    await whole(apart)


async def test_a_row_that_was_removed_is_written_again(apart: System, desk: Desk) -> None:
    life = await lived(apart)
    before = dict(await life.row())
    await by_hand(apart, life.start.attribution_id, "DELETE FROM attributions WHERE attribution_id = $1")
    expected = (life.start.attribution_id, "row_missing")
    assert await reconciled(desk, dry_run=True) == [(*expected, "found")]
    assert await reconciled(desk) == [(*expected, "mended")]
    assert dict(await life.row()) == before
    await whole(apart)


async def test_a_row_of_an_earlier_backup_catches_up_with_its_workflow(apart: System, desk: Desk) -> None:
    life = await lived(apart)
    await life.record("accepted")
    await life.record("sv_entered")
    await letters_sent(life)
    later = dict(await life.row())
    reference = life.start.attribution_id
    await by_hand(
        apart,
        reference,
        "DELETE FROM records WHERE subject_id = $1 AND number > 0",
        "DELETE FROM enrolments WHERE attribution_id = $1",
        "DELETE FROM letters WHERE attribution_id = $1",
        """
        UPDATE attributions SET state = 'proposed', transition = 0, waiting_for = 'physician',
                                deadline = attributed_at + interval '72 hours'
        WHERE attribution_id = $1
        """,
    )
    assert await reconciled(desk) == [(reference, "row_behind", "mended")]
    assert dict(await life.row()) == later
    await whole(apart)
    # The letter may have gone or not: somebody must look.
    (task,) = await apart.rows(
        "SELECT kind FROM tasks WHERE attribution_id = $1 AND owner <> 'clinic'", reference
    )
    assert task["kind"] == "letter_not_sent"


async def letters_sent(life: Life) -> None:
    async def sent() -> bool:
        sql = "SELECT count(*) FROM letters WHERE attribution_id = $1 AND state = 'sent'"
        (row,) = await life.system.rows(sql, life.start.attribution_id)
        return bool(row["count"] == 1)

    await until(sent, within_seconds=20)


async def test_records_and_an_enrolment_that_were_removed_are_written_again(
    apart: System, desk: Desk
) -> None:
    life = await lived(apart, "accepted", "sv_entered")
    reference = life.start.attribution_id
    await by_hand(apart, reference, "DELETE FROM records WHERE subject_id = $1 AND number = 1")
    assert await reconciled(desk) == [(reference, "records_missing", "mended")]
    await by_hand(apart, reference, "DELETE FROM enrolments WHERE attribution_id = $1")
    assert await reconciled(desk) == [(reference, "enrolment_missing", "mended")]
    await whole(apart)


async def test_a_state_changed_by_hand_is_the_workflow_s_again(apart: System, desk: Desk) -> None:
    life = await lived(apart, "accepted")
    sql = "UPDATE attributions SET state = 'overdue' WHERE attribution_id = $1"
    await by_hand(apart, life.start.attribution_id, sql)
    assert await reconciled(desk) == [(life.start.attribution_id, "row_changed", "mended")]
    assert (await life.row())["state"] == "confirmed"
    await whole(apart)


async def test_a_row_ahead_of_its_workflow_is_asked_about_until_somebody_decides(
    apart: System, desk: Desk
) -> None:
    life = await lived(apart, "accepted")
    reference = life.start.attribution_id
    ahead = "UPDATE attributions SET transition = 7, state = 'overdue' WHERE attribution_id = $1"
    await by_hand(apart, reference, ahead)
    assert await reconciled(desk) == [(reference, "row_ahead", "asked")]
    assert await reconciled(desk) == [(reference, "row_ahead", "asked")]
    open_tasks = (
        "SELECT count(*) FROM tasks WHERE attribution_id = $1 AND kind = 'difference' AND closed_at IS NULL"
    )
    assert [row["count"] for row in await apart.rows(open_tasks, reference)] == [1]
    back = "UPDATE attributions SET transition = 1, state = 'confirmed' WHERE attribution_id = $1"
    await by_hand(apart, reference, back)
    assert await reconciled(desk) == []
    assert [row["count"] for row in await apart.rows(open_tasks, reference)] == [0]
    await whole(apart)


async def test_a11_one_that_was_never_told_is_told(apart: System, desk: Desk) -> None:
    life = await lived(apart, "accepted")
    reference = life.start.attribution_id
    await by_hand(
        apart,
        reference,
        """
        UPDATE attributions SET state = 'enrolled_elsewhere', under_way = false, deadline = NULL,
            waiting_for = NULL, ended_on = '2026-11-20',
            overtaken_by = '{"fact": "enrolled_elsewhere", "by": "compte", "physician": "98765",
                             "effective_on": "2026-11-20", "basis": "hors LE 321"}'
        WHERE attribution_id = $1
        """,
        """
        INSERT INTO enrolments (patient_id, patient_number, physician, category, period, basis)
        SELECT patient_id, number, '98765', 'MF', '[2026-11-20,)', 'hors LE 321'
        FROM patients WHERE attribution_id = $1
        """,
        "UPDATE patients SET place = 'enrolled', attribution_id = NULL WHERE attribution_id = $1",
    )
    assert await reconciled(desk) == [(reference, "not_told", "mended")]
    assert (await life.view())["state"] == "enrolled_elsewhere"
    await whole(apart)


async def test_what_was_refused_before_is_not_numbered_again(apart: System, desk: Desk) -> None:
    life = await lived(apart)
    await life.signal("sv_entered", {"by": "compte"})
    await life.refused(1)
    await forget(life)
    assert await reconciled(desk) == [(life.start.attribution_id, "never_started", "mended")]
    await life.signal("cancelled", {"by": "compte"})
    await life.refused(2)


async def test_several_at_once(apart: System, desk: Desk) -> None:
    drawn = await apart.block(6)
    block_id = (await drawn.query("view"))["block_id"]
    view: dict[str, Any] = await acting.approve_block(desk, block_id, by=BY)
    references = [each["attribution_id"] for each in view["list"]]
    lives = [apart.life(reference) for reference in references]
    for handle in lives[:3]:
        await handle.terminate("à la main")
    for reference in references[3:5]:
        await by_hand(apart, reference, "DELETE FROM attributions WHERE attribution_id = $1")
    found = [each for each in await reconciled(desk) if each[0] in references]
    assert found == [
        *((reference, "stopped", "mended") for reference in references[:3]),
        *((reference, "row_missing", "mended") for reference in references[3:5]),
    ]
    assert [(await handle.query("view"))["state"] for handle in lives] == ["proposed"] * 6


LOST: dict[str, Callable[[System, str], Awaitable[None]]] = {
    "stopped": stop_workflow,
    "never_started": forget_workflow,
}


@pytest.mark.parametrize("lost", LOST)
async def test_a_drawn_list_without_its_workflow_can_be_approved_again(
    apart: System, desk: Desk, lost: str
) -> None:
    handle = await apart.block(3)
    before = await handle.query("view")
    block_id = before["block_id"]
    await LOST[lost](apart, block_workflow_id(block_id))
    assert await reconciled(desk, dry_run=True) == [(block_id, lost, "found")]
    assert await reconciled(desk) == [(block_id, lost, "mended")]
    assert await apart.client.get_workflow_handle(handle.id).query("view") == before
    approved = await acting.approve_block(desk, block_id, by=BY)
    assert approved["counts"] == {"proposed": 3}


@pytest.mark.parametrize("lost", LOST)
async def test_a_block_without_its_workflow_still_hears_every_answer(
    apart: System, desk: Desk, lost: str
) -> None:
    handle = await apart.block(3)
    block_id = (await handle.query("view"))["block_id"]
    view = await acting.approve_block(desk, block_id, by=BY)
    first, *_ = (each["attribution_id"] for each in view["list"])
    refused = {"by": BY, "reason": "exception"}
    await acting.record_fact(desk, first, "refused", refused, now=datetime.now(UTC))
    await LOST[lost](apart, block_workflow_id(block_id))
    assert await reconciled(desk) == [(block_id, lost, "mended")]
    closed = await acting.accept_block(desk, block_id, by=BY)
    assert closed["counts"] == {"refused": 1, "confirmed": 2}

    async def stored() -> bool:
        (row,) = await apart.rows("SELECT state FROM blocks WHERE block_id = $1", block_id)
        return bool(row["state"] == "closed")

    await until(stored, within_seconds=20)
    assert await reconciled(desk) == []


@pytest.mark.parametrize("lost", LOST)
async def test_a16_a_departure_without_its_workflow_takes_effect_or_is_withdrawn(
    apart: System, desk: Desk, lost: str
) -> None:
    _, licence, _ = await apart.people(1)
    now = datetime.now(UTC)
    fact = PhysicianLeft(by=BY, on=today() + timedelta(days=40), cause="retired")
    announced = await departing.announce(desk, licence, fact, now=now)
    reference = announced["departure_id"]
    await LOST[lost](apart, departure_workflow_id(reference))
    assert await reconciled(desk) == [(reference, lost, "mended")]
    withdrawn = await departing.withdraw(desk, licence, by=BY, reason="reste", now=datetime.now(UTC))
    assert withdrawn["state"] == "withdrawn"
    assert await reconciled(desk) == []


async def test_a_block_whose_row_was_changed_by_hand_is_asked_about(apart: System, desk: Desk) -> None:
    handle = await apart.block(1)
    block_id = (await handle.query("view"))["block_id"]
    change = "UPDATE blocks SET state = $2, attributed_at = $3, deadline = NULL WHERE block_id = $1"
    await apart.pool.execute(change, block_id, "attributed", datetime.now(UTC))
    assert await reconciled(desk) == [(block_id, "row_changed", "asked")]
    open_tasks = "SELECT count(*) FROM tasks WHERE block_id = $1 AND closed_at IS NULL"
    assert [row["count"] for row in await apart.rows(open_tasks, block_id)] == [1]
    await apart.pool.execute(change, block_id, "drawn", None)
    assert await reconciled(desk) == []
    assert [row["count"] for row in await apart.rows(open_tasks, block_id)] == [0]


async def test_a_policy_of_another_version_is_not_guessed(apart: System, desk: Desk) -> None:
    # The last here: it differs for good.
    life = await attributed(apart, CURRENT.model_copy(update={"version": "2031-01-01"}))
    await forget(life)
    reference = life.start.attribution_id
    assert await reconciled(desk) == [(reference, "never_started", "asked")]
    (task,) = await apart.rows("SELECT kind, owner FROM tasks WHERE attribution_id = $1", reference)
    assert dict(task) == {"kind": "difference", "owner": "coordinator"}
