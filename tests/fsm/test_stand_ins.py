"""Stores, schedulers, services and executors that programs bring along, and those that tests put in their place."""

import asyncio
from typing import Any
from unittest.mock import AsyncMock, Mock, patch

import pytest

from spikard.fsm import (
    ActionExecutor,
    ActionRegistry,
    ExecutionMode,
    ExecutionResult,
    FsmRuntime,
    GuardRegistry,
    InMemoryMachineStore,
    InMemoryStateStore,
    InvalidTransitionError,
    Orchestrator,
    SQLiteStateStore,
    StateMachine,
    TransitionResult,
    create_publish_action,
    enrich_hint_result,
)

DEFINITION: dict[str, Any] = {
    "meta": {"machine_name": "order"},
    "states": [
        {"name": "new", "type": "initial", "on_exit": ["leave", {"set": {"left": 1}}]},
        {"name": "open", "on_enter": [{"increment": "times"}, "enter"], "invoke": [{"id": "i", "src": "service"}]},
        {"name": "late"},
    ],
    "transitions": [
        {"trigger": "go", "source": "new", "dest": "open", "actions": ["act", {"clear": "other"}]},
        {"trigger": "back", "source": "open", "dest": "new"},
        {"after": 5000, "source": "open", "dest": "late"},
    ],
}
PLANNED = ["leave", "_effect.set", "act", "_effect.clear", "_effect.increment", "enter"]


def _machine() -> StateMachine:
    return StateMachine.from_dict(DEFINITION)


