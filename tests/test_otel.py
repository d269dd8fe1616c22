"""A session's events as OpenTelemetry's spans and metrics."""

import pytest
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from llamaclassify import JobFailedError, otel
from llamaclassify.events import JobCreated
from llamaclassify.otel import Telemetry

from .conftest import RULES


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


@pytest.fixture
def reader():
    return InMemoryMetricReader()


@pytest.fixture
def telemetry(tracing, reader):
    metering = MeterProvider([reader])
    yield Telemetry(tracer_provider=tracing, meter_provider=metering)
    metering.shutdown()


def metrics(reader):
    """Give each metric's points: how many or how much, and their attributes."""
    found = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    return {
        metric.name.removeprefix("llamaclassify."): [
            (getattr(point, "count", None) or point.value, dict(point.attributes))
            for point in metric.data.data_points
        ]
        for metric in found
    }


async def test_a_span_for_each_document_below_the_callers(classify_server, telemetry, tracing, exporter):
    classify_server.script("broken*", error="PDF_IS_BROKEN")
    async with classify_server.session(on_event=telemetry) as session:
        with tracing.get_tracer("service").start_as_current_span("request") as request:
            job = await session.create_and_wait(("invoice.txt", b"x"), rules=RULES)
        with pytest.raises(JobFailedError):
            await session.create_and_wait(("broken.txt", b"x"), rules=RULES)
    good, _, bad = exporter.get_finished_spans()
    assert (good.name, good.kind, good.parent) == (
        "classify document",
        SpanKind.CLIENT,
        request.get_span_context(),
    )
    assert dict(good.attributes) == {
        "llamaclassify.job.id": job.id,
        "llamaclassify.job.status": "COMPLETED",
    }
    assert [event.name for event in good.events] == ["COMPLETED"]
    assert (bad.status.status_code, bad.status.description) == (StatusCode.ERROR, "FAILED")


async def test_metrics(classify_server, telemetry, reader):
    classify_server.script("broken*", error="PDF_IS_BROKEN")
    classify_server.fault("upload", status=503)
    documents = [(f"{name}.txt", b"x") for name in ("invoice-1", "invoice-2", "broken")]
    async with classify_server.session(on_event=telemetry) as session:
        await session.classify_many(documents, rules=RULES)
    found = metrics(reader)
    completed, failed = ({"llamaclassify.job.status": status} for status in ("COMPLETED", "FAILED"))
    assert found["job.created"] == [(3, {})]
    assert found["request.retries"] == [(1, {"error.type": "InternalServerError"})]
    for name in ("job.duration", "job.lag"):
        assert sorted(found[name], key=str) == [(1, failed), (2, completed)]


async def test_with_the_instrumentation_of_aiohttp(classify_server, telemetry, tracing, exporter):
    instrumentor = AioHttpClientInstrumentor()
    instrumentor.instrument(tracer_provider=tracing)
    try:
        async with classify_server.session(on_event=telemetry) as session:
            await session.create_and_wait(("invoice.txt", b"x"), rules=RULES)
    finally:
        instrumentor.uninstrument()
    assert sorted(span.name for span in exporter.get_finished_spans()) == [
        "GET",
        "POST",
        "POST",
        "classify document",
    ]


def test_spans_of_jobs_that_nobody_waits_for_are_bounded(telemetry, exporter, monkeypatch):
    monkeypatch.setattr(otel, "_MOST_SPANS", 2)
    for number in range(5):
        telemetry(JobCreated(job_id=f"clj-{number}", status="PENDING", transaction_id="t"))
    assert [span.attributes["llamaclassify.job.id"] for span in exporter.get_finished_spans()] == [
        "clj-0",
        "clj-1",
        "clj-2",
    ]
