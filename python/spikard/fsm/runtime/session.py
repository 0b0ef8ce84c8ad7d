"""A runtime for one machine."""

from typing import TYPE_CHECKING, Any

from spikard.fsm.entity_migration.outcome import MigrationOutcome
from spikard.fsm.runtime.snapshot import EntitySnapshot
from spikard.fsm.transition_result import TransitionResult

if TYPE_CHECKING:
    from spikard.fsm.runtime.runtime import FsmRuntime


class MachineSession:
    """The calls of a runtime without the machine's name."""

    def __init__(self, *, runtime: "FsmRuntime", machine: str, version: str | None = None) -> None:
        self._runtime = runtime
        self._machine = machine
        self._version = version

    @property
    def runtime(self) -> "FsmRuntime":
        """The runtime."""
        return self._runtime

    @property
    def machine(self) -> str:
        """The machine's name."""
        return self._machine

    @property
    def version(self) -> str | None:
        """The version, or None for the latest."""
        return self._version

    def create_entity(self, entity_id: str, *, context: dict[str, Any] | None = None) -> EntitySnapshot:
        """Keep a new entity in the initial state."""
        return self._runtime.create_entity(self._machine, entity_id, version=self._version, context=context)

    def get_entity(self, entity_id: str) -> EntitySnapshot | None:
        """An entity, or None for one that is not kept."""
        return self._runtime.get_entity(self._machine, entity_id)

    def process_event(self, entity_id: str, trigger: str, *, context: dict[str, Any] | None = None) -> TransitionResult:
        """Bring an event to an entity."""
        return self._runtime.process_event(self._machine, entity_id, trigger, version=self._version, context=context)

    def apply_data(
        self, entity_id: str, data: dict[str, Any], *, context: dict[str, Any] | None = None
    ) -> list[TransitionResult]:
        """Merge data into an entity's context, and do what follows from it."""
        return self._runtime.apply_data(self._machine, entity_id, data, version=self._version, context=context)

    def migrate(self, entity_id: str, *, dry_run: bool = False, **options: Any) -> MigrationOutcome:
        """Bring an entity to this version of the machine."""
        return self._runtime.migrate_entity(
            self._machine, entity_id, version=self._version, dry_run=dry_run, **options
        )  # fmt: skip

    def queue_apply_data(
        self, entity_id: str, data: dict[str, Any], *, idempotency_key: str | None = None, max_attempts: int = 5
    ) -> str:
        """Have a worker do that."""
        return self._runtime.queue_apply_data(
            self._machine, entity_id, data, idempotency_key=idempotency_key, max_attempts=max_attempts
        )
