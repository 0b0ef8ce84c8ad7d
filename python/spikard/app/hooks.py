"""Hooks, compiled: what runs before, around and after the handlers, made once when a server starts.

Hooks that run before the body is read become one function of the request, which native code calls as a gate. Those
around the handler become a handler that calls it. What native code answers by itself passes `Conclusion`.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Any, Protocol

from spikard._spikard import Request, Response
from spikard.app.hook_call import HookCall, hook_call
from spikard.di.container import Container
from spikard.di.injection import injected
from spikard.errors import AsgiAnswer
from spikard.routing.handler_plan import HandlerPlan
from spikard.routing.hooks import HookSet, Phase

SERVER_ERROR = 500
# The phases whose hooks are called with the request.
ASKING = frozenset({Phase.ON_REQUEST, Phase.PRE_VALIDATION, Phase.PRE_HANDLER})

Gate = Callable[[Request], "Response | Awaitable[Response | None] | None"]
Respond = Callable[[Any], Response]


class Faults(Protocol):
    """How an exception becomes an answer, and where hooks get what they need besides."""

    container: Container

    async def answer_to(self, exc: Exception, request: Request) -> Response:
        """The answer to an exception of a hook or a handler."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What every answer passes: the `on_error` hooks if it tells of a fault, then the `on_response` hooks."""

    on_error: tuple[HookCall, ...]
    on_response: tuple[HookCall, ...]
    faults: Faults

    async def __call__(
        self, response: Response, request: Request, exc: BaseException | None = None, *, refused: bool = False
    ) -> Response:
        """Lead an answer through the hooks; `refused` tells that native code made it in place of a handler."""
        told = False
        try:
            if response.status_code >= (400 if exc is not None or refused else SERVER_ERROR):
                told = True
                response = await _shown(self.on_error, response, request, exc)
            return await _shown(self.on_response, response, request)
        except Exception as fault:  # noqa: BLE001 - whatever a hook raises
            response = await self.faults.answer_to(fault, request)
            if told:
                return response
            return await self._tell(response, request, fault)

    async def _tell(self, response: Response, request: Request, exc: Exception) -> Response:
        try:
            return await _shown(self.on_error, response, request, exc)
        except Exception as fault:  # noqa: BLE001 - whatever a hook raises
            return await self.faults.answer_to(fault, request)


async def _shown(hooks: Iterable[HookCall], response: Response, request: Request, *rest: Any) -> Response:
    for hook in hooks:
        said = hook(response, request, *rest)
        if inspect.isawaitable(said):
            said = await said
        if said is not None:
            response = hook.expect(said, Response)
    return response


async def _asked(hooks: Iterable[HookCall], request: Request) -> Response | None:
    for hook in hooks:
        said = hook(request)
        if inspect.isawaitable(said):
            said = await said
        if said is not None and said is not request:
            return hook.expect(said, Response)
    return None


def compile_gate(hooks: Sequence[HookCall], conclude: Conclusion) -> Gate | None:
    """The hooks as one function of the request: it gives None to go on, or the finished answer."""
    if not hooks:
        return None
    hooks = tuple(hooks)

    async def gate(request: Request) -> Response | None:
        try:
            stopped = await _asked(hooks, request)
        except Exception as exc:  # noqa: BLE001 - whatever a hook raises
            return await conclude(await conclude.faults.answer_to(exc, request), request, exc)
        return None if stopped is None else await conclude(stopped, request)

    if any(hook.is_async for hook in hooks):
        return gate

    def plain_gate(request: Request) -> Response | Awaitable[Response | None] | None:
        # The everyday case needs no task: nothing waits, nothing is wrong.
        for index, hook in enumerate(hooks):
            try:
                said = hook(request)
            except Exception as exc:  # noqa: BLE001 - whatever a hook raises
                return _failed(exc, request, conclude)
            if said is not None and said is not request:
                return _resumed(said, hooks[index:], request, conclude)
        return None

    return plain_gate


async def _failed(exc: Exception, request: Request, conclude: Conclusion) -> Response:
    return await conclude(await conclude.faults.answer_to(exc, request), request, exc)


