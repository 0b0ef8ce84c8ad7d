"""Which arguments a function is called with: planned once from its signature, by name first, then by annotation."""

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args, get_origin

from spikard.bots.errors import HandlerError, MissingArgument

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
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
    """A parameter beside the event."""

    name: str
    # Another name to look under, from the annotation.
    typed: str | None
    kind: type | None
    default: Any

    @property
    def is_required(self) -> bool:
        return self.default is inspect.Parameter.empty


class Signature(NamedTuple):
    """How a function is called."""

    function: Callable[..., Any]
    # Whether its first positional parameter takes the event.
    takes_event: bool
    wanted: tuple[Wanted, ...]
    takes_all: bool
    is_async: bool

    def arguments(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """What of the data it is called with.

        Raises:
            MissingArgument: Something without a default is not there.
        """
        if self.takes_all:
            found = {name: value for name, value in data.items() if name.isidentifier()}
            for wanted in self.wanted:
                if wanted.name not in found:
                    self._add(found, wanted, data)
            return found
        found = {}
        for wanted in self.wanted:
            if wanted.name in data:
                found[wanted.name] = data[wanted.name]
            else:
                self._add(found, wanted, data)
        return found

    def _add(self, found: dict[str, Any], wanted: Wanted, data: Mapping[str, Any]) -> None:
        if wanted.typed is not None and wanted.typed in data:
            found[wanted.name] = data[wanted.typed]
            return
        if wanted.kind is not None:
            for value in data.values():
                if isinstance(value, wanted.kind):
                    found[wanted.name] = value
                    return
        if wanted.is_required:
            raise MissingArgument(
                f"{described(self.function)} wants {wanted.name!r}, which neither the dispatcher, a filter nor a "
                f"middleware gives here; there are: {', '.join(sorted(data)) or 'none'}"
            )


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


def _annotations(function: Any) -> dict[str, Any]:
    target = function
    while isinstance(target, functools.partial):
        target = target.func
    if not inspect.isroutine(target) and not inspect.isclass(target):
        target = type(target).__call__
    try:
        return typing.get_type_hints(target)
    except Exception:  # noqa: BLE001 - names that exist only for type checkers: by name is enough
        return {}


def _plain(annotation: Any) -> type | None:
    """The class of an annotation; of `X | None` X."""
    if isinstance(annotation, type):
        return annotation
    if get_origin(annotation) is not None:
        kinds = [kind for kind in get_args(annotation) if isinstance(kind, type) and kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else None
    return None


@functools.lru_cache(maxsize=4096)
def _signature(function: Any, with_event: bool) -> Signature:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # of builtins nothing is known
        return Signature(function, True, (), False, False)
    takes_event = (
        with_event
        and bool(parameters)
        and (parameters[0].kind in _POSITIONAL or parameters[0].kind is inspect.Parameter.VAR_POSITIONAL)
    )
    hints = _annotations(function)
    wanted = []
    takes_all = False
    for parameter in parameters[1 if takes_event else 0 :]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            takes_all = True
        elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            if parameter.default is parameter.empty:
                raise HandlerError(
                    f"{described(function)} takes {parameter.name!r} only by position: only the event is given so"
                )
        elif parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
            kind = _plain(hints.get(parameter.name))
            typed = (
                _NAME_OF_TYPE.get(kind.__name__)
                if kind is not None and kind.__module__.startswith("spikard.")
                else None
            )
            # A builtin says nothing about which value is meant.
            by_kind = (
                kind if kind is not None and kind.__module__ not in {"builtins", "typing"} and typed is None else None
            )
            wanted.append(Wanted(parameter.name, typed, by_kind, parameter.default))
    return Signature(function, takes_event, tuple(wanted), takes_all, is_async(function))


def signature_of(function: Callable[..., Any], *, with_event: bool = True) -> Signature:
    """The plan of a function's calls: with an event as first argument, or with data alone.

    Raises:
        HandlerError: It cannot be called at all, or not with one event.
    """
    if not callable(function):
        raise HandlerError(f"{function!r} cannot be called")
    try:
        return _signature(function, with_event)
    except TypeError:  # not hashable
        return _signature.__wrapped__(function, with_event)


__all__ = ["Signature", "Wanted", "described", "is_async", "signature_of"]
