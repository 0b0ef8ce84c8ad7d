"""A hook that makes spans. Needs the extra `otel`."""

from contextvars import ContextVar
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer

from spikard.fsm.plan import Plan

_entity: ContextVar[str] = ContextVar("spikard_fsm_span_entity")
_span: ContextVar[Span | None] = ContextVar("spikard_fsm_span", default=None)


class OpenTelemetryHook:
    """A span `fsm <trigger>` for each event, from before it is computed until its plan is there.

    An event whose metadata holds a `traceparent` is linked with the span that has caused it: that may have ended long
    ago, before a queue or a timer.
    """

    def __init__(self, tracer: Tracer | None = None) -> None:
        self._tracer = tracer or trace.get_tracer("spikard.fsm")

    def on_before_process(self, entity_id: str, current_state: str, trigger: str, context: dict[str, Any]) -> None:  # noqa: ARG002
        """Remembers whose event it is."""
        _entity.set(entity_id)

    def on_transition_start(self, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """Starts the span."""
        attributes = {"fsm.trigger": trigger, "fsm.state.source": current_state}
        entity_id = context.get("_entity_id") or _entity.get("")
        if entity_id:
            attributes["fsm.entity_id"] = entity_id
        _span.set(
            self._tracer.start_span(
                f"fsm {trigger}", kind=SpanKind.INTERNAL, attributes=attributes, links=_causes(context)
            )
        )

    def on_transition_complete(self, result: Plan, duration_ms: float, context: dict[str, Any]) -> None:  # noqa: ARG002
        """Ends the span with what has become of the event. A refusal is an answer, not an error."""
        span = _taken()
        if span is None:
            return
        span.set_attribute("fsm.success", result.success)
        if result.target_state is not None:
            span.set_attribute("fsm.state.target", result.target_state)
        if result.error is not None:
            span.set_attribute("fsm.refusal", type(result.error).__name__)
        span.end()

    def on_transition_error(self, error: Exception, current_state: str, trigger: str, context: dict[str, Any]) -> None:  # noqa: ARG002
        """Ends the span with the exception."""
        span = _taken()
        if span is not None:
            span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            span.end()


def _taken() -> Span | None:
    span = _span.get()
    _span.set(None)
    return span


def _causes(context: dict[str, Any]) -> list[Link]:
    metadata = getattr(context.get("_event"), "metadata", None) or {}
    if "traceparent" not in metadata:
        return []
    cause = trace.get_current_span(propagate.extract(metadata)).get_span_context()
    return [Link(cause)] if cause.is_valid else []
