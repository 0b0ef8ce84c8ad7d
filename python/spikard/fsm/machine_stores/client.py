"""Stores of machines."""

from abc import ABC, abstractmethod
from typing import Self

from spikard.fsm.machine_definition import MachineDefinition


class MachineStoreClient(ABC):
    """Keeps definitions by name and version."""

    def __init__(self, connection_string: str | None = None) -> None:
        self.connection_string = connection_string

    @abstractmethod
    def connect(self) -> None:
        """Make ready."""

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *error: object) -> None:
        self.disconnect()

    def disconnect(self) -> None:  # noqa: B027 - a store without connections has nothing to do
        """Let go of all connections."""

    @abstractmethod
    def save(self, definition: MachineDefinition) -> str:
        """Keep a definition in the place of one of the same name and version; its id."""

    @abstractmethod
    def get(self, name: str, version: str | None = None) -> MachineDefinition | None:
        """A definition, without a version the latest that was kept; None where there is none."""

    @abstractmethod
    def list(self, name: str | None = None) -> list[MachineDefinition]:
        """All definitions, or those of a name, in the order in which they came."""

    @abstractmethod
    def delete(self, name: str, version: str) -> bool:
        """Forget a definition; whether there was one."""
