"""A guard's function, and the way in which it wants to be called."""

import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

GUARD_PARAMS_KEY = "_guard_params"

AnyGuard = Callable[..., bool | Awaitable[bool]]

_CONTEXTS = (dict, Mapping, typing.Mapping, Any, inspect.Parameter.empty)


class GuardFunction:
    """Calls a guard with what its signature asks for: the context, parameters by keyword, or values of the context.

    A first parameter with the type of a value makes a typed guard: `def enough(qty: int) -> bool` takes `qty` out of
    the context, and does not pass when it is missing or of another type.
    """

    __slots__ = ("_takes_keywords", "_values", "function", "is_async")

    def __init__(self, function: AnyGuard) -> None:
        self.function = function
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - looks at the method, not whether there is one
        )
        try:
            parameters = list(inspect.signature(function, eval_str=True).parameters.values())
        except (NameError, TypeError, ValueError):
            # Builtins without a signature, and annotations that lead nowhere.
            parameters = []
        self._takes_keywords = any(p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD) for p in parameters)
        self._values = _typed(parameters)

    def __call__(self, context: dict[str, Any], params: Mapping[str, Any] | None = None) -> bool | Awaitable[bool]:
        """The guard's answer, or what gives it when awaited."""
        if self._values is not None:
            values = _take(self._values, context, params or {})
            return False if values is None else self.function(**values)
        if not params:
            return self.function(context)
        if self._takes_keywords:
            return self.function(context, **params)
        return self.function({**context, GUARD_PARAMS_KEY: dict(params)})


def _typed(parameters: list[inspect.Parameter]) -> list[inspect.Parameter] | None:
    if not parameters or parameters[0].kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
        return None
    first = parameters[0].annotation
    if (typing.get_origin(first) or first) in _CONTEXTS:
        return None
    return parameters


def _take(
    parameters: list[inspect.Parameter], context: Mapping[str, Any], params: Mapping[str, Any]
) -> dict[str, Any] | None:
    values = {}
    for parameter in parameters:
        source = params if parameter.name in params else context
        if parameter.name in source:
            value = source[parameter.name]
            try:
                values[parameter.name] = _fitting(value, parameter.annotation)
            except (msgspec.ValidationError, TypeError):
                return None
        elif parameter.default is parameter.empty:
            return None
    return values


def _fitting(value: Any, wanted: Any) -> Any:
    """The value, converted where plain data stand for an object of the type."""
    if wanted is inspect.Parameter.empty or wanted is Any:
        return value
    # A bool is an int to Python, and hardly what somebody means who asks for a number.
    if isinstance(wanted, type) and isinstance(value, wanted) and not (isinstance(value, bool) and wanted is int):
        return value
    return msgspec.convert(value, wanted)
