"""From what `sse` decorates to a route: its handler, its schema, the class of its answers."""

import collections.abc
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, get_args

from spikard.errors import RouteError
from spikard.responses.event import SseEvent
from spikard.responses.event_producer import SseEventProducer
from spikard.responses.event_stream import event_stream_class
from spikard.routing.callee import inspect_handler
from spikard.routing.route import RouteOptions
from spikard.schema.annotation import is_union, peel
from spikard.schema.extract import extract_json_schema

VALIDATE = ("log", "strict")
ITERATORS = (
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
    collections.abc.Iterator,
    collections.abc.Iterable,
    collections.abc.Generator,
)


def event_route(
    source: Any,
    options: RouteOptions,
    *,
    event_schema: Mapping[str, Any] | None,
    keep_alive: float | None,
    validate: str,
) -> tuple[Callable[..., Any], RouteOptions]:
    """The handler that gives the events, and the options of its route."""
    if validate not in VALIDATE:
        msg = f"validate must be one of {', '.join(VALIDATE)}, not {validate!r}"
        raise RouteError(msg)
    if keep_alive is not None and keep_alive <= 0:
        msg = f"keep_alive must be above 0 seconds or None, not {keep_alive!r}"
        raise RouteError(msg)
    handler = _handler(source)
    if event_schema is None and isinstance(source, SseEventProducer):
        event_schema = source.event_schema
    schema = dict(event_schema) if event_schema is not None else _schema_of(handler)
    try:
        response_class = event_stream_class(schema, keep_alive, strict=validate == "strict")
    except ValueError as fault:
        msg = f"{inspect_handler(handler).described}: event_schema: {fault}"
        raise RouteError(msg) from fault
    # An object that makes events is made on the loop, like a generator.
    changed = replace(
        options, response_class=response_class, response_schema=schema, event_source=source, inline=options.inline
    )
    return handler, replace(changed, inline=True) if isinstance(handler, type) else changed


def _handler(source: Any) -> Callable[..., Any]:
    if isinstance(source, SseEventProducer):
        return _handler(source.generator_func)
    if not isinstance(source, type) and hasattr(source, "next_event"):
        return _giving(source)
    if not callable(source):
        msg = f"{source!r} makes no events: give a generator function, or an object or a class with next_event()"
        raise RouteError(msg)
    return source  # type: ignore[no-any-return]


def _giving(producer: Any) -> Callable[[], Any]:
    async def produce() -> Any:
        return producer

    return produce


def _schema_of(handler: Callable[..., Any]) -> dict[str, Any] | None:
    """The schema of `T` in `AsyncIterator[T]`; events given as `SseEvent` have none."""
    returns = peel(inspect_handler(handler).returns)
    if returns.origin not in ITERATORS or not returns.arguments:
        return None
    item = returns.arguments[0]
    members = get_args(peel(item).core) if is_union(peel(item).core) else (item,)
    if any(peel(member).core is SseEvent for member in members):
        return None
    return extract_json_schema(item)


__all__ = ["event_route"]
