"""Whoever does the actions that nobody else has done: left by a crash, failed before, or deferred."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from time import monotonic
from typing import Any, Protocol, Self

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.background_loop import BackgroundLoop
from spikard.fsm.dead_letters.protocol import DeadLetterStore
from spikard.fsm.dead_letters.record import OUTBOX_DLQ_STAGE, DeadLetterRecord, DLQReason
from spikard.fsm.errors import LeaseLostError
from spikard.fsm.orchestration.orchestrator import Orchestrator
from spikard.fsm.orchestration.redelivery import redeliver
from spikard.fsm.orchestration.working_driver import WorkingDriver
from spikard.fsm.stores.row import HeldAction, Settlement

logger = logging.getLogger("spikard.fsm.outbox")


@dataclass(frozen=True, slots=True)
class DrainResult:
    """How many actions were done, have failed and will be tried again, were given up, or belong to others by now."""

    done: int = 0
    failed: int = 0
    dead: int = 0
    lost: int = 0

    @property
    def total(self) -> int:
        """How many were taken."""
        return self.done + self.failed + self.dead + self.lost

    def __add__(self, other: "DrainResult") -> "DrainResult":
        return DrainResult(
            self.done + other.done, self.failed + other.failed, self.dead + other.dead, self.lost + other.lost
        )


class Machines(Protocol):
    """Orchestrators by the names of their machines, all of one store."""

    @property
    def names(self) -> list[str]:
        """The names that are known now."""
        ...

    @property
    def store(self) -> Any:
        """Where entities and the outbox are."""
        ...

    def orchestrator(self, name: str) -> Orchestrator | None:
        """The one of a machine, or None."""
        ...


class _Given:
    """Orchestrators that are known from the start."""

    def __init__(self, orchestrators: Sequence[Orchestrator]) -> None:
        self._by_name = {orchestrator.machine.name: orchestrator for orchestrator in orchestrators}
        self.store = orchestrators[0].store
        self.names = list(self._by_name)
        self.orchestrator = self._by_name.get


class OutboxDrainer:
    """Takes actions that are due out of the outbox of a store, and does them in threads, those of an entity in order.

    Any number of drainers may work at once, in any number of processes: each action is held by one of them, for as long
    as it is at it. What fails comes again after a pause, up to the `max_attempts` of the orchestrator's `OutboxPolicy`;
    then it is given up, with a dead letter where there is a store for them. A `Worker` has a drainer of its own.
    """

    def __init__(self, *orchestrators: Orchestrator, **options: Any) -> None:
        if len({id(orchestrator.store) for orchestrator in orchestrators}) != 1:
            raise ValueError("an OutboxDrainer takes one or more orchestrators of one and the same store")
        self._set_up(_Given(orchestrators), **options)

    @classmethod
    def over(cls, machines: Machines, **options: Any) -> Self:
        """A drainer for machines that come and go."""
        made = cls.__new__(cls)
        made._set_up(machines, **options)
        return made

    def _set_up(
        self,
        machines: Machines,
        *,
        letters: DeadLetterStore | None = None,
        worker_id: str | None = None,
        batch_size: int = 50,
        concurrency: int = 5,
        lease_seconds: float = 60.0,
        poll_seconds: float = 1.0,
    ) -> None:
        store = machines.store
        if "outbox" not in getattr(store, "capabilities", ()):
            raise ValueError(f"{type(store).__name__} has no 'outbox' among its capabilities: nothing can be drained")
        self._store: Any = store
        self._machines = machines
        self.letters = letters
        self.worker_id = worker_id or f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"
        self._batch_size, self._concurrency = batch_size, concurrency
        self._lease_seconds, self._poll_seconds = lease_seconds, poll_seconds
        self._background = BackgroundLoop()
        self._stopping = threading.Event()
        self._wake: asyncio.Event | None = None

    def drain(self) -> DrainResult:
        """Do what is due, until nothing is."""
        total = DrainResult()
        with ThreadPoolExecutor(self._concurrency, thread_name_prefix="spikard-fsm-outbox") as threads:
            while not self._stopping.is_set():
                held = self._claim()
                if not held:
                    break
                total += self._work(threads, held)
        return total

    async def adrain(self) -> DrainResult:
        """`drain`, awaited."""
        return await asyncio.to_thread(self.drain)

    async def run(self) -> None:
        """Drain again and again, until `shutdown`."""
        self._wake = asyncio.Event()
        while not self._stopping.is_set():
            try:
                await self.adrain()
            except Exception:
                logger.exception("The outbox could not be drained; the next try is in %s seconds", self._poll_seconds)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._poll_seconds)
        self.close()

    def shutdown(self) -> None:
        """Have `run` return when the actions that were begun with are done. To be called in its loop."""
        self._stopping.set()
        if self._wake is not None:
            self._wake.set()

    def close(self) -> None:
        """Let go of what was started; a later `drain` begins anew."""
        self._background.close()

    def _claim(self) -> list[HeldAction]:
        names = self._machines.names
        held: list[HeldAction] = self._store.claim_outbox(self.worker_id, self._batch_size, self._lease_seconds, names)
        return held

    def _work(self, threads: ThreadPoolExecutor, held: Sequence[HeldAction]) -> DrainResult:
        left = {action.outbox_id: action.fence for action in held}
        by_entity = groupby(sorted(held, key=_order), key=lambda action: action.entity_id)
        running: set[Future[DrainResult]] = {
            threads.submit(self._of_entity, list(actions), left) for _, actions in by_entity
        }
        total = DrainResult()
        extend_at = monotonic() + self._lease_seconds / 3
        while running:
            pause = max(0.0, extend_at - monotonic())
            done, running = wait(running, timeout=pause, return_when=FIRST_COMPLETED)
            total = sum((future.result() for future in done), total)
            # By the clock: of many that are quick, one is always done, and the last would lose their lease unseen.
            if monotonic() >= extend_at:
                extend_at = monotonic() + self._lease_seconds / 3
                self._extend(dict(left))
        return total

    def _extend(self, left: dict[str, int]) -> None:
        try:
            if left:
                self._store.extend_outbox(left, self._lease_seconds)
        except Exception:
            # What lapses is done again, by whoever claims it, under the same key.
            logger.exception("The leases of %d actions could not be renewed", len(left))

    def _of_entity(self, actions: list[HeldAction], left: dict[str, int]) -> DrainResult:
        total = DrainResult()
        for action in actions:
            total += self._one(action)
            left.pop(action.outbox_id, None)
        return total

    def _one(self, held: HeldAction) -> DrainResult:
        orchestrator = self._machines.orchestrator(held.machine_name or "")
        if orchestrator is None:
            return DrainResult(lost=1)
        try:
            settlement: Settlement = WorkingDriver(orchestrator).run(redeliver(orchestrator, held, self._bury))
        except LeaseLostError:
            logger.warning("Action %s was taken by another deliverer; nothing was kept", held.outbox_id)
            return DrainResult(lost=1)
        except Exception:
            # The lease lapses, and the action comes again.
            logger.exception("Action %s could not be settled", held.outbox_id)
            return DrainResult(failed=1)
        if settlement.status != "done":
            logger.warning("Action %s has failed: %s", held.outbox_id, settlement.error)
        return DrainResult(**{settlement.status: 1})

    def _bury(self, held: HeldAction, message: str, error_type: str) -> None:
        if self.letters is None:
            return
        action = held.action.to_config() if isinstance(held.action, ActionSpec) else held.action
        payload = {
            "outbox_id": held.outbox_id, "entity_id": held.entity_id, "transition_id": held.transition_id,
            "action": action, **held.about,
        }  # fmt: skip
        letter = DeadLetterRecord(
            source_name=held.machine_name or "", reason=DLQReason.ACTION_FAILED.value, error_message=message,
            error_type=error_type, stage=OUTBOX_DLQ_STAGE, payload=payload, attempt=held.attempt,
            max_attempts=held.attempt,
        )  # fmt: skip
        self._background.wait(self.letters.add(letter))


def _order(action: HeldAction) -> tuple[str, str, int]:
    return action.entity_id, action.transition_id, action.ordinal
