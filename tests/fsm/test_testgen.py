"""Generated paths: they cover what there is, run against what they were made of, and are the same every time."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import spikard
from spikard.fsm import StateMachine
from spikard.fsm.config_text import read_text
from spikard.fsm.template_gallery import template_names, template_text
from spikard.fsm.testing import STRATEGIES, load_scenarios, run_scenario, run_scenarios, shrink, testgen, to_pytest

NAMES = template_names()


def template(name: str) -> StateMachine:
    return StateMachine.from_dict(read_text(template_text(name)).value())


def machine_of(*transitions: dict[str, Any], states: str = "a b c") -> StateMachine:
    names = states.split()
    written = [{"name": name, "type": "stable" if place else "initial"} for place, name in enumerate(names)]
    return StateMachine.from_dict({"states": written, "transitions": list(transitions)})


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", NAMES)
def test_suites_pass_on_what_they_were_made_of(name: str, strategy: str) -> None:
    machine = template(name)
    suite = testgen(machine, strategy)
    report = run_scenarios(machine, suite, contracts=False)
    report.check()
    assert report.coverage.seen_edges == suite.coverage.seen_edges
    assert [one.to_config() for one in testgen(template(name), strategy)] == [one.to_config() for one in suite]


@pytest.mark.parametrize("name", NAMES)
def test_every_feasible_transition_of_the_templates_is_taken(name: str) -> None:
    coverage = testgen(template(name), ["transitions", "boundary"]).coverage
    assert coverage.states.ratio == 1.0
    assert coverage.transitions.ratio == 1.0, coverage.missing()
    assert coverage.guards.ratio == 1.0, coverage.missing()


def test_what_cannot_be_reached_is_said_with_the_reason() -> None:
    coverage = testgen(template("reference_full")).coverage
    assert coverage.infeasible["transition 'stop' from 'which' to 'done'"] == "it is never tried there"
    shadowed = machine_of(
        {"trigger": "go", "source": "a", "dest": "b", "guards": [{"check": {"field": "n", "op": "gt", "value": 1}}]},
        {"trigger": "go", "source": "a", "dest": "c", "guards": [{"check": {"field": "n", "op": "gt", "value": 5}}]},
    )
    coverage = testgen(shadowed).coverage
    assert coverage.infeasible["transition 'go' from 'a' to 'c'"] == "no values let anything come there"
    assert (coverage.transitions.covered, coverage.transitions.total) == (1, 1)


def check(field: str, op: str, value: Any) -> dict[str, Any]:
    key = "values" if op in {"in", "not_in"} else "value"
    return {"check": {"field": field, "op": op, key: value}}


@pytest.mark.parametrize(
    "guards",
    [
        [check("n", "gt", 1), check("n", "lt", 2)],
        [check("n", "gte", 10), check("n", "neq", 10), check("n", "lte", 11)],
        [check("n", "gt", 0.5), check("n", "lt", 0.75)],
        [check("who", "in", ["ann", "bob"]), check("who", "neq", "ann")],
        [check("who", "matches", "^[A-Z]{2}-\\d{3}[^x]$")],
        [check("who", "starts_with", "ab"), check("who", "ends_with", "yz")],
        [check("order.lines.0.qty", "gt", 3)],
        [{"expr": "qty * price > 1000 and qty < 5"}],
        [{"expr": "left == right and left > 7"}],
        [{"expr": "len(name) >= 3"}],
        [{"expr": "'vip' in tags"}],
        [{"expr": "order.total > 5 and not order.paid"}],
        [{"expr": "role in ['admin', 'boss']"}],
        [{"anyOf": [{"allOf": [check("a", "eq", 1), check("b", "eq", 2)]}, {"not": check("c", "is_null", None)}]}],
        ["nobody_knows"],
        [{"not": "nobody_knows"}, "somebody_knows"],
    ],
)
def test_guards_are_solved_both_ways(guards: list[Any]) -> None:
    machine = machine_of({"trigger": "go", "source": "a", "dest": "b", "guards": guards}, states="a b")
    suite = testgen(machine, ["transitions", "boundary"])
    assert suite.coverage.transitions.ratio == 1.0, suite.coverage.missing()
    assert suite.coverage.guards.ratio == 1.0, suite.coverage.missing()
    run_scenarios(machine, suite).check()


def test_guards_in_python_are_looked_into() -> None:
    machine = machine_of({"trigger": "go", "source": "a", "dest": "b", "guards": ["enough", "old"]}, states="a b")

    @machine.guard("enough")
    def enough(context: dict[str, Any]) -> bool:
        return bool(context["fill_qty"] >= context["order_qty"] > 250)

    @machine.guard("old")
    def old(age: int) -> bool:
        return age >= 18

    suite = testgen(machine, ["transitions", "boundary"])
    assert suite.coverage.guards.ratio == 1.0
    run_scenarios(machine, suite).check()


def test_payloads_may_be_given_where_they_cannot_be_guessed() -> None:
    machine = machine_of({"trigger": "go", "source": "a", "dest": "b", "guards": ["magic"]}, states="a b")
    machine.guard_registry.register("magic", lambda context: str(context.get("word"))[::-1] == "yzzyx")
    assert testgen(machine).coverage.transitions.ratio == 0.0
    suite = testgen(machine, inputs={"go": [{"word": "xyzzy"}]})
    assert suite.coverage.transitions.ratio == 1.0
    assert suite.scenarios[0].steps[0].payload == {"word": "xyzzy"}


def test_counters_are_counted_up_to_where_they_matter() -> None:
    machine = machine_of(
        {"trigger": "try_it", "source": "a", "dest": "a", "internal": True, "actions": [{"increment": "tries"}]},
        {"trigger": "give_up", "source": "a", "dest": "b", "guards": [check("tries", "gte", 4)]},
        states="a b",
    )
    [*_, last] = testgen(machine).scenarios
    longest = max(testgen(machine), key=lambda one: len(one.steps))
    assert [step.event for step in longest.steps] == ["try_it"] * 4 + ["give_up"]
    assert last.steps


def test_unknown_strategies_are_refused() -> None:
    with pytest.raises(ValueError, match="There is no strategy 'all'; there are states, transitions, pairs"):
        testgen(template("blank"), "all")


def test_random_walks_depend_on_the_seed_alone() -> None:
    machine = template("deployment_pipeline")
    walks = [testgen(machine, "random", seed=seed).to_json() for seed in (1, 1, 2)]
    assert walks[0] == walks[1] != walks[2]


def test_a_thousand_states_are_covered_in_time() -> None:
    chance = random.Random(7)
    names = [f"s{number}" for number in range(1000)]
    states = [{"name": name, "type": "stable" if place else "initial"} for place, name in enumerate(names)]
    transitions: list[dict[str, Any]] = []
    for place, name in enumerate(names):
        targets = [names[(place + 1) % 1000], *chance.sample(names, 2)]
        transitions += [{"trigger": f"t{n}", "source": name, "dest": dest} for n, dest in enumerate(targets)]
    machine = StateMachine.from_dict({"states": states, "transitions": transitions})
    started = time.process_time()
    suite = testgen(machine)
    took = time.process_time() - started
    assert suite.coverage.transitions.ratio == 1.0
    # About one second of work; what grows with the square of the machine would take minutes.
    assert took < 6, took


def test_suites_are_files_for_the_runner_and_for_pytest(tmp_path: Path) -> None:
    machine = template("loan_application")
    suite = testgen(machine, ["transitions", "boundary"])
    file = tmp_path / "loan.json"
    file.write_text(suite.to_json(), encoding="utf-8")
    assert json.loads(file.read_text())["coverage"]["transitions"]["ratio"] == 1.0
    assert load_scenarios(file) == list(suite)
    tests = tmp_path / "test_loan.py"
    tests.write_text(suite.to_pytest(), encoding="utf-8")
    done = run_pytest(tests)
    assert f"{len(suite)} passed" in done.stdout, done.stdout
    tests.write_text(suite.to_pytest().replace("'dest': 'approved'", "'dest': 'declined'"), encoding="utf-8")
    assert "AssertionError" in run_pytest(tests).stdout


def run_pytest(file: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    environment = {**os.environ, "PYTHONPATH": str(Path(spikard.__file__).parents[1])}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=50, cwd=file.parent, env=environment
    )


def test_pytest_files_take_machines_from_files_and_modules() -> None:
    machine = template("blank")
    assert "StateMachine.from_yaml('machines/blank.yaml')" in to_pytest(machine, [], "machines/blank.yaml")
    assert "from shop.orders import build\n" in to_pytest(machine, [], "shop.orders:build")
    with pytest.raises(ValueError, match="neither a"):
        to_pytest(machine, [], "shop; import os")


def test_shrinking_leaves_the_steps_that_matter() -> None:
    machine = template("traffic_light")
    long = max(testgen(machine, "random"), key=lambda one: len(one.steps))

    def blinks(scenario: Any) -> bool:
        return run_scenario(machine, scenario).final_state == "blinking"

    steps = [*long.steps, *testgen(machine, "states").scenarios[0].steps]
    [fault] = [step for step in steps if step.event == "fault"][:1]
    failing = type(long)("x", (*long.steps[:4], fault))
    if not blinks(failing):
        failing = type(long)("x", (fault,))
    assert [step.event for step in shrink(failing, blinks).steps] == ["fault"]
    with pytest.raises(ValueError, match="'x' does not fail as it is"):
        shrink(type(long)("x"), blinks)
