"""What is timed, by library: one process runs them all, so that they share its luck. Prints JSON."""

import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pystator
import spikard
from machines import CHECK, CONTEXT, EXPRESSION, FLAT, NESTED, PARALLEL
from spikard import fsm
from statemachine import State, StateMachine
from transitions import Machine
from transitions.extensions import HierarchicalMachine

SECONDS = 0.15
Call = Callable[[], object]


def timed(call: Call) -> float:
    """Microseconds of one call: the mean of as many as fit into the time."""
    count = 1
    while True:
        began = time.perf_counter()
        for _ in range(count):
            call()
        took = time.perf_counter() - began
        if took > SECONDS:
            return took / count * 1e6
        count = max(count * 2, int(count * SECONDS / max(took, 1e-7)))


def planned(library: Any) -> dict[str, Call]:
    """The cases of a library that speaks our definitions."""
    flat, check, expression, nested, parallel = (
        library.StateMachine.from_dict(config) for config in (FLAT, CHECK, EXPRESSION, NESTED, PARALLEL)
    )
    regions = parallel.enter_parallel_state("work")
    session = flat.create()

    def two_events() -> object:
        session.send("start")
        return session.send("stop")

    def whole_session() -> object:
        one = flat.create()
        one.send("start")
        return one.send("stop")

    context = dict(CONTEXT)
    return {
        "flat": lambda: flat.process("idle", "start", context),
        "send": two_events,
        "check": lambda: check.process("idle", "start", context),
        "expression": lambda: expression.process("idle", "start", context),
        "nested": lambda: nested.process("leaf", "leave", context),
        "parallel": lambda: parallel.process_parallel(regions, "next", context),
        "session": whole_session,
        "build": lambda: library.StateMachine.from_dict(FLAT),
    }


def of_transitions() -> dict[str, Call]:
    flat = Machine(
        states=["idle", "active", "done"],
        initial="idle",
        transitions=[["start", "idle", "active"], ["stop", "active", "idle"]],
    )
    nested = HierarchicalMachine(
        states=[
            "outside",
            {
                "name": "top",
                "initial": "middle",
                "children": [{"name": "middle", "initial": "leaf", "children": ["leaf"]}],
            },
        ],
        initial="outside",
        transitions=[["enter", "outside", "top"], ["leave", "top", "outside"]],
    )
    region = {"initial": "a", "children": ["a", "b"]}
    parallel = HierarchicalMachine(
        states=[{"name": "work", "parallel": [{"name": f"r{number}", **region} for number in range(3)]}],
        initial="work",
        transitions=[
            rule
            for number in range(3)
            for rule in (
                ["next", f"work_r{number}_a", f"work_r{number}_b"],
                ["back", f"work_r{number}_b", f"work_r{number}_a"],
            )
        ],
    )
    return {
        "flat": lambda: (flat.start(), flat.stop()),
        "send": lambda: (flat.start(), flat.stop()),
        "nested": lambda: (nested.enter(), nested.leave()),
        "parallel": lambda: (parallel.next(), parallel.back()),
    }


class Flat(StateMachine):
    idle = State(initial=True)
    active = State()
    start = idle.to(active)
    stop = active.to(idle)


class Nested(StateMachine):
    outside = State(initial=True)

    class top(State.Compound):  # noqa: N801 - a state
        class middle(State.Compound):  # noqa: N801 - a state
            leaf = State(initial=True)

    enter = outside.to(top)
    leave = top.to(outside)


def of_python_statemachine() -> dict[str, Call]:
    flat, nested = Flat(), Nested()
    return {
        "flat": lambda: (flat.send("start"), flat.send("stop")),
        "send": lambda: (flat.send("start"), flat.send("stop")),
        "nested": lambda: (nested.send("enter"), nested.send("leave")),
    }


# Cases that take two events in one call.
PAIRS = {("ours", "send"), ("pystator", "send")} | {
    (name, case) for name in ("transitions", "python-statemachine") for case in ("flat", "send", "nested", "parallel")
}


def session_bytes() -> float:
    """Memory of one of our sessions at rest."""
    machine = fsm.StateMachine.from_dict(FLAT)
    count = 10_000
    tracemalloc.start()
    kept = [machine.create() for _ in range(count)]
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / len(kept)


def large_build() -> float:
    """Seconds to build a machine of 10,000 states."""
    states = [{"name": f"s{number}", "type": "stable" if number else "initial"} for number in range(10_000)]
    transitions = [
        {"trigger": "next", "source": f"s{number}", "dest": f"s{(number + 1) % 10_000}"} for number in range(10_000)
    ]
    began = time.perf_counter()
    fsm.StateMachine.from_dict({"states": states, "transitions": transitions})
    return time.perf_counter() - began


def main() -> None:
    libraries = {
        "ours": planned(fsm),
        "pystator": planned(pystator),
        "transitions": of_transitions(),
        "python-statemachine": of_python_statemachine(),
    }
    figures = {
        name: {case: timed(call) / (2 if (name, case) in PAIRS else 1) for case, call in cases.items()}
        for name, cases in libraries.items()
    }
    versions = {name: version(name) for name in libraries if name != "ours"} | {"ours": spikard.__version__}
    extra = {"session_bytes": session_bytes(), "large_build": large_build()}
    json.dump({"figures": figures, "versions": versions, "extra": extra}, sys.stdout)


if __name__ == "__main__":
    main()
