"""One hook as a call: it gets as many of its phase's arguments as it takes."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from spikard.errors import ConfigError
from spikard.routing.hooks import Phase
from spikard.routing.route import is_async

T = TypeVar("T")

# What the hooks of a phase are called with; the first is what every hook takes.
ARGUMENTS: dict[Phase, tuple[str, ...]] = {
    Phase.ON_REQUEST: ("request",),
    Phase.PRE_VALIDATION: ("request",),
    Phase.PRE_HANDLER: ("request",),
    Phase.ON_RESPONSE: ("response", "request"),
    Phase.ON_ERROR: ("response", "request", "exc"),
}
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True, slots=True)
class HookCall:
    """A hook, and how many arguments it wants."""

    phase: Phase
    function: Callable[..., Any]
    takes: int
    is_async: bool

    def __call__(self, *arguments: Any) -> Any:
        """Call the hook with the arguments it takes."""
        return self.function(*arguments[: self.takes])

    def expect(self, said: object, kind: type[T]) -> T:
        """What the hook gave, if it is of this class."""
        if isinstance(said, kind):
            return said
        allowed = "None or a Response" if self.takes and self.phase in ANSWERS else "None, the request or a Response"
        msg = f"{self.phase} hook {_name(self.function)} returned {type(said).__name__}; it may return {allowed}"
        raise TypeError(msg)


ANSWERS = frozenset({Phase.ON_RESPONSE, Phase.ON_ERROR})


def hook_call(phase: Phase, function: Callable[..., Any]) -> HookCall:
    """Read a hook's signature; ConfigError when the phase has no argument for a parameter."""
    offered = ARGUMENTS[phase]
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return HookCall(phase, function, len(offered), is_async(function))
    takes, is_open = 0, True
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            takes = len(offered) if is_open else takes
            continue
        # A default of the hook's own is not overwritten, unless the name says what it is for.
        is_open = is_open and (parameter.default is parameter.empty or parameter.name in offered)
        if parameter.kind in POSITIONAL and is_open and takes < len(offered):
            takes += 1
        elif parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD:
            msg = (
                f"{phase} hook {_name(function)}: nothing can fill parameter {parameter.name!r}; "
                f"hooks of this phase are called with ({', '.join(offered)})"
            )
            raise ConfigError(msg)
    return HookCall(phase, function, takes, is_async(function))


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", None) or repr(function)


__all__ = ["HookCall", "hook_call"]
