"""Dead letters for operators."""

from spikard.fsm.dead_letters.record import DeadLetterRecord, DLQStatistics, DLQStatus, QueryResult
from spikard.fsm.dead_letters.synchronous import SyncDeadLetterStore


class DLQClient:
    """Looks at dead letters and settles them."""

    def __init__(self, store: SyncDeadLetterStore | str) -> None:
        """`store` may be the URL of a database."""
        if isinstance(store, str):
            from spikard.fsm.dead_letters.database import DatabaseDeadLetterStore

            store = SyncDeadLetterStore(DatabaseDeadLetterStore(store))
        self._store = store

    def get(self, record_id: str) -> DeadLetterRecord | None:
        """One by its id."""
        return self._store.get(record_id)

    def query(
        self,
        *,
        source_name: str | None = None,
        reason: str | None = None,
        stage: str | None = None,
        status: DLQStatus | str | None = None,
        limit: int = 100,
        offset: int = 0,
        cursor: str | None = None,
    ) -> QueryResult:
        """A page of those that fit, the newest first."""
        return self._store.query(
            source_name=source_name, reason=reason, stage=stage, status=None if status is None else DLQStatus(status),
            limit=limit, offset=offset, cursor=cursor,
        )  # fmt: skip

    def statistics(self, source_name: str | None = None) -> DLQStatistics:
        """How many there are of each kind."""
        return self._store.statistics(source_name)

    def mark_retrying(self, record_id: str) -> bool:
        """Somebody is trying again."""
        return self._store.mark_retry(record_id)

    def resolve(self, record_id: str) -> bool:
        """It was done after all."""
        return self._store.resolve(record_id)

    def ignore(self, record_id: str) -> bool:
        """It will not be done."""
        return self._store.ignore(record_id)
