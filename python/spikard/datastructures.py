"""Values that handlers meet: headers, query parameters, forms, uploads, application state."""

from collections.abc import Callable, Generator, Iterator, Mapping, MutableMapping
from typing import Any

from spikard._spikard import Headers, QueryParams

__all__ = ["Headers", "QueryParams", "State", "awaitable"]


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


class Awaitable:
    """Part of a value that gives itself when it is awaited."""

    plain: Any

    def __await__(self) -> Generator[Any, None, Any]:
        return self.plain
        yield


class AwaitableBytes(Awaitable, bytes):
    """Bytes for handlers that write `await request.body()`."""


class AwaitableText(Awaitable, str):  # noqa: SLOT000 - it carries the plain value
    """Text for handlers that write `await request.text()`."""


class AwaitableDict(Awaitable, dict[Any, Any]):
    """An object for handlers that write `await request.json()`."""


class AwaitableList(Awaitable, list[Any]):
    """An array for handlers that write `await request.json()`."""


class AwaitableInt(Awaitable, int):
    """A whole number for handlers that write `await request.json()`."""


class AwaitableFloat(Awaitable, float):
    """A number for handlers that write `await request.json()`."""


AWAITABLES: dict[type, Callable[[Any], Any]] = {
    bytes: AwaitableBytes,
    str: AwaitableText,
    dict: AwaitableDict,
    list: AwaitableList,
    int: AwaitableInt,
    float: AwaitableFloat,
}


def awaitable(value: Any) -> Any:
    """The value in a form that can also be awaited; true, false and null only as they are."""
    kind = AWAITABLES.get(type(value))
    if kind is None:
        return value
    wrapped = kind(value)
    wrapped.plain = value
    return wrapped
