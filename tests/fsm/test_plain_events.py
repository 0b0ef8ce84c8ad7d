"""Events that ask for nothing but the step leave what all others leave."""

from typing import Any

import pytest

from spikard.fsm import (
    ActionExecutor,
    ExecutionMode,
    InMemoryStateStore,
    Orchestrator,
    StaleVersionError,
    StateMachine,
    TransitionResult,
)
from spikard.fsm.orchestration.plain import is_plain
from spikard.fsm.stores.row import EntityChange

DESK: dict[str, Any] = {
    "meta": {"machine_name": "desk", "version": "2"},
    "states": [
        {"name": "new", "type": "initial"},
        {"name": "open", "on_enter": ["ring", {"set": {"seen": True}}], "on_exit": ["lose", "tell"]},
        {"name": "box", "initial_child": "left"},
        {"name": "left", "parent": "box", "timeout": {"seconds": 5, "destination": "new"}},
        {"name": "right", "parent": "box"},
        {"name": "shut", "type": "terminal"},
    ],
    "transitions": [
        {"trigger": "open", "source": "new", "dest": "open", "actions": [{"increment": "times"}, "tell"]},
        {"trigger": "pack", "source": "open", "dest": "H(box)"},
        {"trigger": "swap", "source": "left", "dest": "right"},
        {"trigger": "back", "source": "box", "dest": "new"},
        {"trigger": "shut", "source": "new", "dest": "shut", "actions": [{"raise": "open"}]},
    ],
}
TRIGGERS = ["pack", "open", "pack", "swap", "unheard", "back", "open", "pack", "back", "shut", "open"]


class Watcher:
    """Somebody to look at every event, so that it takes the longer way."""

    def on_before_process(self, *seen: Any) -> None:
        """Looks."""


def _machine(*, guarded: bool = False, timed: bool = False) -> StateMachine:
    config = {**DESK, "transitions": [dict(transition) for transition in DESK["transitions"]]}
    if not timed:
        config["states"] = [{k: v for k, v in state.items() if k != "timeout"} for state in DESK["states"]]
    if guarded:
        config["transitions"][1]["guards"] = ["named", {"expr": "times > 0"}]
    machine = StateMachine.from_dict(config)
    machine.guard("named")(lambda context: context["_event"].trigger == "pack" and context["_entity_id"] == "e")

    @machine.action("tell")
    def tell(context: dict[str, Any]) -> None:
        context["told"] = [*context.get("told", ()), (context["_event"].trigger, context["new_status"])]

    @machine.action("lose")
    def lose(context: dict[str, Any]) -> None:
        context.pop("by", None)
        raise OSError("it is gone")

    return machine


def _comparable(result: TransitionResult) -> Any:
    metadata = {key: value for key, value in result.metadata.items() if key != "transition_id"}
    assert ("transition_id" in result.metadata) == result.success
    return result.success, result.source_state, result.target_state, str(result.error), metadata


@pytest.mark.parametrize("guarded", [False, True])
@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("given", [None, {"by": "me", "_hidden": 1}])
@pytest.mark.parametrize(
    ("executes", "outbox"),
    [
        ({}, None),
        ({}, "off"),
        ({}, "deferred"),
        ({"default_mode": ExecutionMode.PHASED}, None),
        ({"stop_on_error": True}, None),
    ],
)
def test_both_ways_leave_the_same(
    guarded: bool, timed: bool, given: dict[str, Any] | None, executes: dict[str, Any], outbox: Any
) -> None:
    left = []
    for hooks in ([], [Watcher()]):
        store = InMemoryStateStore()
        machine = _machine(guarded=guarded, timed=timed)
        executor = ActionExecutor(machine.action_registry, **executes)
        orchestrator = Orchestrator(machine, store, executor=executor, outbox=outbox, hooks=hooks)
        assert is_plain(orchestrator) == (not hooks)
        results = [orchestrator.process_event("e", trigger, given) for trigger in TRIGGERS]
        row = store.load("e")
        past = [
            {key: value for key, value in line.items() if key not in ("transition_id", "created_at")}
            for line in store.get_transition_history("e")
        ]
        left.append(
            (
                [_comparable(result) for result in results],
                row._replace(entered_at=None),
                past,
                [timer._replace(fires_at=None) for timer in store.get_timers("e")],  # type: ignore[arg-type]
                [row._replace(outbox_id="", transition_id="") for row in store.get_outbox("e")],
                store.get_is_terminal("e"),
            )
        )
    assert left[0] == left[1]
    assert left[0][1].context["times"] == 2
    assert left[0][1].version > 0


class Late(InMemoryStateStore):
    """Somebody else is quicker, once; every change is seen."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[EntityChange] = []

    def commit(self, change: EntityChange) -> int:
        """Let somebody else write first the second time."""
        self.seen.append(change)
        if len(self.seen) == 2:
            self.set_context("e", {"kept": "by another"})
            super().commit(EntityChange("e", None, "new"))
        return super().commit(change)


def test_a_step_computed_too_early_is_computed_again_and_rewrites_nothing_it_has_not_changed() -> None:
    store = Late()
    orchestrator = Orchestrator(StateMachine.from_dict(QUIET), store)
    assert orchestrator.process_event("e", "go", {"first": 1}).target_state == "there"
    result = orchestrator.process_event("e", "go")
    assert (result.source_state, result.target_state) == ("new", "there")
    row = store.load("e")
    assert (row.state, row.version, row.context) == ("there", 3, {"kept": "by another"})
    first, _, last = store.seen
    assert first.context == {"first": 1}
    assert last.context is None
    assert last.history is None


QUIET: dict[str, Any] = {
    "states": [{"name": "new", "type": "initial"}, {"name": "there"}],
    "transitions": [{"trigger": "go", "source": ["new", "there"], "dest": "there"}],
}


def test_who_is_always_too_late_is_told() -> None:
    class Never(InMemoryStateStore):
        def commit(self, change: EntityChange) -> int:
            raise StaleVersionError(change.entity_id, 0, 1)

    orchestrator = Orchestrator(StateMachine.from_dict(QUIET), Never(), max_conflict_retries=2)
    with pytest.raises(StaleVersionError):
        orchestrator.process_event("e", "go")
