"""Machines out of stores."""

from typing import TYPE_CHECKING

from spikard.fsm.machine_definition import MachineNotFoundError, build_machine

if TYPE_CHECKING:
    from spikard.fsm.action_registry import ActionRegistry
    from spikard.fsm.guard_registry import GuardRegistry
    from spikard.fsm.machine_stores.client import MachineStoreClient
    from spikard.fsm.state_machine import StateMachine


def build_machine_from_store(
    store: "MachineStoreClient",
    name: str,
    version: str | None = None,
    *,
    guards: "GuardRegistry | None" = None,
    actions: "ActionRegistry | None" = None,
) -> "StateMachine":
    """A machine out of a store, the newest where no version is given, or `MachineNotFoundError`."""
    definition = store.get(name, version)
    if definition is None:
        raise MachineNotFoundError(name, version)
    return build_machine(definition, guards=guards, actions=actions)
