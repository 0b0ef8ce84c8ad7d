"""Where published events and measurements go."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

from spikard.fsm.action_registry import ActionRegistry

logger = logging.getLogger("spikard.fsm.sinks")


@runtime_checkable
class EventSink(Protocol):
    """Takes events that machines publish."""

    def send(self, topic: str, payload: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Take one event."""
        ...


@runtime_checkable
class MetricSink(Protocol):
    """Takes what machines measure."""

    def emit(self, name: str, value: float, tags: dict[str, str]) -> None:
        """Take one measurement."""
        ...


class LoggingEventSink:
    """Writes events to the log."""

    def __init__(self, logger_name: str = "spikard.fsm.events") -> None:
        self._logger = logging.getLogger(logger_name)

    def send(self, topic: str, payload: dict[str, Any], metadata: dict[str, Any]) -> None:  # noqa: ARG002 - a protocol
        """Write one event."""
        self._logger.info("event.%s payload=%s", topic, payload)


class LoggingMetricSink:
    """Writes measurements to the log."""

    def __init__(self, logger_name: str = "spikard.fsm.metrics") -> None:
        self._logger = logging.getLogger(logger_name)

    def emit(self, name: str, value: float, tags: dict[str, str]) -> None:
        """Write one measurement."""
        self._logger.info("metric.%s value=%s tags=%s", name, value, tags)


def create_publish_action(sink: EventSink) -> Callable[..., None]:
    """An action that hands the context to a sink: the keys of `include`, or all without `_` before them."""

    def publish(ctx: dict[str, Any], *, topic: str | None = None, include: list[str] | None = None) -> None:
        """Publishes an event with values of the context."""
        if not topic:
            logger.warning("publish: missing 'topic' param")
            return
        if not include:
            payload = {key: value for key, value in ctx.items() if not key.startswith("_")}
        else:
            payload = {key: ctx.get(key) for key in include}
        metadata = {"timestamp": datetime.now(UTC).isoformat(), "state": _state(ctx), "trigger": ctx.get("trigger")}
        sink.send(topic, payload, metadata)

    return publish


def create_metric_action(sink: MetricSink) -> Callable[..., None]:
    """An action that hands a number to a sink."""

    def emit_metric(
        ctx: dict[str, Any],
        *,
        name: str | None = None,
        value: float = 1.0,
        type: str = "counter",  # noqa: A002 - a key of configurations
        tags: dict[str, str] | None = None,
    ) -> None:
        """Emits a measurement."""
        if not name:
            logger.warning("emit_metric: missing 'name' param")
            return
        state = _state(ctx)
        own = {"metric_type": type} if state is None else {"metric_type": type, "state": str(state)}
        sink.emit(name, float(value), {**(tags or {}), **own})

    return emit_metric


def configure_event_sink(registry: ActionRegistry, sink: EventSink | None = None) -> None:
    """Make `publish` and `emit` send to a sink; to the log where none is given."""
    registry.event_sink = sink or LoggingEventSink()
    registry.register("publish", create_publish_action(registry.event_sink))


def configure_metric_sink(registry: ActionRegistry, sink: MetricSink | None = None) -> None:
    """Make `emit_metric` send to a sink; to the log where none is given."""
    registry.register("emit_metric", create_metric_action(sink or LoggingMetricSink()))


def _state(ctx: dict[str, Any]) -> Any:
    return ctx.get("current_state", ctx.get("state"))
