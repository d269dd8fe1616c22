"""A session's events as OpenTelemetry's spans and metrics. Needs the extra ``otel``.

::

    from llamaclassify.otel import Telemetry

    async with ClassifySession(on_event=Telemetry()) as session:
        await session.create_and_wait(Path("a.pdf"), rules=RULES)

A span covers each job from its create's answer to when its end is seen, below the span that was current at
the create. The requests themselves are spans of OpenTelemetry's instrumentation of aiohttp, if you use it.
"""

from __future__ import annotations

from opentelemetry.metrics import MeterProvider, get_meter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider, get_tracer

from .events import Event, JobCreated, JobFinished, JobSeen, RequestHeld, RequestRetried
from .models import JobStatus
from .version import __version__

_MOST_SPANS = 10_000
"""So many spans are open at most: jobs that nobody waits for have no end to be seen."""


class Telemetry:
    """A listener for a session's ``on_event``; several sessions may share one."""

    def __init__(
        self, *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
    ) -> None:
        """Make the instruments.

        Args:
            tracer_provider: Instead of OpenTelemetry's global one.
            meter_provider: Instead of OpenTelemetry's global one.
        """
        self._tracer = get_tracer("llamaclassify", __version__, tracer_provider)
        meter = get_meter("llamaclassify", __version__, meter_provider)
        self._created = meter.create_counter(
            "llamaclassify.job.created", "{job}", "Creates that were answered"
        )
        self._duration = meter.create_histogram(
            "llamaclassify.job.duration", "s", "From the create's answer to when the end was seen"
        )
        self._lag = meter.create_histogram(
            "llamaclassify.job.lag", "s", "How late the end of a job was noticed, at most"
        )
        self._retried = meter.create_counter(
            "llamaclassify.request.retries", "{request}", "Requests that failed and were tried again"
        )
        self._held = meter.create_histogram(
            "llamaclassify.request.held", "s", "How long requests were held back by the rate limits"
        )
        self._spans: dict[str, Span] = {}

    def __call__(self, event: Event) -> None:
        """Hear of an event."""
        match event:
            case JobCreated():
                self._created.add(1)
                self._begin(event)
            case JobSeen() if event.job_id in self._spans:
                self._spans[event.job_id].add_event(event.status)
            case JobFinished():
                self._finish(event)
            case RequestRetried():
                self._retried.add(1, {"error.type": type(event.error).__name__})
            case RequestHeld():
                self._held.record(event.seconds, {"llamaclassify.request.kind": event.kind})

    def _begin(self, event: JobCreated) -> None:
        if event.job_id in self._spans:
            return  # an earlier create made it
        if len(self._spans) == _MOST_SPANS:
            self._spans.pop(next(iter(self._spans))).end()
        attributes = {"llamaclassify.job.id": event.job_id}
        self._spans[event.job_id] = self._tracer.start_span(
            "classify document", kind=SpanKind.CLIENT, attributes=attributes
        )

    def _finish(self, event: JobFinished) -> None:
        attributes = {"llamaclassify.job.status": event.status}
        if event.seconds is not None:
            self._duration.record(event.seconds, attributes)
        self._lag.record(event.lag, attributes)
        span = self._spans.pop(event.job_id, None)
        if span is not None:
            span.set_attributes(attributes)
            if event.status != JobStatus.COMPLETED:
                span.set_status(Status(StatusCode.ERROR, event.status))
            span.end()
