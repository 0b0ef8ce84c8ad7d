"""A hook that counts for Prometheus. Needs the extra `prometheus`."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from spikard.fsm.plan import Plan
from spikard.fsm.stores.protocol import QueryableStateStore

# From a tenth of a millisecond: what is computed is quick, guards that ask others are not.
BUCKETS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)


class PrometheusHook:
    """Counts transitions by trigger, states and outcome (`done`, `refused`, `error`), and how long computing takes.

    With a store, the gauge `<prefix>_entities` tells how many entities are in each state, read when Prometheus asks.
    Labels are names out of definitions, so there are not more of them than definitions have.
    """

    def __init__(
        self,
        registry: CollectorRegistry = REGISTRY,
        *,
        prefix: str = "spikard_fsm",
        store: QueryableStateStore | None = None,
    ) -> None:
        self._transitions = Counter(
            f"{prefix}_transitions",
            "Events by what has become of them.",
            ("trigger", "source_state", "target_state", "outcome"),
            registry=registry,
        )
        self._durations = Histogram(
            f"{prefix}_transition_seconds",
            "Seconds that computing a transition takes.",
            ("trigger",),
            buckets=BUCKETS,
            registry=registry,
        )
        if store is not None:
            registry.register(EntitiesByState(store, f"{prefix}_entities"))

    def on_before_process(self, entity_id: str, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """Counts nothing yet."""

    def on_transition_start(self, current_state: str, trigger: str, context: dict[str, Any]) -> None:
        """Counts nothing yet."""

    def on_transition_complete(self, result: Plan, duration_ms: float, context: dict[str, Any]) -> None:  # noqa: ARG002
        """Counts what has become of the event."""
        # A trigger that no machine knows is text from outside: as a label it would grow without end.
        known = type(result.error).__name__ != "UndefinedTriggerError"
        trigger = result.trigger if known else ""
        outcome = "done" if result.success else "refused"
        self._transitions.labels(trigger, result.source_state, result.target_state or "", outcome).inc()
        self._durations.labels(trigger).observe(duration_ms / 1000)

    def on_transition_error(self, error: Exception, current_state: str, trigger: str, context: dict[str, Any]) -> None:  # noqa: ARG002
        """Counts the error."""
        self._transitions.labels(trigger, current_state, "", "error").inc()


class EntitiesByState(Collector):
    """How many entities are in each state, now."""

    def __init__(self, store: QueryableStateStore, name: str) -> None:
        self._store = store
        self._name = name

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The name alone, so that registering it asks no database."""
        yield self._family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures."""
        family = self._family()
        for state, count in self._store.count_by_state().items():
            family.add_metric([state], count)
        yield family

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(self._name, "Entities by the state they are in.", labels=["state"])
