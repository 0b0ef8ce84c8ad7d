"""Events that ask for nothing but the step leave what all others leave."""

from typing import Any

import pytest

from spikard.fsm import InMemoryStateStore, Orchestrator, StateMachine, TransitionResult
from spikard.fsm.orchestration.plain import is_plain

DESK: dict[str, Any] = {
    "meta": {"machine_name": "desk", "version": "2"},
    "states": [
        {"name": "new", "type": "initial"},
        {"name": "open", "on_enter": ["ring", {"set": {"seen": True}}]},
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


def _machine(*, guarded: bool) -> StateMachine:
    config = {**DESK, "transitions": [dict(transition) for transition in DESK["transitions"]]}
    if guarded:
        config["transitions"][1]["guards"] = ["named", {"expr": "times > 0"}]
    machine = StateMachine.from_dict(config)
    machine.guard("named")(lambda context: context["_event"].trigger == "pack" and context["_entity_id"] == "e")

    @machine.action("tell")
    def tell(context: dict[str, Any]) -> None:
        context["told"] = [*context.get("told", ()), (context["_event"].trigger, context["new_status"])]

    return machine


def _comparable(result: TransitionResult) -> Any:
    metadata = {key: value for key, value in result.metadata.items() if key != "transition_id"}
    assert ("transition_id" in result.metadata) == result.success
    return result.success, result.source_state, result.target_state, str(result.error), metadata


@pytest.mark.parametrize("guarded", [False, True])
def test_both_ways_leave_the_same(guarded: bool) -> None:
    left = []
    for hooks in ([], [Watcher()]):
        store = InMemoryStateStore()
        orchestrator = Orchestrator(_machine(guarded=guarded), store, hooks=hooks)
        assert is_plain(orchestrator) == (not hooks)
        results = [orchestrator.process_event("e", trigger, {"by": trigger, "_hidden": 1}) for trigger in TRIGGERS]
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
                store.get_outbox("e"),
                store.get_is_terminal("e"),
            )
        )
    assert left[0] == left[1]
    assert left[0][1].context["times"] == 2
    assert left[0][1].version > 0
