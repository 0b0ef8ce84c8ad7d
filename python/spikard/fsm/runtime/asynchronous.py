"""A runtime whose calls are awaited."""

import asyncio
from typing import Any

from spikard.fsm.catalog.machine_record import MachineCompatibilityReport, MachineRecord
from spikard.fsm.entity_migration.outcome import MigrationOutcome
from spikard.fsm.queue.status import QueueEventStatus
from spikard.fsm.runtime.runtime import FsmRuntime
from spikard.fsm.runtime.snapshot import EntitySnapshot, MachineSummary, TransitionsPage
from spikard.fsm.transition_result import TransitionResult


class AsyncFsmRuntime:
    """The calls of a runtime for programs with an event loop: what blocks, blocks a thread."""

    def __init__(self, runtime: FsmRuntime) -> None:
        self.runtime = runtime

    @classmethod
    def in_memory(cls) -> "AsyncFsmRuntime":
        """Everything in this process's memory."""
        return cls(FsmRuntime.in_memory())

    @classmethod
    async def from_url(cls, db_url: str) -> "AsyncFsmRuntime":
        """Machines, entities and the queue in one database."""
        return cls(await asyncio.to_thread(FsmRuntime.from_url, db_url))

    async def close(self) -> None:
        """Fire no more timers, and close all connections."""
        if self.runtime.scheduler is not None:
            await self.runtime.scheduler.close()
        await asyncio.to_thread(self.runtime.close)

    async def start_timers(self) -> None:
        """Fire the timers of entities in this loop from now on, until `close`."""
        start = getattr(self.runtime.scheduler, "start", None)
        if start is None:
            raise RuntimeError("this runtime has no scheduler that is started; pass a durable one as scheduler")
        await start()

    async def register_machine_from_dict(self, config: dict[str, Any]) -> str:
        """Register a machine; its id."""
        return await asyncio.to_thread(self.runtime.register_machine_from_dict, config)

    async def create_machine_from_dict(self, config: dict[str, Any]) -> MachineRecord:
        """Keep a new machine; `MachineConflict` where there is one of its name and version."""
        return await asyncio.to_thread(self.runtime.create_machine_from_dict, config)

    async def update_machine_from_dict(
        self, machine_id: str, config: dict[str, Any], *, expected_revision: int | None = None
    ) -> MachineRecord:
        """Put a definition in the place of a machine's; `MachineRevisionConflict` where it was changed meanwhile."""
        return await asyncio.to_thread(
            self.runtime.update_machine_from_dict, machine_id, config, expected_revision=expected_revision
        )

    async def migrate_entity(
        self, machine: str, entity_id: str, *, version: str | None = None, dry_run: bool = False, **options: Any
    ) -> MigrationOutcome:
        """Bring an entity to a version of its machine, the newest by default."""
        return await asyncio.to_thread(
            self.runtime.migrate_entity, machine, entity_id, version=version, dry_run=dry_run, **options
        )

    async def get_machine_record(self, machine_id: str) -> MachineRecord:
        """A machine as it is kept, or `MachineRecordNotFound`."""
        return await asyncio.to_thread(self.runtime.get_machine_record, machine_id)

    async def check_machine_compatibility(self, machine_id: str, *, target_version: str) -> MachineCompatibilityReport:
        """Whether the entities of a machine can go on in another of its versions."""
        return await asyncio.to_thread(
            self.runtime.check_machine_compatibility, machine_id, target_version=target_version
        )

    async def list_machines(self) -> list[MachineSummary]:
        """The machines that are registered."""
        return await asyncio.to_thread(self.runtime.list_machines)

    async def create_entity(
        self, machine: str, entity_id: str, *, version: str | None = None, context: dict[str, Any] | None = None
    ) -> EntitySnapshot:
        """Keep a new entity in the initial state."""
        return await asyncio.to_thread(self.runtime.create_entity, machine, entity_id, version=version, context=context)

    async def get_entity(self, machine: str, entity_id: str) -> EntitySnapshot | None:
        """An entity, or None for one that is not kept."""
        return await asyncio.to_thread(self.runtime.get_entity, machine, entity_id)

    async def process_event(
        self,
        machine: str,
        entity_id: str,
        trigger: str,
        *,
        version: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> TransitionResult:
        """Bring an event to an entity; guards and actions that are `async def` are awaited."""
        return await self.runtime.aprocess_event(machine, entity_id, trigger, version=version, context=context)

    async def apply_data(
        self,
        machine: str,
        entity_id: str,
        data: dict[str, Any],
        *,
        version: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> list[TransitionResult]:
        """Merge data into an entity's context, and do what follows from it."""
        return await asyncio.to_thread(
            self.runtime.apply_data, machine, entity_id, data, version=version, context=context
        )

    async def queue_apply_data(self, machine: str, entity_id: str, data: dict[str, Any], **options: Any) -> str:
        """Have a worker do that; the id to ask for."""
        return await asyncio.to_thread(self.runtime.queue_apply_data, machine, entity_id, data, **options)

    async def get_event_status(self, event_id: str) -> QueueEventStatus | None:
        """What has become of something queued."""
        return await asyncio.to_thread(self.runtime.get_event_status, event_id)

    async def list_transitions(self, **wanted: Any) -> TransitionsPage:
        """A page of what entities have gone through."""
        return await asyncio.to_thread(lambda: self.runtime.list_transitions(**wanted))
