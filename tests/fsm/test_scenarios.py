"""Scenarios: their format, what they find, and those of the machines that come with the package."""

from pathlib import Path
from typing import Any

import pytest

from spikard.fsm import ConfigurationError, StateMachine
from spikard.fsm.config_text import read_text
from spikard.fsm.template_gallery import template_names, template_text
from spikard.fsm.testing import (
    Coverage,
    Scenario,
    SimulatedSession,
    load_scenarios,
    parse_scenarios,
    run_scenario,
    run_scenarios,
    template_scenarios,
)

DOOR = """
meta: {machine_name: door, version: "1"}
states:
  - {name: closed, type: initial}
  - {name: open, timeout: {seconds: 60, destination: closed}, on_enter: [{increment: times}, ring]}
  - {name: locked}
transitions:
  - {trigger: push, source: closed, dest: open, guards: [has_key]}
  - {trigger: push, source: open, dest: closed}
  - {after: 1h, source: closed, dest: locked}
  - {trigger: unlock, source: locked, dest: closed, guards: [{check: {field: code, op: eq, value: 7}}]}
"""


def door() -> StateMachine:
    return StateMachine.from_dict(read_text(DOOR).value())


@pytest.mark.parametrize("name", template_names())
def test_templates_do_what_their_scenarios_say(name: str) -> None:
    machine = StateMachine.from_dict(read_text(template_text(name)).value())
    scenarios = template_scenarios(name)
    assert scenarios
    report = run_scenarios(machine, scenarios)
    report.check()
    assert report.passed
    assert report.coverage.transitions.covered > 0


def test_a_scenario_looks_at_everything_it_names() -> None:
    [scenario] = parse_scenarios(
        """
        - name: all of it
          context: {times: 1}
          guards: {has_key: true}
          steps:
            - {event: push, state: open, actions: [_effect.increment, ring], context: {times: 2}}
            - {wait: 59s, state: open}
            - {wait: 1s, state: closed}
            - {event: push, guards: {has_key: false}, state: closed, refused: true}
            - {wait: 1h, state: locked}
            - {event: unlock, payload: {code: 6}, refused: true}
            - {event: unlock, payload: {code: 7}, state: closed}
        """
    )
    outcome = run_scenario(door(), scenario)
    outcome.check()
    assert outcome.final_state == "closed"
    assert Scenario.from_config(scenario.to_config()) == scenario


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ({"event": "push", "state": "locked"}, "state is 'open', expected 'locked'"),
        ({"event": "push", "refused": True}, "refused is 'accepted', expected True"),
        ({"event": "push", "actions": ["ring"]}, "actions is ['_effect.increment', 'ring'], expected ['ring']"),
        ({"event": "push", "context": {"times": 3}}, "context['times'] is 1, expected 3"),
        ({"event": "push", "guards": {"has_key": False}}, "refused is \"Guard 'has_key' failed"),
        ({"wait": "2h", "state": "closed"}, "state is 'locked', expected 'closed'"),
    ],
)
def test_a_difference_is_named(step: dict[str, Any], fault: str) -> None:
    outcome = run_scenario(door(), {"name": "x", "guards": {"has_key": True}, "steps": [step]})
    assert not outcome.passed
    assert fault in str(outcome.failures[0])
    with pytest.raises(AssertionError, match="x: step 1"):
        outcome.check()


def test_a_guard_that_nobody_answers_for_is_named() -> None:
    report = run_scenarios(door(), [{"name": "x", "steps": [{"event": "push", "state": "open"}]}])
    assert "Guard 'has_key' not registered" in str(report.failures[0].failures[0])


def test_registered_guards_are_asked_and_actions_are_planned_only() -> None:
    machine, rung = door(), []
    machine.guard_registry.register("has_key", lambda context: context.get("key") == 1)
    machine.action_registry.register("ring", lambda context: rung.append(1))
    steps = [{"event": "push", "refused": True}, {"event": "push", "payload": {"key": 1}, "state": "open"}]
    scenario = {"name": "x", "steps": steps}
    run_scenario(machine, scenario).check()
    assert rung == []
    run_scenario(machine, scenario, execute_actions=True).check()
    assert rung == [1]


def test_data_leads_on_without_an_event() -> None:
    machine = StateMachine.from_dict(
        {
            "states": [{"name": "a", "type": "initial"}, {"name": "b"}],
            "transitions": [
                {
                    "auto": True,
                    "source": "a",
                    "dest": "b",
                    "guards": [{"check": {"field": "n", "op": "gt", "value": 2}}],
                }
            ],
        }
    )
    steps = [{"data": {"n": 2}, "state": "a"}, {"data": {"n": 3}, "state": "b"}]
    run_scenario(machine, {"name": "x", "steps": steps}).check()


def test_regions_are_followed_in_simulated_time() -> None:
    machine = StateMachine.from_dict(read_text(template_text("reference_full")).value())
    session = SimulatedSession(machine, context={"qty": 1}, state="checking")
    session.send("split")
    assert session.place == "both:left=left_on,right=right_on"
    assert session.send("step").success
    assert session.current_state == "packing.boxed"
    assert session.advance(3599) == []
    [fired] = session.advance(1)
    assert (fired.trigger, session.current_state) == ("_after_packing_3600000_ms", "done")
    assert session.timers == {}


def test_coverage_counts_what_ordinary_sessions_do() -> None:
    machine = door()
    machine.guard_registry.register("has_key", lambda context: True)
    session = machine.create()
    session.send("push")
    session.send("push")
    coverage = Coverage(machine)
    coverage.add(session)
    assert (coverage.states.covered, coverage.states.total) == (2, 3)
    assert coverage.seen_edges == {(0, "closed"), (1, "open")}
    assert coverage.pairs == 1
    assert "transition 'unlock' from 'locked' to 'closed'" in coverage.missing()
    coverage.record(machine.process("locked", "unlock", {}))
    assert (3, False) in coverage.seen_guards


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{a: 1}", "Scenarios are a list"),
        ("- 1", "scenario 1: a scenario is a mapping, not int"),
        ("- {name: x}", "scenario 1 ('x'): 'steps' is a list"),
        ("- {name: x, steps: [{evnt: go}]}", "scenario 1 ('x'), step 1: unknown key 'evnt'; there are event, data"),
        ("- {name: x, steps: [{state: a}]}", "step 1: a step has exactly one of 'event', 'data' and 'wait'"),
        ("- {name: x, steps: [{event: a, wait: 1}]}", "step 1: a step has exactly one of"),
        ("- {name: x, steps: [{wait: soon}]}", "step 1: 'wait'"),
        ("- {name: x, steps: [{wait: 1s, payload: {a: 1}}]}", "step 1: only an event has a 'payload'"),
        ("- {name: x, steps: [{event: 1}]}", "step 1: 'event' is a text, not 1; put it in quotes"),
        ("- {name: x, steps: [{event: a, refused: 1}]}", "step 1: 'refused' is true or false, not 1"),
        ("- {name: x, context: [1], steps: []}", "'context' is a mapping, not list"),
        ("[{name: x, steps: []}, {name: x, steps: []}]", "There are two scenarios 'x'"),
    ],
)
def test_faults_of_files_are_named(text: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "x.scenarios.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_scenarios(file)
    assert fault in str(caught.value)
    assert caught.value.path == str(file)
