"""Entities in Redis."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.errors import StaleVersionError
from spikard.fsm.stores.client import StateStoreClient
from spikard.fsm.stores.row import EntityChange, EntityRow, OutboxRow, TimerRow
from spikard.fsm.stores.versioned import VersionedByCommit

_CAPABILITIES = frozenset({"versions", "transactions", "durable"})
_METADATA = ("machine_name", "machine_version", "is_terminal", "workflow_status")
PAST_KEPT = 1000

# Compares and sets all of a step. KEYS: entity, timers, outbox, past, index. ARGV: expected version, entity id, then
# groups, each with its length before it: fields, states whose timers stop, timers, past, actions, outcomes.
_COMMIT = f"""
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local expected = tonumber(ARGV[1])
if expected >= 0 and expected ~= version then return {{0, version}} end
local at = 3
local function group()
  local length = tonumber(ARGV[at])
  local items = {{}}
  for i = 1, length do items[i] = ARGV[at + i] end
  at = at + length + 1
  return items
end
local fields = group()
if #fields > 0 then redis.call('HSET', KEYS[1], unpack(fields)) end
redis.call('HSET', KEYS[1], 'version', version + 1)
for _, state in ipairs(group()) do
  for _, key in ipairs(redis.call('HKEYS', KEYS[2])) do
    if string.sub(key, 1, #state + 1) == state .. '#' then redis.call('HDEL', KEYS[2], key) end
  end
end
local timers = group()
if #timers > 0 then redis.call('HSET', KEYS[2], unpack(timers)) end
local past = group()
if #past > 0 then
  redis.call('RPUSH', KEYS[4], unpack(past))
  redis.call('LTRIM', KEYS[4], -{PAST_KEPT}, -1)
end
local actions = group()
if #actions > 0 then redis.call('HSET', KEYS[3], unpack(actions)) end
local settled = group()
if #settled > 0 then redis.call('HDEL', KEYS[3], unpack(settled)) end
redis.call('SADD', KEYS[5], ARGV[2])
return {{1, version + 1}}
"""
_APPEND = """
local sequence = redis.call('HINCRBY', KEYS[1], 'event_seq', 1)
redis.call('RPUSH', KEYS[2], ARGV[1])
return sequence
"""


class RedisStateStore(StateStoreClient, VersionedByCommit):
    """Keeps each entity as one hash; a step is one script, and so one round trip."""

    def __init__(self, connection_string: str | None = None, key_prefix: str = "spikard:fsm") -> None:
        super().__init__(connection_string or "redis://127.0.0.1:6379/0")
        self._prefix = key_prefix
        self._client: Any = None

    @property
    def capabilities(self) -> frozenset[str]:
        """What may be relied on."""
        return _CAPABILITIES

    def connect(self, *_arguments: Any, **_options: Any) -> None:
        """Open the connection pool; Redis has no tables to make."""
        if self._client is not None:
            return
        try:
            import redis
        except ImportError as error:
            raise ImportError("redis is required for RedisStateStore. Install with: pip install redis") from error
        client = redis.Redis.from_url(str(self.connection_string), decode_responses=True)
        client.ping()
        self._client = client
        self._commit_script = client.register_script(_COMMIT)
        self._append_script = client.register_script(_APPEND)

    def disconnect(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    # One step as a whole

    def load(self, entity_id: str) -> EntityRow:
        """All that is kept of an entity, in one read."""
        names = ("state", "version", "context", "history", "fingerprint", "entered_at")
        state, version, context, history, fingerprint, entered_at = self._connected.hmget(
            self._key(entity_id), list(names)
        )
        return EntityRow(
            entity_id, state, int(version or 0), _decoded(context), _decoded(history), fingerprint,
            datetime.fromisoformat(entered_at) if entered_at else None,
        )  # fmt: skip

    def commit(self, change: EntityChange) -> int:
        """Keep a change; the new version, or `StaleVersionError`."""
        merges = change.patch is not None or bool(change.removed)
        while True:
            context, expected = change.context, change.expected_version
            if merges:
                row = self.load(change.entity_id)
                merged = {**row.context, **(change.patch or {})}
                context = {key: value for key, value in merged.items() if key not in change.removed}
                expected = row.version if expected is None else expected
            try:
                return self._commit(change, context, expected)
            except StaleVersionError:
                # Whoever wins last was asked for, and the merge was of an older context.
                if change.expected_version is not None or not merges:
                    raise

    def _commit(self, change: EntityChange, context: Mapping[str, Any] | None, expected: int | None) -> int:
        client, entity_id = self._connected, change.entity_id
        fields = {key: _encoded(change.metadata[key]) for key in _METADATA if key in change.metadata}
        if change.state is not None:
            fields["state"] = change.state
        if context is not None:
            fields["context"] = _encoded(dict(context))
        if change.history is not None:
            fields["history"] = _encoded(dict(change.history))
        if change.fingerprint is not None:
            fields["fingerprint"] = change.fingerprint
        if change.entered_at is not None:
            fields["entered_at"] = change.entered_at.isoformat()
        timers = {t.timer_key: _encoded([t.trigger, t.fires_at.isoformat()]) for t in change.arm_timers}
        now = datetime.now(UTC).isoformat()
        past = [_encoded({"entity_id": entity_id, **t._asdict(), "created_at": now}) for t in change.transitions]
        actions = {row.outbox_id: _encoded([row.transition_id, row.ordinal, _config(row)]) for row in change.outbox}
        settled = [outbox_id for outbox_id, status in change.settled.items() if status != "failed"]
        arguments: list[Any] = [-1 if expected is None else expected, entity_id]
        for group in (_flat(fields), change.cancel_timers, _flat(timers), past, _flat(actions), settled):
            arguments += [len(group), *group]
        keys = [self._key(entity_id), *(self._key(entity_id, kind) for kind in ("timers", "outbox", "past"))]
        done, version = self._commit_script(keys=[*keys, f"{self._prefix}:entities"], args=arguments, client=client)
        if not done:
            raise StaleVersionError(entity_id, expected or 0, version)
        return int(version)

    async def aload(self, entity_id: str) -> EntityRow:
        """`load`, awaited."""
        return await asyncio.to_thread(self.load, entity_id)

    async def acommit(self, change: EntityChange) -> int:
        """`commit`, awaited."""
        return await asyncio.to_thread(self.commit, change)

    # States and contexts

    def get_state(self, entity_id: str) -> str | None:
        """The state of an entity, or None for one that is not kept."""
        state: str | None = self._connected.hget(self._key(entity_id), "state")
        return state

    def set_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
        """Keep a state; a `context` in the metadata is kept with it."""
        self.set_state_versioned(entity_id, state, metadata=metadata)

    def get_context(self, entity_id: str) -> dict[str, Any]:
        """The context of an entity, empty for one that is not kept."""
        return _decoded(self._connected.hget(self._key(entity_id), "context"))

    def set_context(self, entity_id: str, context: dict[str, Any]) -> None:
        """Keep a context."""
        self._connected.hset(self._key(entity_id), "context", _encoded(context))

    async def aget_state(self, entity_id: str) -> str | None:
        """`get_state`, awaited."""
        return await asyncio.to_thread(self.get_state, entity_id)

    async def aset_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
        """`set_state`, awaited."""
        await asyncio.to_thread(lambda: self.set_state(entity_id, state, metadata=metadata))

    async def aget_context(self, entity_id: str) -> dict[str, Any]:
        """`get_context`, awaited."""
        return await asyncio.to_thread(self.get_context, entity_id)

    async def aset_context(self, entity_id: str, context: dict[str, Any]) -> None:
        """`set_context`, awaited."""
        await asyncio.to_thread(self.set_context, entity_id, context)

    # Questions

    def get_is_terminal(self, entity_id: str) -> bool | None:
        """Whether the entity rests in a terminal state, as far as was said."""
        found = self._connected.hget(self._key(entity_id), "is_terminal")
        return None if found is None else bool(msgspec.json.decode(found))

    def get_workflow_status(self, entity_id: str) -> str | None:
        """How the work stands, as far as was said."""
        found = self._connected.hget(self._key(entity_id), "workflow_status")
        return None if found is None else msgspec.json.decode(found, type=str | None)

    def list_entities(self, state: str | None = None, limit: int = 100, offset: int = 0) -> list[str]:
        """Ids of entities in the order of the alphabet, in one state or in any."""
        names = sorted(self._connected.smembers(f"{self._prefix}:entities"))
        chosen = names if state is None else [name for name, at in self._states(names).items() if at == state]
        return chosen[offset : offset + limit]

    def count_by_state(self) -> dict[str, int]:
        """How many entities are in each state."""
        states = self._states(self._connected.smembers(f"{self._prefix}:entities"))
        return dict(Counter(state for state in states.values() if state is not None))

    def get_states_batch(self, entity_ids: list[str]) -> dict[str, str | None]:
        """The states of entities, in one round trip."""
        return self._states(entity_ids)

    def set_states_batch(self, updates: dict[str, str], *, metadata: dict[str, Any] | None = None) -> None:
        """Keep states."""
        for entity_id, state in updates.items():
            self.set_state(entity_id, state, metadata=metadata)

    def delete_entity(self, entity_id: str) -> bool:
        """Forget an entity and all that belongs to it; whether there was one."""
        pipeline = self._connected.pipeline()
        pipeline.delete(self._key(entity_id))
        pipeline.delete(*(self._key(entity_id, kind) for kind in ("timers", "outbox", "past", "events")))
        pipeline.srem(f"{self._prefix}:entities", entity_id)
        return bool(pipeline.execute()[0])

    def get_outbox(self, entity_id: str) -> list[OutboxRow]:
        """Actions that are kept and not done."""
        rows = self._connected.hgetall(self._key(entity_id, "outbox"))
        return [OutboxRow(outbox_id, *msgspec.json.decode(text)) for outbox_id, text in sorted(rows.items())]

    def get_timers(self, entity_id: str) -> list[TimerRow]:
        """Timers that are armed."""
        rows = {key: msgspec.json.decode(text) for key, text in self._timers(entity_id).items()}
        return [TimerRow(key, row[0], datetime.fromisoformat(row[1])) for key, row in sorted(rows.items())]

    def get_transition_history(self, entity_id: str, limit: int = 50) -> list[dict[str, Any]]:
        """The latest transitions of an entity, the newest first."""
        lines = self._connected.lrange(self._key(entity_id, "past"), -limit, -1) if limit else []
        return [msgspec.json.decode(line) for line in reversed(lines)]

    def append_event(
        self,
        entity_id: str,
        trigger: str,
        *,
        payload: dict[str, Any] | None = None,
        event_id: str | None = None,
        source: str = "",
        machine_name: str | None = None,
    ) -> int:
        """Keep an event; its place among those of the entity, from one."""
        about = {"entity_id": entity_id, "trigger": trigger, "payload": payload or {}, "event_id": event_id}
        event = _encoded({**about, "source": source, "machine_name": machine_name})
        keys = [self._key(entity_id), self._key(entity_id, "events")]
        return int(self._append_script(keys=keys, args=[event], client=self._connected))

    def get_events(self, entity_id: str, *, after_sequence: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Events of an entity, from a place on."""
        last = after_sequence + limit - 1
        events = self._connected.lrange(self._key(entity_id, "events"), after_sequence, last)
        return [
            {**msgspec.json.decode(event), "sequence": place} for place, event in enumerate(events, after_sequence + 1)
        ]

    @property
    def _connected(self) -> Any:
        if self._client is None:
            raise RuntimeError("Not connected. Call connect() first.")
        return self._client

    def _key(self, entity_id: str, kind: str = "entity") -> str:
        return f"{self._prefix}:{kind}:{entity_id}"

    def _timers(self, entity_id: str) -> dict[str, str]:
        found: dict[str, str] = self._connected.hgetall(self._key(entity_id, "timers"))
        return found

    def _states(self, entity_ids: Iterable[str]) -> dict[str, str | None]:
        names = list(entity_ids)
        pipeline = self._connected.pipeline(transaction=False)
        for name in names:
            pipeline.hget(self._key(name), "state")
        return dict(zip(names, pipeline.execute(), strict=True))


def _config(row: OutboxRow) -> Any:
    return row.action.to_config() if isinstance(row.action, ActionSpec) else row.action


def _flat(values: Mapping[str, Any]) -> list[Any]:
    return [part for pair in values.items() for part in pair]


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()


def _decoded(text: str | None) -> dict[str, Any]:
    return msgspec.json.decode(text, type=dict[str, Any]) if text else {}
