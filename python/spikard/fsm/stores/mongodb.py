"""Entities in MongoDB. Needs the extra `mongodb`."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.errors import StaleVersionError, TimerGoneError
from spikard.fsm.event import new_id
from spikard.fsm.stores.batch import commit_each, create_many
from spikard.fsm.stores.client import StateStoreClient
from spikard.fsm.stores.json_text import decoded, encoded
from spikard.fsm.stores.mongodb_connection import (
    SCHEMES,
    collection,
    database_of,
    is_too_large,
    opened,
    portions,
    upserted,
    without_secrets,
)
from spikard.fsm.stores.row import EntityChange, EntityRow, OutboxRow, TimerRow, TransitionRow
from spikard.fsm.stores.versioned import VersionedByCommit

_CAPABILITIES = frozenset({"versions", "transactions", "durable", "create"})
_METADATA = ("machine_name", "machine_version", "is_terminal", "workflow_status")
_LISTED = (
    "current_state", "machine_name", "is_terminal", "workflow_status", "created_at", "updated_at",
)  # fmt: skip
PAST_KEPT = 1000
# How much of the past is kept where more would make the document larger than the server allows.
_PAST_LEFT = (100, 10, 1, 0)


class MongoDBStateStore(StateStoreClient, VersionedByCommit):
    """Keeps all of an entity in one document, which one write changes: a step is atomic without replica sets.

    Documents are in `entity_states`, events in `event_log`. Contexts and what belongs to actions are JSON texts in
    them, as in columns of other stores: keys with dots or dollars and numbers of any size come back as they were.
    """

    def __init__(self, connection_string: str, database_name: str | None = None) -> None:
        if not connection_string.startswith(SCHEMES):
            raise ValueError(
                f"MongoDBStateStore requires a mongodb:// URL, got: {without_secrets(connection_string)!r}"
            )
        super().__init__(connection_string)
        self._name = database_name or database_of(connection_string) or "spikard_fsm"
        self._client: Any = None

    @property
    def capabilities(self) -> frozenset[str]:
        """What may be relied on."""
        return _CAPABILITIES

    def connect(self, ensure_indexes: bool = True, **_options: Any) -> None:
        """Open the connection pool, and make the indexes."""
        if self._client is not None:
            return
        client = opened(str(self.connection_string), "MongoDBStateStore")
        try:
            if ensure_indexes:
                entities = client[self._name]["entity_states"]
                for key in ("machine_name", "current_state", "workflow_status", "updated_at"):
                    entities.create_index(key)
                client[self._name]["event_log"].create_index([("entity_id", 1), ("sequence", 1)], unique=True)
        except BaseException:
            client.close()
            raise
        self._client = client

    def disconnect(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    # One step as a whole

    def load(self, entity_id: str) -> EntityRow:
        """All that is kept of an entity, in one read."""
        return _row(entity_id, self._read(entity_id))

    def commit(self, change: EntityChange) -> int:
        """Keep a change; the new version, or `StaleVersionError`."""
        while True:
            document = self._read(change.entity_id, latest=True)
            row = _row(change.entity_id, document)
            expected = change.expected_version
            if change.touches_entity and expected is not None and expected != row.version:
                raise StaleVersionError(change.entity_id, expected, row.version)
            self._expect_timer(change, document)
            version = row.version + 1 if change.touches_entity else row.version
            if self._write(change.entity_id, document, _update(change, row, document, version)):
                if change.spent is not None and change.spent.entity_id != change.entity_id:
                    # Two documents are not written as one: a message that is interrupted here comes again.
                    self.commit(EntityChange(change.spent.entity_id, cancel_keys=(change.spent.timer_key,)))
                return version

    def _expect_timer(self, change: EntityChange, document: Mapping[str, Any]) -> None:
        spent = change.spent
        if spent is None:
            return
        owner = document if spent.entity_id == change.entity_id else self._read(spent.entity_id, latest=True)
        entered = None if spent.entered_at is None else spent.entered_at.isoformat()
        kept = [row for row in owner.get("timers") or () if row[0] == spent.timer_key]
        if not kept or entered not in (None, kept[0][3]):
            raise TimerGoneError(spent.timer_key)

    def load_many(self, entity_ids: Sequence[str]) -> dict[str, EntityRow]:
        """Many entities, in one read."""
        documents = {
            document["_id"]: document
            for ids in portions(entity_ids)
            for document in self._entities.find({"_id": {"$in": ids}}, {"past": 0})
        }
        return {entity_id: _row(entity_id, documents.get(entity_id, {})) for entity_id in entity_ids}

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
        found: str | None = self._read(entity_id).get("current_state")
        return found

    def set_state(self, entity_id: str, state: str, *, metadata: dict[str, Any] | None = None) -> None:
        """Keep a state; a `context` in the metadata is kept with it."""
        self.set_state_versioned(entity_id, state, metadata=metadata)

    def get_context(self, entity_id: str) -> dict[str, Any]:
        """The context of an entity, empty for one that is not kept."""
        return decoded(self._read(entity_id).get("context_json")) or {}

    def set_context(self, entity_id: str, context: dict[str, Any]) -> None:
        """Keep a context; `ValueError` for an entity that is not kept."""
        values = {"context_json": encoded(context), "updated_at": datetime.now(UTC)}
        done = self._entities.update_one({"_id": entity_id}, {"$set": values, "$inc": {"rev": 1}})
        if not done.matched_count:
            raise ValueError(f"Entity not found: {entity_id!r}")

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
        found: bool | None = self._read(entity_id).get("is_terminal")
        return found

    def get_workflow_status(self, entity_id: str) -> str | None:
        """How the work stands, as far as was said."""
        found: str | None = self._read(entity_id).get("workflow_status")
        return found

    def list_entities(
        self,
        machine_name: str | None = None,
        is_terminal: bool | None = None,
        workflow_status: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[dict[str, Any]]:
        """Entities, those changed last first."""
        wanted = {"machine_name": machine_name, "is_terminal": is_terminal, "workflow_status": workflow_status}
        query = {
            "current_state": {"$ne": None},
            **{key: value for key, value in wanted.items() if value is not None},
        }
        shown = dict.fromkeys((*_LISTED, "context_json"), 1)
        # To the server, a limit of 0 is none.
        found = self._entities.find(query, shown).sort([("updated_at", -1), ("_id", 1)]).skip(offset).limit(limit)
        return [
            {
                "entity_id": document["_id"],
                **{key: document.get(key) for key in _LISTED},
                "context": decoded(document.get("context_json")) or {},
            }
            for document in (found if limit else ())
        ]

    def get_machine(self, entity_id: str) -> tuple[str | None, str | None]:
        """The machine of an entity and its version, as far as was said."""
        document = self._read(entity_id)
        return document.get("machine_name"), document.get("machine_version")

    def entity_versions(self, machine_name: str, *, after: str = "", limit: int = 500) -> list[tuple[str, str | None]]:
        """Entities of a machine with its versions, in the order of their ids, from the one after `after` on."""
        query = {"machine_name": machine_name, "current_state": {"$ne": None}, "_id": {"$gt": after}}
        found = self._entities.find(query, {"machine_version": 1}).sort([("_id", 1)]).limit(limit)
        return [(document["_id"], document.get("machine_version")) for document in (found if limit else ())]

    def count_by_state(self) -> dict[str, int]:
        """How many entities are in each state."""
        counted = {"$group": {"_id": "$current_state", "count": {"$sum": 1}}}
        found = self._entities.aggregate([{"$match": {"current_state": {"$ne": None}}}, counted])
        return {group["_id"]: int(group["count"]) for group in found}

    def get_states_batch(self, entity_ids: list[str]) -> dict[str, str | None]:
        """The states of entities, in one round trip."""
        states = {
            document["_id"]: document.get("current_state")
            for ids in portions(entity_ids)
            for document in self._entities.find({"_id": {"$in": ids}}, {"current_state": 1})
        }
        return {entity_id: states.get(entity_id) for entity_id in entity_ids}

    def set_states_batch(self, updates: dict[str, str], *, metadata: dict[str, Any] | None = None) -> None:
        """Keep states."""
        for entity_id, state in updates.items():
            self.set_state(entity_id, state, metadata=metadata)

    def delete_entity(self, entity_id: str) -> bool:
        """Forget an entity and all that belongs to it; whether there was one."""
        self._events.delete_many({"entity_id": entity_id})
        return bool(self._entities.delete_one({"_id": entity_id}).deleted_count)

    def get_outbox(self, entity_id: str) -> list[OutboxRow]:
        """Actions that are kept and not done."""
        found = _outbox(self._read(entity_id))
        rows = [OutboxRow(row[0], row[1], row[2], decoded(row[3]), decoded(row[4])) for row in found]
        return sorted(rows, key=lambda row: (row.transition_id, row.ordinal))

    def get_timers(self, entity_id: str) -> list[TimerRow]:
        """Timers that are armed."""
        rows = self._read(entity_id).get("timers") or ()
        return [_timer(*row) for row in sorted(rows, key=lambda row: row[0])]

    # Events and the past

    def record_transition(
        self,
        entity_id: str,
        source_state: str,
        trigger: str,
        *,
        target_state: str | None = None,
        success: bool = True,
        machine_name: str | None = None,
        actions_executed: list[str] | None = None,
        error_type: str | None = None,
        error_message: str | None = None,
        context_snapshot: dict[str, Any] | None = None,
        duration_ms: float | None = None,
    ) -> str:
        """Keep one transition; the id of its line."""
        line_id = new_id()
        line = {
            "id": line_id, "entity_id": entity_id, "machine_name": machine_name, "source_state": source_state,
            "target_state": target_state, "trigger": trigger, "success": success, "error_type": error_type,
            "error_message": error_message, "actions_executed": actions_executed, "context_snapshot": context_snapshot,
            "duration_ms": duration_ms, "created_at": datetime.now(UTC),
        }  # fmt: skip
        update = {"$push": _pushed([line])}
        upserted(lambda: self._fitting({"_id": entity_id}, update, upsert=True))
        return line_id

    def get_transition_history(self, entity_id: str, limit: int = 50) -> list[dict[str, Any]]:
        """The latest transitions of an entity, the newest first; 1,000 are kept."""
        found = self._entities.find_one({"_id": entity_id}, {"past": 1}) or {}
        return [decoded(line) for line in reversed(found.get("past", [])[-limit:] if limit else [])]

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
        event = {
            "entity_id": entity_id, "trigger": trigger, "payload_json": encoded(payload or {}), "event_id": event_id,
            "source": source, "machine_name": machine_name, "created_at": datetime.now(UTC),
        }  # fmt: skip
        # A place may be taken by an event that came while the entity was being deleted: it is passed over then.
        return upserted(lambda: self._appended(event))

    def get_events(self, entity_id: str, *, after_sequence: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Events of an entity, from a place on."""
        query = {"entity_id": entity_id, "sequence": {"$gt": after_sequence}}
        found = self._events.find(query, {"_id": 0}).sort("sequence", 1).limit(limit)
        events = found if limit else ()
        return [{"payload": decoded(event.pop("payload_json")), **event} for event in events]

    def _appended(self, event: Mapping[str, Any]) -> int:
        from pymongo import ReturnDocument

        counted = self._entities.find_one_and_update(
            {"_id": event["entity_id"]}, {"$inc": {"event_seq": 1}}, {"event_seq": 1}, upsert=True,
            return_document=ReturnDocument.AFTER,
        )  # fmt: skip
        sequence = int(counted["event_seq"])
        self._events.insert_one({**event, "sequence": sequence})
        return sequence

    @property
    def _entities(self) -> Any:
        return self._collection("entity_states")

    @property
    def _events(self) -> Any:
        return self._collection("event_log")

    def _collection(self, name: str, *, latest: bool = False) -> Any:
        if self._client is None:
            raise RuntimeError("Not connected. Call connect() first.")
        return collection(self._client, self._name, name, latest=latest)

    def _read(self, entity_id: str, *, latest: bool = False) -> dict[str, Any]:
        # The past is long, and read only by who asks for it.
        return self._collection("entity_states", latest=latest).find_one({"_id": entity_id}, {"past": 0}) or {}

    def _write(self, entity_id: str, before: Mapping[str, Any], update: dict[str, Any]) -> bool:
        """Whether the document was still the one that was read, so that this is written."""
        from pymongo.errors import DuplicateKeyError

        query = {"_id": entity_id, "rev": before.get("rev")}
        try:
            return bool(self._fitting(query, update, upsert=not before).raw_result["n"])
        except DuplicateKeyError:
            return False

    def _fitting(self, query: Mapping[str, Any], update: dict[str, Any], *, upsert: bool) -> Any:
        """Write; an entity whose document is full goes on with less of its past rather than not at all."""
        from pymongo.errors import PyMongoError

        for kept in _PAST_LEFT:
            try:
                return self._entities.update_one(query, update, upsert=upsert)
            except PyMongoError as error:
                if not is_too_large(error):
                    raise
            lines = update.get("$push", {}).get("past", {}).get("$each", [])
            update = {**update, "$push": {"past": {"$each": lines, "$slice": -kept if kept else 0}}}
        return self._entities.update_one(query, update, upsert=upsert)


