"""The process that brings waiting events to entities."""

import asyncio
import logging
import signal
from typing import Any

from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.dead_letters.protocol import DeadLetterStore
from spikard.fsm.dead_letters.settings import DLQConfig, create_store
from spikard.fsm.guard_registry import GuardRegistry
from spikard.fsm.orchestration.outbox_drainer import OutboxDrainer
from spikard.fsm.orchestration.outbox_policy import OutboxPolicy
from spikard.fsm.queue.database import DatabaseApplyDataEventSource, DatabaseEventSource
from spikard.fsm.queue.source import EventSource
from spikard.fsm.schedulers.restoring import check_policy
from spikard.fsm.stores.factory import unconnected_state_store
from spikard.fsm.stores.sql import SqlStateStore
from spikard.fsm.worker.config import WorkerConfig
from spikard.fsm.worker.health import HealthChecker
from spikard.fsm.worker.lane import Lane
from spikard.fsm.worker.machines import WorkerMachines
from spikard.fsm.worker.timers import TimerSource

logger = logging.getLogger("spikard.fsm.worker")


class Worker:
    """Takes events out of a queue and brings them to their entities, each once; and fires the timers of entities.

    An event's end is kept in the same transaction as the step it causes, as far as both are in one database. `run`
    works until `shutdown`, SIGTERM or SIGINT: then nothing more is claimed, what was not begun is given back, and the
    rest gets `drain_timeout_s`.
    """

    def __init__(
        self,
        config: WorkerConfig | None = None,
        guards: GuardRegistry | None = None,
        actions: ActionRegistry | None = None,
        *,
        event_source: EventSource | None = None,
        transition_hooks: list[Any] | None = None,
    ) -> None:
        self._config = config or WorkerConfig()
        self._guards = guards
        self._actions = actions
        self._given_source = event_source
        self._hooks = transition_hooks or []
        self._store: SqlStateStore | None = None
        self._sources: list[Any] = []
        self._lanes: list[Lane] = []
        self._health: HealthChecker | None = None
        self._letters: DeadLetterStore | None = None
        self._machines: WorkerMachines | None = None
        self._timers: TimerSource | None = None
        self._drainer: OutboxDrainer | None = None
        self._is_running = False
        self._stop: asyncio.Event | None = None

    @property
    def config(self) -> WorkerConfig:
        """Its settings."""
        return self._config

    @property
    def health(self) -> HealthChecker | None:
        """How it stands; None before `start`."""
        return self._health

    @property
    def dlq_store(self) -> DeadLetterStore | None:
        """Where it puts what it gives up; None before `start`, and where dead letters are off."""
        return self._letters

    @property
    def timers_dropped(self) -> int:
        """How many timers have come for entities that had moved on."""
        return 0 if self._timers is None else self._timers.dropped

    async def start(self) -> None:
        """Connect, and load the machines."""
        if self._machines is not None:
            return
        config = self._config
        url = config.resolve_db_url()
        store = unconnected_state_store(url)
        if not isinstance(store, SqlStateStore):
            raise ValueError(f"a worker needs SQLite or PostgreSQL, not {type(store).__name__}; set db_url")
        await asyncio.to_thread(store.connect)
        self._store = store
        folder = config.machine_dir if config.machine_source == "yaml" else None
        outbox = OutboxPolicy(
            lease_seconds=config.claim_lease_timeout_s, max_attempts=config.max_attempts,
            base_delay_seconds=config.retry_backoff_base_ms / 1000,
            max_delay_seconds=config.retry_backoff_max_ms / 1000,
        )  # fmt: skip
        machines = WorkerMachines(store, self._guards, self._actions, self._hooks, folder, outbox)
        await asyncio.to_thread(machines.load)
        self._machines = machines
        if config.dlq_enabled:
            self._letters = create_store(
                DLQConfig(
                    backend="database", database_url=config.resolve_dlq_database_url(), table_name=config.dlq_table_name
                )
            )
        events = self._given_source or DatabaseEventSource(url, config, store=store)
        data = DatabaseApplyDataEventSource(url, config, store=store)
        self._timers = TimerSource(
            store, lease_seconds=float(config.claim_lease_timeout_s), max_attempts=config.max_attempts,
            poll_seconds=config.poll_interval_ms / 1000, policy=check_policy(config.timers),
        )  # fmt: skip
        await self._timers.restore()
        self._sources = [events, data]
        self._lanes = [
            self._lane(events, config.concurrency, config.poll_interval_ms),
            self._lane(data, config.apply_data_concurrency, config.apply_data_poll_interval_ms),
            self._lane(self._timers, config.concurrency, config.poll_interval_ms),
        ]
        self._drainer = OutboxDrainer.over(
            machines, letters=self._letters, worker_id=config.worker_id, batch_size=config.batch_size,
            concurrency=config.concurrency, lease_seconds=config.claim_lease_timeout_s,
            poll_seconds=config.poll_interval_ms / 1000,
        )  # fmt: skip
        self._health = HealthChecker(events, machines)
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Work until told to stop."""
        await self.start()
        stop = self._stop
        assert stop is not None  # noqa: S101 - `start` has made it
        self._is_running = True
        signals = self._catch_signals(stop)
        await self._listen()
        lanes = [asyncio.create_task(lane.run()) for lane in self._lanes]
        beside = [asyncio.create_task(work()) for lane in self._lanes for work in (lane.sweep, lane.renew)]
        drainer = self._drainer
        assert drainer is not None  # noqa: S101 - `start` has made it
        draining = asyncio.create_task(drainer.run())
        try:
            await stop.wait()
        finally:
            for lane in self._lanes:
                lane.stop()
            await asyncio.gather(*lanes)
            drainer.shutdown()
            await asyncio.gather(*(lane.drain(self._config.drain_timeout_s) for lane in self._lanes))
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await draining
            for number in signals:
                asyncio.get_running_loop().remove_signal_handler(number)
            await self._close()

    async def shutdown(self) -> None:
        """Have `run` drain and return. Without `run`, let go of all connections."""
        if self._stop is None:
            return
        self._stop.set()
        if not self._is_running:
            await self._close()

    def _lane(self, source: Any, concurrency: int, poll_ms: int) -> Lane:
        config = self._config
        machines = self._machines
        assert machines is not None  # noqa: S101 - `start` makes them first
        return Lane(
            source,
            machines,
            worker_id=config.worker_id,
            concurrency=concurrency,
            batch_size=config.batch_size,
            poll_seconds=poll_ms / 1000,
            lease_seconds=float(config.claim_lease_timeout_s),
            letters=self._letters,
        )

    def _catch_signals(self, stop: asyncio.Event) -> list[signal.Signals]:
        caught = []
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            except (NotImplementedError, RuntimeError, ValueError):
                # Not the main thread, or a system without: whoever runs the worker there calls `shutdown`.
                continue
            caught.append(number)
        return caught

    async def _listen(self) -> None:
        listen = getattr(self._store, "listen", None)
        if not self._config.notify or listen is None:
            return
        loop = asyncio.get_running_loop()

        def wake(_: str) -> None:
            for lane in self._lanes:
                loop.call_soon_threadsafe(lane.wake.set)

        try:
            await listen(wake)
        except Exception:
            logger.exception("Events are looked for every %s ms only", self._config.poll_interval_ms)

    async def _close(self) -> None:
        self._is_running = False
        for source in self._sources:
            await source.close()
        if self._machines is not None:
            await self._machines.close()
        store, self._store = self._store, None
        if store is not None:
            await asyncio.to_thread(store.disconnect)
        close = getattr(self._letters, "close", None)
        if close is not None:
            await close()