async def _resumed(said: Any, hooks: Sequence[HookCall], request: Request, conclude: Conclusion) -> Response | None:
    """Go on where a plain function gave a response, or something to wait for after all."""
    try:
        if inspect.isawaitable(said):
            said = await said
        stopped = hooks[0].expect(said, Response) if said is not None and said is not request else None
        stopped = stopped or await _asked(hooks[1:], request)
    except Exception as exc:  # noqa: BLE001 - whatever a hook raises
        return await _failed(exc, request, conclude)
    return None if stopped is None else await conclude(stopped, request)


@dataclass(frozen=True, slots=True)
class RouteHooks:
    """All hooks that a route's requests pass, the application's and those of the routers it is in."""

    before: tuple[HookCall, ...]
    pre_handler: tuple[HookCall, ...]
    conclude: Conclusion

    @property
    def is_conducted(self) -> bool:
        """Whether anything runs in the handler's own task."""
        return bool(self.pre_handler or self.conclude.on_error or self.conclude.on_response)

    def applied(self, plan: HandlerPlan, respond: Respond, threads: Callable[[], ThreadPoolExecutor]) -> HandlerPlan:
        """The plan with the hooks in it; the plan itself where there are none."""
        gate = compile_gate(self.before, self.conclude)
        # A WebSocket's handler gives no answer.
        if not self.is_conducted or plan.socket is not None:
            return plan if gate is None else replace(plan, gate=gate)
        return replace(
            plan,
            handler=_conducted(self, _caller(plan, threads), respond),
            mode="task",
            arguments=(("object", "request"), *plan.arguments),
            gate=gate,
            is_hooked=True,
        )


def _conducted(hooks: RouteHooks, call: Callable[..., Any], respond: Respond) -> Callable[..., Any]:
    """The handler with the hooks around it, in one task."""
    conclude = hooks.conclude

    async def conduct(request: Request, /, *args: Any, **kwargs: Any) -> Response:
        exc: Exception | None = None
        try:
            response = await _asked(hooks.pre_handler, request)
            if response is None:
                value = call(*args, **kwargs)
                response = respond(await value if inspect.isawaitable(value) else value)
        except Exception as fault:  # noqa: BLE001 - whatever a handler raises
            exc = None if isinstance(fault, AsgiAnswer) else fault
            response = await conclude.faults.answer_to(fault, request)
        return await conclude(response, request, exc)

    return conduct


def _caller(plan: HandlerPlan, threads: Callable[[], ThreadPoolExecutor]) -> Callable[..., Any]:
    """Calls the handler the way its plan says."""
    if plan.mode != "thread":
        return plan.handler
    import asyncio

    def in_thread(*args: Any, **kwargs: Any) -> Awaitable[Any]:
        work = functools.partial(copy_context().run, plan.handler, *args, **kwargs)
        return asyncio.get_running_loop().run_in_executor(threads(), work)

    return in_thread


def route_hooks(app: HookSet, routers: Sequence[HookSet], faults: Faults) -> RouteHooks:
    """The hooks of a route; `routers` are those it is in, the outermost first."""
    inwards = [app, *routers]
    outwards = list(reversed(inwards))
    requested = compiled(Phase.ON_REQUEST, routers, faults)
    return RouteHooks(
        before=(*requested, *compiled(Phase.PRE_VALIDATION, inwards, faults)),
        pre_handler=compiled(Phase.PRE_HANDLER, inwards, faults),
        conclude=conclusion(outwards, faults),
    )


def conclusion(sets: Sequence[HookSet], faults: Faults) -> Conclusion:
    """What answers pass, the innermost set of hooks first."""
    return Conclusion(compiled(Phase.ON_ERROR, sets, faults), compiled(Phase.ON_RESPONSE, sets, faults), faults)


def compiled(phase: Phase, sets: Iterable[HookSet], owner: Faults) -> tuple[HookCall, ...]:
    """The hooks of a phase as calls; what the phase has no argument for comes from the owner's container."""
    brings = {Request: 0} if phase in ASKING else {}
    return tuple(
        hook_call(phase, injected(function, owner.container, brings=brings))
        for hooks in sets
        for function in hooks.functions(phase)
    )


__all__ = ["Conclusion", "RouteHooks", "compile_gate", "compiled", "conclusion", "route_hooks"]
