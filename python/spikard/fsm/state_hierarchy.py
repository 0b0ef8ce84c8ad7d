"""Which state is inside which, for those who ask in names."""

from collections.abc import Mapping

from spikard.fsm.errors import ConfigurationError
from spikard.fsm.history_type import HistoryType
from spikard.fsm.state import State


class StateHierarchy:
    """The tree of a machine's states, and a memory of which child of each was active last."""

    def __init__(self, states: Mapping[str, State]) -> None:
        self._states = states
        self._memory: dict[str, str] = {}
        self._children: dict[str, list[str]] = {}
        for state in states.values():
            if state.parent is not None:
                self._children.setdefault(state.parent, []).append(state.name)
        self._validate()

    def _validate(self) -> None:
        for name, state in self._states.items():
            for kind, other in (("parent", state.parent), ("initial_child", state.initial_child)):
                if other is not None and other not in self._states:
                    message = f"State '{name}' references unknown {kind} '{other}'"
                    raise ConfigurationError(message, context={"state": name, kind: other})
        safe: set[str] = set()
        for name in self._states:
            way = [name]
            while (parent := self._states[way[-1]].parent) is not None and parent not in safe:
                if parent in way:
                    message = f"Cycle in parent chain involving state '{name}'"
                    raise ConfigurationError(message, context={"state": name})
                way.append(parent)
            safe.update(way)
        initial = [name for name in self.roots if self._states[name].is_initial]
        if not initial:
            message = "No initial state defined (no root state with type 'initial')"
            raise ConfigurationError(message, context={"roots": self.roots})
        if len(initial) > 1:
            raise ConfigurationError("Multiple root initial states defined", context={"root_initial": initial})

    @property
    def roots(self) -> list[str]:
        """The states that are in no other."""
        return [name for name, state in self._states.items() if state.parent is None]

    def ancestors(self, leaf: str) -> list[str]:
        """The state itself, its parent, and so on to the root."""
        found = []
        state = self._states.get(leaf)
        while state is not None:
            found.append(state.name)
            state = None if state.parent is None else self._states[state.parent]
        return found

    def resolve_initial_leaf(self, state_name: str) -> str:
        """Where one comes to by way of initial children."""
        seen = {state_name}
        state = self._states.get(state_name)
        while state is not None and state.initial_child is not None and state.initial_child not in seen:
            seen.add(state.initial_child)
            state_name = state.initial_child
            state = self._states.get(state_name)
        return state_name

    def effective_target_leaf(self, dest: str) -> str:
        """The leaf that a transition to a state comes to rest in."""
        return self.resolve_initial_leaf(dest)

    def lca(self, leaf_a: str, leaf_b: str) -> str | None:
        """The nearest state that both are in; a state is in itself."""
        others = set(self.ancestors(leaf_b))
        return next((name for name in self.ancestors(leaf_a) if name in others), None)

    def exit_chain(self, from_leaf: str, to_lca: str | None) -> list[str]:
        """The states that are left on the way up to `to_lca`, innermost first."""
        chain = []
        for name in self.ancestors(from_leaf):
            if name == to_lca:
                break
            chain.append(name)
        return chain

    def enter_chain(self, from_lca: str | None, to_leaf: str) -> list[str]:
        """The states that are entered on the way down from `from_lca`, outermost first."""
        return self.exit_chain(to_leaf, from_lca)[::-1]

    def is_compound(self, state_name: str) -> bool:
        """Whether another state inside it is active with it."""
        state = self._states.get(state_name)
        return state is not None and state.is_compound

    def children(self, state_name: str) -> list[str]:
        """The states directly inside it."""
        return list(self._children.get(state_name, ()))

    def record_history(self, compound_state: str, active_child: str) -> None:
        """Remember which child was active."""
        self._memory[compound_state] = active_child

    def resolve_history(self, compound_state: str, history_type: HistoryType) -> str:
        """Where a history of the given kind leads; the initial leaf where nothing is remembered."""
        name = compound_state
        child = self._memory.get(name)
        while child is not None and child in self._states:
            name = child
            child = self._memory.get(name) if history_type is HistoryType.DEEP else None
        return self.resolve_initial_leaf(name)

    def clear_history(self) -> None:
        """Forget everything."""
        self._memory.clear()

    @property
    def memory(self) -> dict[str, str]:
        """What is remembered: the last active child by compound state."""
        return self._memory
