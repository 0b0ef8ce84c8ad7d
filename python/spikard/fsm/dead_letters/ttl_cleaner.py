"""Forgetting dead letters."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from spikard.fsm.clock import Clock, FsmClock
from spikard.fsm.dead_letters.protocol import DeadLetterStore

logger = logging.getLogger("spikard.fsm.dead_letters")


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """For how long dead letters are kept."""

    ttl_seconds: int | None = None
    resolved_retention_seconds: int = 604800
    cleanup_interval_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class CleanupResult:
    """How many were forgotten."""

    expired_purged: int = 0
    resolved_purged: int = 0


class TTLCleaner:
    """Forgets dead letters whose time is up, where the policy has a `ttl_seconds`, and resolved ones after a while."""

    def __init__(self, store: DeadLetterStore, policy: RetentionPolicy, *, clock: Clock | None = None) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock or FsmClock()

    async def cleanup_once(self) -> CleanupResult:
        """One round."""
        made_before = self._clock.now() - timedelta(seconds=self._policy.resolved_retention_seconds)
        expired = 0 if self._policy.ttl_seconds is None else await self._store.purge_expired()
        return CleanupResult(expired, await self._store.purge_resolved(made_before))

    async def run_loop(self) -> None:
        """Rounds without end; cancel it to stop."""
        while True:
            try:
                await self.cleanup_once()
            except Exception:
                logger.exception("Forgetting dead letters failed; the next round comes as usual")
            await self._clock.sleep(self._policy.cleanup_interval_seconds)
