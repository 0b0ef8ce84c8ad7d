"""What a plan asks to be done."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from spikard.fsm.check_spec import CheckSpec
from spikard.fsm.frozen import frozen

# Where a mapping has several keys the first of them says what it is, in an order that is the same in every process.
_EFFECTS = ("set", "timestamp", "increment", "decrement", "append", "clear", "compute")
EFFECT_TYPES: frozenset[str] = frozenset(_EFFECTS)

_SENT = ("raise", "send", "cancel", "emit")
_OWN_KEYS = ("custom", "http", "branch", "code", *_SENT)


@frozen
class ActionSpec:
    """A named action, a change of the context, or one of the built-in forms."""

    name: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    effect: str | None = None
    timeout: float | None = None
    retry: int = 0
    retry_backoff: float = 1.0
    when: Any = None
    custom: bool = False

    def __post_init__(self) -> None:
        if not self.name and not self.effect:
            raise ValueError("ActionSpec must have a 'name' or 'effect'")

    @property
    def is_effect(self) -> bool:
        """Whether it is a change of the context that needs no function."""
        return self.effect is not None

    @property
    def is_custom(self) -> bool:
        """Whether its function comes from the catalog."""
        return self.custom

    @property
    def has_params(self) -> bool:
        """Whether the function gets parameters."""
        return bool(self.params)

    @classmethod
    def from_config(cls, config: str | Mapping[str, Any]) -> "ActionSpec":
        """Reads an action as configurations write it."""
        if isinstance(config, str):
            return cls(name=config)
        if isinstance(config, Mapping):
            if "custom" in config:
                return cls._special("custom", config)
            if "name" in config:
                return cls(name=config["name"], params=config.get("params", {}), **_common(config))
            for key in _OWN_KEYS:
                if key in config:
                    return cls._special(key, config)
            for effect in _EFFECTS:
                if effect in config:
                    params = _effect_params(effect, config[effect])
                    return cls(name=f"_effect.{effect}", params=params, effect=effect, **_common(config))
        raise ValueError(f"Invalid action config: {config}")

    @classmethod
    def _special(cls, key: str, config: Mapping[str, Any]) -> "ActionSpec":
        value = config[key]
        if key in _SENT:
            params = dict(value) if isinstance(value, Mapping) else {_SENT_TEXT[key]: value}
            return cls(name=f"_{key}", params=params, **_common(config))
        if key == "code":
            if not isinstance(value, (str, Mapping)):
                raise ValueError(f"code action must be str or dict, got {config}")
            params = {"source": value} if isinstance(value, str) else dict(value)
            return cls(name="_code", params=params, **_common(config, params))
        if not isinstance(value, Mapping):
            raise ValueError(f"{key} action requires a mapping, got {config}")
        if key == "custom":
            if not value.get("name"):
                raise ValueError(f"custom action requires non-empty name, got {config}")
            params = dict(value.get("params") or {})
            return cls(name=value["name"], params=params, custom=True, **_common(config))
        if key == "branch":
            params = {"when": value.get("when"), "then": value.get("then", []), "else": value.get("else", [])}
            return cls(name="_branch", params=params, **_common(config))
        return cls(name="_http", params=dict(value), **_common(config, value))

    def to_config(self) -> str | dict[str, Any]:
        """The action as configurations write it."""
        config: dict[str, Any] = {}
        if self.timeout is not None:
            config["timeout"] = self.timeout
        if self.retry:
            config["retry"] = self.retry
        if self.retry_backoff != 1.0:
            config["retry_backoff"] = self.retry_backoff
        if self.when is not None:
            config["when"] = self.when if isinstance(self.when, str) else self.when.to_config()
        key = self.name.removeprefix("_")
        if self.effect is not None:
            named = self.effect in {"timestamp", "increment", "decrement", "clear"}
            return {self.effect: self.params["field"] if named else self.params, **config}
        if self.custom:
            return {"custom": {"name": self.name, "params": self.params}, **config}
        if self.name.startswith("_") and key in _OWN_KEYS:
            return {key: self.params, **config}
        if self.params:
            config["params"] = self.params
        return {"name": self.name, **config} if config else self.name


_SENT_TEXT = {"raise": "event", "send": "event", "cancel": "id", "emit": "topic"}


def _common(config: Mapping[str, Any], inner: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The keys that any mapping may have; beside the action they count before those inside it."""
    common = {}
    for key in ("timeout", "retry", "retry_backoff", "when"):
        if key in config:
            common[key] = config[key]
        elif inner is not None and key in inner:
            common[key] = inner[key]
    condition = common.get("when")
    if isinstance(condition, Mapping):
        common["when"] = CheckSpec.from_config(condition)
    return common


def _effect_params(effect: str, value: Any) -> dict[str, Any]:
    if effect in {"set", "compute"}:
        if not isinstance(value, Mapping):
            needed = "a mapping of {key: expression}" if effect == "compute" else "a mapping"
            raise ValueError(f"'{effect}' effect requires {needed}, got {type(value).__name__}")
        return dict(value)
    if effect == "append":
        if not isinstance(value, Mapping) or "field" not in value or "value" not in value:
            raise ValueError("'append' effect requires {field: ..., value: ...}")
        return dict(value)
    if not isinstance(value, str):
        raise ValueError(f"'{effect}' effect requires a field name (string)")
    return {"field": value}
