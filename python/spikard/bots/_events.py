"""From a payload to the object of its event, and from an answer of `events/get` to updates, one by one."""

import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from spikard.bots.enums import EventType
from spikard.bots.errors import DecodeError
from spikard.bots.types.base import VKObject, to_wire
from spikard.bots.types.callback_query import CallbackQuery
from spikard.bots.types.chat_member_event import ChangedChatInfoEvent, LeftChatMembersEvent, NewChatMembersEvent
from spikard.bots.types.event import Update
from spikard.bots.types.message import Message
from spikard.bots.types.part import MessageFormat
from spikard.bots.types.tolerance import convert

logger = logging.getLogger("spikard.bots.events")

MODELS: dict[str, type[VKObject]] = {
    EventType.NEW_MESSAGE: Message,
    EventType.EDITED_MESSAGE: Message,
    EventType.DELETED_MESSAGE: Message,
    EventType.PINNED_MESSAGE: Message,
    EventType.UNPINNED_MESSAGE: Message,
    EventType.NEW_CHAT_MEMBERS: NewChatMembersEvent,
    EventType.LEFT_CHAT_MEMBERS: LeftChatMembersEvent,
    EventType.CHANGED_CHAT_INFO: ChangedChatInfoEvent,
    EventType.CALLBACK_QUERY: CallbackQuery,
}
# An event that does not say where it happened cannot be answered.
_REQUIRED = {model: frozenset({"chat", "queryId"}) for model in MODELS.values()} | {
    CallbackQuery: frozenset({"queryId"})
}
# What databases keep.
_GREATEST_ID = 2**63 - 1
_FORMAT_NAMES = frozenset(MessageFormat.__struct_fields__) - frozenset(MessageFormat.__struct_encode_fields__)


def decode_payload(kind: str, payload: Mapping[str, Any]) -> tuple[VKObject | None, list[str]]:
    """The object of an event, and what was left out of it; None for a kind that nobody knows.

    Raises:
        DecodeError: Something without which the event means nothing is missing or has a wrong type.
    """
    model = MODELS.get(kind)
    if model is None:
        return None, []
    styles = payload.get("format")
    if isinstance(styles, Mapping) and not _FORMAT_NAMES.isdisjoint(styles):
        payload = {**payload, "format": to_wire(MessageFormat, styles)}
    found, issues = convert(model, payload, _REQUIRED[model])
    if isinstance(found, ChangedChatInfoEvent):
        found.keep_rest(payload)
    return found, issues


class Malformed(NamedTuple):
    """An event that cannot be read: as it came, and why."""

    raw: bytes
    error: DecodeError
    event_id: int | None


class Batch(NamedTuple):
    """An answer of `events/get`, read event by event."""

    updates: list[Update]
    malformed: list[Malformed]

    @property
    def last_id(self) -> int | None:
        """The greatest id of the batch, readable or not; None without any."""
        ids = [update.event_id for update in self.updates]
        ids += [bad.event_id for bad in self.malformed if bad.event_id is not None]
        return max(ids, default=None)


def decode_events(events: list[Any]) -> Batch:
    """Reads each event alone, so that a bad one does not take others with it."""
    batch = Batch([], [])
    for event in events:
        try:
            update = msgspec.convert(event, Update, strict=False)
            if not 0 <= update.event_id <= _GREATEST_ID:
                raise msgspec.ValidationError("The id is not one of 63 bits - at `$.eventId`")
        except msgspec.ValidationError as fault:
            batch.malformed.append(_malformed(event, fault))
        else:
            batch.updates.append(update)
    return batch


class MalformedLog:
    """Tells of each event that cannot be read once, although a server may send one that has no id again and again."""

    def __init__(self) -> None:
        self._told: deque[bytes] = deque(maxlen=100)

    def tell(self, events: list[Malformed]) -> None:
        """Logs those that were not logged before."""
        for bad in events:
            if bad.raw not in self._told:
                self._told.append(bad.raw)
                logger.error("An event cannot be read and is passed over: %s", bad.error)


def _malformed(event: Any, fault: msgspec.ValidationError) -> Malformed:
    event_id: int | None = None
    with suppress(msgspec.ValidationError, AttributeError):
        event_id = msgspec.convert(event.get("eventId"), int | None, strict=False)
    _, _, path = str(fault).partition(" - at `")
    error = DecodeError(f"event {event_id}: {fault}", path.rstrip("`") or "$")
    if event_id is not None and not 0 <= event_id <= _GREATEST_ID:
        event_id = None
    return Malformed(msgspec.json.encode(event), error, event_id)


__all__ = ["MODELS", "Batch", "Malformed", "MalformedLog", "decode_events", "decode_payload"]
