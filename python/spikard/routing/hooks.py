"""Hooks: functions around the handler, as they are registered on an application or a router."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

H = TypeVar("H", bound=Callable[..., Any])


class Phase(enum.StrEnum):
    """When a hook runs, in the order of a request."""

    ON_REQUEST = "on_request"
    PRE_VALIDATION = "pre_validation"
    PRE_HANDLER = "pre_handler"
    ON_RESPONSE = "on_response"
    ON_ERROR = "on_error"


@dataclass(frozen=True, slots=True)
class RegisteredHook:
    """A function with its place among the hooks of its phase."""

    function: Callable[..., Any]
    order: int


class HookSet:
    """The hooks of one application or router."""

    def __init__(self) -> None:
        self._hooks: dict[Phase, list[RegisteredHook]] = {phase: [] for phase in Phase}

    def add(self, phase: Phase, function: Callable[..., Any], order: int) -> None:
        """Register a function; a lower `order` runs earlier, equal ones in the order of registration."""
        if not callable(function):
            msg = f"{phase} takes a function, not {function!r}"
            raise TypeError(msg)
        hooks = self._hooks[phase]
        hooks.append(RegisteredHook(function, order))
        hooks.sort(key=lambda hook: hook.order)

    def functions(self, phase: Phase) -> list[Callable[..., Any]]:
        """The functions of a phase in the order they run."""
        return [hook.function for hook in self._hooks[phase]]


class HookRegistration:
    """The decorators that register hooks; each gives the function back unchanged."""

    def __init__(self) -> None:
        self._hooks = HookSet()

    @overload
    def on_request(self, hook: H) -> H: ...
    @overload
    def on_request(self, *, order: int = 0) -> Callable[[H], H]: ...
    def on_request(self, hook: Any = None, *, order: int = 0) -> Any:
        """Call a function with every request before its route is looked for; on a router, once it is one of its routes.

        It may change the request, or answer it by returning a `Response`.
        """
        return self._hook(Phase.ON_REQUEST, hook, order)

    @overload
    def pre_validation(self, hook: H) -> H: ...
    @overload
    def pre_validation(self, *, order: int = 0) -> Callable[[H], H]: ...
    def pre_validation(self, hook: Any = None, *, order: int = 0) -> Any:
        """Call a function with every request that has a route, before its body is read and anything is checked."""
        return self._hook(Phase.PRE_VALIDATION, hook, order)

    @overload
    def pre_handler(self, hook: H) -> H: ...
    @overload
    def pre_handler(self, *, order: int = 0) -> Callable[[H], H]: ...
    def pre_handler(self, hook: Any = None, *, order: int = 0) -> Any:
        """Call a function with every request that has passed its checks, right before the handler."""
        return self._hook(Phase.PRE_HANDLER, hook, order)

    @overload
    def on_response(self, hook: H) -> H: ...
    @overload
    def on_response(self, *, order: int = 0) -> Callable[[H], H]: ...
    def on_response(self, hook: Any = None, *, order: int = 0) -> Any:
        """Call a function with every answer, and the request if it takes two arguments.

        It may change the response or return another one.
        """
        return self._hook(Phase.ON_RESPONSE, hook, order)

    @overload
    def on_error(self, hook: H) -> H: ...
    @overload
    def on_error(self, *, order: int = 0) -> Callable[[H], H]: ...
    def on_error(self, hook: Any = None, *, order: int = 0) -> Any:
        """Call a function with every answer that tells of a fault, before the `on_response` hooks.

        That is a 4xx or 5xx of an exception or of a refusal, and any 5xx. The request and the exception, if there was
        one, are its second and third argument.
        """
        return self._hook(Phase.ON_ERROR, hook, order)

    def get_lifecycle_hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """The hooks registered here, by the name of their phase, in the order they run."""
        return {phase.value: self._hooks.functions(phase) for phase in Phase}

    def _hook(self, phase: Phase, hook: Any, order: int) -> Any:
        def register(function: H) -> H:
            self._hooks.add(phase, function, order)
            return function

        return register if hook is None else register(hook)


__all__ = ["HookRegistration", "HookSet", "Phase"]
