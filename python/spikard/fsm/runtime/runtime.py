"""Machines and their entities behind one front."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self

from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.background_loop import BackgroundLoop
from spikard.fsm.catalog.machine_catalog import MachineCatalog
from spikard.fsm.catalog.machine_record import MachineCompatibilityReport, MachineRecord
from spikard.fsm.entity_migration.migrator import EntityMigrator
from spikard.fsm.entity_migration.outcome import MigrationOutcome, MigrationReport
from spikard.fsm.former_paths import front_of
from spikard.fsm.guard_registry import GuardRegistry
from spikard.fsm.machine_definition import MachineDefinition, build_machine, parse_machine, parse_machine_file
from spikard.fsm.machine_stores.client import MachineStoreClient
from spikard.fsm.machine_stores.database import SQLAlchemyMachineStore
from spikard.fsm.machine_stores.memory import InMemoryMachineStore
from spikard.fsm.orchestration.orchestrator import Orchestrator
from spikard.fsm.queue.client import QueueClient
from spikard.fsm.queue.status import QueueEventStatus
from spikard.fsm.runtime.errors import EntityAlreadyExists, MachineNotFound, QueueNotConfigured
from spikard.fsm.runtime.observer import RuntimeObserver, tell
from spikard.fsm.runtime.past import transitions
from spikard.fsm.runtime.session import MachineSession
from spikard.fsm.runtime.snapshot import (
    ControlAuditEvent,
    EntitySnapshot,
    MachineSummary,
    TransitionEvent,
    TransitionsPage,
)
from spikard.fsm.schedulers.adapter import SchedulerAdapter
from spikard.fsm.schedulers.due_timer import DueTimer
from spikard.fsm.settings import application_database
from spikard.fsm.stores.factory import unconnected_state_store
from spikard.fsm.stores.memory import InMemoryStateStore
from spikard.fsm.stores.row import EntityChange, TimerRow
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.transition_result import TransitionResult
from spikard.fsm.workflow import persistence_flags_for_state

Function = Callable[..., Any]

# Its former name, and what else was found here.
__getattr__ = front_of(__name__)


class FsmRuntime:
    """Registers machines, keeps their entities, brings events to them. Any thread may call it."""

    def __init__(
        self,
        *,
        machine_store: MachineStoreClient,
        state_store: Any,
        actions: ActionRegistry | None = None,
        guards: GuardRegistry | None = None,
        queue: QueueClient | None = None,
        discovery: Any = None,
        observers: tuple[RuntimeObserver, ...] = (),
        scheduler: SchedulerAdapter | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.machine_store = machine_store
        self.state_store = state_store
        self.discovery = discovery
        # One without actions yet is one all the same.
        self._actions = ActionRegistry() if actions is None else actions
        self._guards = GuardRegistry() if guards is None else guards
        self._queue = queue
        self._observers = tuple(observers)
        self._orchestrators: dict[tuple[str, str], tuple[MachineDefinition, Orchestrator]] = {}
        self._lock = threading.Lock()
        self._background = BackgroundLoop()

    @classmethod
    def in_memory(cls, *, observers: tuple[RuntimeObserver, ...] = ()) -> Self:
        """Everything in this process's memory."""
        return cls(
            machine_store=InMemoryMachineStore(),
            state_store=InMemoryStateStore(),
            queue=QueueClient.in_memory(),
            observers=observers,
        )

    @classmethod
    def from_url(cls, db_url: str, *, observers: tuple[RuntimeObserver, ...] = ()) -> Self:
        """Machines, entities and the queue in one SQLite or PostgreSQL database."""
        from spikard.fsm.schedulers.sql import SqlScheduler

        store = unconnected_state_store(db_url)
        machines = SQLAlchemyMachineStore(db_url, store=store)
        machines.connect()
        made = cls(machine_store=machines, state_store=store, queue=QueueClient.from_url(db_url), observers=observers)
        made.scheduler = SqlScheduler(store, runtime=made)
        return made

    @classmethod
    def from_config(cls, *, observers: tuple[RuntimeObserver, ...] = ()) -> Self:
        """The same in the application's database: `SPIKARD_FSM_DATABASE_URL`, else that of `spikard.toml`."""
        return cls.from_url(application_database(), observers=observers)

    def close(self) -> None:
        """Fire no more timers, and close all connections."""
        if self._background.is_running and self.scheduler is not None:
            self._background.wait(self.scheduler.close())
        self._background.close()
        if self._queue is not None:
            self._queue.close()
        self.machine_store.disconnect()
        disconnect = getattr(self.state_store, "disconnect", None)
        if disconnect is not None:
            disconnect()

    @property
    def actions(self) -> ActionRegistry:
        """The actions of all its machines."""
        return self._actions

    @property
    def guards(self) -> GuardRegistry:
        """The guards of all its machines."""
        return self._guards

    @property
    def queue(self) -> QueueClient | None:
        """Where data for workers goes, if there is such a place."""
        return self._queue

    def register_action(self, name: str, fn: Function) -> None:
        """Register an action for all machines."""
        self._actions.register(name, fn)

    def register_guard(self, name: str, fn: Function) -> None:
        """Register a guard for all machines."""
        self._guards.register(name, fn)

    # Machines

    def register_machine_from_dict(self, config: dict[str, Any]) -> str:
        """Register a machine; its id. The same name and version again is the same machine."""
        with self._watched("register_machine_from_dict"):
            return self.register_machine_from_definition(parse_machine(config))

    def register_machine_from_file(self, path: str | os.PathLike[str]) -> str:
        """Register a machine out of a file, YAML or JSON; its id."""
        with self._watched("register_machine_from_file"):
            return self.register_machine_from_definition(parse_machine_file(os.fspath(path)))

    def register_machine_from_definition(self, definition: MachineDefinition) -> str:
        """Register a machine; its id."""
        machine_id = self.machine_store.save(definition)
        name, version = definition.name, definition.version
        tell(self._observers, "on_machine_registered", name=name, version=version, machine_id=machine_id)
        return machine_id

    def validate_machine(self, name: str, version: str | None = None) -> None:
        """Raise `MachineNotFound`, or what is wrong with the definition."""
        self._orchestrator(name, version)

    def create_machine_from_dict(self, config: dict[str, Any]) -> MachineRecord:
        """Keep a new machine; `MachineConflict` where there is one of its name and version. Needs a database."""
        with self._watched("create_machine_from_dict"):
            record = self._catalog("create_machine_from_dict").create(config)
        name, version = record.name, record.version
        tell(self._observers, "on_machine_registered", name=name, version=version, machine_id=record.id)
        return record

    def update_machine_from_dict(
        self, machine_id: str, config: dict[str, Any], *, expected_revision: int | None = None
    ) -> MachineRecord:
        """Put a definition in the place of a machine's; `MachineRevisionConflict` where it was changed meanwhile."""
        with self._watched("update_machine_from_dict"):
            catalog = self._catalog("update_machine_from_dict")
            before = catalog.get(machine_id)
            record = catalog.update(machine_id, config, expected_revision=expected_revision)
        event = ControlAuditEvent(
            "update_machine", "machine", record.id, previous={"version": before.version, "revision": before.revision},
            current={"version": record.version, "revision": record.revision},
        )  # fmt: skip
        tell(self._observers, "on_control_audit", event=event)
        return record

    def get_machine_record(self, machine_id: str) -> MachineRecord:
        """A machine as it is kept, or `MachineRecordNotFound`."""
        return self._catalog("get_machine_record").get(machine_id)

    def check_machine_compatibility(self, machine_id: str, *, target_version: str) -> MachineCompatibilityReport:
        """Whether the entities of a machine can go on in another of its versions."""
        return self._catalog("check_machine_compatibility").check_compatibility(
            machine_id, target_version=target_version
        )

    def list_machines(self) -> list[MachineSummary]:
        """The machines that are registered."""
        return [
            MachineSummary(found.name, found.version, found.description, found.strict_mode)
            for found in self.machine_store.list()
        ]

    def session(self, machine: str, version: str | None = None) -> MachineSession:
        """The calls below without the machine's name."""
        self._definition(machine, version)
        return MachineSession(runtime=self, machine=machine, version=version)

    # Entities

    def create_entity(
        self, machine: str, entity_id: str, *, version: str | None = None, context: dict[str, Any] | None = None
    ) -> EntitySnapshot:
        """Keep a new entity in the initial state; `EntityAlreadyExists` where there is one."""
        with self._watched("create_entity", machine, entity_id):
            orchestrator = self._orchestrator(machine, version)
            access, state = orchestrator.access, orchestrator.initial_leaf
            row = access.load(entity_id)
            if row.state is not None:
                raise EntityAlreadyExists(entity_id)
            now = orchestrator.clock.now()
            is_terminal, workflow_status = persistence_flags_for_state(orchestrator.machine, state)
            metadata = {
                "machine_name": machine, "machine_version": orchestrator.machine.version, "is_terminal": is_terminal,
                "workflow_status": workflow_status,
            }  # fmt: skip
            kept = dict(context or {})
            timers = orchestrator.timing.at_entry(state, kept, now)
            expected = 0 if orchestrator.is_optimistic and access.is_whole else None
            access.commit(
                EntityChange(
                    entity_id, expected, state, kept, metadata=metadata, fingerprint=orchestrator.fingerprint,
                    entered_at=now, arm_timers=timers,
                )
            )  # fmt: skip
            if timers and self.scheduler is not None and not orchestrator.timing.look():
                self._background.wait(self._armed(orchestrator, entity_id, timers))
        tell(self._observers, "on_entity_created", machine=machine, entity_id=entity_id, state=state)
        return EntitySnapshot(entity_id, machine, state, kept)

    @staticmethod
    async def _armed(orchestrator: Orchestrator, entity_id: str, timers: tuple[TimerRow, ...]) -> None:
        for timer in timers:
            await orchestrator.timing.arm(entity_id, timer)

    def get_entity(self, machine: str, entity_id: str) -> EntitySnapshot | None:
        """An entity, or None for one that is not kept."""
        store = self.state_store
        state = store.get_state(entity_id)
        if state is None:
            return None
        version = store.get_state_versioned(entity_id)[1] if hasattr(store, "get_state_versioned") else None
        is_terminal = store.get_is_terminal(entity_id) if hasattr(store, "get_is_terminal") else None
        status = store.get_workflow_status(entity_id) if hasattr(store, "get_workflow_status") else None
        return EntitySnapshot(entity_id, machine, state, store.get_context(entity_id), version, is_terminal, status)

    def process_event(
        self,
        machine: str,
        entity_id: str,
        trigger: str,
        *,
        version: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> TransitionResult:
        """Bring an event to an entity; one that is not kept yet begins in the initial state."""
        with self._watched("process_event", machine, entity_id):
            result = self._orchestrator(machine, version).process_event(entity_id, trigger, context)
        tell(self._observers, "on_transition", machine=machine, entity_id=entity_id, result=result)
        return result

    async def aprocess_event(
        self,
        machine: str,
        entity_id: str,
        trigger: str,
        *,
        version: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> TransitionResult:
        """`process_event`, awaited."""
        with self._watched("process_event", machine, entity_id):
            orchestrator = await asyncio.to_thread(self._orchestrator, machine, version)
            result = await orchestrator.async_process_event(entity_id, trigger, context)
        tell(self._observers, "on_transition", machine=machine, entity_id=entity_id, result=result)
        return result

    def apply_data(
        self,
        machine: str,
        entity_id: str,
        data: dict[str, Any],
        *,
        version: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> list[TransitionResult]:
        """Merge data into an entity's context, and do what follows from it; the steps that were taken."""
        with self._watched("apply_data", machine, entity_id):
            results = self._orchestrator(machine, version).apply_data(entity_id, {**(context or {}), **data})
        for result in results:
            tell(self._observers, "on_transition", machine=machine, entity_id=entity_id, result=result)
        tell(self._observers, "on_apply_data", machine=machine, entity_id=entity_id, results=results)
        return results

    def queue_apply_data(
        self,
        machine: str,
        entity_id: str,
        data: dict[str, Any],
        *,
        idempotency_key: str | None = None,
        max_attempts: int = 5,
    ) -> str:
        """Have a worker do that; the id to ask for with `get_event_status`."""
        with self._watched("queue_apply_data", machine, entity_id):
            event_id = self._queued().submit_apply_data(
                machine=machine, entity_id=entity_id, data=data, idempotency_key=idempotency_key,
                max_attempts=max_attempts,
            )  # fmt: skip
        tell(self._observers, "on_queue_submit", machine=machine, entity_id=entity_id, event_id=event_id)
        return event_id

    def get_event_status(self, event_id: str) -> QueueEventStatus | None:
        """What has become of something queued."""
        return self._queued().get_event_status(event_id)

    # Versions

    def migrate_entity(
        self, machine: str, entity_id: str, *, version: str | None = None, dry_run: bool = False, **options: Any
    ) -> MigrationOutcome:
        """Bring an entity to a version of its machine, the newest by default, by the `migrations` of the document.

        MigrationRefusedError where it has no place there. `options` are those of `EntityMigrator`.
        """
        with self._watched("migrate_entity", machine, entity_id):
            orchestrator, migrator = self._migrator(machine, version, options)
            planned = migrator.apply(entity_id, dry_run=dry_run)
            self._schedule(orchestrator, planned.change)
        return planned.outcome

    def migrate_entities(
        self,
        machine: str,
        *,
        version: str | None = None,
        dry_run: bool = False,
        after: str = "",
        batch_size: int = 500,
        on_batch: Callable[[MigrationReport], None] | None = None,
        **options: Any,
    ) -> MigrationReport:
        """Bring all entities of a machine to one of its versions; those that have no place there are reported."""
        with self._watched("migrate_entities", machine):
            orchestrator, migrator = self._migrator(machine, version, options)
            return migrator.migrate_all(
                dry_run=dry_run, after=after, batch_size=batch_size, on_batch=on_batch,
                on_change=lambda change: self._schedule(orchestrator, change),
            )  # fmt: skip

    def _migrator(self, name: str, version: str | None, options: dict[str, Any]) -> tuple[Orchestrator, EntityMigrator]:
        orchestrator = self._orchestrator(name, version)
        return orchestrator, EntityMigrator(orchestrator.machine, self.state_store, **options)

    def _schedule(self, orchestrator: Orchestrator, change: EntityChange | None) -> None:
        if change is not None and change.sets_timers and self.scheduler is not None:
            self._background.wait(orchestrator.timing.schedule(change.entity_id, change))

    # Time

    def start_timers(self) -> None:
        """Fire the timers of entities from now on, on a thread of this runtime, until `close`."""
        start = getattr(self.scheduler, "start", None)
        if start is None:
            raise RuntimeError("this runtime has no scheduler that is started; pass a durable one as scheduler")
        self._background.wait(start())

    def fire(self, timer: DueTimer) -> TransitionResult | None:
        """Bring the event of a timer to its entity; None where the entity has moved on."""
        machine = self._machine_of(timer)
        with self._watched("fire", machine, timer.entity_id):
            result = self._orchestrator(machine, None).fire(timer)
        self._tell_fired(machine, timer, result)
        return result

    async def afire(self, timer: DueTimer) -> TransitionResult | None:
        """`fire`, awaited."""
        machine = self._machine_of(timer)
        with self._watched("fire", machine, timer.entity_id):
            orchestrator = await asyncio.to_thread(self._orchestrator, machine, None)
            result = await orchestrator.afire(timer)
        self._tell_fired(machine, timer, result)
        return result

    def _machine_of(self, timer: DueTimer) -> str:
        if timer.machine is None:
            raise MachineNotFound("", None)
        return timer.machine

    def _tell_fired(self, machine: str, timer: DueTimer, result: TransitionResult | None) -> None:
        if result is not None:
            tell(self._observers, "on_transition", machine=machine, entity_id=timer.entity_id, result=result)

    # The past

    def list_transitions(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        success: bool | None = None,
        machine_name: str | None = None,
        entity_id: str | None = None,
        start_at: datetime | None = None,
        end_at: datetime | None = None,
    ) -> TransitionsPage:
        """A page of what entities have gone through, the oldest first. Needs a state store in SQL."""
        wanted = {"success": success, "machine_name": machine_name, "entity_id": entity_id}
        return transitions(self.state_store, after, limit, wanted, start_at, end_at)

    def subscribe(
        self,
        *,
        after: str | None = None,
        poll_interval_s: float = 0.5,
        max_retries: int = 10,
        success: bool | None = None,
        machine_name: str | None = None,
        entity_id: str | None = None,
    ) -> Iterator[TransitionEvent]:
        """The same without end, as it happens; after `max_retries` failures in a row the last one is raised."""
        failures = 0
        while True:
            try:
                page = self.list_transitions(
                    after=after, success=success, machine_name=machine_name, entity_id=entity_id
                )
            except OSError:
                failures += 1
                if failures > max_retries:
                    raise
                page = TransitionsPage()
            else:
                failures = 0
            for event in page.items:
                after = event.cursor
                yield event
            if page.next_cursor is None:
                time.sleep(poll_interval_s)

    def _catalog(self, method: str) -> MachineCatalog:
        for store in (self.machine_store, self.state_store):
            if isinstance(store, (SQLAlchemyMachineStore, SqlStateStore)):
                return MachineCatalog(store)
        raise RuntimeError(f"{method} requires a store in SQL (got {type(self.state_store).__name__})")

    def _queued(self) -> QueueClient:
        if self._queue is None:
            raise QueueNotConfigured
        return self._queue

    def _definition(self, machine: str, version: str | None) -> MachineDefinition:
        found = self.machine_store.get(machine, version)
        if found is None:
            raise MachineNotFound(machine, version)
        return found

    def _orchestrator(self, name: str, version: str | None) -> Orchestrator:
        definition = self._definition(name, version)
        key = definition.name, definition.version
        with self._lock:
            known = self._orchestrators.get(key)
            if known is not None and known[0].config == definition.config:
                return known[1]
            machine = build_machine(definition, guards=self._guards, actions=self._actions)
            made = Orchestrator(machine, self.state_store, scheduler=self.scheduler)
            self._orchestrators[key] = definition, made
            return made

    @contextmanager
    def _watched(self, op: str, machine: str | None = None, entity_id: str | None = None) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            tell(self._observers, "on_error", op=op, machine=machine, entity_id=entity_id, exc=error)
            raise
