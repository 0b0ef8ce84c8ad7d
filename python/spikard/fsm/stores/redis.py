"""Entities in Redis."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.errors import EventAnsweredError, LeaseLostError, StaleVersionError, TimerGoneError
from spikard.fsm.stores import redis_scripts as scripts
from spikard.fsm.stores.batch import commit_each, create_many
from spikard.fsm.stores.client import StateStoreClient
from spikard.fsm.stores.json_text import decoded, encoded
from spikard.fsm.stores.row import AnswerRow, EntityChange, EntityRow, HeldAction, OutboxRow, Settlement, TimerRow
from spikard.fsm.stores.versioned import VersionedByCommit

_CAPABILITIES = frozenset({"versions", "transactions", "durable", "answers", "outbox", "holds", "create"})
# Entities that are asked at once.
_PAGE = 1000
_METADATA = ("machine_name", "machine_version", "is_terminal", "workflow_status")


class RedisStateStore(StateStoreClient, VersionedByCommit):
    """Keeps each entity as one hash; a step is one script, and so one round trip."""

    def __init__(self, connection_string: str | None = None, key_prefix: str = "spikard:fsm") -> None:
        super().__init__(connection_string or "redis://127.0.0.1:6379/0")
        self.key_prefix = key_prefix
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
        self._scripts = {
            text: client.register_script(text)
            for text in (
                scripts.COMMIT, scripts.APPEND, scripts.CLAIM, scripts.EXTEND, scripts.REVIVE, scripts.HOLD,
                scripts.RELEASE,
            )
        }  # fmt: skip

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
            entity_id, state, int(version or 0), _context(context), _context(history), fingerprint,
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
        entity_id = change.entity_id
        timers = {t.timer_key: _timer(t) for t in change.arm_timers}
        now = datetime.now(UTC).isoformat()
        past = [encoded({"entity_id": entity_id, **t._asdict(), "created_at": now}) for t in change.transitions]
        machine = change.metadata.get("machine_name")
        actions = {row.outbox_id: _action(row, machine) for row in change.outbox}
        answer = change.answer
        arguments: list[Any] = [
            -1 if expected is None else expected, entity_id, int(change.touches_entity), change.outbox_lease,
            machine or "", *(("", 0, 0) if answer is None else _answered(answer)),
        ]  # fmt: skip
        spent, fields = _spent(change), _flat(_fields(change, context))
        groups = (spent, fields, change.cancel_timers, change.cancel_keys, _flat(timers), past, _flat(actions))
        for group in (*groups, *_settled(change.settled)):
            arguments += [len(group), *group]
        keys = [self._key(entity_id), *(self._key(entity_id, kind) for kind in ("timers", "outbox", "past"))]
        keys += [f"{self.key_prefix}:entities", *self._outbox_keys, self._key(answer.key if answer else "", "answer")]
        keys.append(self._key(entity_id if change.spent is None else change.spent.entity_id, "timers"))
        done, told = self._call(scripts.COMMIT, keys, arguments)
        if done == 1:
            return int(told)
        if done == 2:
            raise EventAnsweredError(answer.key if answer else "")
        if done == 3:
            raise LeaseLostError("action", told)
        if done == 4 and change.spent is not None:
            raise TimerGoneError(change.spent.timer_key)
        raise StaleVersionError(entity_id, expected or 0, told)

    def load_many(self, entity_ids: Sequence[str]) -> dict[str, EntityRow]:
        """Many entities at once."""
        return {entity_id: self.load(entity_id) for entity_id in entity_ids}

    def commit_many(self, changes: Sequence[EntityChange]) -> list[int | Exception]:
        """Many changes, each kept or not for itself: its new version, or why not."""
        return commit_each(self.commit, changes)

    def create_many(self, pattern: EntityChange, entities: Iterable[tuple[str, Mapping[str, Any]]]) -> int:
        """Keep new entities that differ in their ids and contexts only; how many there were."""
        return create_many(self.commit_many, pattern, entities)

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
        return _context(self._connected.hget(self._key(entity_id), "context"))

    def set_context(self, entity_id: str, context: dict[str, Any]) -> None:
        """Keep a context."""
        self._connected.hset(self._key(entity_id), "context", encoded(context))

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
        names = sorted(self._connected.smembers(f"{self.key_prefix}:entities"))
        chosen = names if state is None else [name for name, at in self._states(names).items() if at == state]
        return chosen[offset : offset + limit]

    def get_machine(self, entity_id: str) -> tuple[str | None, str | None]:
        """The machine of an entity and its version, as far as was said."""
        name, version = self._connected.hmget(self._key(entity_id), ["machine_name", "machine_version"])
        return _said(name), _said(version)

    def entity_versions(self, machine_name: str, *, after: str = "", limit: int = 500) -> list[tuple[str, str | None]]:
        """Entities of a machine with its versions, in the order of their ids, from the one after `after` on."""
        names = sorted(name for name in self._connected.smembers(f"{self.key_prefix}:entities") if name > after)
        found: list[tuple[str, str | None]] = []
        for start in range(0, len(names), _PAGE):
            pipeline = self._connected.pipeline(transaction=False)
            page = names[start : start + _PAGE]
            for name in page:
                pipeline.hmget(self._key(name), ["machine_name", "machine_version", "state"])
            for name, (machine, version, state) in zip(page, pipeline.execute(), strict=True):
                if state is not None and _said(machine) == machine_name:
                    found.append((name, _said(version)))
            if len(found) >= limit:
                break
        return found[:limit]

    def count_by_state(self) -> dict[str, int]:
        """How many entities are in each state."""
        states = self._states(self._connected.smembers(f"{self.key_prefix}:entities"))
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
        pipeline.srem(f"{self.key_prefix}:entities", entity_id)
        return bool(pipeline.execute()[0])

    def get_outbox(self, entity_id: str) -> list[OutboxRow]:
        """Actions that are kept and not done."""
        rows = self._connected.hgetall(self._key(entity_id, "outbox"))
        read = {outbox_id: _read(text) for outbox_id, text in rows.items()}
        found = [OutboxRow(outbox_id, row[0], row[1], row[2], row[4]) for outbox_id, row in read.items()]
        given_up = self._connected.hmget(self._outbox_keys[1], [f"{row.outbox_id}:d" for row in found]) if found else []
        kept = [row for row, dead in zip(found, given_up, strict=True) if dead is None]
        return sorted(kept, key=lambda row: (row.transition_id, row.ordinal))

    def claim_outbox(
        self, worker_id: str, limit: int, lease_seconds: float, machines: Collection[str] | None = None
    ) -> list[HeldAction]:
        """Actions that are due, of all machines or of some, for one deliverer alone until the lease ends."""
        del worker_id
        named = [0] if machines is None else [1, *machines]
        arguments = [self._key("", "outbox"), limit, lease_seconds, *named]
        flat = self._call(scripts.CLAIM, self._outbox_keys, arguments)
        held = []
        for outbox_id, entity_id, text, attempt, fence in zip(*[iter(flat)] * 5, strict=True):
            transition_id, ordinal, action, machine, about = _read(text)
            held.append(
                HeldAction(outbox_id, entity_id, machine, transition_id, ordinal, action, about, attempt, fence)
            )
        return sorted(held, key=lambda action: (action.transition_id, action.ordinal))

    def extend_outbox(self, held: Mapping[str, int], lease_seconds: float) -> None:
        """Hold actions for longer, by their ids and fences."""
        self._call(scripts.EXTEND, self._outbox_keys, [lease_seconds, *_flat(held)])

    def revive_outbox(self, outbox_id: str) -> bool:
        """Have an action that was given up done after all; whether there was such a one."""
        return bool(self._call(scripts.REVIVE, self._outbox_keys, [outbox_id]))

    # Events that come twice, entities that are held

    def answer(self, key: str) -> dict[str, Any] | None:
        """What was answered to an event, or None."""
        text = self._connected.get(self._key(key, "answer"))
        return None if text is None else decoded(text)

    def try_hold(self, entity_id: str, holder: str, seconds: float) -> bool:
        """Keep everybody else from an entity for a while; False while somebody else does."""
        arguments = [holder, max(1, round(seconds * 1000))]
        return bool(self._call(scripts.HOLD, [self._key(entity_id, "hold")], arguments))

    def release(self, entity_id: str, holder: str) -> None:
        """Let others have the entity, if it is still held."""
        self._call(scripts.RELEASE, [self._key(entity_id, "hold")], [holder])

    def get_timers(self, entity_id: str) -> list[TimerRow]:
        """Timers that are armed."""
        rows = {key: msgspec.json.decode(text) for key, text in self._timers(entity_id).items()}
        return [_timer_row(key, *row) for key, row in sorted(rows.items())]

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
        event = encoded({**about, "source": source, "machine_name": machine_name})
        keys = [self._key(entity_id), self._key(entity_id, "events")]
        return int(self._call(scripts.APPEND, keys, [event]))

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
        return f"{self.key_prefix}:{kind}:{entity_id}"

    @property
    def _outbox_keys(self) -> tuple[str, str]:
        return f"{self.key_prefix}:due", f"{self.key_prefix}:tries"

    def _call(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        client = self._connected
        return self._scripts[script](keys=list(keys), args=list(arguments), client=client)

    def _timers(self, entity_id: str) -> dict[str, str]:
        found: dict[str, str] = self._connected.hgetall(self._key(entity_id, "timers"))
        return found

    def _states(self, entity_ids: Iterable[str]) -> dict[str, str | None]:
        names = list(entity_ids)
        pipeline = self._connected.pipeline(transaction=False)
        for name in names:
            pipeline.hget(self._key(name), "state")
        return dict(zip(names, pipeline.execute(), strict=True))


def _timer(timer: TimerRow) -> str:
    entered = "" if timer.entered_at is None else timer.entered_at.isoformat()
    payload = None if timer.payload is None else dict(timer.payload)
    return encoded([timer.trigger, timer.fires_at.isoformat(), entered, timer.delay_ms, payload])


def _timer_row(
    key: str, trigger: str, fires_at: str, entered: str = "", delay: int | None = None, payload: Any = None
) -> TimerRow:
    entered_at = datetime.fromisoformat(entered) if entered else None
    return TimerRow(key, trigger, datetime.fromisoformat(fires_at), entered_at, delay, payload)


def _spent(change: EntityChange) -> list[str]:
    spent = change.spent
    if spent is None:
        return []
    return [spent.timer_key, "" if spent.entered_at is None else spent.entered_at.isoformat()]


def _fields(change: EntityChange, context: Mapping[str, Any] | None) -> dict[str, str]:
    fields = {key: encoded(change.metadata[key]) for key in _METADATA if key in change.metadata}
    if change.state is not None:
        fields["state"] = change.state
    if context is not None:
        fields["context"] = encoded(dict(context))
    if change.history is not None:
        fields["history"] = encoded(dict(change.history))
    if change.fingerprint is not None:
        fields["fingerprint"] = change.fingerprint
    if change.entered_at is not None:
        fields["entered_at"] = change.entered_at.isoformat()
    return fields


def _action(row: OutboxRow, machine: str | None) -> str:
    action = row.action.to_config() if isinstance(row.action, ActionSpec) else row.action
    return encoded([row.transition_id, row.ordinal, action, machine, dict(row.about)])


def _read(text: str) -> list[Any]:
    found: list[Any] = decoded(text)
    return found


def _answered(answer: AnswerRow) -> tuple[str, float, int]:
    return encoded(dict(answer.payload)), answer.seconds, int(answer.is_first)


def _settled(settled: Mapping[str, Settlement]) -> tuple[list[Any], ...]:
    held: list[Any] = []
    done: list[Any] = []
    failed: list[Any] = []
    dead: list[Any] = []
    for outbox_id, settlement in settled.items():
        # Done in place by whoever has put it in: an attempt of its own. Claims count themselves.
        own = int(settlement.fence is None)
        if settlement.fence is not None:
            held += [outbox_id, settlement.fence]
        if settlement.status == "done":
            done.append(outbox_id)
        elif settlement.status == "failed":
            failed += [outbox_id, settlement.pause, settlement.error or "", own]
        else:
            dead += [outbox_id, settlement.error or "", own]
    return held, done, failed, dead


def _flat(values: Mapping[str, Any]) -> list[Any]:
    return [part for pair in values.items() for part in pair]


def _said(text: str | None) -> str | None:
    return None if text is None else msgspec.json.decode(text, type=str | None)


def _context(text: str | None) -> dict[str, Any]:
    return decoded(text) if text else {}
