"""PyStator's orchestrator on the same server: `peer.py URL SECONDS`, run by an interpreter that has it."""

import json
import sys
import time
from importlib.metadata import version

from pystator import ActionRegistry, Orchestrator, StateMachine
from pystator.stores.postgres import PostgresStateStore

MACHINE = {
    "meta": {"machine_name": "bench_million", "version": "1"},
    "states": [{"name": "created", "type": "initial"}, {"name": "advanced", "type": "stable"}],
    "transitions": [
        {"trigger": "advance", "source": "created", "dest": "advanced", "actions": [{"increment": "steps"}, "tell"]}
    ],
}


def main(url: str, seconds: float) -> None:
    store = PostgresStateStore(url)
    store.connect(auto_initialize=True)
    told = []
    actions = ActionRegistry()
    actions.register("tell", lambda ctx: told.append(ctx["_entity_id"]))
    orchestrator = Orchestrator(StateMachine.from_dict(MACHINE), store, actions=actions, audit_store=store)
    took: list[float] = []
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        name = f"m{len(took):07d}"
        store.set_state(name, "created")
        before = time.perf_counter()
        result = orchestrator.process_event(name, "advance")
        took.append(time.perf_counter() - before)
        assert result.success
    took.sort()
    figures = {
        "version": version("pystator"), "events": len(took), "rate": len(took) / sum(took),
        "p99_ms": took[int(len(took) * 0.99)] * 1000,
    }  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
