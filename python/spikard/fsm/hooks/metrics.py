"""A hook that counts."""

import threading
from collections import Counter, deque
from typing import Any

from spikard.fsm.plan import Plan


class MetricsCollector:
    """Counts transitions, and how long the latest ones took."""

    def __init__(self, max_history: int = 10000) -> None:
        self._lock = threading.Lock()
        self._durations: deque[float] = deque(maxlen=max_history)
        self._clear()

    def on_before_process(self, entity_id: str, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """Counts nothing yet."""

    def on_transition_start(self, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """Counts nothing yet."""

    def on_transition_complete(self, result: Plan, duration_ms: float, context: dict[str, Any]) -> None:  # noqa: ARG002
        """Counts what has become of it."""
        with self._lock:
            self._durations.append(duration_ms)
            self._successful += result.success
            self._failed += not result.success
            self._by_trigger[result.trigger] += 1
            self._by_source[result.source_state] += 1
            if result.target_state is not None:
                self._by_target[result.target_state] += 1

    def on_transition_error(self, error: Exception, current_state: str, trigger: str, context: dict[str, Any]) -> None:  # noqa: ARG002
        """Counts the error."""
        with self._lock:
            self._errors += 1

    def get_summary(self) -> dict[str, Any]:
        """All figures."""
        with self._lock:
            total = self._successful + self._failed
            return {
                "total_transitions": total,
                "successful": self._successful,
                "failed": self._failed,
                "errors": self._errors,
                "success_rate": self._successful / total if total else 0.0,
                "by_trigger": dict(self._by_trigger),
                "by_source_state": dict(self._by_source),
                "by_target_state": dict(self._by_target),
                "duration": _durations(sorted(self._durations)),
            }

    def reset(self) -> None:
        """Begin anew."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        self._durations.clear()
        self._successful = self._failed = self._errors = 0
        self._by_trigger: Counter[str] = Counter()
        self._by_source: Counter[str] = Counter()
        self._by_target: Counter[str] = Counter()


def _durations(ordered: list[float]) -> dict[str, float]:
    if not ordered:
        return {}
    figures = {"min_ms": ordered[0], "max_ms": ordered[-1], "avg_ms": sum(ordered) / len(ordered)}
    for percent in (50, 95, 99):
        figures[f"p{percent}_ms"] = ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]
    return figures
