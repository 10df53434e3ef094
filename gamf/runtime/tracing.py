"""Traces for an OpenTelemetry collector: none unless `OTEL_…` says where it is, and nobody in them.

OpenTelemetry's own variables are obeyed: the endpoint, headers, certificates, sampling, the service's name. A span
keeps the identifiers that Temporal has of the work, its name and its outcome; of an exception, its type.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from threading import Thread
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from temporalio.contrib.opentelemetry import TracingInterceptor
from typing_extensions import override

from gamf.domain.facts import FACTS

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

ALLOWED_ATTRIBUTES: Final = frozenset(
    {"temporalWorkflowID", "temporalRunID", "temporalActivityID", "exception.type"}
)
WITHHELD: Final = "(withheld)"
_SENT_BY_ANYBODY: Final = frozenset(
    {"SignalWorkflow", "HandleSignal", "QueryWorkflow", "HandleQuery", "SignalExternalWorkflow"}
    | {"StartWorkflowUpdate", "ValidateUpdate", "HandleUpdate", "SignalChildWorkflow"}
)
_OURS: Final = frozenset(FACTS) | {
    "approved",
    "attributions_changed",
    "await_drawn",
    "list_accepted",
    "list_refused",
    "record",
    "view",
    "withdrawn",
}
"""What our workflows answer to; a signal may bear any name that somebody gave it."""
_PATIENCE_SECONDS: Final = 2


class DiscreetExporter(SpanExporter):
    """Hand on what may be let out of a span: PostgreSQL and others quote the faulty value in an exception's text."""

    def __init__(self, following: SpanExporter) -> None:
        self._following: SpanExporter = following

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._following.export([discreet(span) for span in spans])

    @override
    def shutdown(self) -> None:
        self._following.shutdown()

    @override
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._following.force_flush(timeout_millis)


def discreet(span: ReadableSpan) -> ReadableSpan:
    """Return a span with what may be let out."""
    return ReadableSpan(
        name=_name(span.name),
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=_allowed(span.attributes),
        events=[Event(event.name, _allowed(event.attributes), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _name(name: str) -> str:
    what, _, of = name.partition(":")
    return f"{what}:{WITHHELD}" if what in _SENT_BY_ANYBODY and of not in _OURS else name


def _allowed(attributes: "Mapping[str, AttributeValue] | None") -> "dict[str, AttributeValue]":
    return {name: value for name, value in (attributes or {}).items() if name in ALLOWED_ATTRIBUTES}


@cache
def provider() -> TracerProvider:
    """Return the one that this process's spans go through, a batch at a time and beside the work."""
    named = "OTEL_SERVICE_NAME" in os.environ
    made = TracerProvider(resource=Resource.create({} if named else {"service.name": "gamf"}))
    made.add_span_processor(BatchSpanProcessor(DiscreetExporter(OTLPSpanExporter())))
    return made


def interceptor() -> TracingInterceptor:
    """Return what makes a span of each call, activity and workflow step, and carries its context along."""
    # Also where whoever started the workflow, perhaps years ago, traced nothing.
    return TracingInterceptor(provider().get_tracer("gamf"), always_create_workflow_spans=True)


def flush() -> None:
    """Send what has not gone yet; a collector that does not answer is not waited for."""
    # The processor's own flush takes no notice of a limit: it tries again for as long as the exporter's is.
    sending = Thread(target=provider().force_flush, daemon=True)
    sending.start()
    sending.join(_PATIENCE_SECONDS)
