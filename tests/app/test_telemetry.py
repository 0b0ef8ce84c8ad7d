"""Spans of OpenTelemetry around requests."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from spikard import Spikard
from spikard.app.telemetry import instrument
from tests.conftest import Serve

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def app(exporter: InMemorySpanExporter) -> Spikard:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = Spikard()
    instrument(app, tracer_provider=provider)

    @app.get("/items/{item_id}")
    async def item(item_id: int) -> str:
        with provider.get_tracer("test").start_as_current_span("inside"):
            return format(trace.get_current_span().get_span_context().trace_id, "032x")

    @app.get("/broken")
    async def broken() -> str:
        raise ZeroDivisionError("by hand")

    return app


def test_a_request_continues_the_trace_of_its_caller(
    serve: Serve, app: Spikard, exporter: InMemorySpanExporter
) -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "user-agent": "test"}
    assert serve(app).client.get("/items/5?q=1", headers=headers).json() == TRACE
    inside, span = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("GET /items/{item_id}", SpanKind.SERVER)
    assert span.parent is not None
    assert format(span.parent.span_id, "016x") == PARENT
    assert inside.parent is not None
    assert inside.parent.span_id == span.get_span_context().span_id
    assert (
        dict(span.attributes or {}).items()
        >= {
            "http.request.method": "GET",
            "http.route": "/items/{item_id}",
            "http.response.status_code": 200,
            "url.path": "/items/5",
            "url.query": "q=1",
            "url.scheme": "http",
            "client.address": "127.0.0.1",
            "user_agent.original": "test",
        }.items()
    )
    assert span.status.status_code is StatusCode.UNSET


def test_requests_do_not_share_a_trace(serve: Serve, app: Spikard, exporter: InMemorySpanExporter) -> None:
    client = serve(app).client
    assert client.get("/items/1").json() != client.get("/items/2").json()
    assert len({span.get_span_context().trace_id for span in exporter.get_finished_spans()}) == 2


def test_faults_are_recorded(serve: Serve, app: Spikard, exporter: InMemorySpanExporter) -> None:
    assert serve(app).client.get("/broken").status_code == 500
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "ZeroDivisionError"
    (event,) = span.events
    assert (event.attributes or {})["exception.message"] == "by hand"


@pytest.mark.parametrize(("path", "status"), [("/items/x", 422), ("/nowhere", 404)])
def test_refusals_have_a_span_and_are_no_faults(
    serve: Serve, app: Spikard, exporter: InMemorySpanExporter, path: str, status: int
) -> None:
    assert serve(app).client.get(path).status_code == status
    (span,) = exporter.get_finished_spans()
    assert (span.attributes or {})["http.response.status_code"] == status
    assert span.status.status_code is StatusCode.UNSET
