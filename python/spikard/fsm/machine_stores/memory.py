"""Machines in this process's memory."""

import threading

from spikard.fsm.machine_definition import MachineDefinition
from spikard.fsm.machine_stores.client import MachineStoreClient
from spikard.fsm.machine_stores.version import version_key


class InMemoryMachineStore(MachineStoreClient):
    """Keeps definitions for as long as the process lives."""

    def __init__(self) -> None:
        super().__init__(None)
        self._definitions: dict[tuple[str, str], MachineDefinition] = {}
        self._lock = threading.Lock()

    def connect(self) -> None:
        """Nothing has to be connected."""

    def disconnect(self) -> None:
        """Nothing was connected."""

    def save(self, definition: MachineDefinition) -> str:
        """Keep a definition; its name and version are its id."""
        with self._lock:
            self._definitions[definition.name, definition.version] = definition
        return f"{definition.name}@{definition.version}"

    def get(self, name: str, version: str | None = None) -> MachineDefinition | None:
        """A definition, without a version the newest; None where there is none."""
        if version is not None:
            return self._definitions.get((name, version))
        return max(self.list(name), key=lambda definition: version_key(definition.version), default=None)

    def list(self, name: str | None = None) -> list[MachineDefinition]:
        """All definitions, or those of a name, in the order in which they came."""
        with self._lock:
            return [definition for definition in self._definitions.values() if name in (None, definition.name)]

    def delete(self, name: str, version: str) -> bool:
        """Forget a definition; whether there was one."""
        with self._lock:
            return self._definitions.pop((name, version), None) is not None
