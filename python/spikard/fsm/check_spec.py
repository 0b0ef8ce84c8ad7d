"""Comparisons of one field of the context."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from spikard.fsm.frozen import frozen

CHECK_OPS: frozenset[str] = frozenset(
    {
        "eq",
        "neq",
        "gt",
        "gte",
        "lt",
        "lte",
        "in",
        "not_in",
        "is_set",
        "is_null",
        "contains",
        "starts_with",
        "ends_with",
        "matches",
    }
)


@frozen
class CheckSpec:
    """A field of the context, an operator and what to compare with."""

    field: str
    op: str
    value: Any = None
    values: tuple[Any, ...] = ()
    allow_backtracking: bool = dataclasses.field(default=False, repr=False)

    def __post_init__(self) -> None:
        if not self.field:
            raise ValueError("CheckSpec field cannot be empty")
        if self.op not in CHECK_OPS:
            raise ValueError(f"Unknown check operator '{self.op}'. Supported: {', '.join(sorted(CHECK_OPS))}")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "CheckSpec":
        """Reads a check as configurations write it."""
        if not isinstance(config, Mapping) or "field" not in config or "op" not in config:
            raise ValueError(f"CheckSpec requires 'field' and 'op': {config}")
        if not isinstance(config["field"], str):
            raise ValueError(f"A check's 'field' is a text, not {config['field']!r}")
        return cls(
            field=config["field"],
            op=config["op"],
            value=config.get("value"),
            values=tuple(config.get("values", ())),
            allow_backtracking=config.get("allow_backtracking") is True,
        )

    def to_config(self) -> dict[str, Any]:
        """The check as configurations write it."""
        config: dict[str, Any] = {"field": self.field, "op": self.op}
        if self.value is not None:
            config["value"] = self.value
        if self.values:
            config["values"] = list(self.values)
        if self.allow_backtracking:
            config["allow_backtracking"] = True
        return config
