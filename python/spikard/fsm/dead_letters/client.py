"""Dead letters for operators."""

from typing import Self

from spikard.fsm.dead_letters.errors import RecordNotFoundError
from spikard.fsm.dead_letters.record import DeadLetterRecord, DLQStatistics, DLQStatus, QueryResult
from spikard.fsm.dead_letters.synchronous import SyncDeadLetterStore


class DLQClient:
    """Looks at dead letters and settles them."""

    def __init__(self, store: SyncDeadLetterStore | str, *, queue_url: str | None = None) -> None:
        """`store` may be the URL of a database, in which the queues are, too, unless `queue_url` says where."""
        if isinstance(store, str):
            from spikard.fsm.dead_letters.database import DatabaseDeadLetterStore

            queue_url = queue_url or store
            store = SyncDeadLetterStore(DatabaseDeadLetterStore(store))
        self._store = store
        self._queue_url = queue_url

    @classmethod
    def from_config(cls) -> Self:
        """A client of the dead letters of workers, where the settings of workers say."""
        from spikard.fsm.dead_letters.database import DatabaseDeadLetterStore
        from spikard.fsm.worker.config import WorkerConfig

        config = WorkerConfig()
        store = DatabaseDeadLetterStore(config.resolve_dlq_database_url(), config.dlq_table_name)
        return cls(SyncDeadLetterStore(store), queue_url=config.resolve_db_url())

    def close(self) -> None:
        """Close all connections."""
        self._store.close()

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

    def mark_retry(self, record_id: str) -> bool:
        """Somebody is trying again."""
        return self._store.mark_retry(record_id)

    def mark_retrying(self, record_id: str) -> bool:
        """`mark_retry`, by the name that older programs call."""
        return self._store.mark_retry(record_id)

    def redrive(self, record_id: str) -> str:
        """Put an event back into its queue; the id of the new event. The letter is resolved by that."""
        from spikard.fsm.dead_letters.redrive import submit_again
        from spikard.fsm.settings import application_database

        record = self._store.get(record_id)
        if record is None:
            raise RecordNotFoundError(record_id)
        event_id = submit_again(record, self._queue_url or application_database())
        self._store.resolve(record_id)
        return event_id

    def resolve(self, record_id: str) -> bool:
        """It was done after all."""
        return self._store.resolve(record_id)

    def ignore(self, record_id: str) -> bool:
        """It will not be done."""
        return self._store.ignore(record_id)
