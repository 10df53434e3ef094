import asyncio
import io
import json
import logging
import socket
import sys
import threading
import urllib.request
import warnings
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import structlog
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.runtime import Runtime
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.embedded import EmbeddedTemporal
from gamf.runtime.errors import PortInUse
from gamf.runtime.health import Probes, health_server
from gamf.runtime.polling import until
from gamf.runtime.telemetry import ALLOWED_KEYS, WITHHELD, configure_logging, temporal_runtime
from gamf.runtime.temporal import connect

NAME = "Ozanne"
LOG = logging.getLogger("gamf.test")

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stream() -> Generator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook, sys.unraisablehook)
    written = io.StringIO()
    configure_logging("debug", "json", written)
    yield written
    root.handlers[:], level, sys.excepthook, threading.excepthook, sys.unraisablehook = before
    root.setLevel(level)
    logging.getLogger("temporalio.worker").setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def failing(*_: object) -> None:
    raise KeyError(NAME)


def test_a_text_of_the_source_is_kept_and_what_was_put_in_it_is_not(lines: Lines) -> None:
    LOG.info("letter handed to %s", NAME)
    assert [line["event"] for line in lines()] == ["letter handed to %s"]


def test_a_text_made_while_running_is_withheld_and_its_place_is_told(
    lines: Lines, stream: io.StringIO
) -> None:
    LOG.info(f"letter to {NAME}")  # noqa: G004 - that is what must not pass
    assert lines()[0]["event"] == WITHHELD
    assert lines()[0]["source"].startswith("tests/runtime/test_telemetry.py:")
    assert NAME not in stream.getvalue()


def test_only_the_listed_fields_pass(lines: Lines, stream: io.StringIO) -> None:
    LOG.info("something", extra={"workflow_id": "attribution-2026-000042", "patient": NAME, "attempt": 2})
    assert lines()[0]["workflow_id"] == "attribution-2026-000042"
    assert lines()[0]["attempt"] == 2
    assert NAME not in stream.getvalue()


def test_a_sentence_under_a_listed_name_is_withheld(lines: Lines, stream: io.StringIO) -> None:
    LOG.info("something", extra={"state": f"{NAME} T., 12, rue Fictive", "fact": ["mf_signed", NAME]})
    assert lines()[0]["state"] == lines()[0]["fact"] == "(withheld)"
    assert NAME not in stream.getvalue()


def test_structlog_passes_the_same_way(lines: Lines, stream: io.StringIO) -> None:
    log = structlog.get_logger("gamf.test")
    with structlog.contextvars.bound_contextvars(block_id="2026-0007", name=NAME):
        log.warning("something else", rls="RLS-01", last_name=NAME)
    line = lines()[0]
    assert (line["event"], line["level"], line["logger"]) == ("something else", "warning", "gamf.test")
    assert (line["block_id"], line["rls"]) == ("2026-0007", "RLS-01")
    assert NAME not in stream.getvalue()


def test_an_exception_is_its_types_and_its_place(lines: Lines, stream: io.StringIO) -> None:
    try:
        failing()
    except KeyError as cause:
        error = ApplicationError(NAME, type="carrier_closed")
        error.__cause__ = cause
        LOG.warning("failed", exc_info=error)
    assert lines()[0]["error"] == ["ApplicationError(carrier_closed)", "KeyError"]
    assert NAME not in stream.getvalue()


def test_a_refusal_tells_its_rule_and_where_it_was_raised(lines: Lines) -> None:
    def refuse() -> None:
        raise RefusedByRuleError("A11", NAME, NAME)

    try:
        refuse()
    except RefusedByRuleError:
        LOG.exception("refused")
    line = lines()[0]
    assert line["rule"] == "A11"
    assert line["raised_at"][-1].endswith(" refuse")
    assert NAME not in json.dumps(line)


def test_structlog_tells_an_exception_the_same_way(lines: Lines, stream: io.StringIO) -> None:
    try:
        failing()
    except KeyError:
        structlog.get_logger("gamf.test").exception("failed again")
    assert lines()[0]["error"] == ["KeyError"]
    assert NAME not in stream.getvalue()


