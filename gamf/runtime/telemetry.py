"""What a process lets out about itself: structured logs that cannot hold a person's data, and metrics.

A line carries a text only if that text stands in the source file that logged it, so that no value was put in;
of its fields, those whose names are listed here; of an exception, its types, its rule and the place.
"""

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from types import TracebackType
from typing import Literal, TextIO, cast

import structlog
from structlog.processors import CallsiteParameter, CallsiteParameterAdder
from structlog.typing import EventDict, WrappedLogger
from temporalio import activity, workflow
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from typing_extensions import override

from gamf.runtime.errors import PortInUse

# What a worker speaks of, and nothing that says who: in these no value is a person's.
ALLOWED_KEYS = frozenset(
    {
        "activity_id",
        "activity_type",
        "address",
        "attempt",
        "attribution_id",
        "block_id",
        "carrier",
        "count",
        "fact",
        "migration",
        "namespace",
        "policy",
        "port",
        "rls",
        "run_id",
        "seconds",
        "service",
        "signal",
        "state",
        "status",
        "task_queue",
        "template",
        "transition",
        "update_id",
        "update_name",
        "version",
        "workflow_id",
        "workflow_run_id",
        "workflow_type",
    }
)
WITHHELD = "(text withheld)"
_CORE_LOGGER = "temporalio.core"
_CORE_TEXT = re.compile(r"gRPC call [a-z_]+ retried \d+ times|Failing workflow task")
_PLAIN_VALUE = re.compile(r"[\w.:/@+-]{1,150}", re.ASCII)
_RULE = re.compile(r"[RA]\d{1,2}")
_KIND = re.compile(r"[A-Za-z_]\w{0,60}", re.ASCII)
_FRAMES = 6
_PLACE = "called_from"

Format = Literal["text", "json"]


class DiscreetFormatter(logging.Formatter):
    """Write a record as one line, JSON or text, with only what may be let out."""

    def __init__(self, form: Format) -> None:
        super().__init__()
        self._form: Format = form

    @override
    def format(self, record: logging.LogRecord) -> str:
        line = discreet(record)
        if self._form == "json":
            return json.dumps(line)
        rest = " ".join(f"{key}={_flat(value)}" for key, value in line.items() if key not in _HEAD)
        return f"{line['timestamp']} {line['level']:<8} {line['event']} {rest}".rstrip()


_HEAD = frozenset({"timestamp", "level", "event"})


def _flat(value: object) -> str:
    return " < ".join(map(str, cast("list[object]", value))) if isinstance(value, list) else str(value)


def discreet(record: logging.LogRecord) -> dict[str, object]:
    """Return what of a record may be let out."""
    pathname, number = _place(record)
    line: dict[str, object] = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "event": _text(record, pathname),
        "logger": record.name,
    }
    if line["event"] == WITHHELD:
        line["source"] = f"{_module_path(pathname)}:{number}"
    line.update(_fields(record))
    if record.exc_info and record.exc_info[1] is not None:
        line.update(_described(record.exc_info[1]))
    return line


def _place(record: logging.LogRecord) -> tuple[str, int]:
    """Return the file and the line that logged it: structlog's caller, not structlog."""
    given = getattr(record, _PLACE, None)
    return cast("tuple[str, int]", given) if isinstance(given, tuple) else (record.pathname, record.lineno)


def _text(record: logging.LogRecord, pathname: str) -> str:
    text = record.msg
    if not isinstance(text, str):
        return WITHHELD
    if record.name == _CORE_LOGGER:
        return text if _CORE_TEXT.fullmatch(text) else WITHHELD
    return text if _stands_in_source(pathname, text) else WITHHELD


@lru_cache(maxsize=512)
def _stands_in_source(pathname: str, text: str) -> bool:
    try:
        return f'"{text}"' in Path(pathname).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


def _module_path(pathname: str) -> str:
    """Return the last parts of a path: enough to find the line, nothing of the machine."""
    return "/".join(Path(pathname).parts[-3:])


def _fields(record: logging.LogRecord) -> dict[str, object]:
    found: dict[str, object] = {}
    core = getattr(getattr(record, "temporal_log", None), "fields", None)
    for source in (
        core,
        getattr(record, "temporal_workflow", None),
        getattr(record, "temporal_activity", None),
    ):
        if isinstance(source, Mapping):
            found.update(_allowed(cast("Mapping[str, object]", source)))
    return found | _allowed(record.__dict__)


