"""Answers to events, in Redis."""

from typing import Any

from spikard.fsm.errors import EventInProgressError
from spikard.fsm.orchestration.idempotency import BEGUN_SECONDS, DAY
from spikard.fsm.stores.json_text import decoded, encoded

_BEGUN = ""


class RedisIdempotencyStore:
    """Remembers answers for as long as Redis keeps them. `client` is a connected `redis.Redis`.

    A step that is kept elsewhere and its answer are two writes: a process that dies between them leaves an event that
    is processed again once `begun_seconds` are over. With a `RedisStateStore` nothing of this is needed.
    """

    def __init__(
        self,
        client: Any,
        key_prefix: str = "spikard:fsm:event",
        *,
        seconds: float = DAY,
        begun_seconds: float = BEGUN_SECONDS,
    ) -> None:
        self._client = client
        self._prefix = key_prefix
        self.seconds = seconds
        self._begun_milliseconds = max(1, round(begun_seconds * 1000))

    def begin(self, key: str) -> dict[str, Any] | None:
        """What was answered before, or None; `EventInProgressError` while somebody else is doing it."""
        name = f"{self._prefix}:{key}"
        while not self._client.set(name, _BEGUN, nx=True, px=self._begun_milliseconds):
            found = self._client.get(name)
            if found is None:
                # It has lapsed between the two questions.
                continue
            if not found:
                raise EventInProgressError(key)
            answer: dict[str, Any] = decoded(found)
            return answer
        return None

    def finish(self, key: str, payload: dict[str, Any], ttl: float | None = None) -> None:
        """Remember an answer, for as long as the store was told where nothing else is said."""
        seconds = self.seconds if ttl is None else ttl
        self._client.set(f"{self._prefix}:{key}", encoded(payload), px=max(1, round(seconds * 1000)))

    def forget(self, key: str) -> None:
        """Have the event be new again."""
        self._client.delete(f"{self._prefix}:{key}")
