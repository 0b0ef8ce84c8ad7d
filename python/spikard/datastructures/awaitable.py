"""Values that also can be awaited, for handlers written for other frameworks."""

from collections.abc import Callable, Generator
from typing import Any


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


class Done:
    """Nothing, to be awaited or not."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, None]:
        return None
        yield


DONE = Done()

__all__ = ["DONE", "Awaitable", "Done", "awaitable"]
