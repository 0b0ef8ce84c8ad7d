"""Checks put together."""

from collections.abc import Mapping
from typing import Any

from spikard.fsm.check_spec import CheckSpec
from spikard.fsm.frozen import frozen


@frozen
class WhenCheck:
    """One check, or several of them of which any or all must hold, or one that must not."""

    check: CheckSpec | None = None
    any_of: tuple["WhenCheck", ...] = ()
    all_of: tuple["WhenCheck", ...] = ()
    negate: "WhenCheck | None" = None

    def __post_init__(self) -> None:
        given = (self.check is not None) + bool(self.any_of) + bool(self.all_of) + (self.negate is not None)
        if given != 1:
            raise ValueError("WhenCheck must have exactly one of: check, any_of, all_of, negate")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "WhenCheck":
        """Reads an item of `when` as configurations write it; the spellings of guards are understood, too."""
        if isinstance(config, Mapping):
            for key, spellings in _COMPOSITES.items():
                for spelling in spellings:
                    if spelling in config:
                        return cls._composite(key, config[spelling])
            if "check" in config and "field" not in config:
                return cls.from_config(config["check"])
        return cls(check=CheckSpec.from_config(config))

    @classmethod
    def _composite(cls, key: str, value: Any) -> "WhenCheck":
        if key == "negate":
            return cls(negate=cls.from_config(value))
        if not isinstance(value, (list, tuple)) or not value:
            raise ValueError(f"{key} requires a non-empty list")
        items = tuple(cls.from_config(item) for item in value)
        return cls(any_of=items) if key == "any_of" else cls(all_of=items)

    def to_config(self) -> dict[str, Any]:
        """The item as configurations write it."""
        if self.check is not None:
            return self.check.to_config()
        if self.negate is not None:
            return {"negate": self.negate.to_config()}
        if self.any_of:
            return {"any_of": [item.to_config() for item in self.any_of]}
        return {"all_of": [item.to_config() for item in self.all_of]}


_COMPOSITES = {"any_of": ("any_of", "anyOf"), "all_of": ("all_of", "allOf"), "negate": ("negate", "not")}
