"""What states invoke: functions, machines, and the events that tell of their end."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import FsmRuntime, InMemoryStateStore, Orchestrator, ServiceAdapter, StateMachine, create_state_store

SECONDS = 20
MACHINE: dict[str, Any] = {
    "meta": {"machine_name": "order", "version": "1"},
    "states": [
        {"name": "new", "type": "initial"},
        {"name": "busy", "initial_child": "charging", "invoke": [{"id": "watch", "src": "watch"}]},
        {"name": "charging", "parent": "busy", "invoke": [
            {"id": "charge", "src": "charge", "on_done": "charged", "on_error": "refused"},
        ]},
        {"name": "passed", "invoke": [{"id": "never", "src": "never"}]},
        {"name": "paid"}, {"name": "failed"}, {"name": "left"},
    ],
    "transitions": [
        {"trigger": "pay", "source": "new", "dest": "busy"},
        {"trigger": "charged", "source": "charging", "dest": "paid"},
        {"trigger": "refused", "source": "charging", "dest": "failed"},
        {"trigger": "leave", "source": "busy", "dest": "left"},
        {"trigger": "pass", "source": "new", "dest": "passed"},
        {"source": "passed", "dest": "left", "auto": True},
    ],
}  # fmt: skip


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "memory":
        yield InMemoryStateStore()
        return
    with create_state_store(f"sqlite:///{tmp_path}/services.db") as made:
        yield made


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def orders(store: Any, **services: Any) -> tuple[Orchestrator, ServiceAdapter]:
    adapter = ServiceAdapter({"watch": lambda context: None, **services})
    return Orchestrator(StateMachine.from_dict(MACHINE), store, invoke_adapter=adapter), adapter


async def charge(context: dict[str, Any]) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"amount": context["amount"]}


def charge_in_thread(context: dict[str, Any]) -> dict[str, Any]:
    return {"amount": context["amount"]}


@pytest.mark.parametrize("service", [charge, charge_in_thread])
@pytest.mark.parametrize("way", ["blocking", "awaited"])
def test_a_result_comes_as_an_event(store: Any, service: Any, way: str) -> None:
    machine, adapter = orders(store, charge=service)
    if way == "blocking":
        assert machine.process_event("e", "pay", {"amount": 5}).success
    else:
        assert asyncio.run(machine.async_process_event("e", "pay", {"amount": 5})).success
    eventually(lambda: store.get_state("e") == "paid")
    assert store.get_context("e")["data"] == {"amount": 5}
    assert store.get_context("e")["invoke_id"] == "charge"
    assert store.get_timers("e") == []
    adapter.close()


def test_a_failure_comes_as_an_event(store: Any) -> None:
    def refuse(context: dict[str, Any]) -> None:
        raise ValueError("no money")

    machine, adapter = orders(store, charge=refuse)
    machine.process_event("e", "pay")
    eventually(lambda: store.get_state("e") == "failed")
    assert (store.get_context("e")["error"], store.get_context("e")["error_type"]) == ("no money", "ValueError")
    adapter.close()


def test_a_service_that_there_is_not_fails(store: Any) -> None:
    machine, adapter = orders(store)
    machine.process_event("e", "pay")
    eventually(lambda: store.get_state("e") == "failed")
    assert store.get_context("e")["error"] == "no service is registered as 'charge'"
    adapter.close()


def test_leaving_cancels(store: Any) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def slow(context: dict[str, Any]) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    machine, adapter = orders(store, charge=slow)
    machine.process_event("e", "pay")
    assert begun.wait(SECONDS)
    machine.process_event("e", "leave")
    assert ended.wait(SECONDS)
    assert store.get_state("e") == "left"
    adapter.close()


def test_every_state_that_is_entered_and_left_is_told_of() -> None:
    told: list[tuple[str, str]] = []

    class Services:
        """Keeps what it is told."""

        async def start(self, spec: Any, source_state: str, context: dict[str, Any]) -> None:
            told.append(("start", spec.id))

        async def stop(self, spec: Any, context: dict[str, Any]) -> None:
            told.append(("stop", spec.id))

    async def main() -> None:
        machine = Orchestrator(StateMachine.from_dict(MACHINE), InMemoryStateStore(), invoke_adapter=Services())
        await machine.async_process_event("e", "pay")
        await machine.async_process_event("e", "leave")
        # Only passed through.
        await machine.async_process_event("f", "pass")

    asyncio.run(main())
    assert told == [("start", "watch"), ("start", "charge"), ("stop", "charge"), ("stop", "watch")]


@pytest.mark.parametrize("end", ["ship", "lose"])
def test_a_machine_inside_of_a_state(end: str) -> None:
    runtime = FsmRuntime.in_memory()
    runtime.register_machine_from_dict(
        {
            "meta": {"machine_name": "parcel", "version": "1"},
            "states": [
                {"name": "packed", "type": "initial"},
                {"name": "shipped", "type": "terminal"},
                {"name": "lost", "type": "error"},
            ],
            "transitions": [
                {"trigger": "ship", "source": "packed", "dest": "shipped", "actions": [{"set": {"by": "sea"}}]},
                {"trigger": "lose", "source": "packed", "dest": "lost"},
            ],
        }
    )
    parent = StateMachine.from_dict(
        {
            "meta": {"machine_name": "order", "version": "1"},
            "states": [
                {"name": "new", "type": "initial"},
                {
                    "name": "shipping",
                    "invoke": [{"id": "parcel", "src": "machine:parcel", "on_done": "sent", "on_error": "gone"}],
                },
                {"name": "sent"},
                {"name": "gone"},
            ],
            "transitions": [
                {"trigger": "go", "source": "new", "dest": "shipping"},
                {"trigger": "sent", "source": "shipping", "dest": "sent"},
                {"trigger": "gone", "source": "shipping", "dest": "gone"},
            ],
        }
    )
    adapter = ServiceAdapter(runtime=runtime, poll_seconds=0.01)
    orders = Orchestrator(parent, runtime.state_store, invoke_adapter=adapter)
    orders.process_event("o-1", "go", {"to": "Oslo"})
    eventually(lambda: runtime.get_entity("parcel", "o-1.parcel") is not None)
    assert runtime.process_event("parcel", "o-1.parcel", end).success
    eventually(lambda: runtime.state_store.get_state("o-1") == {"ship": "sent", "lose": "gone"}[end])
    child = runtime.state_store.get_context("o-1").get("data", {}).get("context", {})
    if end == "ship":
        assert (child["to"], child["by"]) == ("Oslo", "sea")
    adapter.close()
    runtime.close()
