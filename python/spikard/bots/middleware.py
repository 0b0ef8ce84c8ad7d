"""What stands around handlers."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from spikard.bots.arguments import signature_of
from spikard.bots.injection import arguments_for

Handler = Callable[[Any, dict[str, Any]], Awaitable[Any]]


class BaseMiddleware(ABC):
    """Calls `handler(event, data)` to go on, or returns without it to stop. What it adds to `data` can be injected.

    Attributes:
        injects: Names of what it may add; None where that is not declared.
    """

    injects: tuple[str, ...] | None = None

    @abstractmethod
    async def __call__(self, handler: Handler, event: Any, data: dict[str, Any]) -> Any:
        """Sees an event on its way, and what came of it."""


Middleware = Callable[..., Awaitable[Any]]


class MiddlewareManager:
    """The middlewares of an observer, the outermost first."""

    def __init__(self, changed: Callable[[], None] | None = None) -> None:
        self.middlewares: list[Middleware] = []
        self._changed = changed

    def register(self, middleware: Middleware) -> Middleware:
        """Adds one innermost."""
        if not callable(middleware):
            raise TypeError(f"a middleware is called with handler, event and data; {middleware!r} cannot be called")
        self._tell()
        self.middlewares.append(middleware)
        return middleware

    def __call__(self, middleware: Middleware | None = None) -> Any:
        """Adds one; as a decorator with or without a call."""
        return self.register if middleware is None else self.register(middleware)

    def unregister(self, middleware: Middleware) -> None:
        """Takes one out. Raises ValueError if it is not there."""
        self._tell()
        self.middlewares.remove(middleware)

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed()

    def __len__(self) -> int:
        return len(self.middlewares)

    def __iter__(self) -> Iterator[Middleware]:
        return iter(self.middlewares)


def wrapped(middlewares: list[Middleware], innermost: Handler) -> Handler:
    """One call through all of them, the first of the list outermost."""
    handler = innermost
    for middleware in reversed(middlewares):
        handler = _around(middleware, handler)
    return handler


def _around(middleware: Callable[..., Awaitable[Any]], handler: Handler) -> Handler:
    signature = signature_of(middleware, positional=3)
    if signature.wanted:

        async def call(event: Any, data: dict[str, Any]) -> Any:
            return await middleware(handler, event, data, **await arguments_for(signature, data))

    else:

        async def call(event: Any, data: dict[str, Any]) -> Any:
            return await middleware(handler, event, data)

    return call


__all__ = ["BaseMiddleware", "Handler", "Middleware", "MiddlewareManager", "wrapped"]
