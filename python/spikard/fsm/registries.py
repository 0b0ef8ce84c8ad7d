"""The registries that machines begin with."""

from functools import cache

from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.builtins import builtin_registries
from spikard.fsm.guard_registry import GuardRegistry


def new_registries(strict: bool, builtins: bool) -> tuple[GuardRegistry, ActionRegistry]:
    """A pair of registries of a machine's own."""
    if not builtins:
        return GuardRegistry(strict=strict), ActionRegistry()
    guards, actions = _prototypes()
    return guards.copy(strict=strict), actions.copy()


@cache
def _prototypes() -> tuple[GuardRegistry, ActionRegistry]:
    return builtin_registries()
