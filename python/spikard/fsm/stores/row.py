"""What is kept of an entity, and what one step changes of it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import msgspec

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class EntityRow(NamedTuple):
    """An entity as it was read. Version 0 means that nothing is kept of it; the state may be missing even so."""

    entity_id: str
    state: str | None = None
    version: int = 0
    context: Mapping[str, Any] = _NOTHING
    history: Mapping[str, str] = _NOTHING
    fingerprint: str | None = None
    entered_at: datetime | None = None


class TransitionRow(NamedTuple):
    """A line of an entity's past."""

    source_state: str
    target_state: str | None
    trigger: str
    success: bool = True
    error_type: str | None = None
    error_message: str | None = None
    actions_executed: tuple[str, ...] = ()
    event_id: str | None = None
    duration_ms: float | None = None
    transition_id: str = ""


class OutboxRow(NamedTuple):
    """An action that is to be done once the step is kept. `about` says of which step: trigger, states, event."""

    outbox_id: str
    transition_id: str
    ordinal: int
    action: Any
    about: Mapping[str, Any] = _NOTHING


class HeldAction(NamedTuple):
    """An action out of the outbox that one deliverer holds for a while. `fence` grows with every claim."""

    outbox_id: str
    entity_id: str
    machine_name: str | None
    transition_id: str
    ordinal: int
    action: Any
    about: Mapping[str, Any]
    attempt: int
    fence: int


class Settlement(NamedTuple):
    """What has become of an action: `done`, `failed` (due again after `pause` seconds) or `dead` (given up).

    With a `fence` the action must still be held under it, else nothing of the change is kept.
    """

    status: Literal["done", "failed", "dead"]
    error: str | None = None
    pause: float = 0.0
    fence: int | None = None


DONE = Settlement("done")


class AnswerRow(NamedTuple):
    """What is answered when the same event comes again. A first answer must not be there yet."""

    key: str
    payload: Mapping[str, Any]
    seconds: float
    is_first: bool = True


class EventEnd(NamedTuple):
    """The end of a queue's event, kept with the step it has caused as long as it is held under the fence."""

    table: str
    event_id: str
    fence: int
    result: Mapping[str, Any] | None = None


class TimerRow(NamedTuple):
    """An event that is to fire for an entity as long as it is in a state; the key begins with its name and `#`.

    A key that begins with `#` belongs to no state. `entered_at` tells one stay in a state from the next, `delay_ms` is
    how long the timer waits where that is known, `payload` what comes with the event and, as `to`, for whom it is.
    """

    timer_key: str
    trigger: str
    fires_at: datetime
    entered_at: datetime | None = None
    delay_ms: int | None = None
    payload: Mapping[str, Any] | None = None


class SpentTimer(NamedTuple):
    """A timer that fires with a change: it has to be there still, from the same entry and under the same fence."""

    entity_id: str
    timer_key: str
    entered_at: datetime | None = None
    fence: int | None = None


class EntityChange(msgspec.Struct):
    """Everything one step changes, kept as a whole or not at all.

    Without `expected_version` whoever writes last wins. `patch` and `removed` change single keys of the context,
    `context` replaces it. `cancel_timers` names the states that are left, `cancel_keys` single timers. Without anything
    new for the entity itself (`touches_entity`) its version stays.
    """

    entity_id: str
    expected_version: int | None = None
    state: str | None = None
    context: dict[str, Any] | None = None
    patch: Mapping[str, Any] | None = None
    removed: tuple[str, ...] = ()
    history: Mapping[str, str] | None = None
    metadata: Mapping[str, Any] = {}
    fingerprint: str | None = None
    entered_at: datetime | None = None
    cancel_timers: tuple[str, ...] = ()
    arm_timers: tuple[TimerRow, ...] = ()
    transitions: tuple[TransitionRow, ...] = ()
    outbox: tuple[OutboxRow, ...] = ()
    # For how long nobody else may do these actions, in seconds.
    outbox_lease: float = 0.0
    settled: Mapping[str, Settlement] = {}
    answer: AnswerRow | None = None
    ends: EventEnd | None = None
    cancel_keys: tuple[str, ...] = ()
    spent: SpentTimer | None = None

    @property
    def sets_timers(self) -> bool:
        """Whether timers start or stop."""
        return bool(self.cancel_timers or self.arm_timers or self.cancel_keys)

    @property
    def touches_entity(self) -> bool:
        """Whether the entity itself changes, not only what is still to be done for it."""
        return not (self.state is None and self.context is None and self.patch is None and not self.removed)

    @property
    def only_crosses_off(self) -> bool:
        """Whether it says of actions that they are done, and no more: lost, they are done again under their keys."""
        others = self.outbox or self.answer or self.ends or self.spent or self.sets_timers or self.touches_entity
        return bool(self.settled) and not others and all(one.status == "done" for one in self.settled.values())
