"""A measurement: what was seen of one server on one case, round by round, and its summary."""

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from spikard_bench.load import Latency


@dataclass(frozen=True)
class Spread:
    """The median of the rounds with the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))


@dataclass
class Measurement:
    """One cell group of the table. `trouble` says why there are no figures."""

    server: str
    case: str
    requests_per_second: list[float] = field(default_factory=list)
    cpu_microseconds: list[float] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    rss_bytes: list[int] = field(default_factory=list)
    trouble: str | None = None

    @property
    def throughput(self) -> Spread | None:
        return Spread.of(self.requests_per_second) if self.requests_per_second else None

    @property
    def cpu(self) -> Spread | None:
        return Spread.of(self.cpu_microseconds) if self.cpu_microseconds else None

    @property
    def latency(self) -> Latency | None:
        """The median of each quantile over the rounds."""
        if not self.latencies:
            return None
        return Latency(
            self.latencies[0].rate,
            *(
                statistics.median(getattr(latency, name) for latency in self.latencies)
                for name in ("achieved", "p50", "p99", "p999")
            ),
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Footprint:
    """What a server costs before any load: time to the first answer, memory, and memory per idle connection."""

    server: str
    start_milliseconds: list[float] = field(default_factory=list)
    rss_start: int | None = None
    rss_loaded: int | None = None
    idle_connections: int = 0
    idle_bytes: float | None = None
    trouble: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
