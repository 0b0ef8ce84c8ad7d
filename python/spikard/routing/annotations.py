"""The annotations of a handler, resolved."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, get_type_hints

from spikard.di.visible_names import captured_names, frame_names
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
                resolved[name] = _evaluate(annotation, module_names, frame_names(module_names))
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
    type_parameters = {parameter.__name__: parameter for parameter in getattr(function, "__type_params__", ())}
    return {**type_parameters, **captured_names(function)}


__all__ = ["resolve"]
