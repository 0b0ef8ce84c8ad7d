"""State machines interpreted slowly and plainly: every question is answered by looking through the whole definition."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """What an event does, in plain data."""

    outcome: str
    target: str | None = None
    exit: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    enter: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


class ReferenceEngine:
    """A definition whose guards are names, looked up in a mapping of answers."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.states = {state["name"]: state for state in config["states"]}
        self.transitions = config["transitions"]

    def way_up(self, state: str) -> list[str]:
        """The state and everything it is in."""
        parent = self.states[state].get("parent")
        return [state] + (self.way_up(parent) if parent else [])

    def way_down(self, state: str) -> str:
        """The leaf below a state."""
        child = self.states[state].get("initial_child")
        return self.way_down(child) if child else state

    def process(self, state: str, trigger: str, guards: Mapping[str, bool], history: Mapping[str, str]) -> Answer:
        """What a trigger does."""
        if self.states[state].get("type") == "terminal":
            return Answer("terminal")
        candidates = []
        for node in self.way_up(state):
            here = [rule for rule in self.rules(trigger, node) if rule not in candidates]
            candidates.extend(here)
        if not candidates:
            return Answer("unhandled")
        for rule in candidates:
            if not self.passes(rule, guards):
                continue
            if rule.get("internal"):
                return Answer("fired", state, [], rule.get("actions", []), [])
            target = self.choose(self.resolve(rule["dest"], history), trigger, guards, history, 16)
            if target is not None:
                return self.step(state, target, rule)
        return Answer("rejected")

    def rules(self, trigger: str, node: str) -> list[Mapping[str, Any]]:
        """The rules of one node, in their order."""
        found = [
            rule
            for rule in self.transitions
            if rule["trigger"] == trigger and node in self.sources(rule) and not rule.get("auto")
        ]
        return sorted(found, key=lambda rule: rule.get("priority", 0))

    def sources(self, rule: Mapping[str, Any]) -> list[str]:
        """The states that a rule starts from."""
        source = rule["source"]
        if source == "*":
            return [name for name, state in self.states.items() if state.get("type") != "terminal"]
        return [source] if isinstance(source, str) else source

    def passes(self, rule: Mapping[str, Any], guards: Mapping[str, bool]) -> bool:
        """Whether all guards of a rule pass."""
        return all(self.holds(guard, guards) for guard in rule.get("guards", []))

    def holds(self, guard: Any, guards: Mapping[str, bool]) -> bool:
        """Whether one guard passes."""
        if isinstance(guard, str):
            return guards[guard]
        if "allOf" in guard:
            return all(self.holds(inner, guards) for inner in guard["allOf"])
        if "anyOf" in guard:
            return any(self.holds(inner, guards) for inner in guard["anyOf"])
        return not self.holds(guard["not"], guards)

    def resolve(self, dest: str, history: Mapping[str, str]) -> str:
        """The leaf that a destination means."""
        if dest.startswith("H*("):
            state = dest[3:-1]
            while state in history:
                state = history[state]
            return self.way_down(state)
        if dest.startswith("H("):
            return self.way_down(history.get(dest[2:-1], dest[2:-1]))
        return self.way_down(dest)

    def choose(
        self, state: str, trigger: str, guards: Mapping[str, bool], history: Mapping[str, str], left: int
    ) -> str | None:
        """Where a choice leads; the state itself if it is none."""
        if self.states[state].get("type") != "choice":
            return state
        if left == 0:
            return None
        for rule in self.rules(trigger, state):
            if self.passes(rule, guards):
                return self.choose(self.resolve(rule["dest"], history), trigger, guards, history, left - 1)
        return None

    def step(self, source: str, target: str, rule: Mapping[str, Any]) -> Answer:
        """What is left and entered."""
        up, down = self.way_up(source), self.way_up(target)
        exits = [node for node in up if node not in down]
        enters = [node for node in down if node not in up][::-1]
        return Answer(
            "fired",
            target,
            [f"x_{node}" for node in exits],
            rule.get("actions", []),
            [f"e_{node}" for node in enters],
            {self.states[node]["parent"]: node for node in exits if self.states[node].get("parent")},
        )
