"""A registered function: its filters, its flags, and how it is called."""

import asyncio
from collections.abc import Callable, Mapping
from inspect import isawaitable, isclass
from typing import Any

from spikard.bots.arguments import Signature, described, signature_of
from spikard.bots.filters.base import CompiledFilter, compiled, judged
from spikard.bots.injection import SCOPE, arguments_for


class FilterObject:
    """A filter of a handler, as it was given."""

    def __init__(self, callback: Any) -> None:
        self.callback = callback
        self.compiled: CompiledFilter = compiled(callback)

    async def check(self, event: Any, kwargs: dict[str, Any]) -> bool | dict[str, Any]:
        """Judges an event."""
        return await judged(self.compiled, event, kwargs)

    def __repr__(self) -> str:
        return f"FilterObject({self.callback!r})"


class HandlerObject:
    """A function that takes events.

    Attributes:
        callback: The function, a bound method, a callable object, or a class with `async def handle(self)`.
        filters: What must pass.
        flags: Notes for the dispatcher and for middlewares: `inline` calls a plain function in the loop instead of in a
            thread, `lane="free"` lets the next update of the same lane begin with this handler.
        name: For messages.
    """

    def __init__(
        self,
        callback: Callable[..., Any],
        filters: list[FilterObject] | None = None,
        flags: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        self.callback = callback
        self.filters = filters
        self.flags = dict(flags or {})
        if self.flags.get("lane", "free") != "free":
            raise ValueError(f"the flag lane is 'free' or not there at all, not {self.flags['lane']!r}")
        self.name = name or described(callback)
        self._is_class = isclass(callback)
        self.signature: Signature | None = None if self._is_class else signature_of(callback)
        # What the method of a class wants beside itself.
        self._method = signature_of(callback.handle) if isclass(callback) and hasattr(callback, "handle") else None

    @property
    def called(self) -> Signature | None:
        """How the function, or the method of the class, is called."""
        return self._method if self._is_class else self.signature

    async def check(self, event: Any, kwargs: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
        """Whether all filters pass, and the data with what they gave."""
        for filter_ in self.filters or ():
            found = await filter_.check(event, kwargs)
            if found is False:
                return False, kwargs
            if found is not True:
                kwargs = {**kwargs, **found}
        return True, kwargs

    async def call(self, event: Any, **kwargs: Any) -> Any:
        """Calls the function with what it asks for."""
        return await self.run(event, kwargs)

    async def run(self, event: Any, data: dict[str, Any]) -> Any:
        """As `call`, with the data as one mapping."""
        signature = self.signature
        if signature is None:
            more = {} if self._method is None else await arguments_for(self._method, data)
            return await self.callback(event, data).handle(**more)
        arguments = await arguments_for(signature, data) if SCOPE in data else signature.arguments(data)
        given = (event,) if signature.takes_event else ()
        if signature.is_async:
            return await self.callback(*given, **arguments)
        if self.flags.get("inline"):
            found = self.callback(*given, **arguments)
        else:
            found = await asyncio.to_thread(self.callback, *given, **arguments)
        return await found if isawaitable(found) else found

    def __repr__(self) -> str:
        return f"<HandlerObject {self.name}>"


class MessageHandler:
    """A handler as a class: `event`, `bot` and `data` are there when `handle` runs."""

    def __init__(self, event: Any, data: dict[str, Any]) -> None:
        self.event = event
        self.data = data
        self.bot = data.get("bot")

    async def handle(self) -> Any:
        """Handles the event."""
        raise NotImplementedError(f"{type(self).__name__} has no handle()")


__all__ = ["FilterObject", "HandlerObject", "MessageHandler"]
