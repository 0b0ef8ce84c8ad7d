"""Our orchestrator without a worker, one event after the other, as `peer.py` does: `sequential.py URL SECONDS`."""

import json
import sys
import time

from spikard.fsm import ActionRegistry, Orchestrator, PostgresStateStore, StateMachine

MACHINE = {
    "meta": {"machine_name": "bench_million", "version": "1"},
    "states": [{"name": "created", "type": "initial"}, {"name": "advanced", "type": "stable"}],
    "transitions": [
        {"trigger": "advance", "source": "created", "dest": "advanced", "actions": [{"increment": "steps"}, "tell"]}
    ],
}


def main(url: str, seconds: float) -> None:
    """Create an entity and move it, again and again."""
    told: list[str] = []
    actions = ActionRegistry()
    actions.register("tell", lambda ctx: told.append(ctx["_entity_id"]))
    store = PostgresStateStore(url)
    store.connect(auto_initialize=True)
    took: list[float] = []
    with store:
        orchestrator = Orchestrator(StateMachine.from_dict(MACHINE), store, actions=actions)
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            name = f"m{len(took):07d}"
            store.set_state(name, "created")
            before = time.perf_counter()
            result = orchestrator.process_event(name, "advance")
            took.append(time.perf_counter() - before)
            assert result.success
    took.sort()
    rate, p99 = len(took) / sum(took), took[int(len(took) * 0.99)] * 1000
    print(json.dumps({"events": len(took), "rate": rate, "p99_ms": p99}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
