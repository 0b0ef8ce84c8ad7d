"""What is probably wrong with machines."""

from typing import Any

import pytest

from spikard.fsm import LintSeverity, LintWarning, lint


def machine(states: list[Any], transitions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    listed = [{"name": state} if isinstance(state, str) else state for state in states]
    listed[0].setdefault("type", "initial")
    return {"states": listed, "transitions": transitions, **more}


def go(source: Any, dest: str, *guards: Any, trigger: str = "go", **more: Any) -> dict[str, Any]:
    return {"trigger": trigger, "source": source, "dest": dest, "guards": list(guards), **more}


def check(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"check": {"field": field, "op": op, "value": value}}


def codes(config: dict[str, Any]) -> list[str]:
    return [warning.code for warning in lint(config)]


END = {"name": "end", "type": "terminal"}


def test_a_sound_machine_has_no_findings() -> None:
    assert lint(machine(["a", END], [go("a", "end")])) == []


def test_states_out_of_reach_and_without_a_way_out() -> None:
    found = lint(machine(["a", "lost", END], [go("a", "end")]))
    assert found == [
        LintWarning(
            "unreachable_state",
            LintSeverity.WARNING,
            "State 'lost' is not reachable from the initial state",
            {"state": "lost"},
        ),
        LintWarning(
            "dead_end", LintSeverity.WARNING, "Non-terminal state 'lost' has no outbound transitions", {"state": "lost"}
        ),
    ]


def test_legacy_24_children_regions_and_else_are_no_findings() -> None:
    config = machine(
        [
            "a",
            {"name": "p", "initial_child": "c"},
            {"name": "c", "parent": "p"},
            {"name": "d", "parent": "p", "timeout": {"seconds": 5, "destination": "both"}},
            {"name": "both", "type": "parallel", "regions": [{"name": "r", "initial": "x", "states": ["x", "y"]}]},
            "x",
            "y",
            END,
        ],
        [
            go("a", "p"),
            go("c", "d", check("qty", "gt", 5), trigger="pick"),
            go("c", "c", trigger="pick"),
            go("x", "y", region="r"),
            go("p", "H(p)", trigger="resume"),
            go("both", "end", trigger="stop"),
        ],
    )
    assert [code for code in codes(config) if code != "timer_without_scheduler"] == []


def test_an_unguarded_transition_before_others_is_an_error() -> None:
    config = machine(["a", "b", END], [go("a", "b"), go("a", "end", "ready"), go("b", "end")])
    [found] = lint(config)
    assert (found.code, found.severity) == ("nondeterministic", LintSeverity.ERROR)
    assert found.context == {"trigger": "go", "source": "a", "total": 2, "unguarded": 1}


def test_priority_decides_what_comes_before() -> None:
    assert codes(machine(["a", END], [go("a", "a", priority=2), go("a", "end", "ready", priority=1)])) == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (check("x", "gt", 10), check("x", "gt", 20), ["shadowed", "gap"]),
        (check("x", "gt", 10), check("x", "eq", 11), ["shadowed", "gap"]),
        (check("x", "is_set"), check("x", "lt", 1), ["shadowed"]),
        ("ready", "ready", ["shadowed"]),
        (check("x", "gt", 20), check("x", "gt", 10), ["overlap", "gap"]),
        (check("x", "gt", 10), check("x", "lte", 10), []),
        (check("x", "gt", 10), check("x", "lt", 10), ["gap"]),
        (check("x", "eq", "a"), check("x", "neq", "a"), []),
        (check("x", "gt", 10), check("y", "gt", 10), []),
        ("ready", "willing", []),
    ],
)
def test_guards_are_compared_as_intervals(first: Any, second: Any, expected: list[str]) -> None:
    assert codes(machine(["a", "b", END], [go("a", "b", first), go("a", "end", second), go("b", "end")])) == expected


def test_a_gap_comes_with_an_example() -> None:
    config = machine(["a", END], [go("a", "a", check("x", "gt", 10)), go("a", "end", check("x", "lt", 10))])
    assert [found.message for found in lint(config)] == ["No guard on 'go' from 'a' passes for x = 10"]


def test_automatic_rings_are_errors() -> None:
    autos = [
        {"auto": True, "source": "a", "dest": "b"},
        {"auto": True, "source": "b", "dest": "a"},
        go("a", "end"),
    ]
    assert codes(machine(["a", "b", END], autos)) == ["auto_cycle"]
    autos[1]["guards"] = ["tired"]
    assert codes(machine(["a", "b", END], autos)) == []


def test_states_from_which_no_end_is_reached() -> None:
    config = machine(["a", "b", "c", END], [go("a", "end"), go("a", "b", trigger="x"), go("b", "c"), go("c", "b")])
    [found] = lint(config)
    assert (found.code, found.context) == ("livelock", {"states": ["b", "c"]})


def test_regions_that_never_finish_never_join() -> None:
    config = machine(
        [
            "a",
            {
                "name": "p",
                "type": "parallel",
                "regions": [{"name": "r", "initial": "x", "states": ["x", "y"], "final": "y"}],
            },
            "x",
            "y",
            END,
        ],
        [go("a", "p"), go("p", "end", trigger="_join_p")],
    )
    assert codes(config) == ["unreachable_state", "region_never_final", "join_unreachable"]


def test_context_keys_secrets_and_code() -> None:
    config = machine(
        ["a", END],
        [
            go(
                "a",
                "end",
                {"expr": "qty > limit"},
                actions=[
                    {"http": {"url": "https://example.org", "headers": {"Authorization": "Bearer abc"}}},
                    {"code": "ctx['x'] = 1"},
                ],
            )
        ],
        state_variables=["qty", "unused"],
    )
    found = {(warning.code, warning.context.get("key")) for warning in lint(config)}
    assert found == {
        ("context_key_unused", "unused"),
        ("context_key_undeclared", "limit"),
        ("secret_in_config", "Authorization"),
        ("code_action", None),
    }


def test_findings_can_be_switched_off_where_they_are() -> None:
    config = machine(["a", {"name": "lost", "metadata": {"lint_ignore": ["dead_end"]}}, END], [go("a", "end")])
    assert codes(config) == ["unreachable_state"]
