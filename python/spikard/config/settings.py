"""What all configuration classes share."""

from dataclasses import fields, replace
from typing import Any, Self, cast

from spikard.config.unset import UNSET


class Settings:
    """Base of the configuration dataclasses."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain dicts and lists; what is unset is left out."""
        values = {field.name: getattr(self, field.name) for field in fields(cast("Any", self))}
        return {name: _plain(value) for name, value in values.items() if value is not UNSET}

    def copy(self, **updates: Any) -> Self:
        """The same settings with some changed; checked like new ones. A misspelled name is a TypeError."""
        changed: Self = replace(cast("Any", self), **updates)
        return changed

    def _store(self, name: str, value: Any) -> None:
        """Set a field while the frozen object is being made."""
        object.__setattr__(self, name, value)


def _plain(value: Any) -> Any:
    if isinstance(value, Settings):
        return value.to_dict()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


__all__ = ["Settings"]
