"""The handler as something to call: its signature, name, place, and how it has to run."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from spikard.errors import RouteError
from spikard.routing.annotations import resolve
from spikard.routing.handler_plan import Mode
from spikard.routing.suspension import never_suspends

ADVICE = "a handler is a function, a method, a functools.partial or an object with __call__"


@dataclass(frozen=True, slots=True)
class Callee:
    """A handler with resolved annotations; `returns` is the return annotation, empty if there is none."""

    handler: Callable[..., Any]
    name: str
    location: str
    mode: Mode
    parameters: tuple[inspect.Parameter, ...]
    returns: Any
    # A wrapper around the function that has the signature sees names only.
    by_keyword: bool

    @property
    def described(self) -> str:
        """The beginning of every message about this handler."""
        return f"{self.name} ({self.location})" if self.location else self.name


def inspect_handler(handler: Callable[..., Any], *, inline: bool = False) -> Callee:
    """Read a handler; RouteError when it cannot be called or has no signature."""
    if not callable(handler):
        raise RouteError(f"{handler!r} cannot be called: {ADVICE}")
    entry, bound = _entry(handler)
    function = inspect.unwrap(entry)
    name, location = _name(function), _location(function)
    described = f"{name} ({location})" if location else name
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError) as fault:
        raise RouteError(f"{described}: its signature cannot be read ({fault}); wrap it in a function") from None
    annotations = {
        parameter.name: parameter.annotation
        for parameter in signature.parameters.values()
        if parameter.annotation is not parameter.empty
    }
    if signature.return_annotation is not signature.empty:
        annotations["return"] = signature.return_annotation
    resolved = resolve(function, annotations, described)
    parameters = tuple(
        parameter.replace(annotation=resolved.get(parameter.name, parameter.empty))
        for parameter in signature.parameters.values()
        if parameter.name not in bound
    )
    returns = resolved.get("return", inspect.Parameter.empty)
    mode = _mode(entry, function, inline=inline)
    return Callee(handler, name, location, mode, parameters, returns, by_keyword=function is not entry)


def _entry(handler: Callable[..., Any]) -> tuple[Any, frozenset[str]]:
    """The function that a call enters, and the parameters that partials have bound by name."""
    bound: frozenset[str] = frozenset()
    entry: Any = handler
    while True:
        if isinstance(entry, functools.partial):
            bound |= entry.keywords.keys()
            entry = entry.func
        elif inspect.ismethod(entry):
            entry = entry.__func__
        elif inspect.isroutine(entry) or isinstance(entry, type):
            return entry, bound
        else:
            # An object: its class decides, whatever the instance carries.
            entry = type(entry).__call__
            if not inspect.isfunction(entry):
                return entry, bound


def _mode(entry: Any, function: Any, *, inline: bool) -> Mode:
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        return "inline"
    if inspect.iscoroutinefunction(entry):
        code = getattr(entry, "__code__", None)
        return "direct" if code is not None and never_suspends(code) else "task"
    # A plain wrapper hands out the coroutine of the function it wraps.
    if inspect.iscoroutinefunction(function):
        return "task"
    return "inline" if inline else "thread"


def _name(function: Any) -> str:
    qualname = getattr(function, "__qualname__", None) or type(function).__qualname__
    module = getattr(function, "__module__", None)
    return f"{module}.{qualname}" if module else str(qualname)


def _location(function: Any) -> str:
    code = getattr(function, "__code__", None)
    return "" if code is None else f"{PurePath(code.co_filename).name}:{code.co_firstlineno}"


__all__ = ["Callee", "inspect_handler"]
