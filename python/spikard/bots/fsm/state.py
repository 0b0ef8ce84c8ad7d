"""States of a dialogue, and groups of them."""

from collections.abc import Iterator
from typing import Any


class State:
    """One state. In a group its text is `Group:name`; the name is the attribute's unless one is given.

    Args:
        state: Its name.
        group_name: What stands before the colon, for a state outside of any group.
    """

    def __init__(self, state: str | None = None, group_name: str | None = None) -> None:
        self._name = state
        self._group_name = group_name
        self._group: StatesGroupMeta | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        if self._name is None:
            self._name = name

    @property
    def group(self) -> "StatesGroupMeta | None":
        """The group that defined it."""
        return self._group

    @property
    def state(self) -> str:
        """Its text, as storages keep it."""
        if self._name == "*":
            return "*"
        group = self._group.__full_group_name__ if self._group is not None else (self._group_name or "")
        return f"{group}:{self._name or ''}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, State):
            return self.state == other.state
        if isinstance(other, str):
            return self.state == other
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.state)

    def __str__(self) -> str:
        return self.state

    def __repr__(self) -> str:
        return f"<State '{self.state}'>"


class StatesGroupMeta(type):
    """Collects the states of a group, those of its bases and of groups inside of it."""

    __all_states__: tuple[State, ...]
    __state_names__: tuple[str, ...]
    __states__: tuple[State, ...]
    __full_group_name__: str

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> "StatesGroupMeta":
        cls = super().__new__(mcs, name, bases, namespace)
        cls.__full_group_name__ = name
        inherited = [state for base in bases if isinstance(base, StatesGroupMeta) for state in base.__all_states__]
        own = [value for value in namespace.values() if isinstance(value, State)]
        inner = [value for value in namespace.values() if isinstance(value, StatesGroupMeta)]
        for state in own:
            state._group = cls
        cls.__states__ = tuple(own)
        nested = [state for group in inner for state in group.__all_states__]
        cls.__all_states__ = tuple(dict.fromkeys([*inherited, *own, *nested]))
        for group in inner:
            group._move_below(name)
        cls.__state_names__ = tuple(state.state for state in cls.__all_states__)
        return cls

    def _move_below(cls, outer: str) -> None:
        """A group inside of another is called by both."""
        cls.__full_group_name__ = f"{outer}.{cls.__full_group_name__}"
        for value in vars(cls).values():
            if isinstance(value, StatesGroupMeta):
                value._move_below(outer)
        cls.__state_names__ = tuple(state.state for state in cls.__all_states__)

    def __contains__(cls, item: object) -> bool:
        if isinstance(item, State):
            return item.state in cls.__state_names__
        return isinstance(item, str) and item in cls.__state_names__

    def __iter__(cls) -> Iterator[State]:
        return iter(cls.__all_states__)

    def __len__(cls) -> int:
        return len(cls.__all_states__)

    def __bool__(cls) -> bool:
        return True

    def __str__(cls) -> str:
        return f"<StatesGroup '{cls.__full_group_name__}'>"


class StatesGroup(metaclass=StatesGroupMeta):
    """States that belong together: write each as an attribute, `name = State()`."""


__all__ = ["State", "StatesGroup", "StatesGroupMeta"]
