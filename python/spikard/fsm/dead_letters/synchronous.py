"""Dead letters for code that cannot wait in a loop."""

from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

from spikard.fsm.background_loop import BackgroundLoop
from spikard.fsm.dead_letters.protocol import DeadLetterStore
from spikard.fsm.dead_letters.record import DeadLetterRecord, DLQStatistics, DLQStatus, QueryResult

T = TypeVar("T")


class SyncDeadLetterStore:
    """The same store, called from any thread; a loop of its own does the waiting."""

    def __init__(self, store: DeadLetterStore) -> None:
        self._store = store
        self._background = BackgroundLoop()

    def add(self, record: DeadLetterRecord) -> None:
        """Keep one."""
        self._wait(self._store.add(record))

    def add_batch(self, records: list[DeadLetterRecord]) -> int:
        """Keep several; how many there were."""
        return self._wait(self._store.add_batch(records))

    def get(self, record_id: str) -> DeadLetterRecord | None:
        """One by its id."""
        return self._wait(self._store.get(record_id))

    def query(
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
        wanted = {"source_name": source_name, "reason": reason, "stage": stage}
        page = {"limit": limit, "offset": offset, "cursor": cursor}
        return self._wait(self._store.query(status=status, **wanted, **page))  # type: ignore[arg-type] # as declared

    def mark_retry(self, record_id: str) -> bool:
        """One more attempt is being made; False where there is no such record."""
        return self._wait(self._store.mark_retry(record_id))

    def resolve(self, record_id: str) -> bool:
        """It was done after all."""
        return self._wait(self._store.resolve(record_id))

    def ignore(self, record_id: str) -> bool:
        """It will not be done."""
        return self._wait(self._store.ignore(record_id))

    def statistics(self, source_name: str | None = None) -> DLQStatistics:
        """How many there are of each kind."""
        return self._wait(self._store.statistics(source_name))

    def purge_expired(self) -> int:
        """Forget those whose time is up; how many there were."""
        return self._wait(self._store.purge_expired())

    def purge_resolved(self, older_than: datetime | None = None) -> int:
        """Forget those that are resolved, or of them only those made before a moment; how many there were."""
        return self._wait(self._store.purge_resolved(older_than))

    def close(self) -> None:
        """Close the store's connections, if it has any, and stop waiting. Used again, the store starts anew."""
        close = getattr(self._store, "close", None)
        if close is not None:
            self._wait(close())
        self._background.close()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self._background.wait(work)