def _row(entity_id: str, document: Mapping[str, Any]) -> EntityRow:
    entered_at = document.get("entered_at")
    return EntityRow(
        entity_id, document.get("current_state"), document.get("version", 0),
        decoded(document.get("context_json")) or {}, decoded(document.get("history_json")) or {},
        document.get("fingerprint"), datetime.fromisoformat(entered_at) if entered_at else None,
    )  # fmt: skip


def _update(change: EntityChange, row: EntityRow, document: Mapping[str, Any], version: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    values: dict[str, Any] = {key: change.metadata[key] for key in _METADATA if key in change.metadata}
    values |= {"version": version, "updated_at": now, "rev": document.get("rev", 0) + 1}
    if change.state is not None:
        values["current_state"] = change.state
    context = _context(change, row)
    if context is not None:
        values["context_json"] = encoded(context)
    if change.history is not None:
        values["history_json"] = encoded(dict(change.history))
    if change.fingerprint is not None:
        values["fingerprint"] = change.fingerprint
    if change.entered_at is not None:
        values["entered_at"] = change.entered_at.isoformat()
    if change.sets_timers or change.spent is not None:
        values["timers"] = _timers(change, document)
    if change.outbox or change.settled:
        values["outbox"] = _left(change, document)
    if document.get("created_at") is None:
        # The document may be older than the entity: events and lines of the past come without one.
        values["created_at"] = now
    update: dict[str, Any] = {"$set": values}
    if change.transitions:
        update["$push"] = _pushed([_line(change, transition, now) for transition in change.transitions])
    return update


def _context(change: EntityChange, row: EntityRow) -> dict[str, Any] | None:
    if change.patch is None and not change.removed:
        return change.context
    merged = {**(row.context if change.context is None else change.context), **(change.patch or {})}
    return {key: value for key, value in merged.items() if key not in change.removed}


def _timers(change: EntityChange, document: Mapping[str, Any]) -> list[list[Any]]:
    left, ended = set(change.cancel_timers), set(change.cancel_keys)
    if change.spent is not None and change.spent.entity_id == change.entity_id:
        ended.add(change.spent.timer_key)
    rows = document.get("timers") or ()
    kept = {row[0]: row for row in rows if row[0] not in ended and row[0].partition("#")[0] not in left}
    for timer in change.arm_timers:
        entered = None if timer.entered_at is None else timer.entered_at.isoformat()
        payload = None if timer.payload is None else encoded(dict(timer.payload))
        kept[timer.timer_key] = [
            timer.timer_key, timer.trigger, timer.fires_at.isoformat(), entered, timer.delay_ms, payload,
        ]  # fmt: skip
    return list(kept.values())


def _timer(
    key: str, trigger: str, due: str, entered: str | None = None, delay: int | None = None, payload: str | None = None
) -> TimerRow:
    entered_at = None if entered is None else datetime.fromisoformat(entered)
    return TimerRow(key, trigger, datetime.fromisoformat(due), entered_at, delay, decoded(payload))


def _left(change: EntityChange, document: Mapping[str, Any]) -> list[list[Any]]:
    ended = {outbox_id for outbox_id, settlement in change.settled.items() if settlement.status != "failed"}
    added = [
        [row.outbox_id, row.transition_id, row.ordinal, encoded(_action(row)), encoded(dict(row.about))]
        for row in change.outbox
    ]
    return [row for row in [*_outbox(document), *added] if row[0] not in ended]


def _outbox(document: Mapping[str, Any]) -> list[list[Any]]:
    return list(document.get("outbox") or ())


def _action(row: OutboxRow) -> Any:
    return row.action.to_config() if isinstance(row.action, ActionSpec) else row.action


def _line(change: EntityChange, transition: TransitionRow, now: datetime) -> dict[str, Any]:
    about = {"entity_id": change.entity_id, "machine_name": change.metadata.get("machine_name")}
    return {"id": new_id(), **about, **transition._asdict(), "created_at": now}


def _pushed(lines: list[dict[str, Any]]) -> dict[str, Any]:
    return {"past": {"$each": [encoded(line) for line in lines], "$slice": -PAST_KEPT}}
