"""What catalogues of machines raise."""

from typing import Any

from spikard.errors import SpikardError


class MachineCatalogError(SpikardError):
    """The root of what catalogues of machines raise."""


class MachineRecordNotFound(MachineCatalogError):  # noqa: N818 - a public name
    """No machine of this id is kept."""

    def __init__(self, machine_id: str) -> None:
        super().__init__(machine_id)
        self.machine_id = machine_id


class MachineInvalidIdentifier(MachineCatalogError):  # noqa: N818 - a public name
    """An id that is no UUID."""

    def __init__(self, machine_id: str) -> None:
        super().__init__(machine_id)
        self.machine_id = machine_id


class MachineConflict(MachineCatalogError):  # noqa: N818 - a public name
    """A machine of this name and version is kept."""

    def __init__(self, name: str, version: str) -> None:
        super().__init__(f"Machine {name!r} version {version!r} already exists")
        self.name = name
        self.version = version

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.version)


class MachineRevisionConflict(MachineCatalogError):  # noqa: N818 - a public name
    """Somebody else has changed the machine meanwhile."""

    def __init__(self, expected: int, current: int) -> None:
        super().__init__(f"Revision mismatch: expected {expected}, current is {current}")
        self.expected = expected
        self.current = current

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.expected, self.current)
