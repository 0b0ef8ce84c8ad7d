"""Whatever keeps machines."""

import builtins
from typing import Protocol, runtime_checkable

from spikard.fsm.machine_definition import MachineDefinition


@runtime_checkable
class MachineStore(Protocol):
    """What a store of machines can do; a class need not be derived from anything to be one."""

    def connect(self) -> None:
        """Make ready."""

    def disconnect(self) -> None:
        """Let go of all connections."""

    def save(self, definition: MachineDefinition) -> str:
        """Keep a definition; its id."""
        ...

    def get(self, name: str, version: str | None = None) -> MachineDefinition | None:
        """A definition, without a version the newest; None where there is none."""
        ...

    def list(self, name: str | None = None) -> builtins.list[MachineDefinition]:
        """All definitions, or those of a name."""
        ...

    def delete(self, name: str, version: str) -> bool:
        """Forget a definition; whether there was one."""
        ...