class Watched(InMemoryStateStore):
    """Notes what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def set_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
        self.written.append(state)
        super().set_state(entity_id, state, metadata=metadata)


@pytest.mark.parametrize(("is_overridden", "told"), [(True, 1), (False, 0)])
def test_who_loses_transactions_by_overriding_is_told(
    *, is_overridden: bool, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    class Loud(SQLiteStateStore):
        if is_overridden:

            def set_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
                super().set_state(entity_id, state.lower(), metadata=metadata)

    with Loud("sqlite:///:memory:") as store:
        with caplog.at_level("WARNING", "spikard.fsm.orchestrator"):
            orchestrator = Orchestrator(_machine(), store)
        assert orchestrator.keeps_outbox is not is_overridden
    assert sum("neither a transaction nor an outbox" in record.message for record in caplog.records) == told


@pytest.mark.parametrize("spec", [None, InMemoryStateStore])
def test_a_stand_in_for_a_store_is_asked_what_every_store_is_asked(spec: Any) -> None:
    store = Mock(spec=spec)
    store.get_state.return_value = "new"
    store.get_context.return_value = {"kept": 1}
    assert Orchestrator(_machine(), store).process_event("e", "go").success
    asked = [call[0] for call in store.method_calls if "versioned" not in call[0]]
    assert asked == ["get_state", "get_context", "set_state", "set_context"]


async def test_a_stand_in_for_an_awaited_store_is_awaited() -> None:
    store = AsyncMock()
    store.aget_state.return_value = "new"
    store.aget_context.return_value = {}
    assert (await Orchestrator(_machine(), store).async_process_event("e", "go")).success
    assert store.aset_state.await_args.args == ("e", "open")


def test_methods_that_a_class_made_of_a_store_brings_along_are_called() -> None:
    store = Watched()
    orchestrator = Orchestrator(_machine(), store)
    orchestrator.process_event("e", "go")
    asyncio.run(orchestrator.async_process_event("e", "back"))
    assert store.written == ["open", "new"]
    assert store.get_state("e") == "new"


@pytest.mark.parametrize("method", ["get_state", "set_state", "get_context"])
def test_a_store_fails_while_a_method_is_replaced_and_no_longer(method: str) -> None:
    store = InMemoryStateStore()
    orchestrator = Orchestrator(_machine(), store)
    with patch.object(store, method, side_effect=RuntimeError("disk full")), pytest.raises(RuntimeError, match="disk"):
        orchestrator.process_event("e", "go")
    assert store.get_state("e") is None
    assert orchestrator.process_event("e", "go").success
    assert "transactions" in orchestrator.capabilities


def test_a_stand_in_for_a_scheduler_is_told_of_delays_by_keyword() -> None:
    scheduler = Mock(schedule=AsyncMock(return_value="task"), cancel=AsyncMock(return_value=True))
    orchestrator = Orchestrator(_machine(), InMemoryStateStore(), scheduler=scheduler)
    asyncio.run(orchestrator.async_process_event("e", "go"))
    told = scheduler.schedule.await_args.kwargs
    assert (told["delay_ms"], told["entity_id"], told["event"]) == (5000, "e", "_after_open_5000_ms")


async def test_stand_ins_for_services_and_logs_are_called_as_all_of_their_kind_are() -> None:
    services, log = Mock(), Mock()
    log.record_transition.return_value = "line"
    orchestrator = Orchestrator(
        _machine(), InMemoryStateStore(), invoke_adapter=services, audit_store=log, event_store=log
    )
    result = await orchestrator.async_process_event("e", "go")
    assert result.metadata["transition_id"] == "line"
    assert [call[0] for call in log.method_calls] == ["append_event", "record_transition"]
    assert [call[0] for call in services.method_calls] == ["start"]


class Counting(ActionExecutor):
    """Carries out plans as others do, and counts them."""

    number = 0

    def execute(self, transition_result: Any, context: dict[str, Any]) -> ExecutionResult:
        self.number += 1
        return super().execute(transition_result, context)

    async def async_execute(self, transition_result: Any, context: dict[str, Any]) -> ExecutionResult:
        self.number += 1
        return await super().async_execute(transition_result, context)


def test_an_executor_of_its_own_way_gets_whole_plans() -> None:
    actions, done = ActionRegistry(), []
    for name in ("leave", "act", "enter"):
        actions.register(name, lambda context, name=name: done.append((name, context["times"])))
    executor, store = Counting(actions), InMemoryStateStore()
    orchestrator = Orchestrator(_machine(), store, executor=executor)
    result = orchestrator.process_event("e", "go")
    assert done == [("leave", 1), ("act", 1), ("enter", 1)]
    assert [each["name"] for each in result.metadata["action_results"]] == PLANNED
    assert asyncio.run(orchestrator.async_process_event("f", "go")).success
    assert executor.number == 2
    assert {row.status for row in store.get_outbox("e")} <= {"done"}


@pytest.mark.parametrize("spec", [None, ActionExecutor])
def test_a_stand_in_for_an_executor_is_asked_to_execute(spec: Any) -> None:
    executor = Mock(spec=spec)
    executor.execute.side_effect = lambda plan, _: ExecutionResult(plan)
    result = Orchestrator(_machine(), InMemoryStateStore(), executor=executor).process_event("e", "go")
    (plan, _), _ = executor.execute.call_args
    assert [action.name for action in plan.all_action_specs] == ["leave", "act", "enter"]
    assert result.target_state == "open"


@pytest.mark.parametrize("hooks", [(), (Mock(),)])
@pytest.mark.parametrize("stops", [False, True])
def test_results_of_actions_stand_as_in_the_plan(hooks: tuple[Any, ...], stops: bool) -> None:
    actions = ActionRegistry()
    for name in ("leave", "act", "enter"):
        actions.register(name, lambda context: context.get("times"))
    executor = ActionExecutor(actions, stop_on_error=stops)
    orchestrator = Orchestrator(_machine(), InMemoryStateStore(), executor=executor, hooks=hooks)
    results = orchestrator.process_event("e", "go").metadata["action_results"]
    assert [each["name"] for each in results] == PLANNED


def test_what_comes_after_a_failure_is_left_out_of_the_results() -> None:
    actions = ActionRegistry()
    for name in ("leave", "enter"):
        actions.register(name, lambda _: None)
    actions.register("act", lambda _: 1 / 0)
    executor = ActionExecutor(actions, stop_on_error=True)
    results = Orchestrator(_machine(), InMemoryStateStore(), executor=executor).process_event("e", "go").metadata
    # Effects were applied with the step itself, whatever became of the actions.
    assert [each["name"] for each in results["action_results"]] == PLANNED[:-1]


def test_two_orchestrators_of_a_machine_keep_their_own_actions() -> None:
    machine, done = _machine(), []
    first, second = ActionRegistry(), ActionRegistry()
    first.register("act", lambda _: done.append("first"))
    second.register("act", lambda _: done.append("second"))
    one = Orchestrator(machine, InMemoryStateStore(), None, first)
    other = Orchestrator(machine, InMemoryStateStore(), None, second)
    one.process_event("e", "go")
    other.process_event("e", "go")
    machine.create(execute_actions=True).send("go")
    assert done == ["first", "second"]


def test_a_runtime_keeps_registries_that_are_still_empty() -> None:
    actions, guards = ActionRegistry(), GuardRegistry()
    runtime = FsmRuntime(
        machine_store=InMemoryMachineStore(), state_store=InMemoryStateStore(), actions=actions, guards=guards
    )
    assert runtime.actions is actions
    assert runtime.guards is guards


def test_data_for_an_entity_that_there_is_not_lead_to_nothing() -> None:
    orchestrator = Orchestrator(_machine(), InMemoryStateStore(), use_initial_state_when_missing=False)
    assert orchestrator.apply_data("e", {"key": 1}) == []
    assert asyncio.run(orchestrator.async_apply_data("e", {"key": 1})) == []
    assert orchestrator.store.get_state("e") is None


def test_a_hint_leaves_the_result_as_it_was() -> None:
    error = InvalidTransitionError("no", current_state="a", trigger="go")
    refused = TransitionResult.failure_result("a", "go", error, {"reason": "none"})
    hinted = enrich_hint_result(refused, "lost")
    assert refused.metadata == {"reason": "none"}
    assert hinted.metadata == {
        "reason": "none", "orchestrator_default_fallback": "lost", "orchestrator_recovery_kind": "hint",
    }  # fmt: skip
    assert hinted.error is error


def test_metadata_of_actions_are_not_to_be_changed_from_outside() -> None:
    actions, given = ActionRegistry(), {"topic": "a"}
    actions.register("act", print, given)
    actions.get_metadata("act")["topic"] = "b"
    given["topic"] = "c"
    assert actions.get_metadata("act") == {"topic": "a"}


async def test_a_mode_may_be_given_by_its_text() -> None:
    executor = ActionExecutor(ActionRegistry())
    plan = _machine().process("new", "go", {})
    assert (await executor.async_execute_with_mode(plan, {}, None)).execution_mode == "sequential"
    assert (await executor.async_execute_with_mode(plan, {}, "phased")).execution_mode is ExecutionMode.PHASED  # type: ignore[arg-type]


def test_an_empty_list_of_keys_publishes_all_that_is_not_hidden() -> None:
    sink = Mock()
    create_publish_action(sink)({"key": 1, "_hidden": 2}, topic="t", include=[])
    assert sink.send.call_args.args[:2] == ("t", {"key": 1})
