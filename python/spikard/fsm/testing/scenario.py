"""Scenarios: what is sent to an entity, and where it is afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spikard.fsm.delays import parse_delay
from spikard.fsm.errors import ConfigurationError

_SCENARIO_KEYS = ("name", "state", "context", "guards", "steps")
_INPUTS = ("event", "data", "wait")
_STEP_KEYS = (*_INPUTS, "payload", "guards", "state", "refused", "actions", "context")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens to an entity, and what is to be seen afterwards.

    Exactly one of `event`, `data` (merged into the context, without an event) and `wait` (seconds) happens. What is
    not said of the rest is not looked at.
    """

    event: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] | None = None
    wait: float | None = None
    guards: dict[str, bool] = field(default_factory=dict)
    """What guards answer, instead of those that are registered."""
    state: str | None = None
    """The state it rests in; `parallel:region=state,…` where regions count."""
    refused: bool | None = None
    """Whether the event is refused. None means no."""
    actions: tuple[str, ...] | None = None
    """The names of all planned actions, in order."""
    context: dict[str, Any] = field(default_factory=dict)
    """Keys that the context has, with their values."""

    @classmethod
    def from_config(cls, config: Any, place: str = "step") -> "Step":
        """Reads a step as scenario files write it."""
        if not isinstance(config, Mapping):
            raise ConfigurationError(f"{place}: a step is a mapping, not {type(config).__name__}")
        _refuse_others(config, _STEP_KEYS, place)
        given = [key for key in _INPUTS if config.get(key) is not None]
        if len(given) != 1:
            raise ConfigurationError(f"{place}: a step has exactly one of 'event', 'data' and 'wait'")
        for key in ("payload", "data", "guards", "context"):
            _mapping(config, key, place)
        if config.get("payload") and given != ["event"]:
            raise ConfigurationError(f"{place}: only an event has a 'payload'")
        actions = config.get("actions")
        if actions is not None and not isinstance(actions, Sequence):
            raise ConfigurationError(f"{place}: 'actions' is a list of names")
        refused = config.get("refused")
        if refused is not None and not isinstance(refused, bool):
            raise ConfigurationError(f"{place}: 'refused' is true or false, not {refused!r}")
        return cls(
            _text(config, "event", place),
            dict(config.get("payload") or {}),
            dict(config["data"]) if config.get("data") is not None else None,
            _seconds(config.get("wait"), place),
            {str(name): bool(answer) for name, answer in (config.get("guards") or {}).items()},
            _text(config, "state", place),
            refused,
            None if actions is None else tuple(actions),
            dict(config.get("context") or {}),
        )

    def to_config(self) -> dict[str, Any]:
        """The step as scenario files write it."""
        config: dict[str, Any] = {}
        if self.event is not None:
            config["event"] = self.event
        elif self.wait is not None:
            config["wait"] = f"{round(self.wait * 1000)}ms"
        else:
            config["data"] = dict(self.data or {})
        for key in ("payload", "guards"):
            if getattr(self, key):
                config[key] = dict(getattr(self, key))
        if self.state is not None:
            config["state"] = self.state
        if self.refused is not None:
            config["refused"] = self.refused
        if self.actions is not None:
            config["actions"] = list(self.actions)
        if self.context:
            config["context"] = dict(self.context)
        return config

    def __str__(self) -> str:
        if self.wait is not None:
            what = f"wait {self.wait:g} s"
        elif self.event is None:
            what = f"data {self.data}"
        else:
            what = self.event + (f" {self.payload}" if self.payload else "")
        return what + (f" -> {self.state}" if self.state else "") + (" (refused)" if self.refused else "")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story of one entity: how it begins, and step by step what happens."""

    name: str
    steps: tuple[Step, ...] = ()
    context: dict[str, Any] = field(default_factory=dict)
    state: str | None = None
    """Where it begins; None: in the initial state."""
    guards: dict[str, bool] = field(default_factory=dict)
    """What guards answer in all steps that say nothing else."""

    @classmethod
    def from_config(cls, config: Any, place: str = "scenario") -> "Scenario":
        """Reads a scenario as files write it."""
        if not isinstance(config, Mapping):
            raise ConfigurationError(f"{place}: a scenario is a mapping, not {type(config).__name__}")
        _refuse_others(config, _SCENARIO_KEYS, place)
        name = _text(config, "name", place) or place
        place = f"{place} ('{name}')" if name != place else place
        steps = config.get("steps")
        if not isinstance(steps, Sequence) or isinstance(steps, str):
            raise ConfigurationError(f"{place}: 'steps' is a list")
        for key in ("context", "guards"):
            _mapping(config, key, place)
        return cls(
            name,
            tuple(Step.from_config(step, f"{place}, step {number}") for number, step in enumerate(steps, 1)),
            dict(config.get("context") or {}),
            _text(config, "state", place),
            {str(name): bool(answer) for name, answer in (config.get("guards") or {}).items()},
        )

    def to_config(self) -> dict[str, Any]:
        """The scenario as files write it."""
        config: dict[str, Any] = {"name": self.name}
        if self.state is not None:
            config["state"] = self.state
        for key in ("context", "guards"):
            if getattr(self, key):
                config[key] = dict(getattr(self, key))
        config["steps"] = [step.to_config() for step in self.steps]
        return config


def _refuse_others(config: Mapping[str, Any], known: Sequence[str], place: str) -> None:
    for key in config:
        if key not in known:
            raise ConfigurationError(f"{place}: unknown key '{key}'; there are {', '.join(known)}")


def _mapping(config: Mapping[str, Any], key: str, place: str) -> None:
    value = config.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise ConfigurationError(f"{place}: '{key}' is a mapping, not {type(value).__name__}")


def _text(config: Mapping[str, Any], key: str, place: str) -> str | None:
    value = config.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigurationError(f"{place}: '{key}' is a text, not {value!r}; put it in quotes")
    return value


def _seconds(value: Any, place: str) -> float | None:
    if value is None:
        return None
    try:
        return parse_delay(value) / 1000
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{place}: 'wait': {error}") from None
