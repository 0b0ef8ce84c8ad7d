"""A bag of values."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any


class State(MutableMapping[str, Any]):
    """A bag of values, read and written as attributes or as items.

    app.state.pool = await connect()
    """

    __slots__ = ("_values",)

    _values: dict[str, Any]

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        object.__setattr__(self, "_values", dict(values or {}))

    def __getattr__(self, name: str) -> Any:
        if name == "_values":
            # An instance made without __init__ (copying, unpickling) has none yet.
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            msg = f"state has no value named {name!r}; it holds {', '.join(sorted(self._values)) or 'nothing'}"
            raise AttributeError(msg, name=name, obj=self) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self._values[name]
        except KeyError:
            msg = f"state has no value named {name!r}"
            raise AttributeError(msg, name=name, obj=self) from None

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"State({self._values!r})"


__all__ = ["State"]
