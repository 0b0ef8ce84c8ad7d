"""State machines interpreted slowly and plainly: every question is answered by looking through the whole definition."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fsm.reference_guards import holds

NOTHING: Mapping[str, Any] = {}


@dataclass
class Answer:
    """What an event does, in plain data."""

    outcome: str
    target: str | None = None
    exit: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    enter: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


@dataclass
class Moves:
    """What an event does to regions: their states, the moves with their actions, and whether all have ended."""

    states: dict[str, str]
    moves: list[tuple[str, str, str, list[str]]]
    joins: bool


class ReferenceEngine:
    """A definition with everything written out. Named guards are looked up in a mapping of answers."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.states = {state["name"]: state for state in config["states"]}
        self.transitions = config["transitions"]
        meta = config.get("meta") or {}
        strict, rejects = meta.get("strict_mode"), meta.get("reject_invalid_events")
        self.is_lenient = not ((True if strict is None else strict) if rejects is None else rejects)
        self.normalizer = meta.get("event_normalizer")

    def way_up(self, state: str) -> list[str]:
        """The state and everything it is in."""
        parent = self.states[state].get("parent")
        return [state] + (self.way_up(parent) if parent else [])

    def way_down(self, state: str) -> str:
        """The leaf below a state."""
        child = self.states[state].get("initial_child")
        return self.way_down(child) if child else state

    def process(
        self,
        state: str,
        trigger: str,
        guards: Mapping[str, bool],
        history: Mapping[str, str],
        context: Mapping[str, Any] = NOTHING,
    ) -> Answer:
        """What a trigger does."""
        trigger = self.normal(trigger)
        if self.states[state].get("type") == "terminal":
            return Answer("terminal")
        candidates = []
        for node in self.way_up(state):
            here = [rule for rule in self.rules(trigger, node) if rule not in candidates]
            candidates.extend(here)
        if not candidates:
            return Answer("ignored", state) if self.is_lenient else Answer("unhandled")
        for rule in candidates:
            if not self.passes(rule, guards, context):
                continue
            if rule.get("internal"):
                return Answer("fired", state, [], rule.get("actions", []), [])
            target = self.choose(self.resolve(rule["dest"], history), trigger, guards, history, context)
            if target is not None:
                return self.step(state, target, rule)
        return Answer("rejected")

    def normal(self, trigger: str) -> str:
        """A trigger as the machine has it."""
        return {"lower": trigger.lower(), "upper": trigger.upper()}.get(self.normalizer or "", trigger)

    def rules(self, trigger: str, node: str, region: str | None = None) -> list[Mapping[str, Any]]:
        """The rules of one node, in their order."""
        found = [
            rule
            for rule in self.transitions
            if rule["trigger"] == trigger
            and rule.get("region") == region
            and node in self.sources(rule)
            and not rule.get("auto")
        ]
        return sorted(found, key=lambda rule: rule.get("priority") or 0)

    def sources(self, rule: Mapping[str, Any]) -> list[str]:
        """The states that a rule starts from."""
        source = rule["source"]
        if source in ("*", ["*"]):
            return [name for name, state in self.states.items() if state.get("type") != "terminal"]
        return [source] if isinstance(source, str) else source

    def passes(self, rule: Mapping[str, Any], guards: Mapping[str, bool], context: Mapping[str, Any]) -> bool:
        """Whether all guards of a rule pass."""
        return all(holds(guard, guards, context) for guard in rule.get("guards", []))

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
        self,
        state: str,
        trigger: str,
        guards: Mapping[str, bool],
        history: Mapping[str, str],
        context: Mapping[str, Any],
        passed: tuple[str, ...] = (),
    ) -> str | None:
        """Where a choice leads; the state itself if it is none."""
        if self.states[state].get("type") != "choice":
            return state
        passed = (*passed, state)
        for rule in self.rules(trigger, state):
            there = self.resolve(rule["dest"], history)
            if there not in passed and self.passes(rule, guards, context):
                return self.choose(there, trigger, guards, history, context, passed)
        return None

    def step(self, source: str, target: str, rule: Mapping[str, Any]) -> Answer:
        """What is left and entered."""
        up, down = self.way_up(source), self.way_up(target)
        exits = [node for node in up if node not in down]
        enters = [node for node in down if node not in up][::-1]
        return Answer(
            "fired",
            target,
            [action for node in exits for action in self.states[node].get("on_exit", [])],
            rule.get("actions", []),
            [action for node in enters for action in self.states[node].get("on_enter", [])],
            {self.states[node]["parent"]: node for node in exits if self.states[node].get("parent")},
        )

    def fork(self, parallel: str) -> dict[str, str]:
        """Where the regions of a parallel state begin."""
        return {region["name"]: region["initial"] for region in self.states[parallel]["regions"]}

    def move(
        self,
        parallel: str,
        states: Mapping[str, str],
        trigger: str,
        guards: Mapping[str, bool],
        context: Mapping[str, Any],
    ) -> Moves:
        """What a trigger does to the regions of a parallel state, each for itself."""
        after, moves = dict(states), []
        for region in self.states[parallel]["regions"]:
            name, here = region["name"], states[region["name"]]
            for rule in self.rules(self.normal(trigger), here, name):
                if self.passes(rule, guards, context):
                    after[name] = there = rule["dest"]
                    left, entered = self.states[here].get("on_exit", []), self.states[there].get("on_enter", [])
                    moves.append((name, here, there, [*left, *rule.get("actions", []), *entered]))
                    break
        ends = [(region["name"], region["final"]) for region in self.states[parallel]["regions"] if region.get("final")]
        return Moves(after, moves, bool(ends) and all(after[name] == end for name, end in ends))
