"""One kind of event on its way through a worker: claimed, brought to entities a few at a time, settled."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from spikard.fsm.dead_letters.protocol import DeadLetterStore
from spikard.fsm.dead_letters.record import DLQReason
from spikard.fsm.event import Event
from spikard.fsm.queue.event import ClaimedEvent
from spikard.fsm.queue.table import APPLY_DATA, EVENTS
from spikard.fsm.worker.fenced_store import Delivery, LeaseLostError, current_delivery
from spikard.fsm.worker.machines import WorkerMachines
from spikard.fsm.worker.outcome import Claimed, Failure, dead_letter, entity_not_found, raised, refused, unknown_machine

logger = logging.getLogger("spikard.fsm.worker")


class Lane:
    """Takes from one source. Machines run in threads, so that a slow action holds up nothing else."""

    def __init__(
        self,
        source: Any,
        machines: WorkerMachines,
        *,
        worker_id: str,
        concurrency: int,
        batch_size: int,
        poll_seconds: float,
        lease_seconds: float,
        letters: DeadLetterStore | None,
    ) -> None:
        self.source = source
        self.wake = asyncio.Event()
        self._machines = machines
        self._worker_id = worker_id
        self._concurrency = concurrency
        self._batch_size = batch_size
        self._poll_seconds = poll_seconds
        self._lease_seconds = lease_seconds
        self._letters = letters
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="spikard-fsm-worker")
        self._waiting: list[Claimed] = []
        self._running: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    async def run(self) -> None:
        """Take events until `stop`."""
        while not self._is_stopping:
            # Cleared before looking: what comes in between is not slept through.
            self.wake.clear()
            try:
                await self._fill()
            except Exception:
                logger.exception("Claiming events failed; the next try is in %s seconds", self._poll_seconds)
            if self._is_stopping or (self._waiting and len(self._running) < self._concurrency):
                continue
            waiting = asyncio.ensure_future(self.wake.wait())
            await asyncio.wait({waiting, *self._running}, timeout=self._poll_seconds, return_when="FIRST_COMPLETED")
            waiting.cancel()

    def stop(self) -> None:
        """Take no more."""
        self._is_stopping = True
        self.wake.set()

    async def drain(self, seconds: float) -> None:
        """Give back what nobody has begun with, and wait for the rest."""
        while self._waiting:
            event = self._waiting.pop()
            await self._release(event)
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=seconds)
            if late:
                logger.warning("%d events were not done when the time to drain was up", len(late))
        self._threads.shutdown(wait=False)

    async def sweep(self) -> None:
        """Take back what dead workers hold, a few times within each lease."""
        queue = getattr(self.source, "queue", None)
        while queue is not None and not self._is_stopping:
            try:
                failure = Failure(DLQReason.MAX_RETRIES_EXHAUSTED, "the worker went away", "LeaseExpired")
                for event in self.source.claimed(await queue.sweep()):
                    await self._bury(event, failure)
            except Exception:
                logger.exception("Looking for lapsed leases failed")
            await asyncio.sleep(self._lease_seconds / 4)

    async def _fill(self) -> None:
        if not self._waiting:
            room = self._concurrency - len(self._running)
            if room > 0:
                self._waiting = list(await self.source.claim_batch(self._worker_id, max(room, self._batch_size)))
        while self._waiting and len(self._running) < self._concurrency and not self._is_stopping:
            task = asyncio.create_task(self._handle(self._waiting.pop(0)))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _release(self, event: Claimed) -> None:
        queue = getattr(self.source, "queue", None)
        if queue is not None:
            await queue.release(event.event_id, event.fence)
        else:
            await self.source.fail(event.event_id, "the worker stops", retry=True)

    async def _handle(self, event: Claimed) -> None:
        renewing = asyncio.create_task(self._renew(event))
        try:
            # Nobody has renewed the lease while the event waited for its turn.
            waited = (datetime.now(UTC) - event.claimed_at).total_seconds()
            if waited > self._lease_seconds / 3 and not await self._extend(event):
                logger.warning("Event %s was taken by another worker while it waited", event.event_id)
                return
            await self._deliver(event)
        except Exception:
            # The lease lapses, and the event comes again.
            logger.exception("Event %s could not be settled", event.event_id)
        finally:
            renewing.cancel()
            queue = getattr(self.source, "queue", None)
            if queue is not None:
                queue.forget(event.event_id, event.fence)
            self.wake.set()

    async def _renew(self, event: Claimed) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            try:
                await self._extend(event)
            except Exception:
                logger.exception("The lease of event %s could not be renewed", event.event_id)

    async def _extend(self, event: Claimed) -> bool:
        queue = getattr(self.source, "queue", None)
        if queue is None:
            return bool(await self.source.extend(event.event_id))
        return bool(await queue.extend(event.event_id, event.fence))

    async def _deliver(self, event: Claimed) -> None:
        delivery = Delivery(EVENTS if isinstance(event, ClaimedEvent) else APPLY_DATA, event.event_id, event.fence)
        is_ours = hasattr(self.source, "queue")
        try:
            outcome = await self._in_thread(self._bring, event, delivery if is_ours else None)
        except LeaseLostError:
            logger.warning("Event %s was taken by another worker; nothing was kept", event.event_id)
            return
        except Exception as error:
            if delivery.is_settled:
                logger.exception("Event %s is kept, and what follows from it failed", event.event_id)
                return
            outcome = raised(error)
        if isinstance(outcome, Failure):
            await self._fail(event, outcome)
        elif not delivery.is_settled:
            await self.source.complete(event.event_id, outcome)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        context = contextvars.copy_context()
        call = asyncio.get_running_loop().run_in_executor
        return await call(self._threads, lambda: context.run(function, *arguments))

    def _bring(self, event: Claimed, delivery: Delivery | None) -> Failure | dict[str, Any]:
        orchestrator = self._machines.orchestrator(event.machine_name)
        if orchestrator is None:
            return unknown_machine(event.machine_name)
        current_delivery.set(delivery)
        if isinstance(event, ClaimedEvent):
            given = Event(event.trigger, dict(event.context), UUID(event.event_id))
            result = orchestrator.process_event(event.entity_id, given)
            if not result.success:
                return refused(result.error)
            return {"source_state": result.source_state, "target_state": result.target_state, "success": True}
        if orchestrator.access.load(event.entity_id).state is None:
            return entity_not_found(event.entity_id)
        fired = orchestrator.apply_data(event.entity_id, event.data)
        steps = [{"trigger": step.trigger, "target_state": step.target_state} for step in fired]
        return {"success": True, "entity_id": event.entity_id, "machine_name": event.machine_name, "fired": steps}

    async def _fail(self, event: Claimed, failure: Failure) -> None:
        is_last = not failure.retry or event.attempt >= event.max_attempts
        logger.warning("Event %s failed%s: %s", event.event_id, " for good" if is_last else "", failure.message)
        if is_last:
            # First the letter: who dies in between writes it twice rather than not at all.
            await self._bury(event, failure)
        queue = getattr(self.source, "queue", None)
        if queue is None:
            await self.source.fail(event.event_id, failure.message, retry=failure.retry)
        else:
            await queue.fail(event.event_id, failure.message, retry=failure.retry, fence=event.fence)

    async def _bury(self, event: Claimed, failure: Failure) -> None:
        if self._letters is not None:
            await self._letters.add(dead_letter(event, failure))
