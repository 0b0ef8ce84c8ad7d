"""The registries that machines begin with."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.builtins import builtin_registries
from spikard.fsm.guard_registry import GuardRegistry

Function = TypeVar("Function", bound=Callable[..., Any])


def new_registries(strict: bool, builtins: bool) -> tuple[GuardRegistry, ActionRegistry]:
    """A pair of registries of a machine's own."""
    if not builtins:
        return GuardRegistry(strict=strict), ActionRegistry()
    guards, actions = _prototypes()
    return guards.copy(strict=strict), actions.copy()


def named(register: Callable[..., None], name: str) -> Callable[[Function], Function]:
    """A decorator that registers a function, by this name and no other."""

    def decorate(function: Function) -> Function:
        register(name, function)
        return function

    return decorate


@cache
def _prototypes() -> tuple[GuardRegistry, ActionRegistry]:
    return builtin_registries()
