"""Doubles of `unittest.mock` and users' own small classes in the places of stores, sources and schedulers."""

from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock, patch

import pytest

from spikard.fsm import (
    AsyncStateStore,
    CeleryScheduler,
    ClaimedEvent,
    EventSource,
    InMemoryMachineStore,
    InMemoryStateStore,
    MachineDefinition,
    MachineStoreClient,
    MongoDBStateStore,
    Orchestrator,
    PostgresStateStore,
    RedisStateStore,
    SQLiteStateStore,
    StateMachine,
    StateStore,
    StateStoreClient,
    WorkerEvent,
)
from spikard.fsm.discovery.memory import InMemoryDiscoveryStore
from spikard.fsm.discovery.protocol import (
    BuiltDiscoveryCandidateStore,
    DraftStore,
    ObservationStore,
    ShadowResultStore,
)
from spikard.fsm.machine_stores.protocol import MachineStore
from spikard.fsm.offer import is_overridden
from spikard.fsm.orchestration.store_access import PARTS

DOOR = {
    "meta": {"machine_name": "door", "version": "1.0.0"},
    "states": [{"name": "shut", "type": "initial"}, {"name": "open"}],
    "transitions": [{"trigger": "push", "source": "shut", "dest": "open"}],
}


@pytest.mark.parametrize("double", [Mock(), MagicMock(), MagicMock(spec=StateStore), Mock(spec=StateStore)])
def test_a_double_is_a_store_without_versions(double: Any) -> None:
    double.get_state.return_value = "shut"
    double.get_context.return_value = {"hand": "left"}
    result = Orchestrator(StateMachine.from_dict(DOOR), double).process_event("front", "push")
    assert (result.success, result.target_state) == (True, "open")
    assert [call.args for call in double.set_state.call_args_list] == [("front", "open")]


@pytest.mark.parametrize("double", [AsyncMock(), AsyncMock(spec=AsyncStateStore)])
async def test_a_double_that_is_awaited_is_one_too(double: Any) -> None:
    double.aget_state.return_value = "shut"
    double.aget_context.return_value = {}
    result = await Orchestrator(StateMachine.from_dict(DOOR), double).async_process_event("front", "push")
    assert (result.success, result.target_state) == (True, "open")
    assert [call.args for call in double.aset_state.await_args_list] == [("front", "open")]


def test_data_for_an_entity_in_a_double() -> None:
    double = Mock()
    double.get_state.return_value = "shut"
    double.get_context.return_value = {}
    assert Orchestrator(StateMachine.from_dict(DOOR), double).apply_data("front", {"hand": "left"}) == []
    double.set_context.assert_called_once_with("front", {"hand": "left"})


async def test_a_double_is_a_scheduler() -> None:
    states = [{"name": "shut", "type": "initial"}, {"name": "open"}, {"name": "ajar"}]
    fall = {"trigger": "fall", "source": "open", "dest": "ajar", "after": 5000}
    machine = StateMachine.from_dict({**DOOR, "states": states, "transitions": [*DOOR["transitions"], fall]})  # type: ignore[misc]
    scheduler = AsyncMock()
    orchestrator = Orchestrator(machine, InMemoryStateStore(), scheduler=scheduler)
    assert (await orchestrator.async_process_event("front", "push")).success
    scheduler.schedule.assert_awaited_once()
    told = scheduler.schedule.await_args.kwargs
    assert (told["delay_ms"], told["entity_id"], told["event"], told["metadata"]["state"]) == (
        5000, "front", "fall", "open",
    )  # fmt: skip
    await told["callback"]()
    assert orchestrator.store.get_state("front") == "ajar"
    assert {call[0] for call in scheduler.method_calls} == {"schedule", "cancel"}


def test_a_double_is_told_of_services_only() -> None:
    states = [{"name": "shut", "type": "initial"}, {"name": "open", "invoke": [{"id": "light", "src": "lamp"}]}]
    adapter = Mock()
    machine = StateMachine.from_dict({**DOOR, "states": states})
    Orchestrator(machine, InMemoryStateStore(), invoke_adapter=adapter).process_event("front", "push")
    assert [call[0] for call in adapter.method_calls] == ["start"]


async def test_sources_need_not_count_nor_close() -> None:
    class Empty(EventSource):
        async def submit(self, event: WorkerEvent) -> str:
            return event.entity_id

        async def claim_next(self, worker_id: str) -> ClaimedEvent | None:
            return None

        async def complete(self, event_id: str, result: Any = None) -> None:
            pass

        async def fail(self, event_id: str, error: str, *, retry: bool = True) -> None:
            pass

        async def health_check(self) -> bool:
            return True

    source = Empty()
    assert await source.pending_count() == -1
    await source.close()


def test_stores_without_connections_need_not_disconnect() -> None:
    class Machines(MachineStoreClient):
        def connect(self) -> None:
            pass

        def save(self, definition: MachineDefinition) -> str:
            return definition.name

        def get(self, name: str, version: str | None = None) -> MachineDefinition | None:
            return None

        def list(self, name: str | None = None) -> list[MachineDefinition]:
            return []

        def delete(self, name: str, version: str) -> bool:
            return False

    class States(StateStoreClient):
        def connect(self) -> None:
            pass

    with Machines("somewhere") as machines:
        assert machines.connection_string == "somewhere"
    with States("here") as states:
        assert states.connection_string == "here"


def test_stores_of_discoveries_are_told_by_what_they_can_do() -> None:
    protocols: list[Any] = [ObservationStore, BuiltDiscoveryCandidateStore, ShadowResultStore, DraftStore]
    assert all(isinstance(InMemoryDiscoveryStore(), protocol) for protocol in protocols)
    assert not any(isinstance(object(), protocol) for protocol in protocols)


def test_celery_s_application_has_two_names() -> None:
    for name in ("app", "celery_app"):
        application = Mock()
        CeleryScheduler(**{name: application}).register_task()
        application.task.assert_called_once()


@pytest.mark.parametrize(("part", "answer"), [("get_state", "shut"), ("set_state", 1), ("get_context", {})])
def test_methods_patched_on_a_class_of_stores_are_called(part: str, answer: Any) -> None:
    with patch.object(InMemoryStateStore, part, return_value=answer) as double:
        result = Orchestrator(StateMachine.from_dict(DOOR), InMemoryStateStore()).process_event("front", "push")
    assert (result.success, double.call_count) == (True, 1)
    assert Orchestrator(StateMachine.from_dict(DOOR), InMemoryStateStore()).access.is_whole


@pytest.mark.parametrize(
    "kind",
    [InMemoryStateStore, SQLiteStateStore, PostgresStateStore, RedisStateStore, MongoDBStateStore],
)
def test_no_store_of_ours_passes_for_a_patched_one(kind: type) -> None:
    assert not is_overridden(object.__new__(kind), PARTS, "commit")


def test_a_store_of_machines_is_told_by_what_it_can_do() -> None:
    class Shelf:
        def connect(self) -> None: ...
        def disconnect(self) -> None: ...
        def save(self, definition: MachineDefinition) -> str: ...
        def get(self, name: str, version: str | None = None) -> MachineDefinition | None: ...
        def list(self, name: str | None = None) -> list[MachineDefinition]: ...
        def delete(self, name: str, version: str) -> bool: ...

    assert isinstance(Shelf(), MachineStore)
    assert isinstance(InMemoryMachineStore(), MachineStore)
    assert not isinstance(object(), MachineStore)
