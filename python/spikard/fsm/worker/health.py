"""How a worker stands."""

from datetime import UTC, datetime
from typing import Any

from spikard.fsm.queue.source import EventSource
from spikard.fsm.worker.machines import WorkerMachines


class HealthChecker:
    """Answers whether a worker lives, and whether it can work."""

    def __init__(self, event_source: EventSource, machines: WorkerMachines) -> None:
        self._source = event_source
        self._machines = machines
        self._started_at = datetime.now(UTC)

    async def liveness(self) -> bool:
        """Whether the loop runs: who can answer lives."""
        return True

    async def readiness(self) -> bool:
        """Whether events can be taken and there is a machine for them."""
        return bool(self._machines.names) and await self._source.health_check()

    async def status(self) -> dict[str, Any]:
        """All of it, as plain data."""
        reachable = await self._source.health_check()
        names = self._machines.names
        return {
            "alive": await self.liveness(),
            "ready": reachable and bool(names),
            "db_reachable": reachable,
            "machines_loaded": len(names),
            "machine_names": names,
            "pending_events": await self._source.pending_count() if reachable else None,
            "started_at": self._started_at.isoformat(),
            "uptime_seconds": int((datetime.now(UTC) - self._started_at).total_seconds()),
        }
