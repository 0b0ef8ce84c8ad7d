"""States in Redis: one hash for each key, written where its version is the expected one; the journal beside them."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from spikard.bots.clock import now
from spikard.bots.offsets import DeadLetter, Finish, JournalEntry, Write
from spikard.bots.redis_client import redis_client
from spikard.bots.storages import redis_scripts as scripts
from spikard.bots.storages.base import BaseStorage, Record, StorageKey, key_of, key_text
from spikard.bots.storages.content import as_mapping, decode, encode
from spikard.bots.storages.redis_journal import RedisJournal

if TYPE_CHECKING:
    from redis.asyncio import Redis


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode() if isinstance(value, bytes) else str(value)


class RedisStorage(BaseStorage):
    """A storage and an `OffsetStore` that processes share. What outlives the server is for its settings to say.

    Args:
        redis: A client of `redis.asyncio`, with `decode_responses` on or off; made from `url` if there is none.
        key_prefix: What all keys begin with.
        state_ttl: Seconds that a record is kept after its last change; the longer of both counts. None: for good.
        data_ttl: As `state_ttl`.
        url: Where the server is.
        legacy_prefix: Of records that vkworkspace wrote: read where there are none of ours, moved when written.
    """

    is_durable = True

    def __init__(
        self,
        redis: "Redis | None" = None,
        key_prefix: str = "spikard",
        state_ttl: float | None = None,
        data_ttl: float | None = None,
        url: str = "redis://localhost:6379/0",
        *,
        legacy_prefix: str | None = None,
    ) -> None:
        if redis is None:
            redis = redis_client(url)
        self._redis: Any = redis
        self._prefix = key_prefix
        self._legacy = legacy_prefix
        self._ttl = int(1000 * max(state_ttl or 0, data_ttl or 0))
        self._write = self._redis.register_script(scripts.CHANGE)
        self._finish = self._redis.register_script(scripts.FINISH)
        self._journal = RedisJournal(self._redis, key_prefix)

    def _name(self, key: StorageKey) -> str:
        return f"{self._prefix}:fsm:{key_text(key)}"

    async def _change(
        self, key: StorageKey, fields: Mapping[str, str], removed: list[str], expected: int | None = None
    ) -> bool:
        arguments: list[str | int | float] = [
            -1 if expected is None else expected,
            json.dumps(fields),
            json.dumps(removed),
            self._ttl,
            now(),
        ]
        is_written = bool(await self._write(keys=[self._name(key)], args=arguments))
        if is_written and self._legacy is not None:
            await self._redis.delete(*self._legacy_names(key))
        return is_written

    def _legacy_names(self, key: StorageKey) -> list[str]:
        base = f"{self._legacy}:fsm:{key.bot_id}:{key.chat_id}:{key.user_id}"
        return [f"{base}:state", f"{base}:data"]

    async def get(self, key: StorageKey) -> Record:
        """State and data together, in one round trip."""
        state, data, version, at = await self._redis.hmget(self._name(key), ["state", "data", "version", "at"])
        if version is None and self._legacy is not None:
            state, data = await self._redis.mget(self._legacy_names(key))
        return Record(
            state=_text(state),
            data=decode(data) if data is not None else {},
            version=int(version or 0),
            updated_at=float(at or 0),
        )

    async def put(self, key: StorageKey, record: Record, expect_version: int | None = None) -> bool:
        """Keeps both, if the version is the expected one."""
        return await self._change(key, *_fields(record), expect_version)

    async def set_state(self, key: StorageKey, state: str | None) -> None:
        """Keeps the state; None removes it."""
        if state is None:
            await self._change(key, {}, ["state"])
        else:
            await self._change(key, {"state": state}, [])

    async def get_state(self, key: StorageKey) -> str | None:
        """The state, or None."""
        if self._legacy is not None:
            return (await self.get(key)).state
        return _text(await self._redis.hget(self._name(key), "state"))

    async def set_data(self, key: StorageKey, data: dict[str, Any]) -> None:
        """Keeps the data."""
        if data:
            await self._change(key, {"data": encode(data).decode()}, [])
        else:
            await self._change(key, {}, ["data"])

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        """The data; empty where nothing is kept."""
        return (await self.get(key)).data

    async def update_data(self, key: StorageKey, patch: Mapping[str, Any]) -> dict[str, Any]:
        """Merges into the data and gives the whole; done again where another process has written in between."""
        while True:
            record = await self.get(key)
            merged = {**record.data, **as_mapping(patch)}
            if await self._change(key, {"data": encode(merged).decode()}, [], record.version):
                return merged

    async def scan(self, bot_id: str, state: str | None = None) -> AsyncIterator[tuple[StorageKey, Record]]:
        """All records of a bot, or those in one state."""
        pattern = f"{self._prefix}:fsm:{quote(bot_id, safe='')}:*"
        async for name in self._redis.scan_iter(match=pattern, count=1000):
            key = key_of((_text(name) or "").removeprefix(f"{self._prefix}:fsm:"))
            record = await self.get(key)
            if not record.is_empty and state in (None, record.state):
                yield key, record

    # --- what was taken over

    async def last_id(self, bot_id: str) -> int:
        """The greatest id that was taken over; 0 for a bot that has never polled."""
        return await self._journal.last_id(bot_id)

    async def take(self, bot_id: str, last_id: int, entries: Sequence[JournalEntry]) -> None:
        """Keeps entries and the offset in one step."""
        await self._journal.take(bot_id, last_id, entries)

    async def pending(self, bot_id: str, after: int = -1, limit: int = 1000) -> list[JournalEntry]:
        """What is not handled, by event id."""
        return await self._journal.pending(bot_id, after, limit)

    async def begin(self, bot_id: str, event_id: int, attempts: int) -> bool:
        """Notes an attempt; whether the entry is there."""
        return await self._journal.begin(bot_id, event_id, attempts)

    async def finish(self, bot_id: str, event_id: int, writes: Sequence[Write] = ()) -> Finish:
        """Drops an entry and keeps records in one step."""
        names = [self._journal.name(kind, bot_id) for kind in ("inbox", "attempts")]
        arguments: list[Any] = [event_id, self._ttl, now()]
        for key, record, expected in writes:
            fields, removed = _fields(record)
            names.append(self._name(key))
            arguments += [expected, json.dumps(fields), json.dumps(removed)]
        outcome = Finish(_text(await self._finish(keys=names, args=arguments)) or "")
        if outcome is Finish.DONE and self._legacy is not None and writes:
            await self._redis.delete(*(name for write in writes for name in self._legacy_names(write.key)))
        return outcome

    async def bury(self, bot_id: str, event_id: int, error: str) -> None:
        """Makes an entry a dead letter."""
        await self._journal.bury(bot_id, event_id, error)

    async def dead(self, bot_id: str) -> list[DeadLetter]:
        """The dead letters of a bot."""
        return await self._journal.dead(bot_id)

    async def revive(self, bot_id: str, event_id: int) -> bool:
        """Puts a dead letter back into the journal, for the next start; whether it was there."""
        return await self._journal.revive(bot_id, event_id)

    async def forget(self, bot_id: str, event_id: int) -> bool:
        """Drops a dead letter; whether it was there."""
        return await self._journal.forget(bot_id, event_id)

    async def hold(self, bot_id: str, holder: str, seconds: float, instead_of: str | None = None) -> str:
        """Takes or renews the lease of polling by the server's clock; who has it."""
        return await self._journal.hold(bot_id, holder, seconds, instead_of)

    async def release(self, bot_id: str, holder: str) -> None:
        """Gives the lease back."""
        await self._journal.release(bot_id, holder)

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()


def _fields(record: Record) -> tuple[dict[str, str], list[str]]:
    """What a whole record sets, and what it removes."""
    fields = {} if record.state is None else {"state": record.state}
    if record.data:
        fields["data"] = encode(record.data).decode()
    return fields, [name for name in ("state", "data") if name not in fields]


__all__ = ["RedisStorage"]
