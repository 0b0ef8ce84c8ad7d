"""Conditions of transitions."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from spikard.fsm.check_spec import CheckSpec
from spikard.fsm.frozen import frozen


@frozen
class GuardSpec:
    """A named function, an expression, a check, or guards put together."""

    name: str | None = None
    expr: str | None = None
    check: CheckSpec | None = None
    params: dict[str, Any] = field(default_factory=dict)
    all_of: tuple["GuardSpec", ...] = ()
    any_of: tuple["GuardSpec", ...] = ()
    negate: "GuardSpec | None" = None

    def __post_init__(self) -> None:
        given = (
            (self.name is not None)
            + (self.expr is not None)
            + (self.check is not None)
            + bool(self.all_of)
            + bool(self.any_of)
            + (self.negate is not None)
        )
        if given == 0:
            raise ValueError("GuardSpec must have 'name', 'expr', 'check', 'all_of', 'any_of', or 'negate'")
        if given > 1:
            raise ValueError("GuardSpec can only have one of 'name', 'expr', 'check', 'all_of', 'any_of', 'negate'")

    @property
    def is_expression(self) -> bool:
        """Whether it is an expression."""
        return self.expr is not None

    @property
    def is_check(self) -> bool:
        """Whether it is a check of one field."""
        return self.check is not None

    @property
    def has_params(self) -> bool:
        """Whether the named function gets parameters."""
        return bool(self.params)

    @property
    def is_composite(self) -> bool:
        """Whether it is made of other guards."""
        return self.is_all_of or self.is_any_of or self.is_negate

    @property
    def is_all_of(self) -> bool:
        """Whether all of several guards must pass."""
        return bool(self.all_of)

    @property
    def is_any_of(self) -> bool:
        """Whether any of several guards must pass."""
        return bool(self.any_of)

    @property
    def is_negate(self) -> bool:
        """Whether another guard must not pass."""
        return self.negate is not None

    @property
    def label(self) -> str:
        """What records of evaluations and drawings call it."""
        if self.expr is not None:
            return f"expr:{self.expr}"
        if self.check is not None:
            return f"check:{self.check.field} {self.check.op}"
        if self.all_of:
            return "allOf"
        if self.any_of:
            return "anyOf"
        return "not" if self.name is None else self.name

    @classmethod
    def from_config(cls, config: str | Mapping[str, Any]) -> "GuardSpec":
        """Reads a guard as configurations write it; the spellings of `when` are understood, too."""
        if isinstance(config, str):
            return cls(name=config)
        if isinstance(config, Mapping):
            if "expr" in config:
                if not isinstance(config["expr"], str):
                    raise ValueError(f"A guard's 'expr' is a text, not {config['expr']!r}")
                return cls(expr=config["expr"])
            if "name" in config:
                if not isinstance(config["name"], str):
                    raise ValueError(f"A guard's 'name' is a text, not {config['name']!r}")
                return cls(name=config["name"], params=config.get("params") or {})
            if "check" in config:
                return cls(check=CheckSpec.from_config(config["check"]))
            for spelling, key in _COMPOSITES.items():
                if spelling in config:
                    return _composite(spelling, key, config[spelling])
            if "field" in config and "op" in config:
                return cls(check=CheckSpec.from_config(config))
        raise ValueError(f"Invalid guard config: {config}")

    def to_config(self) -> str | dict[str, Any]:
        """The guard as configurations write it."""
        if self.expr is not None:
            return {"expr": self.expr}
        if self.check is not None:
            return {"check": self.check.to_config()}
        if self.all_of:
            return {"allOf": [guard.to_config() for guard in self.all_of]}
        if self.any_of:
            return {"anyOf": [guard.to_config() for guard in self.any_of]}
        if self.negate is not None:
            return {"not": self.negate.to_config()}
        name = self.name or ""
        return {"name": name, "params": self.params} if self.params else name


_COMPOSITES = {
    "allOf": "all_of",
    "all_of": "all_of",
    "anyOf": "any_of",
    "any_of": "any_of",
    "not": "negate",
    "negate": "negate",
}


def _composite(spelling: str, key: str, value: Any) -> GuardSpec:
    if key == "negate":
        return GuardSpec(negate=GuardSpec.from_config(value))
    if not isinstance(value, (list, tuple)) or not value:
        raise ValueError(f"{spelling} requires a non-empty list of guards")
    guards = tuple(GuardSpec.from_config(item) for item in value)
    return GuardSpec(all_of=guards) if key == "all_of" else GuardSpec(any_of=guards)
