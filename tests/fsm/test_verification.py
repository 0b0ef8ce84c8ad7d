"""Proofs by search: what holds, what does not with a trace that can be run, and what stays open."""

from typing import Any

import pytest

from spikard.fsm import StateMachine
from spikard.fsm.config_text import read_text
from spikard.fsm.template_gallery import template_names, template_text
from spikard.fsm.testing import Property, Scenario, Verification, reachability, run_scenario, verify


def template(name: str) -> StateMachine:
    return StateMachine.from_dict(read_text(template_text(name)).value())


def written(text: str) -> StateMachine:
    return StateMachine.from_dict(read_text(text).value())


ORDER = """
states:
  - {name: basket, type: initial}
  - {name: paid}
  - {name: shipped, on_enter: [{increment: parcels}]}
  - {name: lost, timeout: {seconds: 60, destination: lost_for_good}}
  - {name: lost_for_good}
  - {name: done, type: terminal}
transitions:
  - {trigger: pay, source: basket, dest: paid, guards: [{check: {field: amount, op: gt, value: 0}}]}
  - {trigger: ship, source: paid, dest: shipped}
  - {trigger: ship, source: basket, dest: shipped, guards: [{expr: "vip and amount > 100"}]}
  - {trigger: lose, source: shipped, dest: lost}
  - {trigger: find, source: lost, dest: shipped}
  - {trigger: arrive, source: shipped, dest: done}
"""


def violated(found: Verification, machine: StateMachine) -> list[str]:
    """The events of a counterexample, which really happen."""
    assert found.verdict == "violated", found
    assert found.trace is not None
    run_scenario(machine, found.trace, contracts=False).check()
    return [step.event or f"wait {step.wait:g}" for step in found.trace.steps]


@pytest.mark.parametrize(
    ("claim", "verdict", "events"),
    [
        ("never done and lost", "holds", None),
        ("never shipped and not vip", "violated", ["pay", "ship"]),
        ("never in_state('done') and amount == 100", "violated", ["pay", "ship", "arrive"]),
        ("never in_state('shipped') and parcels < 1", "unknown", None),
        ("always not parcels or parcels < 3", "violated", ["ship", "lose", "find", "lose", "find"]),
        ("eventually done", "violated", []),
        ("paid leads_to shipped", "holds", None),
        ("lost leads_to shipped", "violated", ["ship", "lose", "wait 60"]),
        ({"leads_to": [{"state": "shipped"}, {"state": "done"}]}, "violated", None),
        ("deadlock", "violated", ["ship", "lose", "wait 60"]),
        ({"never": {"state": "shipped", "expr": "amount == 101 and vip"}}, "violated", ["ship"]),
        ("state == 'basket' leads to state == 'paid'", "violated", ["ship", "arrive"]),
    ],
)
def test_properties_of_orders(claim: Any, verdict: str, events: list[str] | None) -> None:
    machine = written(ORDER)
    found = verify(machine, claim, max_places=2000)
    if verdict == "violated":
        assert events in (None, [], violated(found, machine))
    else:
        assert found.verdict == verdict, found


def test_a_deadlock_is_found_with_its_way() -> None:
    machine = written(ORDER.replace("on_enter: [{increment: parcels}]", "description: gone"))
    assert violated(verify(machine, "deadlock"), machine) == ["ship", "lose", "wait 60"]
    found = reachability(machine)
    assert not found.limit
    assert [path.name for path in found.deadlocks] == ["deadlock in lost_for_good"]
    assert found.paths["done"].steps[-1].state == "done"


def test_going_round_counts_unless_somebody_is_fair() -> None:
    light = template("traffic_light")
    found = verify(light, "eventually amber")
    assert violated(found, light)
    assert found.loop_from is not None
    assert found.trace is not None
    loop = found.trace.steps[found.loop_from - 1 :]
    run_scenario(light, Scenario("again", (*found.trace.steps, *loop))).check()
    assert verify(light, "eventually amber", fair=True).holds
    assert verify(light, "red leads_to green", fair=True).holds


def test_what_cannot_be_reached_any_more_is_not_saved_by_fairness() -> None:
    machine = written(ORDER.replace("on_enter: [{increment: parcels}]", "description: gone"))
    found = verify(machine, "eventually done", fair=True)
    assert violated(found, machine) == ["ship", "lose", "wait 60"]
    assert verify(machine, "eventually done or lost_for_good", fair=True).holds


def test_livelocks_are_rings_without_a_way_out() -> None:
    machine = written(
        """
        states: [{name: a, type: initial}, {name: b}, {name: c}, {name: end, type: terminal}]
        transitions:
          - {trigger: go, source: a, dest: b}
          - {trigger: stop, source: a, dest: end}
          - {trigger: turn, source: b, dest: c}
          - {trigger: turn, source: c, dest: b}
        """
    )
    found = reachability(machine)
    assert list(found.livelocks) == [("b", "c")]
    assert [step.event for step in found.livelocks["b", "c"].steps] == ["go"]
    assert found.deadlocks == ()
    assert verify(machine, "deadlock").holds


