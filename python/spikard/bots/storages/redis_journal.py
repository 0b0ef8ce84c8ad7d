"""What was taken over from the servers, in Redis: all of it under the keys of one bot."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from spikard.bots.clock import now
from spikard.bots.offsets import DeadLetter, JournalEntry
from spikard.bots.storages import redis_scripts as scripts


class RedisJournal:
    """The part of an `OffsetStore` that has nothing to do with records."""

    def __init__(self, redis: Any, key_prefix: str) -> None:
        self._redis = redis
        self._prefix = key_prefix
        self._take = redis.register_script(scripts.TAKE)
        self._begin = redis.register_script(scripts.BEGIN)
        self._bury = redis.register_script(scripts.BURY)
        self._revive = redis.register_script(scripts.REVIVE)
        self._hold = redis.register_script(scripts.HOLD)
        self._release = redis.register_script(scripts.RELEASE)

    def name(self, kind: str, bot_id: str) -> str:
        """The key of the `inbox`, the `attempts`, the `offset`, the `dead` or the `poll` lease of a bot."""
        return f"{self._prefix}:{kind}:{quote(bot_id, safe='')}"

    async def last_id(self, bot_id: str) -> int:
        """The greatest id that was taken over."""
        return int(await self._redis.get(self.name("offset", bot_id)) or 0)

    async def take(self, bot_id: str, last_id: int, entries: Sequence[JournalEntry]) -> None:
        """Keeps entries and the offset."""
        values = [value for entry in entries for value in (entry.event_id, entry.raw)]
        await self._take(keys=[self.name("inbox", bot_id), self.name("offset", bot_id)], args=[last_id, *values])

    async def pending(self, bot_id: str, after: int, limit: int) -> list[JournalEntry]:
        """What is not handled, by event id."""
        found = await self._redis.hgetall(self.name("inbox", bot_id))
        attempts = await self._redis.hgetall(self.name("attempts", bot_id))
        begun = {int(event_id): int(count) for event_id, count in attempts.items()}
        entries = sorted((int(event_id), _bytes(raw)) for event_id, raw in found.items() if int(event_id) > after)
        return [JournalEntry(event_id, raw, begun.get(event_id, 0)) for event_id, raw in entries[:limit]]

    async def begin(self, bot_id: str, event_id: int, attempts: int) -> bool:
        """Notes an attempt."""
        keys = [self.name("inbox", bot_id), self.name("attempts", bot_id)]
        return bool(await self._begin(keys=keys, args=[event_id, attempts]))

    async def bury(self, bot_id: str, event_id: int, error: str) -> None:
        """Makes an entry a dead letter."""
        keys = [self.name(kind, bot_id) for kind in ("inbox", "attempts", "dead")]
        await self._bury(keys=keys, args=[event_id, error, repr(now())])

    async def dead(self, bot_id: str) -> list[DeadLetter]:
        """The dead letters of a bot."""
        letters = []
        for event_id, text in (await self._redis.hgetall(self.name("dead", bot_id))).items():
            letter = json.loads(text)
            letters.append(
                DeadLetter(
                    int(event_id),
                    letter["raw"].encode(),
                    int(letter["attempts"]),
                    letter["error"],
                    float(letter["died_at"]),
                )
            )
        return sorted(letters)

    async def revive(self, bot_id: str, event_id: int) -> bool:
        """Puts a dead letter back into the journal."""
        return bool(await self._revive(keys=[self.name("inbox", bot_id), self.name("dead", bot_id)], args=[event_id]))

    async def forget(self, bot_id: str, event_id: int) -> bool:
        """Drops a dead letter."""
        return bool(await self._redis.hdel(self.name("dead", bot_id), str(event_id)))

    async def hold(self, bot_id: str, holder: str, seconds: float, instead_of: str | None) -> str:
        """Takes or renews the lease of polling."""
        arguments = [holder, max(1, int(seconds * 1000)), instead_of or holder]
        return _bytes(await self._hold(keys=[self.name("poll", bot_id)], args=arguments)).decode()

    async def release(self, bot_id: str, holder: str) -> None:
        """Gives the lease back."""
        await self._release(keys=[self.name("poll", bot_id)], args=[holder])


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


__all__ = ["RedisJournal"]
