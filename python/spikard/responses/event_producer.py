"""What can be a source of events, besides generators."""

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any


class SseEventProducer:
    """A generator function together with the schema of its events.

    app.sse("/prices")(SseEventProducer(prices, event_schema={"type": "object"}))
    """

    def __init__(self, generator_func: Callable[..., Any], event_schema: Mapping[str, Any] | None = None) -> None:
        self.generator_func = generator_func
        self.event_schema = event_schema

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Begin to produce."""
        return self.generator_func(*args, **kwargs)


def events_of(source: Any) -> AsyncIterable[Any] | Iterable[Any]:
    """The events of an iterator, an iterable, a producer object, or a function that gives one of these."""
    if isinstance(source, SseEventProducer):
        source = source()
    if hasattr(source, "next_event"):
        return _produced(source)
    if isinstance(source, AsyncIterable | Iterator):
        return source
    if isinstance(source, Iterable) and not isinstance(source, str | bytes | Mapping):
        return iter(source)
    kind = type(source).__qualname__
    msg = f"a source of events is a generator, an iterator or an object with next_event(), not {kind}"
    raise TypeError(msg)


async def _produced(producer: Any) -> AsyncIterator[Any]:
    await _called(producer, "on_connect")
    try:
        while True:
            try:
                event = await _called(producer, "next_event")
            except StopAsyncIteration:
                return
            if event is None:
                return
            yield event
    finally:
        await _called(producer, "on_disconnect")


async def _called(producer: Any, name: str) -> Any:
    method = getattr(producer, name, None)
    if method is None:
        return None
    try:
        result = method()
    except StopIteration:
        return None
    return await result if inspect.isawaitable(result) else result


__all__ = ["SseEventProducer", "events_of"]
