"""States in Redis: one hash for each key, written where its version is the expected one."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from spikard.bots.clock import now
from spikard.bots.storages.base import BaseStorage, Record, StorageKey
from spikard.bots.storages.content import as_mapping, decode, encode

if TYPE_CHECKING:
    from redis.asyncio import Redis

# KEYS[1] the hash; ARGV: the expected version or -1, fields to set, fields to remove, milliseconds to live or 0, now.
_WRITE = """
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local expected = tonumber(ARGV[1])
if expected >= 0 and expected ~= version then return 0 end
local set = cjson.decode(ARGV[2])
for name, value in pairs(set) do redis.call('HSET', KEYS[1], name, value) end
for _, name in ipairs(cjson.decode(ARGV[3])) do redis.call('HDEL', KEYS[1], name) end
if redis.call('HEXISTS', KEYS[1], 'state') == 0 and redis.call('HEXISTS', KEYS[1], 'data') == 0 then
    redis.call('DEL', KEYS[1])
    return 1
end
redis.call('HSET', KEYS[1], 'version', version + 1, 'at', ARGV[5])
local ttl = tonumber(ARGV[4])
if ttl > 0 then redis.call('PEXPIRE', KEYS[1], ttl) end
return 1
"""


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode() if isinstance(value, bytes) else str(value)


class RedisStorage(BaseStorage):
    """Shared by processes.

    Args:
        redis: A client of `redis.asyncio`, with `decode_responses` on or off; made from `url` if there is none.
        key_prefix: What all keys begin with.
        state_ttl: Seconds that a record is kept after its last change; the longer of both counts. None: for good.
        data_ttl: As `state_ttl`.
        url: Where the server is.
        legacy_prefix: Of records that vkworkspace wrote: read where there are none of ours, moved when written.
    """

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
            from redis.asyncio import Redis as Client

            redis = Client.from_url(url)
        self._redis: Any = redis
        self._prefix = key_prefix
        self._legacy = legacy_prefix
        self._ttl = int(1000 * max(state_ttl or 0, data_ttl or 0))
        self._write = self._redis.register_script(_WRITE)

    def _name(self, key: StorageKey) -> str:
        parts = (quote(part, safe="") for part in (key.bot_id, key.chat_id, key.user_id, key.destiny))
        return ":".join([self._prefix, "fsm", *parts])

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
        fields = {} if record.state is None else {"state": record.state}
        if record.data:
            fields["data"] = encode(record.data).decode()
        removed = [name for name in ("state", "data") if name not in fields]
        return await self._change(key, fields, removed, expect_version)

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
            parts = [unquote(part) for part in (_text(name) or "").removeprefix(f"{self._prefix}:fsm:").split(":")]
            key = StorageKey(*parts)
            record = await self.get(key)
            if not record.is_empty and state in (None, record.state):
                yield key, record

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()


__all__ = ["RedisStorage"]
