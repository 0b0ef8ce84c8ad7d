"""Machines, entities and their past behind one front."""

import asyncio
from itertools import islice
from typing import Any

import pytest

from spikard.fsm import (
    AsyncFsmRuntime,
    EntityAlreadyExists,
    FsmRuntime,
    InMemoryMachineStore,
    InMemoryStateStore,
    MachineNotFound,
    MachineSummary,
    NullObserver,
    QueueNotConfigured,
    RuntimeObserver,
    TransitionsPage,
    UndefinedTriggerError,
    apply_data,
    process_event,
    queue_apply_data,
)

MACHINE = {
    "meta": {"machine_name": "m", "version": "1.0.0", "description": "d"},
    "states": [{"name": "a", "type": "initial"}, {"name": "b"}, {"name": "c", "type": "terminal"}],
    "transitions": [
        {"trigger": "go", "source": "a", "dest": "b", "guards": ["may"]},
        {"trigger": "end", "source": "b", "dest": "c", "actions": ["act"]},
        {"trigger": "filled", "source": "a", "dest": "b", "auto": True, "guards": [{"expr": "x > 3"}]},
    ],
}


def in_memory(request: pytest.FixtureRequest) -> FsmRuntime:
    return FsmRuntime.in_memory()


def in_sqlite(request: pytest.FixtureRequest) -> FsmRuntime:
    return FsmRuntime.from_url(f"sqlite:///{request.getfixturevalue('tmp_path')}/fsm.db")


@pytest.fixture(params=[in_memory, in_sqlite], ids=["memory", "sqlite"])
def runtime(request: pytest.FixtureRequest) -> Any:
    made = request.param(request)
    made.register_guard("may", lambda context: True)
    made.register_action("act", lambda context: context.update(done=1))
    made.register_machine_from_dict(MACHINE)
    yield made
    made.close()


def test_machines(runtime: FsmRuntime) -> None:
    first = runtime.register_machine_from_dict(MACHINE)
    assert runtime.register_machine_from_dict(MACHINE) == first
    assert runtime.list_machines() == [MachineSummary("m", "1.0.0", "d", True)]
    runtime.validate_machine("m")
    with pytest.raises(MachineNotFound, match=r"Machine not registered: m@9\.9"):
        runtime.validate_machine("m", "9.9")
    with pytest.raises(MachineNotFound, match="Machine not registered: other"):
        runtime.session("other")
    assert runtime.machine_store.delete("m", "1.0.0")
    assert runtime.list_machines() == []


def test_an_entity_from_beginning_to_end(runtime: FsmRuntime) -> None:
    session = runtime.session("m")
    assert session.create_entity("e", context={"k": 1}).state == "a"
    with pytest.raises(EntityAlreadyExists, match="Entity already exists: 'e'"):
        session.create_entity("e")
    assert session.process_event("e", "go", context={"y": 2}).success
    assert isinstance(session.process_event("e", "nowhere").error, UndefinedTriggerError)
    assert session.process_event("e", "end").target_state == "c"
    found = session.get_entity("e")
    assert found is not None
    assert (found.state, found.is_terminal, found.workflow_status) == ("c", True, "complete")
    assert (found.context["k"], found.context["y"], found.context["done"]) == (1, 2, 1)
    assert session.get_entity("nobody") is None
    assert runtime.process_event("m", "fresh", "go").target_state == "b"


def test_data(runtime: FsmRuntime) -> None:
    runtime.create_entity("m", "e")
    assert [step.trigger for step in runtime.apply_data("m", "e", {"x": 9}, context={"z": 1})] == ["filled"]
    found = runtime.get_entity("m", "e")
    assert found is not None
    assert (found.state, found.context["x"], found.context["z"]) == ("b", 9, 1)
    event_id = runtime.queue_apply_data("m", "e", {"x": 1}, idempotency_key="k")
    assert queue_apply_data(machine="m", entity_id="e", data={}, runtime=runtime, idempotency_key="k") == event_id
    status = runtime.get_event_status(event_id)
    assert status is not None
    assert status.state == "queued"


def test_single_calls(runtime: FsmRuntime) -> None:
    assert process_event(machine="m", entity_id="e", trigger="go", runtime=runtime).success
    assert apply_data(machine="m", entity_id="f", data={"x": 4}, runtime=runtime)[0].target_state == "b"


