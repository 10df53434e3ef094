"""What an operator is shown of the backlog, from a real worker's page."""

import asyncio
import re
import socket
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from gamf.runtime.polling import until
from gamf.runtime.telemetry import temporal_runtime
from gamf.storage.connection import Pool
from gamf.storage.health import backlog
from gamf.workers import gauges
from tests.system import add_network, add_patients, add_physician


async def page_of(pool: Pool) -> dict[str, float]:
    """Return what the page of metrics says once the gauges are told."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    # Held to the end of the test: the page goes with the runtime.
    runtime = temporal_runtime(address)
    found: dict[str, float] = {}

    async def told() -> bool:
        text = await asyncio.to_thread(read, f"http://{address}/metrics")
        found.update(
            {
                name: float(value)
                for name, value in re.findall(r"^(gamf_\w+)(?:\{.*\})? (\S+)$", text, re.MULTILINE)
            }
        )
        return len(found) == len(gauges.MEANINGS)

    async with gauges.telling(pool, runtime.metric_meter):
        await until(told, within_seconds=20)
    return found


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own process's page
        return str(answer.read(), "utf-8")


async def late_attribution(pool: Pool) -> None:
    """Write an attribution whose deadline passed an hour ago, a letter due since two hours and a late task."""
    now = datetime.now(UTC)
    async with pool.acquire() as conn, conn.transaction():
        rls = await add_network(conn)
        licence = await add_physician(conn, rls)
        (patient_id,) = await add_patients(conn, rls)
        await conn.execute(
            """
            INSERT INTO attributions (attribution_id, patient_id, physician, rls, time_zone, priority, vulnerable,
                                      attributed_at, policy, state, under_way, deadline, waiting_for, transition)
            VALUES ('2026-000001', $1, $2, $3, 'America/Toronto', 'C', true, $4, 'test', 'proposed', true, $5,
                    'physician', 0)
            """,
            patient_id,
            licence,
            rls,
            now - timedelta(hours=73),
            now - timedelta(hours=1),
        )
        await conn.execute(
            "UPDATE patients SET place = 'attributed', attribution_id = '2026-000001' WHERE patient_id = $1",
            patient_id,
        )
        await conn.execute(
            """
            INSERT INTO letters (letter_id, attribution_id, patient_id, kind, dated, queued_at)
            VALUES ($1, '2026-000001', $2, 'attribution', $3, $4)
            """,
            f"2026-000001-{uuid4().int % 10}",
            patient_id,
            now.date(),
            now - timedelta(hours=2),
        )
        await conn.execute(
            """
            INSERT INTO tasks (attribution_id, kind, owner, due, transition, opened_at)
            VALUES ('2026-000001', 'answer_overdue', 'coordinator', $1, 1, $1)
            """,
            now - timedelta(minutes=5),
        )


async def late_block(pool: Pool) -> None:
    """Write a drawn list whose deadline passed two hours ago, and a closed one whose file waits since three."""
    now = datetime.now(UTC)
    async with pool.acquire() as conn, conn.transaction():
        rls = await add_network(conn)
        licence = await add_physician(conn, rls)
        await conn.execute(
            """
            INSERT INTO blocks (block_id, physician, rls, size, requested_by, requested_at, policy, state, deadline,
                                attributed_at)
            VALUES ('2026-0001', $1, $2, 1, 'test', $3, 'test', 'drawn', $4, NULL),
                   ('2026-0002', $1, $2, 1, 'test', $3, 'test', 'closed', NULL, $3)
            """,
            licence,
            rls,
            now - timedelta(days=9),
            now - timedelta(hours=2),
        )
        await conn.execute(
            """
            INSERT INTO ramq_files (block_id, number, name, names, sha256, made_at, content)
            VALUES ('2026-0002', 1, 'ramq-2026-0002-01.csv', 1, '', $1, '')
            """,
            now - timedelta(hours=3),
        )


async def test_a_list_that_was_to_be_withdrawn_and_a_file_that_does_not_go_are_told(pool: Pool) -> None:
    await late_block(pool)
    page = await page_of(pool)
    hour = 3600
    assert page["gamf_deadlines_missed"] == 1.0
    assert 2 * hour <= page["gamf_oldest_missed_deadline_seconds"] < 2 * hour + 120
    assert 3 * hour <= page["gamf_oldest_ramq_file_seconds"] < 3 * hour + 120


async def test_nothing_waits_in_an_empty_database(pool: Pool) -> None:
    assert set((await page_of(pool)).values()) == {0.0}


async def test_what_waits_is_told_with_its_age(pool: Pool) -> None:
    await late_attribution(pool)
    page = await page_of(pool)
    counts = ("letters_waiting", "tasks_open", "tasks_overdue", "deadlines_missed", "attributions_open")
    assert {name: page[f"gamf_{name}"] for name in counts} == dict.fromkeys(counts, 1.0)
    hour = 3600
    assert 2 * hour <= page["gamf_oldest_letter_seconds"] < 2 * hour + 120
    assert hour <= page["gamf_oldest_missed_deadline_seconds"] < hour + 120


async def test_the_counts_walk_indexes_only(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await backlog(conn)
        await conn.execute("SET enable_seqscan = off")
        plan = await conn.fetch(
            "EXPLAIN SELECT count(*), min(deadline) FROM attributions WHERE deadline < now()"
        )
    assert "attributions_by_deadline" in "".join(row[0] for row in plan)
