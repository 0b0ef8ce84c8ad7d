"""One kind of event on its way through a worker: claimed, brought to entities many at once, settled."""

import asyncio
import logging
from typing import Any
from uuid import UUID

from spikard.fsm.dead_letters.protocol import DeadLetterStore
from spikard.fsm.dead_letters.record import DLQReason
from spikard.fsm.errors import LeaseLostError, TimerGoneError
from spikard.fsm.event import Event
from spikard.fsm.orchestration.orchestrator import Orchestrator
from spikard.fsm.orchestration.requests import Steps
from spikard.fsm.queue.event import ClaimedEvent
from spikard.fsm.queue.table import APPLY_DATA, EVENTS
from spikard.fsm.worker.machines import WorkerMachines
from spikard.fsm.worker.outcome import Claimed, Failure, dead_letter, entity_not_found, raised, refused, unknown_machine
from spikard.fsm.worker.runner import Job, MissingEntityError, Runner
from spikard.fsm.worker.timers import ClaimedTimer, TimerSource

logger = logging.getLogger("spikard.fsm.worker")


class _UnknownMachineError(Exception):
    """There is no such machine, even after looking again."""


class Lane:
    """Takes from one source. Actions run in threads, so that a slow one holds up nothing else."""

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
        self._batch_size = max(batch_size, concurrency)
        self._poll_seconds = poll_seconds
        self._lease_seconds = lease_seconds
        self._letters = letters
        self._queue = getattr(source, "queue", None)
        self._loop = asyncio.get_running_loop()
        self._runner = Runner(machines.store, concurrency, self._tell)
        self._jobs: dict[str, Job] = {}
        self._settling: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    async def run(self) -> None:
        """Take events until `stop`."""
        while not self._is_stopping:
            # Cleared before looking: what comes in between is not slept through.
            self.wake.clear()
            try:
                found = await self._fill()
            except Exception:
                logger.exception("Claiming events failed; the next try is in %s seconds", self._poll_seconds)
                found = 0
            if self._is_stopping or found == self._batch_size:
                continue
            waiting = asyncio.ensure_future(self.wake.wait())
            await asyncio.wait({waiting}, timeout=await self._pause())
            waiting.cancel()

    async def _pause(self) -> float:
        """Until the next look: no longer than until something is known to be due."""
        if not isinstance(self.source, TimerSource):
            return self._poll_seconds
        try:
            following = await self.source.seconds_until_next()
        except Exception:
            logger.exception("When the next timer is due is not known")
            following = None
        return self._poll_seconds if following is None else min(self._poll_seconds, following)

    def stop(self) -> None:
        """Take no more."""
        self._is_stopping = True
        self.wake.set()

    async def drain(self, seconds: float) -> None:
        """Give back what nobody has begun with, and wait for the rest."""
        for job in self._runner.take_back():
            del self._jobs[job.key]
            await self._release(job.event)
        try:
            async with asyncio.timeout(seconds):
                while self._jobs:
                    self.wake.clear()
                    await self.wake.wait()
                while self._settling:
                    await asyncio.wait(self._settling)
        except TimeoutError:
            logger.warning("%d events were not done when the time to drain was up", len(self._jobs))
        self._runner.stop()

    async def sweep(self) -> None:
        """Take back what dead workers hold, a few times within each lease."""
        queue = self._queue
        while queue is not None and not self._is_stopping:
            try:
                failure = Failure(DLQReason.MAX_RETRIES_EXHAUSTED, "the worker went away", "LeaseExpired")
                for event in self.source.claimed(await queue.sweep()):
                    await self._bury(event, failure)
            except Exception:
                logger.exception("Looking for lapsed leases failed")
            await asyncio.sleep(self._lease_seconds / 4)

    async def renew(self) -> None:
        """Hold what is being worked at for longer, a few times within each lease."""
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            try:
                await self._extend([job for job in list(self._jobs.values()) if not job.is_settled])
                acting = {key: fence for job in list(self._jobs.values()) for key, fence in list(job.outbox.items())}
                if acting:
                    await asyncio.to_thread(self._machines.store.extend_outbox, acting, self._lease_seconds)
            except Exception:
                logger.exception("Leases could not be renewed")

    async def _extend(self, jobs: list[Job]) -> None:
        if self._queue is None:
            for job in jobs:
                await self.source.extend(job.event.event_id)
        elif jobs:
            await self._queue.extend_many([(job.event.event_id, job.event.fence) for job in jobs])

    async def _fill(self) -> int:
        """Claim as many as there is room for; how many there were. Two batches at most are under way."""
        if len(self._jobs) > self._batch_size:
            return 0
        events = list(await self.source.claim_batch(self._worker_id, self._batch_size))
        jobs = [self._job(event) for event in events]
        self._jobs.update((job.key, job) for job in jobs)
        if jobs:
            self._runner.submit(jobs)
        return len(events)

    def _job(self, event: Claimed) -> Job:
        if isinstance(event, ClaimedTimer):
            return Job(event, f"{event.event_id}/{event.fence}", lambda: self._begin(event), None)
        is_event = isinstance(event, ClaimedEvent)
        table = EVENTS if is_event else APPLY_DATA
        # The same event may be claimed again while its first claim, which has lapsed, is still being worked at.
        key = f"{event.event_id}/{event.fence}"
        name = None if self._queue is None else table.name
        return Job(event, key, lambda: self._begin(event), name, must_exist=not is_event)

    def _begin(self, event: Claimed) -> tuple[Orchestrator, Steps]:
        orchestrator = self._machines.orchestrator(event.machine_name)
        if orchestrator is None:
            raise _UnknownMachineError
        if isinstance(event, ClaimedTimer):
            return orchestrator, orchestrator.timer_steps(event.timer)
        if not isinstance(event, ClaimedEvent):
            return orchestrator, orchestrator.data_steps(event.entity_id, event.data)
        given = Event(event.trigger, dict(event.context), UUID(event.event_id))
        # The queue itself sees to it that the event counts once.
        return orchestrator, orchestrator.steps(event.entity_id, given, None, is_keyed=False)

    def _tell(self, jobs: list[Job]) -> None:
        """Called by threads of the runner."""
        self._loop.call_soon_threadsafe(self._done, jobs)

    def _done(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._jobs.pop(job.key, None)
            if job.is_settled and job.error is None and self._queue is not None:
                self._queue.forget(job.event.event_id, job.event.fence)
                continue
            task = asyncio.create_task(self._settle(job))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
        self.wake.set()

    async def _settle(self, job: Job) -> None:
        event = job.event
        try:
            if isinstance(job.error, TimerGoneError):
                self.source.drop(event)
                await self.source.give_up(event, "cancelled")
            elif isinstance(job.error, LeaseLostError):
                logger.warning("Event %s was taken by another worker; nothing was kept", event.event_id)
            elif job.is_settled:
                logger.error("Event %s is kept, and what follows from it failed", event.event_id, exc_info=job.error)
            elif isinstance(outcome := _outcome(job), Failure):
                await self._fail(event, outcome)
            else:
                await self.source.complete(event.event_id, outcome)
        except Exception:
            # The lease lapses, and the event comes again.
            logger.exception("Event %s could not be settled", event.event_id)
        finally:
            if self._queue is not None:
                self._queue.forget(event.event_id, event.fence)

    async def _release(self, event: Claimed) -> None:
        if self._queue is not None:
            await self._queue.release(event.event_id, event.fence)
        else:
            await self.source.fail(event.event_id, "the worker stops", retry=True)

    async def _fail(self, event: Claimed, failure: Failure) -> None:
        is_last = not failure.retry or event.attempt >= event.max_attempts
        logger.warning("Event %s failed%s: %s", event.event_id, " for good" if is_last else "", failure.message)
        if is_last:
            # First the letter: who dies in between writes it twice rather than not at all.
            await self._bury(event, failure)
        if isinstance(event, ClaimedTimer):
            await self.source.fail(
                event.event_id, failure.message, retry=failure.retry, fence=event.fence, attempt=event.attempt
            )
        elif self._queue is None:
            await self.source.fail(event.event_id, failure.message, retry=failure.retry)
        else:
            await self._queue.fail(event.event_id, failure.message, retry=failure.retry, fence=event.fence)

    async def _bury(self, event: Claimed, failure: Failure) -> None:
        if self._letters is not None:
            await self._letters.add(dead_letter(event, failure))


def _outcome(job: Job) -> Failure | dict[str, Any]:
    event, error, answer = job.event, job.error, job.answer
    if isinstance(error, _UnknownMachineError):
        return unknown_machine(event.machine_name)
    if isinstance(error, MissingEntityError):
        return entity_not_found(event.entity_id)
    if error is not None:
        return raised(error)
    if isinstance(answer, list):
        steps = [{"trigger": step.trigger, "target_state": step.target_state} for step in answer]
        return {
            "success": True, "entity_id": event.entity_id, "machine_name": event.machine_name, "fired": steps,
        }  # fmt: skip
    if isinstance(event, ClaimedTimer):
        # A timer that is refused has fired: that is what its guards are for.
        return {"success": bool(answer.success)}
    if not answer.success:
        return refused(answer.error)
    return {"source_state": answer.source_state, "target_state": answer.target_state, "success": True}
