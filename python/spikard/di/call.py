"""Calling a function with what the container knows in place of what the caller leaves out."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from spikard.di.key import described, inject_marker
from spikard.di.signature import MISSING, read_parameters
from spikard.di.waiting import obtain_all

if TYPE_CHECKING:
    from spikard.di.scope import Scope


async def call(scope: "Scope", fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of `fn`, awaited where it can be."""
    layer = scope.layer
    scope.container.check_open()
    taken = inspect.signature(fn).bind_partial(*args, **kwargs).arguments
    left = [parameter for parameter in read_parameters(fn, described(fn)) if parameter.name not in taken]
    path = (fn,)
    needs = [
        layer.argument(
            parameter,
            path,
            asked=parameter.annotation is not MISSING and inject_marker(parameter.annotation) is not None,
        )
        for parameter in left
    ]
    values = await obtain_all(scope, needs, in_scope=True)
    named = {parameter.name: value for parameter, value in zip(left, values, strict=True)}
    result = fn(*args, **kwargs, **named)
    return await result if inspect.isawaitable(result) else result


__all__ = ["call"]
