"""A hook that measures how long entities stay in states."""

import threading
import time
from collections import OrderedDict, deque
from typing import Any

from spikard.fsm.plan import Plan


class DwellTimeTracker:
    """How long entities have been in their states; remembers the latest `max_history` entities and stays."""

    def __init__(self, max_history: int = 10000) -> None:
        self._lock = threading.Lock()
        self._max = max_history
        self._entered: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._stays: deque[tuple[str, float]] = deque(maxlen=max_history)

    def on_before_process(self, entity_id: str, current_state: str, trigger: str, context: dict[str, Any]) -> None:  # noqa: ARG002
        """An entity is seen for the first time, or again."""
        with self._lock:
            if entity_id not in self._entered:
                self._enter(entity_id, current_state)

    def on_transition_start(self, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """Measures nothing."""

    def on_transition_complete(self, result: Plan, duration_ms: float, context: dict[str, Any]) -> None:  # noqa: ARG002
        """A stay has ended, and another begun."""
        entity_id = context.get("_entity_id")
        if not result.success or entity_id is None or result.target_state is None:
            return
        with self._lock:
            entered = self._entered.get(entity_id)
            if entered is not None and result.target_state != entered[0]:
                self._stays.append((entered[0], _milliseconds_since(entered[1])))
            # Of one that was never seen nobody knows when it had come.
            if entered is None or result.target_state != entered[0]:
                self._enter(entity_id, result.target_state)

    def on_transition_error(self, error: Exception, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """Measures nothing."""

    def get_dwell_time(self, entity_id: str) -> float | None:
        """Milliseconds since the entity has come into its state, or None for one that was never seen."""
        with self._lock:
            entered = self._entered.get(entity_id)
            return None if entered is None else _milliseconds_since(entered[1])

    def get_avg_dwell_by_state(self) -> dict[str, float]:
        """The average length of stays that have ended, in milliseconds."""
        with self._lock:
            stays: dict[str, list[float]] = {}
            for state, length in self._stays:
                stays.setdefault(state, []).append(length)
        return {state: sum(lengths) / len(lengths) for state, lengths in stays.items()}

    def _enter(self, entity_id: str, state: str) -> None:
        self._entered[entity_id] = (state, time.monotonic())
        self._entered.move_to_end(entity_id)
        if len(self._entered) > self._max:
            self._entered.popitem(last=False)


def _milliseconds_since(moment: float) -> float:
    return (time.monotonic() - moment) * 1000
