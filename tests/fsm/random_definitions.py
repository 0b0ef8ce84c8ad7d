"""Random machines for properties that hold of all of them."""

from typing import Any

from hypothesis import strategies as st

TRIGGERS = ("t0", "t1", "t2")
FIELDS = ("n", "flag")


@st.composite
def machines(draw: st.DrawFn, *, parallel: bool = False) -> dict[str, Any]:
    """A definition with nested states, choices, history, guards, effects, delays and automatic steps that end."""
    states = draw(nested_states())
    names = [state["name"] for state in states]
    compounds = [state["name"] for state in states if "initial_child" in state]
    sources = [state["name"] for state in states if state["type"] != "terminal"]
    transitions = []
    for number in range(draw(st.integers(2, 10))):
        dest = draw(st.sampled_from(names))
        if compounds and draw(st.integers(0, 4)) == 0:
            dest = f"{draw(st.sampled_from(('H', 'H*')))}({draw(st.sampled_from(compounds))})"
        rule: dict[str, Any] = {
            "trigger": draw(st.sampled_from(TRIGGERS)),
            "source": draw(st.lists(st.sampled_from(sources), min_size=1, max_size=3, unique=True)),
            "dest": dest,
            "actions": [f"a{number}", *draw(st.lists(effects(), max_size=2))],
        }
        if draw(st.booleans()):
            rule["guards"] = draw(st.lists(guards(), min_size=1, max_size=2))
        if draw(st.integers(0, 5)) == 0:
            rule["priority"] = draw(st.integers(-2, 2))
        if draw(st.integers(0, 7)) == 0:
            rule["internal"] = True
        transitions.append(rule)
    if draw(st.booleans()):
        # Automatic steps lead on and never back, so they end.
        first, later = draw(st.sampled_from(sources)), draw(st.sampled_from(names))
        if names.index(later) > names.index(first):
            transitions.append({"auto": True, "source": first, "dest": later, "guards": [draw(guards())]})
    definition = {"meta": {"machine_name": "random", "version": "1.0.0"}, "states": states, "transitions": transitions}
    return with_regions(definition) if parallel else definition


@st.composite
def nested_states(draw: st.DrawFn) -> list[dict[str, Any]]:
    states: list[dict[str, Any]] = [{"name": "s0", "type": "initial"}]
    for number in range(1, draw(st.integers(2, 8))):
        kind = draw(st.sampled_from(("stable", "stable", "stable", "terminal", "error", "choice")))
        state: dict[str, Any] = {"name": f"s{number}", "type": kind}
        parents = [other for other in states if other["type"] in {"initial", "stable"}]
        if draw(st.booleans()):
            parent = draw(st.sampled_from(parents))
            state["parent"] = parent["name"]
            # Nothing is entered that is only passed through.
            if kind != "choice":
                parent.setdefault("initial_child", state["name"])
        states.append(state)
    for state in states:
        state["on_enter"], state["on_exit"] = [f"e_{state['name']}"], [f"x_{state['name']}"]
    return states


def with_regions(definition: dict[str, Any]) -> dict[str, Any]:
    """The machine with a parallel state that `fork` leads to, and that its join leaves."""
    regions = [
        {"name": name, "initial": f"{name}_on", "states": [f"{name}_on", f"{name}_off"], "final": f"{name}_off"}
        for name in ("left", "right")
    ]
    members = [{"name": name} for region in regions for name in region["states"]]
    states = [*definition["states"], {"name": "both", "type": "parallel", "regions": regions}, *members]
    moves = [
        {"trigger": trigger, "source": f"{region}_on", "dest": f"{region}_off", "region": region}
        for region, trigger in (("left", "t0"), ("right", "t1"))
    ]
    others = [
        {"trigger": "fork", "source": "s0", "dest": "both"},
        {"trigger": "_join_both", "source": "both", "dest": "s0"},
        {"trigger": "t2", "source": "both", "dest": "s0"},
    ]
    return {**definition, "states": states, "transitions": [*definition["transitions"], *moves, *others]}


def guards() -> st.SearchStrategy[Any]:
    numbers = st.integers(-1, 4)
    check = st.builds(
        lambda op, value: {"check": {"field": "n", "op": op, "value": value}},
        st.sampled_from(("eq", "neq", "gt", "gte", "lt", "lte")),
        numbers,
    )
    plain = st.one_of(
        check,
        st.just({"check": {"field": "flag", "op": "eq", "value": True}}),
        st.just({"expr": "flag or n > 2"}),
        st.sampled_from(("yes", "no")),
    )
    return st.recursive(
        plain,
        lambda inner: st.one_of(
            st.builds(lambda one: {"not": one}, inner),
            st.builds(lambda some: {"allOf": some}, st.lists(inner, min_size=1, max_size=2)),
            st.builds(lambda some: {"anyOf": some}, st.lists(inner, min_size=1, max_size=2)),
        ),
        max_leaves=3,
    )


def effects() -> st.SearchStrategy[Any]:
    return st.sampled_from(
        (
            {"increment": "n"},
            {"decrement": "n"},
            {"set": {"flag": True}},
            {"set": {"flag": False}},
            {"compute": {"n": "n * 2"}},
            {"append": {"field": "log", "value": 1}},
            {"clear": "log"},
        )
    )


def events() -> st.SearchStrategy[list[tuple[str, dict[str, Any]]]]:
    payloads = st.fixed_dictionaries({}, optional={"n": st.integers(-1, 4), "flag": st.booleans()})
    return st.lists(st.tuples(st.sampled_from((*TRIGGERS, "fork")), payloads), max_size=8)
