"""Entities in this process's memory."""

import heapq
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from operator import itemgetter
from typing import Any

from spikard.fsm.errors import EventAnsweredError, StaleVersionError, TimerGoneError
from spikard.fsm.stores.batch import commit_each, create_many
from spikard.fsm.stores.memory_outbox import MemoryOutbox
from spikard.fsm.stores.row import (
    AnswerRow,
    EntityChange,
    EntityRow,
    HeldAction,
    OutboxRow,
    SpentTimer,
    TimerRow,
    TransitionRow,
)

STRIPES = 64
PAST_KEPT = 1000

ANSWERS_KEPT = 100_000

_CAPABILITIES = frozenset({"versions", "transactions", "answers", "outbox", "holds", "create"})


class _Entity:
    __slots__ = (
        "context", "entered_at", "events", "fingerprint", "history", "metadata", "past", "state", "timers", "version",
    )  # fmt: skip

    def __init__(self) -> None:
        self.state: str | None = None
        self.version = 0
        self.context: dict[str, Any] = {}
        self.history: dict[str, str] = {}
        self.metadata: dict[str, Any] = {}
        self.fingerprint: str | None = None
        self.entered_at: datetime | None = None
        self.events: list[dict[str, Any]] = []
        self.past: deque[TransitionRow] = deque(maxlen=PAST_KEPT)
        self.timers: dict[str, TimerRow] = {}


