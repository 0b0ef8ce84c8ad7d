"""What runtimes raise themselves."""

from typing import Any

from spikard.errors import SpikardError
from spikard.fsm.former_paths import front_of

__getattr__ = front_of(__name__)


class FsmRuntimeError(SpikardError, RuntimeError):
    """The root of what runtimes raise; a RuntimeError as well."""


class MachineNotFound(FsmRuntimeError):  # noqa: N818 - a public name
    """No machine of this name is registered, or not in the version."""

    def __init__(self, machine: str, version: str | None = None) -> None:
        super().__init__(f"Machine not registered: {machine}" + ("" if version is None else f"@{version}"))
        self.machine = machine
        self.version = version

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.machine, self.version)


class EntityAlreadyExists(FsmRuntimeError):  # noqa: N818 - a public name
    """An entity of this id is kept."""

    def __init__(self, entity_id: str) -> None:
        super().__init__(f"Entity already exists: {entity_id!r}")
        self.entity_id = entity_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.entity_id,)


class QueueNotConfigured(FsmRuntimeError):  # noqa: N818 - a public name
    """The runtime was made without a queue."""

    def __init__(self) -> None:
        super().__init__(
            "queue_apply_data requires a QueueClient. Construct the runtime with `queue=QueueClient.from_url(...)` "
            "or use FsmRuntime.from_config() / from_url() which configure one."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()
