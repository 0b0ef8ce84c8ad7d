"""What a scheduler does."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from spikard.fsm.schedulers.task import ScheduledTask

Callback = Callable[[], Any] | Callable[[], Awaitable[Any]]


class SchedulerAdapter(ABC):
    """Fires events later, and can be told not to."""

    @abstractmethod
    async def schedule(
        self,
        delay_ms: int,
        callback: Callback,
        entity_id: str,
        event: str,
        metadata: dict[str, Any] | None = None,
    ) -> str:
        """Fire an event after a while; the id of the task."""

    @abstractmethod
    async def cancel(self, task_id: str) -> bool:
        """Do not fire it; whether it was still waiting."""

    @abstractmethod
    async def get_task(self, task_id: str) -> ScheduledTask | None:
        """A task, as far as it is remembered."""

    @abstractmethod
    async def get_pending_tasks(self, entity_id: str | None = None) -> list[ScheduledTask]:
        """Those that wait, of one entity or of all."""

    async def cancel_for_entity(self, entity_id: str) -> int:
        """Fire nothing for an entity; how many waited."""
        waiting = await self.get_pending_tasks(entity_id)
        return sum([await self.cancel(task.task_id) for task in waiting])

    async def close(self) -> None:  # noqa: B027 - many have nothing to close
        """Let go of what the scheduler holds."""