class InMemoryStateStore:
    """Keeps everything for as long as the process lives. Threads that write to different entities seldom meet."""

    def __init__(self) -> None:
        self._entities: dict[str, _Entity] = {}
        self._locks = [threading.Lock() for _ in range(STRIPES)]
        self._making = threading.Lock()
        self._outbox = MemoryOutbox()
        self._answers: OrderedDict[str, tuple[float, Mapping[str, Any]]] = OrderedDict()
        self._holds: dict[str, tuple[str, float]] = {}

    @property
    def capabilities(self) -> frozenset[str]:
        """What may be relied on."""
        return _CAPABILITIES

    # One step as a whole

    def load(self, entity_id: str) -> EntityRow:
        """All that is kept of an entity, in one read."""
        entity = self._entities.get(entity_id)
        if entity is None:
            return EntityRow(entity_id)
        with self._locks[hash(entity_id) % STRIPES]:
            values = (
                entity_id, entity.state, entity.version, entity.context.copy(), entity.history, entity.fingerprint,
                entity.entered_at,
            )  # fmt: skip
        # Made as a tuple is: all values are there.
        return tuple.__new__(EntityRow, values)

    def commit(self, change: EntityChange) -> int:
        """Keep a change; the new version, or `StaleVersionError`."""
        entity_id = change.entity_id
        entity = self._entities.get(entity_id) or self._make(entity_id)
        with self._locks[hash(entity_id) % STRIPES] if change.spent is None else self._locked(entity_id, change.spent):
            # Everything that can be in the way first: from here on, all of it or nothing.
            if change.answer is not None and change.answer.is_first and self.answer(change.answer.key) is not None:
                raise EventAnsweredError(change.answer.key)
            if change.settled:
                self._outbox.check(change.settled)
            # Most changes have a state: then there is nothing else to look at.
            touches = change.state is not None or change.touches_entity
            if touches and change.expected_version not in (None, entity.version):
                raise StaleVersionError(entity_id, change.expected_version, entity.version)
            if change.spent is not None:
                self._spend(change.spent)
            if touches:
                _write(entity, change)
            if change.arm_timers or change.cancel_timers or change.cancel_keys:
                _set_timers(entity, change)
            if change.settled:
                self._outbox.settle(change.settled)
            if change.outbox:
                self._outbox.put(change)
            if change.answer is not None:
                self._keep_answer(change.answer)
            return entity.version

    def _spend(self, spent: SpentTimer) -> None:
        owner = self._entities.get(spent.entity_id)
        timer = None if owner is None else owner.timers.get(spent.timer_key)
        if owner is None or timer is None or spent.entered_at not in (None, timer.entered_at):
            raise TimerGoneError(spent.timer_key)
        del owner.timers[spent.timer_key]

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
        return self.load(entity_id)

    async def acommit(self, change: EntityChange) -> int:
        """`commit`, awaited."""
        return self.commit(change)

    # States and contexts

    def get_state(self, entity_id: str) -> str | None:
        """The state of an entity, or None for one that is not kept."""
        entity = self._entities.get(entity_id)
        return None if entity is None else entity.state

    def set_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
        """Keep a state."""
        self.set_state_versioned(entity_id, state, metadata=metadata)

    def get_context(self, entity_id: str) -> dict[str, Any]:
        """The context of an entity, empty for one that is not kept."""
        entity = self._entities.get(entity_id)
        return {} if entity is None else entity.context.copy()

    def set_context(self, entity_id: str, context: dict[str, Any]) -> None:
        """Keep a context."""
        entity = self._entities.get(entity_id) or self._make(entity_id)
        with self._lock(entity_id):
            entity.context = context.copy()

    def get_is_terminal(self, entity_id: str) -> bool | None:
        """Whether the entity rests in a terminal state, as far as was said."""
        found: bool | None = self._metadata(entity_id).get("is_terminal")
        return found

    def get_workflow_status(self, entity_id: str) -> str | None:
        """How the work stands, as far as was said."""
        found: str | None = self._metadata(entity_id).get("workflow_status")
        return found

    def get_state_versioned(self, entity_id: str) -> tuple[str | None, int | None]:
        """The state and its version; neither for an entity that is not kept."""
        entity = self._entities.get(entity_id)
        if entity is None or entity.state is None:
            return None, None
        with self._lock(entity_id):
            return entity.state, entity.version

    def set_state_versioned(
        self,
        entity_id: str,
        state: str,
        *,
        expected_version: int | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> int:
        """Keep a state if the version is still the expected one; the new version, else `StaleVersionError`."""
        return self.commit(EntityChange(entity_id, expected_version, state, metadata=metadata or {}))

    def get_states_batch(self, entity_ids: list[str]) -> dict[str, str | None]:
        """The states of entities."""
        return {entity_id: self.get_state(entity_id) for entity_id in entity_ids}

    def set_states_batch(self, updates: dict[str, str], *, metadata: dict[str, Any] | None = None) -> None:
        """Keep states."""
        for entity_id, state in updates.items():
            self.set_state(entity_id, state, metadata=metadata)

    def list_entities(self, state: str | None = None, limit: int = 100, offset: int = 0) -> list[str]:
        """Ids of entities, in one state or in any."""
        chosen = [
            entity_id
            for entity_id, entity in list(self._entities.items())
            if entity.state is not None and state in (None, entity.state)
        ]
        return chosen[offset : offset + limit]

    def get_machine(self, entity_id: str) -> tuple[str | None, str | None]:
        """The machine of an entity and its version, as far as was said."""
        about = self._metadata(entity_id)
        return about.get("machine_name"), about.get("machine_version")

    def entity_versions(self, machine_name: str, *, after: str = "", limit: int = 500) -> list[tuple[str, str | None]]:
        """Entities of a machine with its versions, in the order of their ids, from the one after `after` on."""
        found = (
            (entity_id, entity.metadata.get("machine_version"))
            for entity_id, entity in list(self._entities.items())
            if entity_id > after and entity.state is not None and entity.metadata.get("machine_name") == machine_name
        )
        return heapq.nsmallest(limit, found, key=itemgetter(0))

    def count_by_state(self) -> dict[str, int]:
        """How many entities are in each state."""
        return dict(Counter(e.state for e in list(self._entities.values()) if e.state is not None))

    def delete_entity(self, entity_id: str) -> bool:
        """Forget an entity and all that belongs to it; whether there was one."""
        with self._lock(entity_id):
            self._outbox.forget(entity_id)
            return self._entities.pop(entity_id, None) is not None

    # Events and the past

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
        entity = self._entities.get(entity_id) or self._make(entity_id)
        with self._lock(entity_id):
            sequence = len(entity.events) + 1
            event = {"entity_id": entity_id, "sequence": sequence, "trigger": trigger, "payload": payload or {}}
            entity.events.append({**event, "event_id": event_id, "source": source, "machine_name": machine_name})
            return sequence

    def get_events(self, entity_id: str, *, after_sequence: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Events of an entity, from a place on."""
        entity = self._entities.get(entity_id)
        return [] if entity is None else entity.events[after_sequence : after_sequence + limit]

    def get_transition_history(self, entity_id: str, limit: int = 50) -> list[dict[str, Any]]:
        """The latest transitions of an entity, the newest first."""
        entity = self._entities.get(entity_id)
        past = [] if entity is None else list(entity.past)
        return [{"entity_id": entity_id, **row._asdict()} for row in reversed(past[-limit:] if limit else [])]

    def get_outbox(self, entity_id: str) -> list[OutboxRow]:
        """Actions that are kept and not done."""
        return self._outbox.of(entity_id)

    def claim_outbox(
        self, worker_id: str, limit: int, lease_seconds: float, machines: Collection[str] | None = None
    ) -> list[HeldAction]:
        """Actions that are due, of all machines or of some, for one deliverer alone until the lease ends."""
        del worker_id
        return self._outbox.claim(limit, lease_seconds, machines) if self._outbox else []

    def extend_outbox(self, held: Mapping[str, int], lease_seconds: float) -> None:
        """Hold actions for longer, by their ids and fences."""
        self._outbox.extend(held, lease_seconds)

    def revive_outbox(self, outbox_id: str) -> bool:
        """Have an action that was given up done after all; whether there was such a one."""
        return self._outbox.revive(outbox_id)

    # Events that come twice, entities that are held

    def answer(self, key: str) -> Mapping[str, Any] | None:
        """What was answered to an event, or None."""
        found = self._answers.get(key)
        return None if found is None or found[0] < time.monotonic() else found[1]

    def try_hold(self, entity_id: str, holder: str, seconds: float) -> bool:
        """Keep everybody else from an entity for a while; False while somebody else does."""
        with self._lock(entity_id):
            held = self._holds.get(entity_id)
            now = time.monotonic()
            if held is not None and held[0] != holder and held[1] > now:
                return False
            self._holds[entity_id] = holder, now + seconds
            return True

    def release(self, entity_id: str, holder: str) -> None:
        """Let others have the entity, if it is still held."""
        with self._lock(entity_id):
            if self._holds.get(entity_id, ("", 0.0))[0] == holder:
                del self._holds[entity_id]

    def get_timers(self, entity_id: str) -> list[TimerRow]:
        """Timers that are armed."""
        entity = self._entities.get(entity_id)
        return [] if entity is None else list(entity.timers.values())

    # Asynchronous twins

    async def aget_state(self, entity_id: str) -> str | None:
        """`get_state`, awaited."""
        return self.get_state(entity_id)

    async def aset_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
        """`set_state`, awaited."""
        self.set_state(entity_id, state, metadata=metadata)

    async def aget_context(self, entity_id: str) -> dict[str, Any]:
        """`get_context`, awaited."""
        return self.get_context(entity_id)

    async def aset_context(self, entity_id: str, context: dict[str, Any]) -> None:
        """`set_context`, awaited."""
        self.set_context(entity_id, context)

    def _lock(self, entity_id: str) -> threading.Lock:
        return self._locks[hash(entity_id) % STRIPES]

    @contextmanager
    def _locked(self, entity_id: str, spent: SpentTimer) -> Iterator[None]:
        # Always in the same order, and a stripe that both are in once.
        stripes = sorted({hash(entity_id) % STRIPES, hash(spent.entity_id) % STRIPES})
        with ExitStack() as stack:
            for stripe in stripes:
                stack.enter_context(self._locks[stripe])
            yield

    def _make(self, entity_id: str) -> _Entity:
        with self._making:
            return self._entities.setdefault(entity_id, _Entity())

    def _keep_answer(self, answer: AnswerRow) -> None:
        self._answers[answer.key] = time.monotonic() + answer.seconds, answer.payload
        if len(self._answers) > ANSWERS_KEPT:
            # Another thread may just have taken the last one.
            with suppress(KeyError):
                self._answers.popitem(last=False)

    def _metadata(self, entity_id: str) -> dict[str, Any]:
        entity = self._entities.get(entity_id)
        return {} if entity is None else entity.metadata


def _write(entity: _Entity, change: EntityChange) -> None:
    entity.version += 1
    if change.state is not None:
        entity.state = change.state
    if change.context is not None:
        entity.context = change.context.copy()
    if change.patch is not None:
        # A new one: whoever has loaded the old one may still be reading it.
        entity.context = {**entity.context, **change.patch}
    for key in change.removed:
        entity.context.pop(key, None)
    if change.history is not None and change.history is not entity.history:
        entity.history = dict(change.history)
    if change.metadata:
        entity.metadata.update(change.metadata)
    if change.fingerprint is not None:
        entity.fingerprint = change.fingerprint
    if change.entered_at is not None:
        entity.entered_at = change.entered_at
    entity.past += change.transitions


def _set_timers(entity: _Entity, change: EntityChange) -> None:
    if change.cancel_timers and entity.timers:
        left = set(change.cancel_timers)
        entity.timers = {key: timer for key, timer in entity.timers.items() if key.partition("#")[0] not in left}
    for key in change.cancel_keys:
        entity.timers.pop(key, None)
    for timer in change.arm_timers:
        entity.timers[timer.timer_key] = timer
