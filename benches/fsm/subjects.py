"""What is timed, by library. A subject is a call and how many events it stands for."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import pystator
from machines import BARE, CHECK, CONTEXT, EXPRESSION, FLAT, NESTED, PARALLEL
from spikard import fsm
from statemachine import State, StateChart, StateMachine
from transitions import Machine
from transitions.extensions import HierarchicalMachine

# A session keeps its steps; one of this many events is an ordinary life.
PAIRS_OF_SESSION = 50
BATCH = 1000


class Subject(NamedTuple):
    call: Callable[[], object]
    events: int = 1


Subjects = dict[str, Subject]


def of_definitions(library: Any) -> Subjects:
    """The cases of a library that speaks our definitions."""
    flat, check, expression, nested, parallel = (
        library.StateMachine.from_dict(config) for config in (FLAT, CHECK, EXPRESSION, NESTED, PARALLEL)
    )
    regions = parallel.enter_parallel_state("work")

    def events_of_session() -> None:
        session = flat.create()
        for _ in range(PAIRS_OF_SESSION):
            session.send("start")
            session.send("stop")

    def whole_session() -> None:
        session = flat.create()
        session.send("start")
        session.send("stop")

    context = dict(CONTEXT)
    return {
        "flat": Subject(lambda: flat.process("idle", "start", context)),
        "send": Subject(events_of_session, 2 * PAIRS_OF_SESSION),
        "check": Subject(lambda: check.process("idle", "start", context)),
        "expression": Subject(lambda: expression.process("idle", "start", context)),
        "nested": Subject(lambda: nested.process("leaf", "leave", context)),
        "parallel": Subject(lambda: parallel.process_parallel(regions, "next", context)),
        "session": Subject(whole_session),
        "build": Subject(lambda: library.StateMachine.from_dict(FLAT)),
        "orchestrated": orchestrated(library, BARE),
        "acted": orchestrated(library, FLAT),
    }


def orchestrated(library: Any, config: dict[str, Any]) -> Subject:
    """Two events of an entity in a store in memory."""
    guards, actions = library.GuardRegistry(), library.ActionRegistry()
    for name in ("log_it", "notify"):
        actions.register(name, lambda context: None)
    machine = library.StateMachine.from_dict(config)
    orchestrator = library.Orchestrator(machine, library.InMemoryStateStore(), guards, actions)

    def events() -> None:
        orchestrator.process_event("e", "start")
        orchestrator.process_event("e", "stop")

    return Subject(events, 2)


def of_ours() -> Subjects:
    flat = fsm.StateMachine.from_dict(FLAT)
    states, events, contexts = ["idle"] * BATCH, ["start"] * BATCH, [dict(CONTEXT)] * BATCH
    return {
        **of_definitions(fsm),
        "batch": Subject(lambda: flat.process_many(states, events, contexts), BATCH),
    }


def of_transitions() -> Subjects:
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
    pair = Subject(lambda: (flat.start(), flat.stop()), 2)
    return {
        "flat": pair,
        "send": pair,
        "nested": Subject(lambda: (nested.enter(), nested.leave()), 2),
        "parallel": Subject(lambda: (parallel.next(), parallel.back()), 2),
    }


class Flat(StateMachine):
    idle = State(initial=True)
    active = State()
    start = idle.to(active)
    stop = active.to(idle)


class Nested(StateChart):
    outside = State(initial=True)

    class top(State.Compound):  # noqa: N801 - a state
        class middle(State.Compound):  # noqa: N801 - a state
            leaf = State(initial=True)

    enter = outside.to(top)
    leave = top.to(outside)


class Parallel(StateChart):
    class work(State.Parallel):  # noqa: N801 - a state
        class r0(State.Compound):  # noqa: N801 - a state
            a0 = State(initial=True)
            b0 = State()
            next = a0.to(b0)
            back = b0.to(a0)

        class r1(State.Compound):  # noqa: N801 - a state
            a1 = State(initial=True)
            b1 = State()
            next = a1.to(b1)
            back = b1.to(a1)

        class r2(State.Compound):  # noqa: N801 - a state
            a2 = State(initial=True)
            b2 = State()
            next = a2.to(b2)
            back = b2.to(a2)


def of_python_statemachine() -> Subjects:
    flat, nested, parallel = Flat(), Nested(), Parallel()
    pair = Subject(lambda: (flat.send("start"), flat.send("stop")), 2)
    return {
        "flat": pair,
        "send": pair,
        "nested": Subject(lambda: (nested.send("enter"), nested.send("leave")), 2),
        "parallel": Subject(lambda: (parallel.send("next"), parallel.send("back")), 2),
    }


def subjects() -> dict[str, Subjects]:
    """All of them, by the names their packages have."""
    # What libraries log of their own work is no part of it.
    logging.disable(logging.CRITICAL)
    return {
        "spikard": of_ours(),
        "pystator": of_definitions(pystator),
        "transitions": of_transitions(),
        "python-statemachine": of_python_statemachine(),
    }
