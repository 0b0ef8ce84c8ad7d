"""Machines that mean harm, or were written by somebody in despair: each ends in a clear error or a bounded answer."""

from collections.abc import Callable
from typing import Any

import pytest

from spikard.fsm import (
    ConfigurationError,
    Expression,
    ExprLimitError,
    FSMError,
    ParallelStateConfig,
    StateMachine,
    check_config,
    evaluate_expr,
    lint,
    to_dot,
    to_mermaid,
    to_mermaid_flowchart,
    to_plantuml,
    to_scxml,
    to_svg,
    to_xstate,
)
from spikard.fsm.config_text import read_text
from spikard.fsm.testing import SimulatedSession, verify

pytestmark = pytest.mark.timeout(30)


def machine(*transitions: dict[str, Any], **more: Any) -> StateMachine:
    states = [{"name": "a", "type": "initial"}, {"name": "b"}]
    return StateMachine.from_dict({"states": states, "transitions": list(transitions), **more})


def guarded(guard: Any) -> StateMachine:
    return machine({"trigger": "t", "source": "a", "dest": "b", "guards": [guard]})


def nested(depth: int, wrap: Callable[[Any], Any], core: Any) -> Any:
    for _ in range(depth):
        core = wrap(core)
    return core


def rule(**more: Any) -> dict[str, Any]:
    return {"trigger": "t", "source": "a", "dest": "b", **more}


def state(**more: Any) -> dict[str, Any]:
    return {"states": [{"name": "a", "type": "initial", **more}, {"name": "b"}], "transitions": []}


RING = [{"auto": True, "source": "a", "dest": "b"}, {"auto": True, "source": "b", "dest": "a"}]
BOMB = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
CYCLE: dict[str, Any] = {"states": [{"name": "a", "type": "initial"}], "transitions": []}
CYCLE["meta"] = {"me": CYCLE}
INWARD: dict[str, Any] = {"states": [{"name": "p", "type": "initial"}], "transitions": []}
INWARD["states"][0]["submachine"] = INWARD


