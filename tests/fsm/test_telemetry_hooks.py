"""Spans and figures of transitions."""

from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest

from spikard.fsm import (
    Event,
    GuardExecutionError,
    InMemoryStateStore,
    OpenTelemetryHook,
    Orchestrator,
    PrometheusHook,
    StateMachine,
)

MACHINE: dict[str, Any] = {
    "states": [{"name": "a", "type": "initial"}, {"name": "b"}],
    "transitions": [
        {"trigger": "go", "source": "a", "dest": "b"},
        {"trigger": "stay", "source": "a", "dest": "b", "guards": ["never"]},
        {"trigger": "ask", "source": "a", "dest": "b", "guards": ["ask"]},
    ],
}


def machine() -> StateMachine:
    made = StateMachine.from_dict(MACHINE)

    @made.guard("ask")
    def ask(context: dict[str, Any]) -> bool:
        raise ConnectionError("nobody there")

    return made


def test_spans() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    hook = OpenTelemetryHook(provider.get_tracer("test"))
    orchestrator = Orchestrator(machine(), InMemoryStateStore(), hooks=[hook])
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    orchestrator.process_event("e-1", Event("go", metadata={"traceparent": parent}))
    orchestrator.process_event("e-2", "stay")
    with pytest.raises(GuardExecutionError):
        orchestrator.process_event("e-3", "ask")
    done, refused, failed = exporter.get_finished_spans()
    assert (done.name, refused.name, failed.name) == ("fsm go", "fsm stay", "fsm ask")
    assert dict(done.attributes or {}) == {
        "fsm.trigger": "go", "fsm.state.source": "a", "fsm.entity_id": "e-1", "fsm.success": True,
        "fsm.state.target": "b",
    }  # fmt: skip
    (link,) = done.links
    assert f"{link.context.span_id:016x}" == "b7ad6b7169203331"
    assert (refused.attributes or {})["fsm.refusal"] == "GuardRejectedError"
    assert refused.status.is_ok
    assert failed.status.description == "GuardExecutionError"
    assert [event.name for event in failed.events] == ["exception"]
    provider.shutdown()


def test_figures() -> None:
    registry, store = CollectorRegistry(), InMemoryStateStore()
    orchestrator = Orchestrator(machine(), store, hooks=[PrometheusHook(registry, prefix="shop", store=store)])
    for number, trigger in enumerate(["go", "go", "stay", "whatever comes from outside"]):
        orchestrator.process_event(f"e-{number}", trigger)
    text = generate_latest(registry).decode()
    assert 'shop_transitions_total{outcome="done",source_state="a",target_state="b",trigger="go"} 2.0' in text
    assert 'shop_transitions_total{outcome="refused",source_state="a",target_state="",trigger="stay"} 1.0' in text
    assert 'shop_transitions_total{outcome="refused",source_state="a",target_state="",trigger=""} 1.0' in text
    assert 'shop_transition_seconds_count{trigger="go"} 2.0' in text
    assert 'shop_entities{state="b"} 2.0' in text
    assert "outside" not in text
