"""Machines put together by calls."""

import copy
from collections.abc import Mapping
from typing import Any, Self

from spikard.fsm.state_machine import StateMachine


class StateMachineBuilder:
    """Collects states and transitions, and builds the machine."""

    def __init__(self, machine_name: str) -> None:
        self._config: dict[str, Any] = {"meta": {"machine_name": machine_name}, "states": [], "transitions": []}

    def meta(self, **values: Any) -> Self:
        """Puts values into the metadata."""
        self._config["meta"].update(values)
        return self

    def group(self, name: str, **values: Any) -> Self:
        """Declares a group of states."""
        self._config.setdefault("groups", {})[name] = values
        return self

    def add_state(self, name: str, *, type: str = "stable", **kwargs: Any) -> Self:  # noqa: A002 - as in definitions
        """Adds a state; further values are those of definitions."""
        self._config["states"].append({"name": name, "type": type, **kwargs})
        return self

    def add_transition(self, trigger: str, source: str | list[str], dest: str, **kwargs: Any) -> Self:
        """Adds a transition; further values are those of definitions."""
        sources = [source] if isinstance(source, str) and source != "*" else source
        self._config["transitions"].append({"trigger": trigger, "source": sources, "dest": dest, **kwargs})
        return self

    def add_state_variable(
        self,
        key: str,
        *,
        type: str | None = None,  # noqa: A002 - as in definitions
        required: bool = False,
        default: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Declares a key of the context."""
        variable: dict[str, Any] = {"key": key}
        if type is not None:
            variable["type"] = type
        if required:
            variable["required"] = True
        if default is not None:
            variable["default"] = default
        self._config.setdefault("state_variables", []).append({**variable, **kwargs})
        return self

    def to_dict(self) -> dict[str, Any]:
        """The definition so far."""
        return copy.deepcopy(self._config)

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> Self:
        """A builder that goes on from a definition."""
        builder = cls((config.get("meta") or {}).get("machine_name") or "unnamed")
        builder._config.update(copy.deepcopy(dict(config)))
        return builder

    def build(self) -> StateMachine:
        """The machine."""
        return StateMachine.from_dict(self._config)
