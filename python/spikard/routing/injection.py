"""A plan whose handler gets values of the container: the same plan for a call that fetches them itself."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from spikard._spikard import Headers, QueryParams, Request
from spikard.datastructures import State
from spikard.di.container import Container
from spikard.di.injection import Injection, Target
from spikard.di.registration import Provide, Registration
from spikard.routing.handler_plan import Argument, HandlerPlan, Mode
from spikard.routing.websocket import WebSocket

# What a provider may ask for while a request is handled, and what it is called in a plan.
GIVEN: Mapping[Any, str] = {
    Request: "request",
    State: "state",
    Headers: "headers",
    QueryParams: "query_params",
    WebSocket: "websocket",
}
TASKS: Argument = ("object", "background_tasks")
RUNS: Mapping[Mode, str] = {"task": "async", "direct": "async", "inline": "sync", "thread": "thread"}


def needs_injection(plan: HandlerPlan, dependencies: Sequence[Any]) -> bool:
    """Whether the container has a part in the calls of this plan."""
    return bool(dependencies) or any(kind == "inject" for kind, _ in plan.arguments)


def placeholder(plan: HandlerPlan) -> HandlerPlan:
    """The plan as it can be registered before the container is complete."""
    return replace(plan, arguments=tuple(_held(argument) for argument in plan.arguments))


def _held(argument: Argument) -> Argument:
    return ("constant", None) if argument[0] == "inject" else argument


def required_keys(container: Container, dependencies: Sequence[Any]) -> tuple[Any, ...]:
    """The keys of what a route wants done before its handler runs; functions are registered as keys of their own."""
    keys = []
    for dependency in dependencies:
        if isinstance(dependency, Provide):
            key = dependency.key if dependency.key is not None else dependency.factory
            provide = dependency
        elif callable(dependency) and not container.provides("", dependency) and not isinstance(dependency, type):
            key, provide = dependency, Provide(dependency)
        else:
            keys.append(dependency)
            continue
        if key not in container.registrations:
            container.admit(Registration(key, provide.lifetime, provide.provider))
        keys.append(key)
    return tuple(keys)


def inject(plan: HandlerPlan, container: Container, required: tuple[Any, ...] = ()) -> HandlerPlan:
    """Compile the plan's handler together with what it gets from the container."""
    split = len(plan.arguments) - len(plan.keyword_names)
    parameters: list[str] = []
    passed: list[str] = []
    kept: list[Argument] = []
    injected = []
    for index, argument in enumerate(plan.arguments):
        if argument[0] == "inject":
            injected.append(argument[1])
            value = f"{{{argument[1].name}}}"
        else:
            value = "tasks" if argument == TASKS else f"a{index}"
            parameters.append(value)
            kept.append(argument)
        passed.append(value if index < split else f"{plan.keyword_names[index - split]}={value}")
    if plan.var_keyword:
        parameters.append("**rest")
        passed.append("**rest")
    target = Target(
        plan.handler,
        tuple(injected),
        tuple(parameters),
        ", ".join(passed),
        RUNS[plan.mode],
        answers=True,
        required=required,
        offers={key: None for key in GIVEN if key is not WebSocket or plan.socket is not None},
    )
    injection = Injection(container, target)
    kept += [("object", GIVEN[key]) for key in injection.given]
    if injection.takes_tasks and "tasks" not in parameters:
        kept.append(TASKS)
    mode: Mode = plan.mode
    if plan.mode != "thread":
        mode = "task" if injection.waits or plan.mode == "task" else "direct"
    return replace(plan, handler=injection.entry, mode=mode, arguments=tuple(kept), keyword_names=())


__all__ = ["GIVEN", "inject", "needs_injection", "placeholder", "required_keys"]
