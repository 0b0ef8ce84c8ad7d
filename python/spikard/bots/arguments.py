"""Which arguments a function is called with: planned once from its signature, by name first, then by annotation."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, get_args, get_origin

from spikard.bots.errors import HandlerError, MissingArgument
from spikard.di.key import inject_marker, key_of
from spikard.di.signature import MISSING, read_parameters

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
ABSENT: Final = object()
"""Stands for a value that is not there."""
# Names of classes whose value always lies under the same name.
_NAME_OF_TYPE = {
    "Bot": "bot",
    "FSMContext": "state",
    "Update": "update",
    "Dispatcher": "dispatcher",
    "Router": "router",
    "HandlerObject": "handler",
    "CommandObject": "command",
    "Chat": "chat",
    "Contact": "from_user",
}


class Wanted(NamedTuple):
    """A parameter beside those given by position."""

    name: str
    # Another name to look under, from the annotation.
    typed: str | None
    kind: type | None
    default: Any
    # As a container reads it.
    annotation: Any
    # Whether it is marked to come from a container.
    is_asked: bool

    @property
    def is_required(self) -> bool:
        """Whether the function cannot be called without it."""
        return self.default is inspect.Parameter.empty


class Signature:
    """How a function is called.

    Attributes:
        function: The function.
        takes_event: Whether its first positional parameter takes the event.
        wanted: Its other parameters.
        takes_all: Whether it takes everything by name.
        is_async: Whether a call gives a coroutine.
        provided: What a container gives it; kept by `spikard.bots.injection`.
    """

    __slots__ = ("function", "is_async", "provided", "takes_all", "takes_event", "wanted")

    def __init__(
        self,
        function: Callable[..., Any],
        takes_event: bool,
        wanted: tuple[Wanted, ...] = (),
        takes_all: bool = False,
        is_async: bool = False,
    ) -> None:
        self.function = function
        self.takes_event = takes_event
        self.wanted = wanted
        self.takes_all = takes_all
        self.is_async = is_async
        self.provided: Any = None

    def arguments(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """What of the data it is called with.

        Raises:
            MissingArgument: Something without a default is not there.
        """
        found = {name: value for name, value in data.items() if name.isidentifier()} if self.takes_all else {}
        for wanted in self.wanted:
            value = found_in(data, wanted)
            if value is not ABSENT:
                found[wanted.name] = value
            elif wanted.is_required:
                names = ", ".join(sorted(filter(str.isidentifier, data))) or "none"
                raise MissingArgument(
                    f"{described(self.function)} wants {wanted.name!r}, which neither the dispatcher, a filter, a "
                    f"middleware nor a container gives here; there are: {names}"
                )
        return found


def found_in(data: Mapping[str, Any], wanted: Wanted) -> Any:
    """What the data has for a parameter, by name, then by annotation; `ABSENT` if it has nothing."""
    name = wanted.name
    if name in data:
        return data[name]
    if wanted.typed is not None and wanted.typed in data:
        return data[wanted.typed]
    if wanted.kind is not None:
        for value in data.values():
            if isinstance(value, wanted.kind):
                return value
    return ABSENT


def described(function: Any) -> str:
    """A function for messages: its name, and where it is written."""
    target = inspect.unwrap(function) if callable(function) else function
    while isinstance(target, functools.partial):
        target = target.func
    name = getattr(target, "__qualname__", None) or type(target).__qualname__
    code = getattr(target, "__code__", None)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code is not None else name


def is_async(function: Any) -> bool:
    """Whether a call gives a coroutine."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _plain(annotation: Any) -> type | None:
    """The class of an annotation; of `X | None` X."""
    if isinstance(annotation, type):
        return annotation
    if get_origin(annotation) is not None:
        kinds = [kind for kind in get_args(annotation) if isinstance(kind, type) and kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else None
    return None


@functools.lru_cache(maxsize=4096)
def _signature(function: Any, positional: int) -> Signature:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # of builtins nothing is known
        return Signature(function, True)
    taken = 0
    for parameter in parameters[:positional]:
        if parameter.kind not in _POSITIONAL and parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
            break
        taken += 1
    annotations = {one.name: one.annotation for one in read_parameters(function, described(function), is_strict=False)}
    wanted = []
    takes_all = False
    for parameter in parameters[taken:]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            takes_all = True
        elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            if parameter.default is parameter.empty:
                raise HandlerError(
                    f"{described(function)} takes {parameter.name!r} only by position: only the event is given so"
                )
        elif parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
            wanted.append(_wanted(parameter, annotations.get(parameter.name, MISSING)))
    return Signature(function, taken > 0, tuple(wanted), takes_all, is_async(function))


def _wanted(parameter: inspect.Parameter, annotation: Any) -> Wanted:
    marker = inject_marker(annotation)
    kind = None if marker is not None else _plain(key_of(annotation))
    typed = _NAME_OF_TYPE.get(kind.__name__) if kind is not None and kind.__module__.startswith("spikard.") else None
    # A builtin says nothing about which value is meant.
    by_kind = kind if kind is not None and kind.__module__ not in {"builtins", "typing"} and typed is None else None
    return Wanted(parameter.name, typed, by_kind, parameter.default, annotation, marker is not None)


def signature_of(function: Callable[..., Any], *, positional: int = 1) -> Signature:
    """The plan of a function's calls.

    Args:
        function: What is called.
        positional: How many arguments are given by position: an event, or nothing, or what a middleware gets.

    Raises:
        HandlerError: It cannot be called at all, or not so.
    """
    if not callable(function):
        raise HandlerError(f"{function!r} cannot be called")
    try:
        return _signature(function, positional)
    except TypeError:  # not hashable
        return _signature.__wrapped__(function, positional)


__all__ = ["ABSENT", "Signature", "Wanted", "described", "found_in", "is_async", "signature_of"]
