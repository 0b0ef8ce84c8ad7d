"""Definitions with everything written out: no submachines, no points, a trigger for every transition."""

from collections.abc import Mapping
from typing import Any

EFFECTS = ("set", "timestamp", "increment", "decrement", "append", "clear", "compute")


def plain_definition(config: Mapping[str, Any]) -> dict[str, Any]:
    """The same machine for an engine that knows states, transitions and regions only."""
    config = flattened(config)
    states = {state["name"]: state for state in config["states"]}
    transitions = []
    for written in config["transitions"]:
        rule = dict(written)
        sources = rule["source"] if isinstance(rule["source"], list) else [rule["source"]]
        rule["source"] = [point(source, states, "exit_points") for source in sources]
        rule["dest"] = point(rule["dest"], states, "entry_points")
        rule["trigger"] = rule.get("trigger") or generated(rule)
        rule["guards"] = listed(rule.get("guards"))
        rule["actions"] = [name_of(action) for action in listed(rule.get("actions"))]
        transitions.append(rule)
    for state in states.values():
        state["on_enter"] = [name_of(action) for action in listed(state.get("on_enter"))]
        state["on_exit"] = [name_of(action) for action in listed(state.get("on_exit"))]
    return {"meta": dict(config.get("meta") or {}), "states": list(states.values()), "transitions": transitions}


def flattened(config: Mapping[str, Any]) -> dict[str, Any]:
    """The machine with those in it that its states hold, each under its state's name."""
    states: list[dict[str, Any]] = []
    transitions: list[dict[str, Any]] = []
    for state in config.get("states") or []:
        inner = state.get("submachine")
        states.append({key: value for key, value in state.items() if key != "submachine"})
        if inner is None:
            continue
        inner, prefix = flattened(inner), f"{state['name']}."
        resting = [each["name"] for each in inner["states"] if each.get("type") != "terminal"]
        for each in inner["states"]:
            parent = prefix + each["parent"] if each.get("parent") else state["name"]
            states.append({**each, "name": prefix + each["name"], "parent": parent})
            if "initial_child" in each:
                states[-1]["initial_child"] = prefix + each["initial_child"]
            if each.get("type") == "initial":
                states[-1]["type"] = "stable"
                # Where several begin nothing is said of which.
                next(s for s in states if s["name"] == state["name"]).setdefault("initial_child", prefix + each["name"])
        for rule in inner["transitions"]:
            sources = rule["source"] if isinstance(rule["source"], list) else [rule["source"]]
            sources = resting if "*" in sources else sources
            source = [prefix + each for each in sources]
            transitions.append({**rule, "source": source, "dest": prefix + rule["dest"]})
    transitions.extend(config.get("transitions") or [])
    return {**config, "states": states, "transitions": transitions}


def point(name: str, states: Mapping[str, Any], kind: str) -> str:
    """The state that `parent:point` means."""
    parent, _, inner = name.partition(":")
    if not inner or inner not in states.get(parent, {}).get(kind, ()):
        return name
    return inner if inner in states else f"{parent}.{inner}"


def generated(rule: Mapping[str, Any]) -> str:
    """The trigger of a transition that comes by itself."""
    if rule.get("auto"):
        return f"_auto_{rule['source'][0]}"
    units = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
    after = str(rule["after"])
    digits = after.rstrip("msh")
    return f"_after_{rule['source'][0]}_{int(digits) * units[after[len(digits) :] or 'ms']}_ms"


def name_of(action: Any) -> str:
    """The name that plans have an action under."""
    if isinstance(action, str):
        return action
    if "name" in action:
        return str(action["name"])
    if "custom" in action:
        return str(action["custom"]["name"])
    key = next(key for key in action if key in (*EFFECTS, "http", "code", "branch", "raise", "send", "cancel", "emit"))
    return f"_effect.{key}" if key in EFFECTS else f"_{key}"


def listed(value: Any) -> list[Any]:
    """One item or a list of them, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
