"""What a callable takes and gives, with every annotation resolved."""

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, get_type_hints

from spikard.di.visible_names import captured_names, frame_names
from spikard.errors import UnknownDependency


class Missing:
    """The type of `MISSING`."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()
IGNORED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `annotation` and `default` are MISSING where there is none."""

    name: str
    annotation: Any
    default: Any
    by_name: bool


def read_parameters(target: Callable[..., Any], name: str, *, is_strict: bool = True) -> tuple[Parameter, ...]:
    """The parameters of a function or of a class's constructor; `*args` and `**kwargs` are left out.

    An annotation that names what is not there raises UnknownDependency; with `is_strict=False` it counts as none.
    """
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        # Some classes written in C tell nothing; they are called with nothing.
        return ()
    bound = _bound_names(target)
    hints = _Hints(target, name, is_strict)
    return tuple(
        Parameter(
            parameter.name,
            MISSING if parameter.annotation is parameter.empty else hints.of(parameter.name, parameter.annotation),
            MISSING if parameter.default is parameter.empty else parameter.default,
            parameter.kind is parameter.KEYWORD_ONLY,
        )
        for parameter in signature.parameters.values()
        if parameter.kind not in IGNORED and parameter.name not in bound
    )


def read_return(target: Callable[..., Any], name: str) -> Any:
    """The return annotation of a function, MISSING where there is none or it cannot be resolved."""
    function = underlying(target)
    annotation = getattr(function, "__annotations__", {}).get("return", MISSING)
    if annotation is MISSING:
        return MISSING
    try:
        return _Hints(target, name).of("return", annotation)
    except UnknownDependency:
        return MISSING


def underlying(target: Any) -> Any:
    """The function behind partials, bound methods, callable objects and wrappers."""
    while True:
        if isinstance(target, functools.partial):
            target = target.func
        elif inspect.ismethod(target):
            target = target.__func__
        elif hasattr(target, "__wrapped__"):
            target = target.__wrapped__
        elif isinstance(target, type) or inspect.isroutine(target):
            return target
        elif inspect.isfunction(type(target).__call__):
            target = type(target).__call__
        else:
            return target


def _bound_names(target: Any) -> frozenset[str]:
    names: frozenset[str] = frozenset()
    while isinstance(target, functools.partial):
        names |= target.keywords.keys()
        target = target.func
    return names


class _Hints:
    """Evaluates annotations that are text where they were written."""

    def __init__(self, target: Any, name: str, is_strict: bool = True) -> None:
        self._name = name
        self._is_strict = is_strict
        function = underlying(target)
        self._class = function if isinstance(function, type) else None
        function = _constructor(function) if isinstance(function, type) else function
        self._globals = getattr(function, "__globals__", None) or _module_of(self._class)
        self._locals = captured_names(function)
        self._own = vars(self._class) if self._class is not None else {}

    def of(self, parameter: str, annotation: Any) -> Any:
        try:
            return self._evaluated(annotation, {})
        except NameError as fault:
            for names in (self._class_hint, self._frame_hint):
                found = names(parameter, annotation)
                if found is not MISSING:
                    return found
            if not self._is_strict:
                return MISSING
            message = (
                f"{self._name}: the annotation {annotation!r} of {parameter!r} cannot be resolved ({fault}); "
                "import the name at module level, outside `if TYPE_CHECKING`"
            )
            raise UnknownDependency(message) from None

    def _evaluated(self, annotation: Any, names: Mapping[str, Any]) -> Any:
        if isinstance(annotation, type) or annotation is None:
            return annotation
        holder = SimpleNamespace(__annotations__={"it": annotation})
        return get_type_hints(holder, self._globals, {**names, **self._locals}, include_extras=True)["it"]

    def _class_hint(self, parameter: str, annotation: Any) -> Any:
        # A dataclass takes annotations from bases that may live in other modules.
        for base in self._class.__mro__ if self._class is not None else ():
            if inspect.get_annotations(base).get(parameter) == annotation:
                try:
                    return get_type_hints(base, include_extras=True)[parameter]
                except NameError:
                    return MISSING
        return MISSING

    def _frame_hint(self, parameter: str, annotation: Any) -> Any:  # noqa: ARG002 - as its sibling
        # A class local to a function that is not captured lives only in the frame that registers it.
        try:
            return self._evaluated(annotation, frame_names(self._globals))
        except NameError:
            return MISSING


def _constructor(cls: type) -> Any:
    return next((f for f in (cls.__init__, cls.__new__) if inspect.isfunction(f)), cls)  # type: ignore[misc]


def _module_of(cls: type | None) -> dict[str, Any]:
    module = sys.modules.get(cls.__module__) if cls is not None else None
    return vars(module) if module is not None else {}


__all__ = ["MISSING", "Missing", "Parameter", "read_parameters", "read_return", "underlying"]
