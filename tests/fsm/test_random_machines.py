"""Random machines and random walks: the engine against an interpreter that is slow and plain."""

import random
from typing import Any

import pytest

from spikard.fsm import GuardRegistry, StateMachine
from tests.fsm.reference_engine import ReferenceEngine
from tests.fsm.walks import plain, stages

MACHINES = 200
STEPS = 4
TRIGGERS = ["t0", "t1", "t2", "t3"]
GUARDS = ["g0", "g1", "g2"]


@pytest.mark.parametrize("stage", stages(), ids=lambda stage: str(stage[0]))
@pytest.mark.parametrize("part", range(4))
def test_walks_agree(part: int, stage: tuple[int, int]) -> None:
    chance = random.Random(f"walks {part}")
    number, each = stage
    walks = fired = 0
    for _ in range(MACHINES // 4):
        config = random_machine(chance)
        answers: dict[str, bool] = {}
        machine = StateMachine.from_dict(config)
        machine.bind_guards(answering(answers))
        reference, ways = ReferenceEngine(config), random.Random(f"ways {part} {number} {walks}")
        for _ in range(each):
            walks += 1
            fired += walk(machine, reference, answers, ways)
    assert walks == each * MACHINES // 4
    assert fired > walks // 2


def walk(machine: StateMachine, reference: ReferenceEngine, answers: dict[str, bool], chance: random.Random) -> int:
    state = machine.initial_leaf
    history: dict[str, str] = {}
    fired = 0
    for _ in range(STEPS):
        trigger = chance.choice(TRIGGERS)
        answers.update((guard, chance.random() < 0.5) for guard in GUARDS)
        result = machine.process(state, trigger, {}, history=history)
        expected = reference.process(state, trigger, answers, history)
        assert plain(result) == expected, (reference.states, reference.transitions, state, trigger, answers, history)
        if result.success:
            fired += 1
            state = str(result.target_state)
            history.update(expected.left)
    return fired


def answering(answers: dict[str, bool]) -> GuardRegistry:
    """Guards that answer what is in a mapping at the time."""
    registry = GuardRegistry()
    for guard in GUARDS:
        registry.register(guard, lambda _context, guard=guard: answers[guard])
    return registry


def random_machine(chance: random.Random) -> dict[str, Any]:
    states = random_states(chance)
    names = [state["name"] for state in states]
    compounds = [state["name"] for state in states if "initial_child" in state]
    sources = [state["name"] for state in states if state["type"] != "terminal"]
    transitions = []
    for number in range(chance.randint(4, 16)):
        dest = chance.choice(names)
        if compounds and chance.random() < 0.25:
            dest = f"{chance.choice(['H', 'H*'])}({chance.choice(compounds)})"
        source: Any = chance.choice(sources)
        if chance.random() < 0.3:
            source = chance.sample(sources, min(len(sources), 3))
        elif chance.random() < 0.1:
            source = "*"
        rule: dict[str, Any] = {
            "trigger": chance.choice(TRIGGERS),
            "source": source,
            "dest": dest,
            "actions": [f"a{number}"],
        }
        if chance.random() < 0.5:
            rule["guards"] = [random_guard(chance, 2) for _ in range(chance.randint(1, 2))]
        if chance.random() < 0.3:
            rule["priority"] = chance.randint(-2, 2)
        if chance.random() < 0.1:
            rule["internal"] = True
        transitions.append(rule)
    return {"states": states, "transitions": transitions}


def random_states(chance: random.Random) -> list[dict[str, Any]]:
    states: list[dict[str, Any]] = [{"name": "s0", "type": "initial"}]
    for number in range(1, chance.randint(3, 9)):
        kind = chance.choices(["stable", "terminal", "choice", "error"], [8, 1, 2, 1])[0]
        state: dict[str, Any] = {"name": f"s{number}", "type": kind}
        parents = [other for other in states if other["type"] in {"initial", "stable"}]
        if chance.random() < 0.6:
            parent = chance.choice(parents)
            state["parent"] = parent["name"]
            parent.setdefault("initial_child", state["name"])
        states.append(state)
    for state in states:
        state["on_enter"] = [f"e_{state['name']}"]
        state["on_exit"] = [f"x_{state['name']}"]
    return states


def random_guard(chance: random.Random, depth: int) -> Any:
    kind = chance.randint(0, 5)
    if depth == 0 or kind > 2:
        return chance.choice(GUARDS)
    if kind == 0:
        return {"not": random_guard(chance, depth - 1)}
    several = [random_guard(chance, depth - 1) for _ in range(chance.randint(1, 3))]
    return {"allOf" if kind == 1 else "anyOf": several}
