"""Trying dead letters again."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from spikard.fsm.clock import Clock, FsmClock
from spikard.fsm.dead_letters.protocol import DeadLetterStore, RetryHandler
from spikard.fsm.dead_letters.record import DeadLetterRecord, DLQStatus
from spikard.fsm.retry_policy import RetryPolicy, compute_delay

logger = logging.getLogger("spikard.fsm.dead_letters")

Handler = RetryHandler | Callable[[DeadLetterRecord], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class RetryResult:
    """What a round of retries has given."""

    processed: int = 0
    succeeded: int = 0
    failed: int = 0
    ignored: int = 0


class RetryEngine:
    """Hands dead letters to a handler, again and again, until they are done or the policy gives up.

    Handler and policy may come in either order.
    """

    def __init__(
        self,
        store: DeadLetterStore,
        handler: Handler | RetryPolicy,
        policy: RetryPolicy | Handler,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        chosen = [one for one in (handler, policy) if isinstance(one, RetryPolicy)]
        handlers = [one for one in (handler, policy) if not isinstance(one, RetryPolicy)]
        if len(chosen) != 1 or len(handlers) != 1:
            raise TypeError("a retry engine takes a store, one handler and one RetryPolicy")
        self._policy = chosen[0]
        self._handle = handlers[0].handle if isinstance(handlers[0], RetryHandler) else handlers[0]
        self._clock = clock or FsmClock()

    async def process_pending(self, limit: int = 50) -> RetryResult:
        """Try those that are new, and those whose pause is over."""
        fresh = (await self._store.query(status=DLQStatus.PENDING, limit=limit)).records
        again = (await self._store.query(status=DLQStatus.RETRYING, limit=limit)).records
        succeeded = failed = ignored = 0
        # One that somebody else has begun with between the two looks is in both.
        for record in {record.record_id: record for record in [*fresh, *again]}.values():
            if not self._is_due(record):
                continue
            if record.retry_count >= self._policy.max_retries:
                await self._store.ignore(record.record_id)
                ignored += 1
            elif await self._try(record):
                succeeded += 1
            else:
                failed += 1
        return RetryResult(succeeded + failed + ignored, succeeded, failed, ignored)

    async def run_once(self) -> RetryResult:
        """One round."""
        return await self.process_pending()

    async def run_loop(self, interval_seconds: float = 60.0) -> None:
        """Rounds without end; cancel it to stop."""
        while True:
            try:
                await self.run_once()
            except Exception:
                logger.exception("A round of retries failed; the next is in %s seconds", interval_seconds)
            await self._clock.sleep(interval_seconds)

    def _is_due(self, record: DeadLetterRecord) -> bool:
        reasons = self._policy.retryable_reasons
        if reasons is not None and record.reason not in reasons:
            return False
        if record.status is DLQStatus.PENDING:
            return True
        pause = timedelta(seconds=compute_delay(self._policy, max(record.retry_count - 1, 0)))
        return (record.updated_at or record.created_at) + pause <= self._clock.now()

    async def _try(self, record: DeadLetterRecord) -> bool:
        await self._store.mark_retry(record.record_id)
        try:
            done = await self._handle(record)
        except Exception:
            logger.exception("Trying dead letter %s again failed", record.record_id)
            return False
        if done:
            await self._store.resolve(record.record_id)
        return bool(done)
