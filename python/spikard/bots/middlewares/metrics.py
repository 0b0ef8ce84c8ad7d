"""Figures for Prometheus: how many updates, what came of them, how long it took."""

from bisect import bisect_left
from time import perf_counter
from typing import Any

from spikard.bots.enums import EventType
from spikard.bots.middleware import BaseMiddleware, Handler
from spikard.bots.outcomes import UNHANDLED

BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0)
_KNOWN = frozenset(map(str, EventType))


class MetricsMiddleware(BaseMiddleware):
    """Counts updates; for `dp.update.outer_middleware`. `render()` gives what Prometheus reads.

    A dispatcher that is mounted in a web application has one by itself.
    """

    injects = ()

    def __init__(self) -> None:
        self._outcomes: dict[tuple[str, str], int] = {}
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self._running = 0
        self._errors = 0

    async def __call__(self, handler: Handler, event: Any, data: dict[str, Any]) -> Any:
        """Goes on, and counts."""
        kind = event.type if event.type in _KNOWN else "other"
        outcome = "failed"
        self._running += 1
        began = perf_counter()
        try:
            found = await handler(event, data)
            outcome = "unhandled" if found is UNHANDLED else "handled"
            return found
        finally:
            seconds = perf_counter() - began
            self._running -= 1
            self._seconds += seconds
            self._buckets[bisect_left(BUCKETS, seconds)] += 1
            self._outcomes[kind, outcome] = self._outcomes.get((kind, outcome), 0) + 1
            self._errors = data["dispatcher"].stats()["errors"] if "dispatcher" in data else self._errors

    def render(self) -> str:
        """All figures, in the text format of Prometheus."""
        lines = ["# TYPE spikard_bot_updates_total counter"]
        for (kind, outcome), count in sorted(self._outcomes.items()):
            lines.append(f'spikard_bot_updates_total{{type="{kind}",outcome="{outcome}"}} {count}')
        lines += ["# TYPE spikard_bot_errors_total counter", f"spikard_bot_errors_total {self._errors}"]
        lines += ["# TYPE spikard_bot_updates_running gauge", f"spikard_bot_updates_running {self._running}"]
        lines.append("# TYPE spikard_bot_update_seconds histogram")
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self._buckets, strict=True):
            total += count
            lines.append(f'spikard_bot_update_seconds_bucket{{le="{bound}"}} {total}')
        lines += [f"spikard_bot_update_seconds_sum {self._seconds}", f"spikard_bot_update_seconds_count {total}"]
        return "\n".join(lines) + "\n"


__all__ = ["BUCKETS", "MetricsMiddleware"]
