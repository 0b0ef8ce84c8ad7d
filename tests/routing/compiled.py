"""Plans for the tests."""

from collections.abc import Callable
from typing import Any

from spikard.routing.handler_plan import HandlerPlan, ParameterPlan
from spikard.routing.plan import compile_plan


def compiled(handler: Callable[..., Any], method: str = "GET", path: str = "/", **options: Any) -> HandlerPlan:
    """The plan of a handler."""
    return compile_plan(handler, method=method, path=path, **options)


def sources(plan: HandlerPlan) -> dict[str, tuple[str, str]]:
    """Source and wire name by parameter."""
    return {parameter.name: (parameter.source, parameter.wire_name) for parameter in plan.parameters}


def parameter(plan: HandlerPlan, name: str) -> ParameterPlan:
    """The parameter of that name."""
    return next(parameter for parameter in plan.parameters if parameter.name == name)
