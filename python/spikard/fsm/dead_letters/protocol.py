"""What keeps dead letters, and what tries them again."""

from datetime import datetime
from typing import Protocol, runtime_checkable

from spikard.fsm.dead_letters.record import DeadLetterRecord, DLQStatistics, DLQStatus, QueryResult


@runtime_checkable
class DeadLetterStore(Protocol):
    """Keeps dead letters."""

    async def add(self, record: DeadLetterRecord) -> None:
        """Keep one. One whose id is kept already stays as it is."""
        ...

    async def add_batch(self, records: list[DeadLetterRecord]) -> int:
        """Keep several; how many there were."""
        ...

    async def get(self, record_id: str) -> DeadLetterRecord | None:
        """One by its id."""
        ...

    async def query(
        self,
        *,
        source_name: str | None = None,
        reason: str | None = None,
        stage: str | None = None,
        status: DLQStatus | None = None,
        limit: int = 100,
        offset: int = 0,
        cursor: str | None = None,
    ) -> QueryResult:
        """A page of those that fit, the newest first."""
        ...

    async def mark_retry(self, record_id: str) -> bool:
        """One more attempt is being made; False where there is no such record."""
        ...

    async def resolve(self, record_id: str) -> bool:
        """It was done after all."""
        ...

    async def ignore(self, record_id: str) -> bool:
        """It will not be done."""
        ...

    async def statistics(self, source_name: str | None = None) -> DLQStatistics:
        """How many there are of each kind."""
        ...

    async def purge_expired(self) -> int:
        """Forget those whose time is up; how many there were."""
        ...

    async def purge_resolved(self, older_than: datetime | None = None) -> int:
        """Forget those that are resolved, or of them only those made before a moment; how many there were."""
        ...


@runtime_checkable
class RetryHandler(Protocol):
    """Does again what could not be done."""

    async def handle(self, record: DeadLetterRecord) -> bool:
        """Whether it was done this time."""
        ...
