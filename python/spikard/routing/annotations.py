"""The annotations of a handler, resolved."""

import sys
from collections.abc import Callable, Mapping
from types import FrameType, SimpleNamespace
from typing import Any, get_type_hints

from spikard.errors import RouteError


def resolve(function: Callable[..., Any], annotations: Mapping[str, Any], described: str) -> dict[str, Any]:
    """Every annotation as a type; text is looked up where the function was written, closures included.

    `described` names the handler in the RouteError for what cannot be resolved.
    """
    module_names = getattr(function, "__globals__", {})
    resolved = {}
    for name, annotation in annotations.items():
        try:
            resolved[name] = _evaluate(annotation, module_names, _local_names(function))
        except NameError as fault:
            try:
                # A class local to a function that isn't captured lives only in the frame that registers the route.
                resolved[name] = _evaluate(annotation, module_names, _frame_names(module_names))
            except NameError:
                raise RouteError(_message(described, name, annotation, fault)) from None
        except Exception as fault:
            raise RouteError(_message(described, name, annotation, fault)) from fault
    return resolved


def _message(described: str, name: str, annotation: Any, fault: Exception) -> str:
    place = "the return annotation" if name == "return" else f"parameter {name!r}: the annotation"
    return (
        f"{described}: {place} {annotation!r} cannot be resolved ({fault}); "
        "import the name at module level, outside `if TYPE_CHECKING`"
    )


def _evaluate(annotation: Any, module_names: dict[str, Any], local_names: dict[str, Any]) -> Any:
    holder = SimpleNamespace(__annotations__={"it": annotation})
    return get_type_hints(holder, module_names, local_names, include_extras=True)["it"]


def _local_names(function: Callable[..., Any]) -> dict[str, Any]:
    names = {parameter.__name__: parameter for parameter in getattr(function, "__type_params__", ())}
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None) or ()
    if code is not None:
        for name, cell in zip(code.co_freevars, cells, strict=False):
            try:
                names[name] = cell.cell_contents
            except ValueError:  # the cell is still empty
                continue
    return names


def _frame_names(module_names: dict[str, Any]) -> dict[str, Any]:
    """The local names of the calls in progress in the handler's module, the innermost winning."""
    names: dict[str, Any] = {}
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals is module_names and frame.f_locals is not module_names:
            names = {**frame.f_locals, **names}
        frame = frame.f_back
    return names


__all__ = ["resolve"]
