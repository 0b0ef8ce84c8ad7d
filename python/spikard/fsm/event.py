"""What happens to an entity: a trigger and what came with it."""

import os
import threading
import time
from collections import deque
from dataclasses import FrozenInstanceError, dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

_making = threading.Lock()


class Event:
    """A trigger with its payload. Frozen; id and timestamp are made when they are first asked for.

    The id is a UUIDv7 of the moment in which the event was made, so ids sort as events happened.
    """

    __slots__ = ("_born", "_event_id", "_timestamp", "metadata", "payload", "source", "trigger")

    trigger: str
    payload: dict[str, Any]
    source: str
    metadata: dict[str, Any]
    _born: int
    _event_id: UUID | None
    _timestamp: datetime | None

    def __init__(
        self,
        trigger: str,
        payload: dict[str, Any] | None = None,
        event_id: UUID | None = None,
        timestamp: datetime | None = None,
        source: str = "",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        _set_trigger(self, trigger)
        _set_payload(self, {} if payload is None else payload)
        _set_event_id(self, event_id)
        _set_timestamp(self, timestamp)
        _set_source(self, source)
        _set_metadata(self, {} if metadata is None else metadata)
        _set_born(self, time.time_ns())
        self.__post_init__()

    def __post_init__(self) -> None:
        if not self.trigger:
            raise ValueError("Event trigger cannot be empty")

    @classmethod
    def simple(cls, trigger: str, **payload: Any) -> "Event":
        """An event whose payload are the keyword arguments."""
        return cls(trigger, payload)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Event":
        """The event that `to_dict` has described; what is missing is made anew."""
        event_id, timestamp = data.get("event_id"), data.get("timestamp")
        return cls(
            data["trigger"],
            data.get("payload"),
            UUID(event_id) if isinstance(event_id, str) else event_id,
            datetime.fromisoformat(timestamp) if isinstance(timestamp, str) else timestamp,
            data.get("source", ""),
            data.get("metadata"),
        )

    @property
    def event_id(self) -> UUID:
        """What makes the event itself, also when it comes a second time."""
        made = self._event_id
        if made is None:
            # Several threads may ask for the first time at once, and must be told the same.
            with _making:
                made = self._event_id
                if made is None:
                    made = _uuid7(self._born)
                    _set_event_id(self, made)
        return made

    @event_id.setter
    def event_id(self, value: UUID) -> None:  # for dataclasses derived from this one; others meet `__setattr__`
        _set_event_id(self, value)

    @property
    def timestamp(self) -> datetime:
        """When it happened, in UTC."""
        made = self._timestamp
        if made is None:
            made = datetime.fromtimestamp(self._born / 1e9, tz=UTC)
            _set_timestamp(self, made)
        return made

    @timestamp.setter
    def timestamp(self, value: datetime) -> None:
        _set_timestamp(self, value)

    def get(self, key: str, default: Any = None) -> Any:
        """A value of the payload."""
        return self.payload.get(key, default)

    def with_payload(self, **values: Any) -> "Event":
        """The same event with more in its payload."""
        return Event(
            self.trigger, {**self.payload, **values}, self.event_id, self.timestamp, self.source, self.metadata
        )

    def with_metadata(self, **values: Any) -> "Event":
        """The same event with more in its metadata."""
        return Event(
            self.trigger, self.payload, self.event_id, self.timestamp, self.source, {**self.metadata, **values}
        )

    def to_dict(self) -> dict[str, Any]:
        """The event as plain data."""
        return {
            "trigger": self.trigger,
            "payload": self.payload,
            "event_id": str(self.event_id),
            "timestamp": self.timestamp.isoformat(),
            "source": self.source,
            "metadata": self.metadata,
        }

    def __getitem__(self, key: str) -> Any:
        return self.payload[key]

    def __contains__(self, key: object) -> bool:
        return key in self.payload

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event) or type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    __hash__ = None  # type: ignore[assignment] # its payload has no hash, so neither has the event

    def __repr__(self) -> str:
        values = zip(("trigger", "payload", "event_id", "timestamp", "source", "metadata"), self._values(), strict=True)
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in values)})"

    def __setattr__(self, name: str, value: Any) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        if type(self) is Event:
            return Event, self._values()
        own = {name: getattr(self, name) for name in self.__dataclass_fields__}  # type: ignore[attr-defined]
        return _restored, (type(self), {**own, **getattr(self, "__dict__", {})})

    def _values(self) -> tuple[Any, ...]:
        return self.trigger, self.payload, self.event_id, self.timestamp, self.source, self.metadata


def _restored(kind: type[Event], values: dict[str, Any]) -> Event:
    event = kind.__new__(kind)
    for name, value in values.items():
        object.__setattr__(event, name, value)
    return event


@dataclass(frozen=True)
class _Fields:
    trigger: str
    payload: dict[str, Any] = field(default_factory=dict)
    event_id: UUID = field(default_factory=uuid4)
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))
    source: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


# For `dataclasses.replace`, `fields` and `asdict`, for `match`, and for dataclasses that programs derive from events.
Event.__dataclass_fields__ = _Fields.__dataclass_fields__  # type: ignore[attr-defined]
Event.__dataclass_params__ = _Fields.__dataclass_params__  # type: ignore[attr-defined]
Event.__match_args__ = _Fields.__match_args__  # type: ignore[misc, attr-defined]

# Setting through the slots goes around the refusal of `__setattr__`, three times as fast as `object.__setattr__`.
_set_trigger = Event.__dict__["trigger"].__set__
_set_payload = Event.__dict__["payload"].__set__
_set_event_id = Event.__dict__["_event_id"].__set__
_set_timestamp = Event.__dict__["_timestamp"].__set__
_set_source = Event.__dict__["source"].__set__
_set_metadata = Event.__dict__["metadata"].__set__
_set_born = Event.__dict__["_born"].__set__


# Random parts of ids to come, so that the system is asked for many at once.
_chances: deque[str] = deque()
_BATCH = 128
# A millisecond and what ids made in it begin with; the pair is replaced as a whole.
_beginning: list[tuple[int, str]] = [(0, "")]
# A process of its own goes its own way.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_chances.clear)


def new_id() -> str:
    """The text of a UUIDv7 of this moment."""
    # Put together as text: the object between would cost more than all the rest.
    # The fraction of the millisecond is in it, so that ids made one after the other sort so.
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    made, beginning = _beginning[0]
    if made != milliseconds:
        beginning = f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7"
        _beginning[0] = milliseconds, beginning
    try:
        chance = _chances.pop()
    except IndexError:
        chance = _more_chance()
    return f"{beginning}{rest * 4096 // 1_000_000:03x}-{chance}"


def _more_chance() -> str:
    first = int.from_bytes(os.urandom(2), "big")
    # Of 62 random bits, 48 are each id's own.
    shared = f"{0x8000 | first & 0x3FFF:04x}-"
    _chances.extend([shared + own for own in os.urandom(6 * _BATCH).hex("-", 6).split("-")])
    return _chances.pop()


def _uuid7(nanoseconds: int) -> UUID:
    random = int.from_bytes(os.urandom(10), "big")
    number = (nanoseconds // 1_000_000 & (1 << 48) - 1) << 80 | random
    return UUID(int=number & ~(0xF << 76) & ~(0b11 << 62) | 7 << 76 | 0b10 << 62)
