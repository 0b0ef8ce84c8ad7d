"""The steps of many events at once: what they ask of the store goes there together, actions are done by threads."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

from spikard.fsm.errors import FSMError
from spikard.fsm.orchestration.orchestrator import Orchestrator
from spikard.fsm.orchestration.requests import Steps
from spikard.fsm.orchestration.working_driver import WorkingDriver
from spikard.fsm.stores.row import EntityChange, EventEnd

logger = logging.getLogger("spikard.fsm.worker")

# What may take long, and must not hold up the others.
_SLOW = frozenset({"execute", "execute_together", "pause", "hold", "start", "stop", "callbacks", "timers", "begin"})
_TOGETHER = frozenset({"load", "commit"})

Start = Callable[[], tuple[Orchestrator, Steps]]


class Job:
    """One event on its way. It is settled when its end is kept; `answer` or `error` is what it came to."""

    __slots__ = (
        "answer", "driver", "end", "error", "event", "is_settled", "key", "must_exist", "outbox", "reply", "request",
        "start", "steps", "thrown",
    )  # fmt: skip

    def __init__(self, event: Any, key: str, start: Start, table: str | None, *, must_exist: bool = False) -> None:
        self.event = event
        self.key = key
        self.start = start
        self.end = None if table is None else EventEnd(table, event.event_id, event.fence)
        self.must_exist = must_exist
        self.is_settled = False
        self.steps: Steps | None = None
        self.driver: WorkingDriver | None = None
        self.request: tuple[Any, ...] = ()
        self.reply: Any = None
        self.thrown: BaseException | None = None
        self.answer: Any = None
        self.error: BaseException | None = None
        # Actions that are being done for it, by whose lease nobody else may do them.
        self.outbox: dict[str, int] = {}


class MissingEntityError(FSMError):
    """Data has come for an entity that there is not."""


class Runner:
    """Drives events on one thread, and their actions on others. `finished` is called with what is done."""

    def __init__(self, store: Any, concurrency: int, finished: Callable[[list[Job]], None]) -> None:
        self._store = store
        self._finished = finished
        self._ready: list[Job] = []
        self._changed = threading.Condition()
        self._slow: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._is_stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"spikard-fsm-worker-{number}", daemon=True)
            for number in range(concurrency)
        ]
        self._threads.append(threading.Thread(target=self._run, name="spikard-fsm-worker-steps", daemon=True))
        for thread in self._threads:
            thread.start()

    def submit(self, jobs: list[Job]) -> None:
        """Take events on."""
        with self._changed:
            self._ready += jobs
            self._changed.notify()

    def take_back(self) -> list[Job]:
        """Those that nobody has begun with."""
        with self._changed:
            untouched = [job for job in self._ready if job.steps is None]
            self._ready = [job for job in self._ready if job.steps is not None]
        return untouched

    def stop(self) -> None:
        """Take nothing on any more; what is under way goes on until it wants something of the store."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        for _ in self._threads:
            self._slow.put(None)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._ready and not self._is_stopping:
                    self._changed.wait()
                if self._is_stopping:
                    return
                jobs, self._ready = self._ready, []
            held = {id(job): job for job in jobs}
            try:
                self._round(jobs, held)
            except Exception as error:
                logger.exception("%d events could not be driven", len(held))
                for job in held.values():
                    job.error = error
                # Otherwise their leases would be renewed for as long as the worker lives.
                self._end(list(held.values()))

    def _round(self, jobs: list[Job], held: dict[int, Job]) -> None:
        """Drive jobs as far as the store alone is needed; who is handed on or at an end leaves `held`."""
        waiting: dict[str, list[Job]] = {"load": [], "commit": []}
        while jobs:
            done: list[Job] = []
            for job in jobs:
                kind = job.request[0] if job.request else self._advance(job)
                if kind == "done":
                    done.append(job)
                elif kind in waiting:
                    waiting[kind].append(job)
                else:
                    del held[id(job)]
                    self._slow.put(job)
            if done:
                for job in done:
                    del held[id(job)]
                self._end(done)
            jobs = []
            if waiting["load"]:
                jobs, waiting["load"] = self._load(waiting["load"]), []
            elif waiting["commit"]:
                jobs, waiting["commit"] = self._commit(waiting["commit"])

    def _advance(self, job: Job) -> str:
        """Go on until something is asked of the store, of a thread, or of nobody any more."""
        try:
            if job.steps is None:
                orchestrator, job.steps = job.start()
                job.driver = WorkingDriver(orchestrator)
            while True:
                request = self._next(job)
                if request[0] in _TOGETHER or request[0] in _SLOW:
                    job.request = request
                    return str(request[0])
                self._do(job, request)
        except StopIteration as finished:
            job.answer = finished.value
        except BaseException as error:  # noqa: BLE001 - whoever has submitted it is told
            job.error = error
        return "done"

    def _next(self, job: Job) -> tuple[Any, ...]:
        assert job.steps is not None  # noqa: S101 - begun
        reply, thrown, job.reply, job.thrown = job.reply, job.thrown, None, None
        if thrown is not None:
            return job.steps.throw(thrown)
        return job.steps.send(reply)

    def _do(self, job: Job, request: tuple[Any, ...]) -> None:
        try:
            job.reply = getattr(job.driver, request[0])(*request[1:])
        except BaseException as error:  # noqa: BLE001 - the steps know what to make of it
            job.thrown = error

    def _work(self) -> None:
        """A thread of actions: goes on with an event until it wants something of the store."""
        while (job := self._slow.get()) is not None:
            kind = "slow"
            while kind not in ("done", *_TOGETHER):
                request, job.request = job.request, ()
                self._do(job, request)
                kind = self._advance(job)
            if kind == "done":
                self._end([job])
            else:
                self.submit([job])

    def _end(self, jobs: list[Job]) -> None:
        try:
            self._finished(jobs)
        except RuntimeError:
            # Its loop is closed: the time to drain was up, and the leases lapse.
            logger.warning("%d events ended after their worker", len(jobs))

    def _load(self, jobs: list[Job]) -> list[Job]:
        try:
            rows = self._store.load_many(list({job.request[1] for job in jobs}))
        except Exception as error:  # noqa: BLE001 - the steps know what to make of it
            return _thrown(jobs, error)
        for job in jobs:
            row = rows[job.request[1]]
            if job.must_exist and row.state is None:
                job.thrown = MissingEntityError(f"Entity not found: {row.entity_id}")
            else:
                # What several read, each may write into.
                job.reply = row._replace(context=dict(row.context))
            job.request = ()
        return jobs

    def _commit(self, jobs: list[Job]) -> tuple[list[Job], list[Job]]:
        """Those that can go on, and those that have to wait for another of the same entity."""
        now: dict[str, Job] = {}
        later: list[Job] = []
        for job in jobs:
            change = job.request[1]
            if change.entity_id in now:
                later.append(job)
                continue
            now[change.entity_id] = job
            if job.end is not None and not job.is_settled and change.state is not None:
                change.ends = job.end._replace(result=result_of(change))
        chosen = list(now.values())
        try:
            outcomes = self._store.commit_many([job.request[1] for job in chosen])
        except Exception:
            logger.warning("%d changes could not be kept together; each for itself now", len(chosen), exc_info=True)
            outcomes = [self._alone(job.request[1]) for job in chosen]
        for job, outcome in zip(chosen, outcomes, strict=True):
            self._committed(job, outcome)
        return chosen, later

    def _alone(self, change: EntityChange) -> int | Exception:
        try:
            version: int = self._store.commit(change)
        except Exception as error:  # noqa: BLE001 - the steps know what to make of it
            return error
        return version

    def _committed(self, job: Job, outcome: int | Exception) -> None:
        change: EntityChange = job.request[1]
        job.request = ()
        if isinstance(outcome, Exception):
            job.thrown = outcome
            return
        job.reply = outcome
        job.is_settled = job.is_settled or change.ends is not None or change.spent is not None
        for row in change.outbox:
            job.outbox[row.outbox_id] = 0
        for outbox_id in change.settled:
            job.outbox.pop(outbox_id, None)


def result_of(change: EntityChange) -> dict[str, Any]:
    """What is kept of the outcome of an event."""
    result = {"source_state": change.metadata.get("source_state"), "target_state": change.metadata.get("target_state")}
    if change.transitions:
        result["transition_id"] = change.transitions[0].transition_id
    return {**result, "success": True}


def _thrown(jobs: list[Job], error: BaseException) -> list[Job]:
    for job in jobs:
        job.request, job.thrown = (), error
    return jobs