def _allowed(fields: Mapping[str, object]) -> dict[str, object]:
    return {key: _plain(value) for key, value in fields.items() if key in ALLOWED_KEYS and value is not None}


def _plain(value: object) -> object:
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if _PLAIN_VALUE.fullmatch(text) else "(withheld)"


def _described(error: BaseException) -> dict[str, object]:
    described: dict[str, object] = {"error": [_kind(each) for each in _chain(error)]}
    rule = getattr(getattr(error, "reason", None), "rule", None)
    if isinstance(rule, str) and _RULE.fullmatch(rule):
        described["rule"] = rule
    described["raised_at"] = [
        f"{_module_path(frame.filename)}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    ]
    return described


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes, each once."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _kind(error: BaseException) -> str:
    """Return an exception's type, with the type that a Temporal application error was given."""
    given = getattr(error, "type", None)
    name = type(error).__name__
    return f"{name}({given})" if isinstance(given, str) and _KIND.fullmatch(given) else name


def configure_logging(level: str = "info", form: Format = "text", stream: TextIO | None = None) -> None:
    """Send every log of this process, the libraries' too, and what nobody caught, discreetly to `stream`.

    The default stream is the standard error, so that the standard output stays the answer of a command.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(DiscreetFormatter(form))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    logging.captureWarnings(capture=True)
    # When a log cannot be written, the standard library would print the record with its arguments.
    logging.raiseExceptions = False
    _plain_temporal_texts()
    _catch_the_uncaught()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            CallsiteParameterAdder({CallsiteParameter.PATHNAME, CallsiteParameter.LINENO}),
            _only_allowed,
            structlog.stdlib.render_to_log_kwargs,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _only_allowed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop the other keys before the standard library sees them: some are names of its own."""
    kept = ALLOWED_KEYS | {"event", "exc_info"}
    place = (event["pathname"], event["lineno"])
    return {key: value for key, value in event.items() if key in kept} | {_PLACE: place}


def _plain_temporal_texts() -> None:
    """Have the SDK's loggers give their details as fields, and let them read source files from a workflow."""
    workflow.logger.workflow_info_on_message = False
    workflow.logger.unsafe_disable_sandbox()
    activity.logger.activity_info_on_message = False
    # What these say of themselves in passing is put together while running: it would be withheld, or said with holes.
    for name in ("temporalio.worker", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _catch_the_uncaught() -> None:
    """Send to the log what Python would print with the exception's own words."""
    log = logging.getLogger("gamf.uncaught")

    def uncaught(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        log.critical("uncaught exception", exc_info=error)

    def in_thread(caught: threading.ExceptHookArgs) -> None:
        log.critical("uncaught exception in a thread", exc_info=caught.exc_value)

    sys.excepthook = uncaught
    threading.excepthook = in_thread
    sys.unraisablehook = lambda caught: log.error(
        "exception that nothing could catch", exc_info=caught.exc_value
    )


def temporal_runtime(metrics_address: str | None = None) -> Runtime:
    """Make the SDK's runtime: its own logs go through ours; metrics as the published dashboards expect them.

    They expect counters that end in `_total`, units in names, and durations in seconds.

    Raises:
        PortInUse: nothing can listen at `metrics_address` (`host:port`).
    """
    logs = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
        forwarding=LogForwardingConfig(
            logging.getLogger(_CORE_LOGGER),
            append_target_to_name=False,
            prepend_target_on_message=False,
            append_log_fields_to_message=False,
        ),
    )
    try:
        return Runtime(telemetry=TelemetryConfig(logging=logs, metrics=_prometheus(metrics_address)))
    except ValueError:
        raise PortInUse(
            fr=f"Impossible de servir les mesures à {metrics_address} (GAMF_METRICS_ADDRESS).",
            en=f"Metrics cannot be served at {metrics_address} (GAMF_METRICS_ADDRESS).",
        ) from None


@cache
def client_runtime() -> Runtime:
    """Return the runtime of a process that only asks: without metrics, and without a word on standard output."""
    return temporal_runtime()


def _prometheus(address: str | None) -> PrometheusConfig | None:
    if address is None:
        return None
    return PrometheusConfig(
        bind_address=address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
    )
