"""A real worker and the real command line, traced to a real collector."""

import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from temporalio.testing import TimeSkipper

from gamf.runtime.database import database_pool
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.polling import until
from gamf.runtime.search_attributes import register_search_attributes
from gamf.runtime.settings import Settings
from gamf.runtime.temporal import connect
from gamf.workflows import visibility
from tests.client.command import GAMF, Terminal, environment
from tests.faulty_carrier import FaultyCarrier
from tests.runtime.collector import collecting
from tests.system import EMAIL, FAMILY, NAM_PREFIX, STREET, System


@contextmanager
def worker(terminal: Terminal) -> Generator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [GAMF, "worker"],
        cwd=terminal.folder,
        env=environment(**terminal.variables),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


@pytest.mark.long
async def test_a_fact_is_followed_from_the_command_to_the_transaction_and_nobody_is_named(
    database_url: str,
) -> None:
    with collecting() as collector, tempfile.TemporaryDirectory(prefix="gamf-test-") as name:
        folder = Path(name)
        async with (
            EmbeddedTemporal(folder, durable=False) as temporal,
            database_pool(Settings(), url=database_url, application="test") as pool,
        ):
            client = await connect(address=temporal.address)
            await register_search_attributes(client, visibility.ALL_KEYS)
            given = {
                "GAMF_DATABASE_URL": database_url,
                "TEMPORAL_ADDRESS": temporal.address,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            }
            terminal = Terminal(folder, given)
            with worker(terminal) as process:
                system = System(pool, client, TimeSkipper(client), folder, FaultyCarrier(folder))
                life = await system.attribute()
                await life.reaches("proposed")

                async def written() -> bool:
                    return bool(await system.rows("SELECT FROM attributions"))

                await until(written, within_seconds=30)
                recorded = terminal.process(
                    "attribution", "record", life.start.attribution_id, "accepted", "--json"
                )
                assert recorded.status == 0, recorded.err
            assert process.returncode == 0
    spans = {span.name: span for span in collector.spans()}
    assert {"StartWorkflowUpdate:record", "HandleUpdate:record", "RunActivity:propose"} <= set(spans)
    (cause,) = spans["HandleUpdate:record"].links
    assert cause.span_id == spans["StartWorkflowUpdate:record"].span_id
    assert collector.services() == {"gamf"}
    everything = b"".join(collector.bodies)
    for word in (FAMILY, STREET, EMAIL, NAM_PREFIX, life.start.patient_id):
        assert word.encode() not in everything


def test_a_collector_that_does_not_answer_holds_nobody_up(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    ran = terminal.process("attribution", "show", "2026-000001", "--json")
    assert (ran.status, ran.error()["rule"]) == (5, "service")
