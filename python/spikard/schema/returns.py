"""What a handler's return annotation says about its answers."""

import collections.abc
import typing
from collections.abc import Mapping
from typing import Any, get_args

from spikard.schema.annotation import Annotation, peel

# Annotations around what is sent; its type is their first argument.
WRAPPERS = (
    collections.abc.Awaitable,
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
    collections.abc.Iterator,
    collections.abc.Generator,
)


def content_type_of(annotation: Any) -> Any:
    """The type of the content: awaitables, iterators and `(content, status[, headers])` unwrapped."""
    while True:
        peeled = peel(annotation)
        if peeled.origin is collections.abc.Coroutine and len(peeled.arguments) == 3:
            annotation = peeled.arguments[2]
        elif (peeled.origin in WRAPPERS and peeled.arguments) or _is_answer_tuple(peeled):
            annotation = peeled.arguments[0]
        else:
            return annotation


def _is_answer_tuple(peeled: Annotation) -> bool:
    if peeled.origin is not tuple or len(peeled.arguments) not in (2, 3):
        return False
    content, status, *rest = peeled.arguments
    if status is not int and not _is_status(status):
        return False
    # A pair of numbers is a pair of numbers.
    if not rest:
        return peel(content).core not in (int, float)
    headers = peel(rest[0]).origin
    return isinstance(headers, type) and issubclass(headers, Mapping)


def _is_status(annotation: Any) -> bool:
    return typing.get_origin(annotation) is typing.Literal and all(
        isinstance(value, int) and 100 <= value <= 599 for value in get_args(annotation)
    )


__all__ = ["content_type_of"]
