import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode, Tracer

from gamf.runtime.settings import traces_wanted
from gamf.runtime.tracing import DiscreetExporter

NAME = "Zéphyrine"
HERE = "http://127.0.0.1:4318"


@pytest.fixture
def kept() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(kept: InMemorySpanExporter) -> Tracer:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(DiscreetExporter(kept)))
    return provider.get_tracer("test")


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_SERVICE_NAME": "gamf"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": HERE}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": HERE}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": HERE, "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": HERE, "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_there_are_traces_where_a_collector_is_named(environ: dict[str, str], *, wanted: bool) -> None:
    assert traces_wanted(environ) is wanted


def test_a_span_keeps_its_ids_its_name_and_its_outcome(tracer: Tracer, kept: InMemorySpanExporter) -> None:
    given = {"temporalWorkflowID": "attribution-2026-000042", "temporalActivityID": "2"}
    with tracer.start_as_current_span("RunActivity:enrol_sv", attributes=given) as span:
        span.set_status(Status(StatusCode.ERROR))
    (seen,) = kept.get_finished_spans()
    assert (seen.name, dict(seen.attributes or {})) == ("RunActivity:enrol_sv", given)
    assert seen.status.status_code is StatusCode.ERROR
    assert seen.get_span_context() == span.get_span_context()


def test_what_an_exception_says_is_withheld_and_its_type_is_told(
    tracer: Tracer, kept: InMemorySpanExporter
) -> None:
    def failing() -> None:
        raise KeyError(f"{NAME}, 12, rue Fictive")

    with pytest.raises(KeyError), tracer.start_as_current_span("RunActivity:propose"):
        failing()
    (seen,) = kept.get_finished_spans()
    assert [dict(event.attributes or {}) for event in seen.events] == [{"exception.type": "KeyError"}]
    assert (seen.status.status_code, seen.status.description) == (StatusCode.ERROR, None)
    assert NAME not in seen.to_json()


def test_a_field_that_is_not_listed_is_dropped(tracer: Tracer, kept: InMemorySpanExporter) -> None:
    with tracer.start_as_current_span("RunActivity:propose", attributes={"patient": NAME}) as span:
        span.add_event("something", {"patient": NAME})
    assert NAME not in kept.get_finished_spans()[0].to_json()


@pytest.mark.parametrize("what", ["SignalWorkflow", "HandleSignal", "HandleQuery", "StartWorkflowUpdate"])
def test_a_name_that_anybody_may_give_is_kept_only_when_it_is_ours(
    tracer: Tracer, kept: InMemorySpanExporter, what: str
) -> None:
    for name in ("mf_signed", NAME):
        tracer.start_span(f"{what}:{name}").end()
    assert [span.name for span in kept.get_finished_spans()] == [f"{what}:mf_signed", f"{what}:(withheld)"]