def test_a_warning_does_not_show_its_words(lines: Lines, stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn(f"unexpected value {NAME}", UserWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert lines()[0]["logger"] == "py.warnings"
    assert NAME not in stream.getvalue()


def test_what_nobody_caught_does_not_show_its_words(lines: Lines, stream: io.StringIO) -> None:
    thread = threading.Thread(target=failing)
    thread.start()
    thread.join()
    sys.excepthook(KeyError, KeyError(NAME), None)
    assert [line["event"] for line in lines()] == ["uncaught exception in a thread", "uncaught exception"]
    assert NAME not in stream.getvalue()


async def test_a_task_that_nobody_awaited_does_not_show_its_words(lines: Lines, stream: io.StringIO) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": NAME, "exception": KeyError(NAME)})
    assert lines()[0]["logger"] == "asyncio"
    assert NAME not in stream.getvalue()


def test_a_record_that_cannot_be_written_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    closed = io.StringIO()
    configure_logging("debug", "json", closed)
    closed.close()
    LOG.info("letter handed to %s", NAME)
    assert NAME not in capsys.readouterr().err


def test_as_text_a_line_is_one_line(stream: io.StringIO) -> None:
    configure_logging("debug", "text", stream)
    try:
        failing()
    except KeyError:
        LOG.exception("failed once more", extra={"attempt": 3})
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert "error    failed once more logger=gamf.test attempt=3 error=KeyError raised_at=" in line


async def test_a_web_server_says_nothing_with_holes_in_it(stream: io.StringIO) -> None:
    configure_logging("info", "text", stream)
    async with health_server("127.0.0.1:0", Probes(live=lambda: True, ready={})):
        pass
    assert "%" not in stream.getvalue()


def test_no_listed_field_says_who() -> None:
    telling = {
        "name",
        "last_name",
        "first_name",
        "nam",
        "address_line",
        "email",
        "phone",
        "patient",
        "patient_id",
    }
    assert not ALLOWED_KEYS & telling


@activity.defn
async def fail_with_a_name(name: str) -> None:
    activity.logger.info("about to fail for %s", name)
    raise RuntimeError(name)


@workflow.defn
class FailsWithAName:
    @workflow.run
    async def run(self, name: str) -> None:
        workflow.logger.info("about to call for %s", name)
        await workflow.execute_activity(
            fail_with_a_name,
            name,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_attempts=2, initial_interval=timedelta(milliseconds=10)),
        )


@asynccontextmanager
async def working(temporal: EmbeddedTemporal, runtime: Runtime) -> AsyncGenerator[Client]:
    client = await connect(address=temporal.address, runtime=runtime)
    async with Worker(
        client,
        task_queue="telemetry",
        workflows=[FailsWithAName],
        activities=[fail_with_a_name],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield client


async def test_an_activity_that_fails_with_a_name_leaks_it_neither_to_the_log_nor_to_the_history(
    temporal: EmbeddedTemporal, lines: Lines, stream: io.StringIO
) -> None:
    async with working(temporal, temporal_runtime()) as client:
        handle = await client.start_workflow(
            FailsWithAName.run, "by-name", id="fails-with-a-name", task_queue="telemetry"
        )
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        history = (await handle.fetch_history()).to_json()
    by_event = {line["event"]: line for line in lines()}
    failed = by_event["Completing activity as failed"]
    assert failed["error"] == ["RuntimeError"]
    assert failed["activity_type"] == "fail_with_a_name"
    assert failed["workflow_id"] == "fails-with-a-name"
    assert failed["raised_at"][-1].endswith(" fail_with_a_name")
    assert by_event["about to call for %s"]["workflow_type"] == "FailsWithAName"
    assert "by-name" not in stream.getvalue()
    # Its arguments are there as given; of its failure, only the type.
    assert '"message": "by-name"' not in history
    assert '"message": "RuntimeError"' in history


async def test_metrics_are_named_as_the_published_dashboards_expect(temporal: EmbeddedTemporal) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    async with working(temporal, temporal_runtime(address)) as client:
        handle = await client.start_workflow(
            FailsWithAName.run, "x", id="for-its-metrics", task_queue="telemetry"
        )
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        text = await asyncio.to_thread(read, f"http://{address}/metrics")
    samples = {line.split("{")[0] for line in text.splitlines() if not line.startswith("#")}
    assert {
        "temporal_workflow_failed_total",
        "temporal_activity_execution_failed_total",
        "temporal_workflow_endtoend_latency_seconds_bucket",
        "temporal_request_latency_seconds_count",
    } <= samples


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own process's page
        return str(answer.read(), "utf-8")


def test_a_taken_port_for_the_metrics_names_its_variable() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as taken,
        pytest.raises(PortInUse, match="GAMF_METRICS_ADDRESS"),
    ):
        temporal_runtime(f"127.0.0.1:{taken.getsockname()[1]}")


@workflow.defn
class Broken:
    @workflow.run
    async def run(self) -> None:
        raise KeyError(NAME)


async def core_spoke(lines: Lines) -> bool:
    return any(line["logger"] == "temporalio.core" for line in lines())


async def test_what_the_sdks_core_says_passes_without_what_it_quotes(
    temporal: EmbeddedTemporal, lines: Lines, stream: io.StringIO
) -> None:
    client = await connect(address=temporal.address, runtime=temporal_runtime())
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue="broken", workflows=[Broken], workflow_runner=runner):
        handle = await client.start_workflow("Broken", id="broken", task_queue="broken")
        await until(partial(core_spoke, lines), within_seconds=30)
        await handle.terminate()
    said = [line for line in lines() if line["logger"] == "temporalio.core"]
    assert said[0]["event"] == "Failing workflow task"
    assert said[0]["run_id"]
    assert NAME not in stream.getvalue()
