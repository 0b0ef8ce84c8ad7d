"""Spans of OpenTelemetry around requests; needs the extra `otel`."""

from typing import TYPE_CHECKING

from opentelemetry import context, propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider

from spikard import __version__
from spikard._spikard import Request, Response

if TYPE_CHECKING:
    from spikard.app.application import Spikard

SERVER_ERROR = 500
# Before the hooks of the application on the way in, after them on the way out.
FIRST, LAST = -1_000_000, 1_000_000
SPAN = "opentelemetry.span"


def instrument(app: "Spikard", *, tracer_provider: TracerProvider | None = None) -> None:
    """Make a span for every request, a child of the caller's where the request names one.

    The span is the current one while hooks and the handler run. It ends with the head of the answer.
    """
    tracer = trace.get_tracer("spikard", __version__, tracer_provider)

    @app.on_request(order=FIRST)
    def begin(request: Request) -> None:
        parent = propagate.extract(dict(request.headers.items()))
        span = tracer.start_span(
            request.method, context=parent, kind=SpanKind.SERVER, attributes=_attributes_of(request)
        )
        request.state[SPAN] = span
        # Not detached: the context is this request's own, and goes with it.
        context.attach(trace.set_span_in_context(span, parent))

    @app.on_error(order=LAST)
    def fail(response: Response, request: Request, exc: BaseException | None) -> None:
        span: Span | None = request.state.get(SPAN)
        if span is not None and exc is not None and response.status_code >= SERVER_ERROR:
            span.record_exception(exc)
            span.set_attribute("error.type", type(exc).__qualname__)

    @app.on_response(order=LAST)
    def end(response: Response, request: Request) -> None:
        span: Span | None = request.state.get(SPAN)
        if span is None:
            return
        if request.route is not None:
            span.update_name(f"{request.method} {request.route.path}")
            span.set_attribute("http.route", request.route.path)
        span.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= SERVER_ERROR:
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def _attributes_of(request: Request) -> dict[str, str]:
    """What the conventions for HTTP servers ask for; what is absent is left out."""
    client = request.client
    attributes = {
        "http.request.method": request.method,
        "url.scheme": request.scheme,
        "url.path": request.raw_path.decode("latin-1"),
        "url.query": request.query_string,
        "server.address": request.host,
        "client.address": client[0] if client else "",
        "network.protocol.version": request.http_version,
        "user_agent.original": request.headers.get("user-agent", ""),
    }
    return {name: value for name, value in attributes.items() if value}


__all__ = ["instrument"]
