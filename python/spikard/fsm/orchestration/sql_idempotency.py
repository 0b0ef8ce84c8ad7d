"""Answers to events, in SQLite or PostgreSQL."""

from typing import Any

from spikard.fsm.errors import EventAnsweredError, EventInProgressError
from spikard.fsm.orchestration.idempotency import BEGUN_SECONDS, DAY
from spikard.fsm.stores.row import AnswerRow
from spikard.fsm.stores.sql import SqlStateStore

# Kept in the place of an answer while the event is being processed; no answer has such a key.
_BEGUN = {"_begun": True}


class SqlIdempotencyStore:
    """Remembers answers in the database of a store, which has to be connected.

    An orchestrator on the same store keeps the answer in the transaction of the step: the key is unique, so that of two
    who process an event at once one keeps nothing. On another store `begin` puts a mark there that `finish` replaces.
    """

    def __init__(self, store: SqlStateStore, *, seconds: float = DAY, begun_seconds: float = BEGUN_SECONDS) -> None:
        self.store = store
        self.seconds = seconds
        self._begun_seconds = begun_seconds

    def begin(self, key: str) -> dict[str, Any] | None:
        """What was answered before, or None; `EventInProgressError` while somebody else is doing it."""
        try:
            self.store.keep_answer(AnswerRow(key, _BEGUN, self._begun_seconds))
        except EventAnsweredError:
            found = self.store.answer(key)
            if found is None or found == _BEGUN:
                raise EventInProgressError(key) from None
            return found
        return None

    def finish(self, key: str, payload: dict[str, Any], ttl: float | None = None) -> None:
        """Remember an answer, for as long as the store was told where nothing else is said."""
        self.store.keep_answer(AnswerRow(key, payload, self.seconds if ttl is None else ttl, is_first=False))

    def forget(self, key: str) -> None:
        """Have the event be new again."""
        self.store.forget_answer(key)
