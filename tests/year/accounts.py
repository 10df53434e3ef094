"""The year's closing: everybody is somewhere, and the database, Temporal and the outbox tell the same story."""

import asyncio
import csv
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from temporalio.client import WorkflowExecutionStatus

from gamf.client import people
from gamf.client.reconciling import reconcile
from gamf.domain.names import attribution_workflow_id
from gamf.domain.ramq import CONFIRMED
from gamf.domain.states import UNDER_WAY
from gamf.runtime.polling import until
from gamf.storage.invariants import violations
from tests.year.rls import Rls

_AT_ONCE: Final = 64
_SETTLES_WITHIN: Final = 120


async def initial_dates(rls: Rls) -> Mapping[str, date]:
    """Return when each person was registered."""
    rows = await rls.desk.pool.fetch("SELECT patient_id, registered_on FROM patients")
    return {row["patient_id"]: row["registered_on"] for row in rows}


async def no_invariant_is_broken(rls: Rls) -> None:
    """Ask the whole database."""
    async with rls.desk.pool.acquire() as conn:
        assert await violations(conn) == []


async def everybody_is_somewhere(rls: Rls, registered: Mapping[str, date]) -> None:
    """Count the places; who is held is held by an attribution whose next deadline is to come."""
    assert await initial_dates(rls) == registered
    assert sum(rls.places[-1].values()) == len(registered)
    held = await rls.desk.pool.fetch(
        """
        SELECT a.state, a.deadline, a.ended_on FROM patients p LEFT JOIN attributions a USING (attribution_id)
        WHERE p.place = 'attributed'
        """
    )
    assert {row["state"] for row in held} <= UNDER_WAY
    rows = await rls.desk.pool.fetch("SELECT patient_id, place, rls FROM patients")
    places = {row["patient_id"]: row["place"] for row in rows}
    assert {patient_id: places[patient_id] for patient_id in rls.fates} == rls.fates
    assert {row["patient_id"]: row["rls"] for row in rows if row["rls"] != people.RLS[0]} == rls.moved
    assert all(row["ended_on"] is None and row["deadline"] > rls.today for row in held)
    proposed = await rls.desk.pool.fetch("SELECT patient_id FROM patients WHERE place = 'proposed'")
    assert proposed == []


async def each_block_has_ended(rls: Rls) -> None:
    """No list is left drawn (A21), every block has its answers, and RAMQ was told of each confirmed name once (R6)."""
    states = await rls.desk.pool.fetch("SELECT DISTINCT state FROM blocks")
    assert {row["state"] for row in states} == {"closed", "withdrawn"}
    replaced = await rls.desk.pool.fetch(
        """
        SELECT n.priority = o.priority AS same FROM attributions n JOIN attributions o ON o.attribution_id = n.replaces
        """
    )
    assert {row["same"] for row in replaced} == {True}
    untold = await rls.desk.pool.fetch(
        """
        SELECT attribution_id FROM attributions a
        WHERE block_id IS NOT NULL AND state = ANY ($1::text[])
          AND NOT EXISTS (SELECT FROM ramq_names n WHERE n.attribution_id = a.attribution_id)
        """,
        list(CONFIRMED),
    )
    assert untold == []
    assert await rls.desk.pool.fetchval("SELECT count(*) FROM ramq_files WHERE handed_at IS NULL") == 0


async def each_departure_was_told_once(rls: Rls) -> None:
    """Nobody is left with a physician who left, each of theirs heard of it once (A16), and who stays was not left."""
    rows = await rls.desk.pool.fetch(
        """
        SELECT d.state, count(a.*) FILTER (WHERE a.under_way) AS held, count(r.*) AS reached,
               count(a.*) FILTER (WHERE a.state = 'physician_left') AS returned
        FROM departures d JOIN attributions a USING (physician)
        LEFT JOIN departure_reached r USING (departure_id, attribution_id)
        GROUP BY d.departure_id, d.state
        """
    )
    left, stays = sorted(rows, key=lambda row: str(row["state"]))
    assert (left["state"], left["held"], stays["state"]) == ("done", 0, "withdrawn")
    assert 0 < left["returned"] <= left["reached"]
    assert (stays["reached"], stays["returned"]) == (0, 0)
    told = await rls.desk.pool.fetch(
        "SELECT subject_id, count(*) AS times FROM records WHERE event = 'physician_left' AND NOT refused GROUP BY 1"
    )
    assert {row["times"] for row in told} == {1}
    assert len(told) == left["returned"]


async def temporal_says_the_same(rls: Rls) -> Counter[str]:
    """Compare every attribution's workflow with its row; return how many are in each state."""
    rows = {
        attribution_workflow_id(row["attribution_id"]): row
        for row in await rls.desk.pool.fetch(
            "SELECT attribution_id, state, deadline, ended_on FROM attributions"
        )
    }

    async def listed() -> bool:
        return (await rls.desk.temporal.count_workflows("WorkflowType = 'Attribution'")).count == len(rows)

    await until(listed, within_seconds=_SETTLES_WITHIN)
    places = asyncio.Semaphore(_AT_ONCE)
    statuses: dict[str, WorkflowExecutionStatus | None] = {}
    async for run in rls.desk.temporal.list_workflows("WorkflowType = 'Attribution'"):
        statuses[run.id] = run.status
    assert statuses.keys() == rows.keys()

    async def compare(workflow_id: str, row: Mapping[str, Any]) -> None:
        async with places:
            view = await rls.desk.temporal.get_workflow_handle(workflow_id).query("view")
        due = datetime.fromisoformat(view["deadline"]) if view["deadline"] else None
        assert (view["state"], due) == (row["state"], row["deadline"]), workflow_id

    async with asyncio.TaskGroup() as group:
        for workflow_id, row in rows.items():
            ended = row["ended_on"] is not None
            status = WorkflowExecutionStatus.COMPLETED if ended else WorkflowExecutionStatus.RUNNING
            assert statuses[workflow_id] is status, workflow_id
            if not ended:
                group.create_task(compare(workflow_id, dict(row)))
    return Counter(row["state"] for row in rows.values())


async def reconciliation_finds_nothing(rls: Rls) -> None:
    """Ask what `gamf reconcile --dry-run` asks, of every open workflow and every row."""
    assert [found async for found in reconcile(rls.desk, now=rls.today, dry_run=True)] == []


async def each_letter_went_once(rls: Rls, outbox: Path) -> int:
    """Compare the outbox's list with the database; return how many letters went."""

    async def all_gone() -> bool:
        waiting = await rls.desk.pool.fetchval(
            "SELECT count(*) FROM letters WHERE state IN ('queued', 'sending')"
        )
        return bool(waiting == 0)

    await until(all_gone, within_seconds=_SETTLES_WITHIN)
    sent = await rls.desk.pool.fetch("SELECT letter_id FROM letters WHERE state = 'sent'")
    with (outbox / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        handed = [row["letter_id"] for row in csv.DictReader(stream)]
    assert sorted(handed) == sorted(row["letter_id"] for row in sent)
    return len(handed)


async def each_fact_has_its_answer(rls: Rls) -> None:
    """Every fact that was told was taken, and is in the record, or was refused by a rule."""
    rows = await rls.desk.pool.fetch(
        """
        SELECT event, count(*) AS number FROM records
        WHERE subject = 'attribution' AND by = 'annee' AND NOT refused GROUP BY event
        """
    )
    recorded = {row["event"]: row["number"] for row in rows}
    for fact in ("sv_entered", "mf_signed", "window_reopened", "patient_refused", "cancelled"):
        assert recorded[fact] == rls.told[fact], fact