def test_what_nobody_can_know_is_unknown() -> None:
    machine = written(
        """
        states: [{name: a, type: initial}, {name: b}]
        transitions: [{trigger: go, source: a, dest: b, guards: [{expr: "x * x + y * y == 3 and x > 0"}]}]
        """
    )
    found = verify(machine, "never b")
    assert found.verdict == "unknown"
    assert "x * x" in found.reason
    assert reachability(machine).unreached == {"b": "not found"}


def test_guards_in_python_leave_room_for_doubt_and_sometimes_for_proof() -> None:
    machine = written(
        """
        states: [{name: a, type: initial}, {name: b}, {name: c}]
        transitions:
          - {trigger: go, source: a, dest: b, guards: [secret]}
          - {trigger: go_on, source: b, dest: c, guards: [{check: {field: n, op: gt, value: 1}}]}
        """
    )
    assert verify(machine, "never b").verdict == "violated"
    machine.guard_registry.register("secret", lambda context: context.get("word", "")[::-1] == "emases")
    assert verify(machine, "never b").verdict == "unknown"
    assert verify(machine, "never c and not n").holds
    found = verify(machine, "never b", inputs={"go": [{"word": "sesame"}]})
    assert violated(found, machine) == ["go"]


def test_values_that_matter_later_are_tried_early() -> None:
    machine = written(
        """
        states: [{name: a, type: initial}, {name: b}, {name: c}]
        transitions:
          - {trigger: go, source: a, dest: b, guards: [{check: {field: n, op: gt, value: 5}}]}
          - {auto: true, source: b, dest: c, guards: [{check: {field: n, op: gt, value: 100}}]}
        """
    )
    assert violated(verify(machine, "never c"), machine) == ["go"]
    assert violated(verify(machine, "never b and n == 77"), machine) == ["go"]


def test_contracts_and_invariants_are_properties() -> None:
    machine = written(
        """
        states:
          - {name: a, type: initial, contracts: {post: "n > 0"}}
          - {name: b, contracts: {pre: "n > 0", invariant: [{check: {field: n, op: lt, value: 3}}]}}
        transitions:
          - {trigger: go, source: a, dest: b, actions: [{set: {n: 1}}], contracts: {post: "n == 1", pre: "not n"}}
          - {trigger: more, source: b, dest: b, internal: true, actions: [{increment: n}]}
        context_invariants: [{name: small, any_of: [{field: n, op: is_null}, {field: n, op: lt, value: 2}]}]
        """
    )
    found = verify(machine, "contracts")
    assert violated(found, machine) == ["go"]
    assert found.reason == "Contract of state 'b': pre 'n > 0' does not hold"
    machine = written(read_back(machine).replace("pre: n > 0", "pre: not n"))
    assert violated(verify(machine, "contracts"), machine) == ["go", "more", "more"]
    assert violated(verify(machine, "invariants"), machine) == ["go", "more"]
    broken = run_scenario(machine, {"name": "x", "steps": [{"event": one} for one in ("go", "more", "more")]})
    assert "invariant 'check:n lt' does not hold" in str(broken.failures[0])


def read_back(machine: StateMachine) -> str:
    import yaml

    return yaml.safe_dump(machine.to_dict(), default_flow_style=False)


@pytest.mark.parametrize("name", template_names())
def test_templates_have_no_dead_ends(name: str) -> None:
    machine = template(name)
    assert verify(machine, "deadlock", max_places=500).verdict in {"holds", "unknown"}
    assert reachability(machine, max_places=500).unreached == {}


@pytest.mark.parametrize(
    ("claim", "fault"),
    [
        ("sometimes x", "is no property; there are 'never X'"),
        ("never in_state('moon')", "there is no state 'moon'"),
        ("never shiped", "'shiped' is neither a state nor a field"),
        ("never paid and", "'paid and'"),
        ({"never": 1}, "a condition is an expression"),
        ({"leads_to": ["paid"]}, "is no property"),
    ],
)
def test_faults_of_properties_are_named(claim: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        verify(written(ORDER), claim)
    assert fault in str(caught.value)


def test_properties_read_the_same_in_all_spellings() -> None:
    assert Property.read("never a") == Property.read({"never": "a"})
    assert Property.read("a leads to b") == Property.read("a leads_to b") == Property.read({"leads_to": ["a", "b"]})
    assert Property.read("no deadlock") == Property.read({"deadlock": True}) == Property("deadlock")
    assert str(Property.read("a leads to b")) == "a leads_to b"
