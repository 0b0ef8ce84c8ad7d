"""Handlers of one kind of event in one router."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from spikard.bots.filters.base import CompiledFilter, compiled
from spikard.bots.handler import FilterObject, HandlerObject
from spikard.bots.middleware import MiddlewareManager, wrapped
from spikard.bots.outcomes import UNHANDLED, CancelHandler, SkipHandler

if TYPE_CHECKING:
    from spikard.bots.router import Router

C = TypeVar("C", bound=Callable[..., Any])


class EventObserver:
    """Takes handlers: `@router.message(F.text)`."""

    def __init__(self, router: "Router | None", event_name: str) -> None:
        self.router = router
        self.event_name = event_name
        self.handlers: list[HandlerObject] = []
        self.filters: list[CompiledFilter] = []
        self.middleware = MiddlewareManager(self._changed)
        self.outer_middleware = MiddlewareManager(self._changed)

    def _changed(self) -> None:
        if self.router is not None:
            self.router.changed()

    def register(
        self, callback: C, *filters: Any, flags: Mapping[str, Any] | None = None, name: str | None = None
    ) -> C:
        """Adds a handler behind those that are there, and gives it back.

        Raises:
            TypeError: Something is no filter.
            HandlerError: It cannot be called with an event.
            RuntimeError: The dispatcher polls, and `invalidate` was not called.
        """
        objects = [FilterObject(filter_) for filter_ in filters] or None
        handler = HandlerObject(callback, objects, flags, name)
        self._changed()
        self.handlers.append(handler)
        return callback

    def __call__(
        self, *filters: Any, flags: Mapping[str, Any] | None = None, name: str | None = None
    ) -> Callable[[C], C]:
        """Adds the decorated function as a handler."""

        def decorate(callback: C) -> C:
            return self.register(callback, *filters, flags=flags, name=name)

        return decorate

    def filter(self, *filters: Any) -> None:
        """What must pass before any handler of this router and of those below is asked."""
        ready = [compiled(filter_) for filter_ in filters]
        self._changed()
        self.filters += ready

    async def trigger(self, event: Any, **kwargs: Any) -> Any:
        """Asks the handlers of this observer alone, without middleware."""
        for handler in self.handlers:
            passes, data = await handler.check(event, dict(kwargs))
            if not passes:
                continue
            try:
                found = await handler.run(event, {**data, "handler": handler})
            except SkipHandler:
                continue
            except CancelHandler:
                return None
            if found is not UNHANDLED:
                return found
        return UNHANDLED

    async def propagate(self, event: Any, **kwargs: Any) -> Any:
        """As `trigger`, within the middleware of this observer."""

        async def innermost(event: Any, data: dict[str, Any]) -> Any:
            return await self.trigger(event, **data)

        handlers = wrapped([*self.outer_middleware, *self.middleware], innermost)
        return await handlers(event, kwargs)

    def __repr__(self) -> str:
        return f"<EventObserver {self.event_name} of {self.router!r}: {len(self.handlers)} handlers>"


__all__ = ["EventObserver"]
