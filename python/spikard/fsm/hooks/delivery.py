"""Things to do soon, on a few threads, tried again with growing pauses."""

import heapq
import itertools
import logging
import random
import threading
import time
from collections.abc import Callable

logger = logging.getLogger("spikard.fsm.hooks")

MAX_PAUSE = 300.0


class Delivery:
    """Does jobs on `workers` threads, holding `max_waiting` of them at most; what waits is lost with the process.

    A job that raises an `OSError` is tried again, `retries` times; the n-th pause is about `pause_seconds` * 2^(n-1).
    """

    def __init__(
        self, *, workers: int = 4, max_waiting: int = 1000, retries: int = 5, pause_seconds: float = 1.0
    ) -> None:
        self._workers = workers
        self._max_waiting = max_waiting
        self._retries = retries
        self._pause = pause_seconds
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, int, str, Callable[[], None]]] = []
        self._order = itertools.count()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._is_closed = False

    def submit(self, what: str, job: Callable[[], None]) -> bool:
        """Do a job soon; False where too many wait. `what` names it in the log."""
        with self._changed:
            if self._is_closed or len(self._waiting) >= self._max_waiting:
                logger.warning("%s is dropped: %d wait", what, len(self._waiting))
                return False
            self._put(time.monotonic(), 0, what, job)
            if len(self._threads) < self._workers and self._busy + len(self._waiting) > len(self._threads):
                thread = threading.Thread(target=self._work, name="spikard-fsm-delivery", daemon=True)
                self._threads.append(thread)
                thread.start()
        return True

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until nothing is left to do; whether it came to that within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._busy, timeout)

    def close(self) -> None:
        """Stop the threads; what has not begun is dropped."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _put(self, due: float, attempt: int, what: str, job: Callable[[], None]) -> None:
        heapq.heappush(self._waiting, (due, next(self._order), attempt, what, job))
        # All of them: one alone could be somebody who flushes.
        self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._is_closed and (not self._waiting or self._waiting[0][0] > time.monotonic()):
                    pause = self._waiting[0][0] - time.monotonic() if self._waiting else None
                    self._changed.wait(pause)
                if self._is_closed:
                    return
                _, _, attempt, what, job = heapq.heappop(self._waiting)
                self._busy += 1
            error = self._attempt(what, job)
            with self._changed:
                self._busy -= 1
                if error is not None and not self._is_closed:
                    self._again(attempt + 1, what, job, error)
                self._changed.notify_all()

    def _attempt(self, what: str, job: Callable[[], None]) -> OSError | None:
        try:
            job()
        except OSError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a thread goes on with what others want
            logger.warning("%s failed: %s", what, error)
        return None

    def _again(self, attempt: int, what: str, job: Callable[[], None], error: OSError) -> None:
        if attempt > self._retries:
            logger.warning("%s failed %d times and is given up: %s", what, attempt, error)
            return
        pause = min(self._pause * 2 ** (attempt - 1), MAX_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        self._put(time.monotonic() + pause, attempt, what, job)
