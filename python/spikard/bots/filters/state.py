"""Where the dialogue stands."""

from typing import Any

from spikard.bots.filters.base import BuiltinFilter, Key, Verdict
from spikard.bots.fsm.state import State, StatesGroupMeta


class StateFilter(BuiltinFilter):
    """Passes in one of these states.

    Args:
        states: States, their texts, groups of them; None for no state, `"*"` for any.
    """

    reads_state = True

    def __init__(self, *states: State | str | StatesGroupMeta | None, **named: State | str | None) -> None:
        if named:
            # What ported code calls its only one.
            states = (*states, named.pop("state"))
        if named or not states:
            raise ValueError("StateFilter needs at least one state; None stands for none, '*' for any")
        self.states = states
        self.state = states[0]
        self._texts: set[str | None] = set()
        for state in states:
            if isinstance(state, State):
                self._texts.add(state.state)
            elif isinstance(state, StatesGroupMeta):
                self._texts.update(state.__state_names__)
            elif state is None or isinstance(state, str):
                self._texts.add(state)
            else:
                raise TypeError(f"{state!r} is no state: give a State, its text, a StatesGroup, None or '*'")

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges by the state that the dispatcher has read."""
        del event
        current = data.get("current_state", data.get("raw_state"))
        return current in self._texts or ("*" in self._texts and current is not None)

    def key(self) -> Key | None:
        """Its states, unless any will do."""
        return None if "*" in self._texts else Key(("state",), tuple(self._texts), 3, is_exact=True)

    def __repr__(self) -> str:
        return f"StateFilter({', '.join(str(state) for state in self.states)})"


__all__ = ["StateFilter"]
