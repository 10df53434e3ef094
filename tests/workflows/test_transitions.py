"""A transition is written once and what is written stands: PostgreSQL away, a commit that Temporal never heard of."""

import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.api.enums.v1 import EventType

from gamf.activities.transitions import carry_out
from gamf.domain import attribution as rules
from gamf.domain.facts import parse
from gamf.runtime.embedded import EmbeddedPostgres, EmbeddedTemporal
from gamf.runtime.polling import until
from gamf.storage.migrate import migrate
from tests.system import Life, System, running


async def forgotten(life: Life, fact: str, **argument: object) -> datetime:
    """Commit a fact as a worker does that is killed before Temporal hears of it; return when it was taken."""
    now = datetime.now(UTC)
    begun = rules.begin(life.start).attribution
    taken = rules.take(begun, parse(fact, {"by": "compte", **argument}), now)
    outcome = await carry_out(life.system.pool, taken.transition)
    assert outcome.written is None
    return now


async def recorded(life: Life) -> list[str]:
    rows = await life.system.rows(
        "SELECT event FROM records WHERE subject_id = $1 AND number > 0 ORDER BY number",
        life.start.attribution_id,
    )
    return [row["event"] for row in rows]


async def agree(life: Life) -> None:
    """Check that the row and the workflow say the same."""
    view, row = await life.view(), await life.row()
    assert (row["state"], row["transition"]) == (view["state"], len(view["history"]) + len(view["passed"]))
    due = view["deadline"]
    assert row["deadline"] == (datetime.fromisoformat(due) if due else None)
    assert [entry["fact"] for entry in (*view["passed"], *view["history"])] == await recorded(life)


async def by_signal(life: Life, fact: str) -> None:
    await life.signal(fact, {"by": "compte"})


async def by_update(life: Life, fact: str) -> None:
    await life.record(fact)


@pytest.mark.parametrize("send", [by_signal, by_update])
async def test_the_same_fact_again_finds_when_it_was_taken(
    system: System, send: Callable[[Life, str], Awaitable[None]]
) -> None:
    life = await system.attribute()
    await life.reaches("proposed")
    at = await forgotten(life, "accepted")
    await send(life, "accepted")
    view = await life.reaches("confirmed")
    assert [datetime.fromisoformat(entry["at"]) for entry in view["history"]] == [at]
    assert view["refused_facts"] == []
    await agree(life)

    async def sent() -> bool:
        rows = await system.rows(
            "SELECT state FROM letters WHERE attribution_id = $1", life.start.attribution_id
        )
        return [row["state"] for row in rows] == ["sent"]

    await until(sent, within_seconds=30)


async def test_another_fact_comes_after_what_is_written(system: System) -> None:
    life = await system.attribute()
    await life.reaches("proposed")
    await forgotten(life, "accepted")
    view = await life.record("cancelled", reason="essai")
    assert [entry["fact"] for entry in view["history"]] == ["accepted", "cancelled"]
    await life.handle.result()
    await agree(life)


async def test_a_fact_that_no_longer_holds_is_refused(system: System) -> None:
    life = await system.attribute()
    await life.reaches("proposed")
    await forgotten(life, "accepted")
    await life.signal("refused", {"by": "compte", "reason": "pratique réduite"})
    (kept,) = await life.refused(1)
    assert (kept["fact"], kept["rule"]) == ("refused", "R6")
    assert (await life.view())["state"] == "confirmed"
    await agree(life)


async def test_a2_what_is_written_comes_before_a_deadline(system: System) -> None:
    life = await system.attribute()
    await life.reaches("proposed")
    await forgotten(life, "accepted")
    await life.skip(timedelta(hours=73))
    await life.reaches("confirmed")
    assert await recorded(life) == ["accepted"]
    await agree(life)


@pytest.mark.long
async def test_nothing_is_lost_while_postgresql_is_away() -> None:
    with tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        folder = Path(name, "pg")
        async with (
            EmbeddedTemporal(Path(name, "temporal"), durable=False) as temporal,
            AsyncExitStack() as stack,
            AsyncExitStack() as until_away,
        ):
            server = await until_away.enter_async_context(EmbeddedPostgres(folder, durable=False))
            connection = await asyncpg.connect(server.url)
            await migrate(connection)
            await connection.close()
            outbox = Path(name, "outbox")
            system = await stack.enter_async_context(running(server.url, temporal.address, outbox))
            life = await system.attribute()
            await life.reaches("proposed")
            await until_away.aclose()
            await life.signal("accepted", {"by": "compte"})
            assert "Confirmer l'acceptation" in await _tried_by_an_activity(life)
            async with EmbeddedPostgres(folder, durable=False) as again:
                assert again.url == server.url
                await life.reaches("confirmed")
                await agree(life)
                # However often it was tried: once inside the workflow task, and by one activity.
                kinds = [event.event_type for event in (await life.handle.fetch_history()).events]
                assert kinds.count(EventType.EVENT_TYPE_MARKER_RECORDED) == 2
                await life.record("cancelled", reason="fin de l'essai")
                await life.handle.result()
                await stack.aclose()


async def _tried_by_an_activity(life: Life) -> str:
    """Wait until an activity has failed more than once; return its summary, as the UI shows it."""
    pending: list[Any] = []

    async def tried() -> bool:
        described = await life.handle.describe()
        pending[:] = [one for one in described.raw_description.pending_activities if one.attempt > 1]
        return bool(pending)

    await until(tried, within_seconds=60)
    history = await life.handle.fetch_history()
    (scheduled,) = (
        event
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        and event.activity_task_scheduled_event_attributes.activity_id == pending[0].activity_id
    )
    return scheduled.user_metadata.summary.data.decode()