def test_the_past(tmp_path: Any) -> None:
    runtime = FsmRuntime.from_url(f"sqlite:///{tmp_path}/fsm.db")
    runtime.register_guard("may", lambda context: True)
    runtime.register_action("act", lambda context: None)
    runtime.register_machine_from_dict(MACHINE)
    runtime.process_event("m", "e", "go")
    runtime.process_event("m", "e", "end")
    first = runtime.list_transitions(limit=1)
    rest = runtime.list_transitions(after=first.next_cursor)
    assert [event.trigger for event in first.items + rest.items] == ["go", "end"]
    assert rest.next_cursor is None
    assert [event.target_state for event in islice(runtime.subscribe(machine_name="m"), 2)] == ["b", "c"]
    assert runtime.list_transitions(entity_id="other").items == []
    for nothing in (0, -1):
        assert runtime.list_transitions(limit=nothing) == TransitionsPage()
    with pytest.raises(ValueError, match="malformed cursor"):
        runtime.list_transitions(after="garbage")
    runtime.close()
    with pytest.raises(RuntimeError, match="list_transitions requires a state store in SQL"):
        FsmRuntime.in_memory().list_transitions()


def test_who_is_told() -> None:
    told: list[tuple[str, Any]] = []

    class Listening(RuntimeObserver):
        def on_machine_registered(self, *, name: str, version: str, machine_id: str) -> None:
            told.append(("machine", machine_id))

        def on_entity_created(self, *, machine: str, entity_id: str, state: str) -> None:
            told.append(("entity", state))
            raise RuntimeError("changes nothing")

        def on_transition(self, *, machine: str, entity_id: str, result: Any) -> None:
            told.append(("transition", result.success))

        def on_error(self, *, op: str, machine: str | None, entity_id: str | None, exc: BaseException) -> None:
            told.append((op, type(exc)))

    runtime = FsmRuntime.in_memory(observers=(Listening(), NullObserver()))
    runtime.register_machine_from_dict(MACHINE)
    runtime.create_entity("m", "e")
    runtime.process_event("m", "e", "end")
    with pytest.raises(MachineNotFound):
        runtime.process_event("other", "e", "go")
    assert told == [
        ("machine", "m@1.0.0"), ("entity", "a"), ("transition", False), ("process_event", MachineNotFound),
    ]  # fmt: skip


def test_without_a_queue() -> None:
    runtime = FsmRuntime(machine_store=InMemoryMachineStore(), state_store=InMemoryStateStore())
    assert runtime.queue is None
    with pytest.raises(QueueNotConfigured, match="requires a QueueClient"):
        runtime.queue_apply_data("m", "e", {})


def test_awaited() -> None:
    async def main() -> None:
        runtime = AsyncFsmRuntime.in_memory()

        async def may(context: dict[str, Any]) -> bool:
            return True

        runtime.runtime.register_guard("may", may)
        await runtime.register_machine_from_dict(MACHINE)
        await runtime.create_entity("m", "e")
        assert (await runtime.process_event("m", "e", "go")).success
        found = await runtime.get_entity("m", "e")
        assert found is not None
        assert found.state == "b"

    asyncio.run(main())


def test_observers_hear_of_each_step_that_data_made() -> None:
    class Listener(NullObserver):
        def __init__(self) -> None:
            self.heard: list[tuple[str, Any]] = []

        def on_transition(self, *, machine: str, entity_id: str, result: Any) -> None:
            self.heard.append(("step", (machine, entity_id, result.target_state)))

        def on_apply_data(self, *, machine: str, entity_id: str, results: list[Any]) -> None:
            self.heard.append(("data", (machine, entity_id, len(results))))

    listener = Listener()
    runtime = FsmRuntime.in_memory(observers=(listener,))
    runtime.register_guard("may", lambda context: True)
    runtime.register_machine_from_dict(MACHINE)
    runtime.apply_data("m", "e", {"x": 9})
    assert listener.heard == [("step", ("m", "e", "b")), ("data", ("m", "e", 1))]
    runtime.apply_data("m", "e", {"x": 9})
    assert listener.heard[2:] == [("data", ("m", "e", 0))]


def test_what_runtimes_raise_is_a_runtime_error() -> None:
    for raised in (MachineNotFound("m"), EntityAlreadyExists("e"), QueueNotConfigured()):
        assert isinstance(raised, RuntimeError)


def test_one_store_without_the_other_is_a_wrong_call() -> None:
    with pytest.raises(TypeError, match="go together"):
        process_event(machine="m", entity_id="e", trigger="go", state_store=InMemoryStateStore())