@pytest.mark.parametrize(
    ("work", "error", "message"),
    [
        # Depth
        (lambda: guarded(nested(100_000, lambda g: {"not": g}, "x")), ConfigurationError, "nested too deeply"),
        (
            lambda: StateMachine.from_dict(state(when=[nested(100_000, lambda g: {"negate": g}, {})])),
            ConfigurationError,
            "",
        ),
        (
            lambda: check_config({"states": [nested(100_000, lambda v: [v], 1)], "transitions": []}),
            ConfigurationError,
            "nested deeper than 200 levels",
        ),
        (lambda: lint({**CYCLE}), ConfigurationError, "nested deeper than 200 levels"),
        (lambda: check_config(CYCLE), ConfigurationError, "nested deeper than 200 levels"),
        (lambda: StateMachine.from_dict(INWARD), ValueError, "nested deeper than 200 levels"),
        (lambda: StateMachine.from_dict(CYCLE).fingerprint, ValueError, ""),
        (lambda: check_config("[" * 200_000), ConfigurationError, "recursion limit exceeded at line 1"),
        (lambda: check_config("{a: " * 200_000), ConfigurationError, "recursion limit exceeded at line 1"),
        (lambda: check_config("? " * 100_000), ConfigurationError, "nested deeper than 100 levels at line 1"),
        (lambda: read_text("[" * 200_000, "json"), ConfigurationError, "nested deeper than 100 levels at line 1"),
        # Size
        (lambda: check_config(BOMB), ConfigurationError, "more than 1000000 values at line 6"),
        (lambda: check_config("a: " + "x" * (9 << 20)), ConfigurationError, "at most 8388608 are read"),
        # Expressions
        (lambda: Expression("1+" * 20_000 + "1"), ExprLimitError, "10000 are allowed"),
        (lambda: Expression("not " * 2400 + "1"), ExprLimitError, "more than 100 levels at character 401"),
        (lambda: Expression("-" * 9999 + "1"), ExprLimitError, "more than 100 levels"),
        (lambda: evaluate_expr("9 ** 9 ** 9", {}), ExprLimitError, "more than 4000000 bits"),
        (lambda: evaluate_expr("1 << 10 ** 12", {}), ExprLimitError, "more than 4000000 bits"),
        (lambda: evaluate_expr("x * x * x * x", {"x": 10**1_200_000}), ExprLimitError, "more than 4000000 bits"),
        (lambda: evaluate_expr("'x' * 10 ** 12", {}), ExprLimitError, "longer than 100000"),
        (lambda: evaluate_expr("[1] * 10 ** 12", {}), ExprLimitError, "longer than 100000"),
        (lambda: evaluate_expr("x.replace('', x)", {"x": "a" * 90_000}), ExprLimitError, "longer than 100000"),
        (lambda: evaluate_expr("f'{x:>1000000000}'", {"x": 1}), ExprLimitError, "longer than 100000"),
        # Numbers
        (lambda: machine(rule(priority=10**40)), ConfigurationError, "'priority' is a whole number from -2147483647"),
        (lambda: machine(rule(priority="high")), ConfigurationError, "'priority' is a whole number, not 'high'"),
        (lambda: machine({"after": 10**40, "source": "a", "dest": "b"}), ConfigurationError, "a thousand years"),
        (lambda: machine({"after": "9" * 400 + "s", "source": "a", "dest": "b"}), ConfigurationError, "Invalid delay"),
        (
            lambda: StateMachine.from_dict(state(timeout={"seconds": 1e300, "destination": "b"})),
            ConfigurationError,
            "a th",
        ),
        (
            lambda: StateMachine.from_dict(state(timeout={"seconds": float("nan"), "destination": "b"})),
            FSMError,
            "positive",
        ),
        (
            lambda: StateMachine.from_dict(state(timeout={"seconds": float("inf"), "destination": "b"})),
            FSMError,
            "a thous",
        ),
        (
            lambda: machine(*RING, meta={"auto_depth": 10**9}),
            ConfigurationError,
            "'meta.auto_depth' is a whole number from 1",
        ),
        (
            lambda: machine(meta={"auto_depth": "lots"}),
            ConfigurationError,
            "'meta.auto_depth' is a whole number, not 'lots'",
        ),
        # Rings
        (
            lambda: StateMachine.from_dict(state(parent="a")),
            ConfigurationError,
            "Cycle in parent chain involving state 'a'",
        ),
        # Other things than they should be
        (lambda: StateMachine.from_dict([]), ConfigurationError, "A machine is a mapping with 'states'"),
        (lambda: StateMachine.from_dict({"states": "abc"}), ConfigurationError, "'states' is a list, not str"),
        (lambda: StateMachine.from_dict({"states": [5]}), ConfigurationError, "[states.0]"),
        (lambda: StateMachine.from_dict({"meta": 5, **state()}), ConfigurationError, "'meta' is a mapping, not int"),
        (
            lambda: StateMachine.from_dict({"error_policy": [1], **state()}),
            ConfigurationError,
            "'error_policy' is a map",
        ),
        (lambda: StateMachine.from_dict(state(regions=[5])), ConfigurationError, "[states.0.regions.0]"),
        (lambda: StateMachine.from_dict(state(invoke=[5])), ConfigurationError, "[states.0.invoke.0]"),
        (
            lambda: machine(rule(source=5)),
            ConfigurationError,
            "'source' is the name of a state or a list of names, not 5",
        ),
        (lambda: machine(rule(dest=7)), ConfigurationError, "[transitions.0.dest] Input should be a valid string"),
        (lambda: machine(rule(trigger=True)), ConfigurationError, "put it in quotes (YAML takes on, off, yes and no"),
        (lambda: machine(rule(guards=[{"expr": 5}])), ConfigurationError, "'expr' is a text, not 5"),
        (lambda: machine(rule(guards=[7])), ConfigurationError, "Invalid guard config: 7"),
    ],
)
def test_harm_ends_in_a_clear_error(work: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        work()
    assert message in str(caught.value)
    assert len(str(caught.value)) < 2000
    assert not isinstance(caught.value, RecursionError)


def test_rings_of_automatic_steps_end() -> None:
    ring = machine(*RING)
    taken = ring.create().apply_data()
    assert (len(taken), taken[-1].metadata["auto_depth_exceeded"]) == (20, True)
    assert [finding.code for finding in ring.lint()] == ["auto_cycle"]
    assert verify(ring, "deadlock").verdict in {"holds", "violated"}
    longest = machine(*RING, meta={"auto_depth": 1000})
    assert len(longest.create().apply_data()) == 1000


def test_rings_of_choices_end() -> None:
    choices = [{"name": name, "type": "choice"} for name in ("c", "d")]
    ring = StateMachine.from_dict(
        {
            "states": [{"name": "a", "type": "initial"}, *choices],
            "transitions": [
                {"trigger": "t", "source": "a", "dest": "c"},
                {"trigger": "t", "source": "c", "dest": "d"},
                {"trigger": "t", "source": "d", "dest": "c"},
            ],
        }
    )
    assert ring.process("a", "t", {}).error.code == "guard_rejected"
    assert verify(ring, "deadlock").verdict == "violated"


def test_deep_nests_of_states_are_left_at_once() -> None:
    depth = 20_000
    states: list[dict[str, Any]] = [{"name": "s0", "type": "initial", "initial_child": "s1"}]
    for number in range(1, depth):
        child = {"initial_child": f"s{number + 1}"} if number < depth - 1 else {}
        states.append({"name": f"s{number}", "parent": f"s{number - 1}", **child})
    states.append({"name": "z"})
    nest = StateMachine.from_dict({"states": states, "transitions": [{"trigger": "go", "source": "s0", "dest": "z"}]})
    result = nest.process(nest.initial_leaf, "go", {})
    assert result.target_state == "z"
    assert len(result.metadata["_history_updates"]) == depth - 1


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(a*)*b$"])
def test_patterns_take_linear_time(pattern: str) -> None:
    text = "a" * 90_000 + "c"
    assert (
        not guarded({"check": {"field": "x", "op": "matches", "value": pattern}}).process("a", "t", {"x": text}).success
    )
    assert evaluate_expr(f"matches(x, '{pattern}')", {"x": text}) is False


@pytest.mark.parametrize("pattern", ["(a{1000}){1000}", "(" * 10_000 + ")" * 10_000, "("])
def test_patterns_that_cannot_be_used_refuse(pattern: str) -> None:
    result = guarded({"check": {"field": "x", "op": "matches", "value": pattern}}).process("a", "t", {"x": "a"})
    assert result.error.code == "guard_rejected"


def test_contexts_may_be_as_deep_as_they_like() -> None:
    deep, other = nested(100_000, lambda v: [v], 1), nested(100_000, lambda v: [v], 1)
    circle: dict[str, Any] = {}
    circle["x"] = circle
    for guard in ({"expr": "x == x"}, {"expr": "str(x) == '1'"}, {"check": {"field": "x", "op": "eq", "value": other}}):
        for context in ({"x": deep}, circle):
            assert guarded(guard).process("a", "t", context).success in {True, False}


def test_numbers_may_be_as_large_as_they_like() -> None:
    giant = guarded({"check": {"field": "x", "op": "gt", "value": 10**5000}})
    assert not giant.process("a", "t", {"x": 1.5}).success
    assert giant.process("a", "t", {"x": 10**5001}).success
    assert evaluate_expr("round(x, -10 ** 18)", {"x": 5}) == 0


def test_branches_stop_at_their_depth() -> None:
    action = nested(100_000, lambda inner: {"branch": {"when": "1", "then": [inner]}}, {"set": {"n": 1}})
    result = machine(rule(actions=[action])).create(execute_actions=True).send("t")
    assert result.metadata["action_results"][0]["error"] == "branch nesting exceeds 8"


def test_garbage_is_read_in_linear_time() -> None:
    assert ParallelStateConfig.from_string("p:" + "=" * 1_000_000 + "," * 1_000_000).parallel_state == "p"
    error = machine(rule()).process("a", "t" * 1_000_000, {}).error
    assert error.code == "invalid_trigger"


def test_the_longest_limit_of_time_can_be_waited_for() -> None:
    session = SimulatedSession(StateMachine.from_dict(state(timeout={"seconds": 31_536_000_000, "destination": "b"})))
    session.advance(31_536_000_000)
    assert session.current_state == "b"


def nest(depth: int) -> dict[str, Any]:
    """States that stand in one another, each beginning with the next; an automatic step leads out of the innermost."""
    states: list[dict[str, Any]] = [{"name": "outside", "type": "initial"}]
    for number in range(depth):
        states.append({"name": f"s{number}", "initial_child": f"s{number + 1}"})
        if number:
            states[-1]["parent"] = f"s{number - 1}"
    del states[-1]["initial_child"]
    rules = [
        {"trigger": "t", "source": "outside", "dest": "s0"},
        {"auto": True, "source": f"s{depth - 1}", "dest": "s0"},
    ]
    return {"states": states, "transitions": rules}


def test_deep_nests_are_linted() -> None:
    # What went over all states around each of all states would not end in time.
    found = lint(nest(10_000))
    assert [(finding.code, len(finding.context["states"])) for finding in found] == [("auto_cycle", 1)]


DRAWINGS = [to_mermaid, to_mermaid_flowchart, to_dot, to_plantuml, to_scxml, to_svg]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_drawings_grow_with_what_they_show_and_not_with_its_square(draw: Callable[[Any], str]) -> None:
    # Without bounds on what a line is moved in, twice the depth takes four times the text.
    assert len(draw(nest(190))) < 3 * len(draw(nest(95)))


@pytest.mark.parametrize("draw", [*DRAWINGS, to_xstate])
def test_nests_too_deep_for_drawings_are_refused(draw: Callable[[Any], str]) -> None:
    with pytest.raises(ValueError, match="more than 200 states stand in one another: that is too deep to be drawn"):
        draw(nest(5_000))


def test_states_in_a_ring_stand_alone_in_drawings() -> None:
    ring = [{"name": "a", "parent": "b"}, {"name": "b", "parent": "c"}, {"name": "c", "parent": "b"}]
    text = to_mermaid({"states": [{"name": "first", "type": "initial"}, *ring], "transitions": []})
    assert [line for line in text.splitlines() if line.strip() in ("a", "b", "c")] == ["    a", "    b", "    c"]
