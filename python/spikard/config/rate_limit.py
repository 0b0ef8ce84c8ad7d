"""Rate limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from spikard.config import bounds
from spikard.config.settings import Settings

REDIS_SCHEMES = ("redis://", "rediss://", "unix://")


@dataclass(frozen=True, slots=True)
class RateLimitConfig(Settings):
    """So many requests per second in the long run, so many at once.

    One object is one limit: routes that have the same one count together. `prefix` stands before the keys in Redis,
    where several applications share a server.
    """

    per_second: float
    burst: int
    ip_based: bool = True
    key: Callable[[Any], str] | None = None
    exempt: Sequence[str] = ()
    store: str = "memory"
    headers: bool = True
    prefix: str = "spikard"

    def __post_init__(self) -> None:
        bounds.number(self, "per_second", least=0, exclusive=True)
        bounds.whole(self, "burst", least=1)
        bounds.instance(self, "ip_based", bool)
        bounds.instance(self, "headers", bool)
        bounds.strings(self, "exempt")
        if self.key is not None and not callable(self.key):
            raise bounds.refusal(self, "key", "a function of the request or None", self.key)
        bounds.text(self, "store")
        bounds.text(self, "prefix")
        if self.store != "memory" and not self.store.startswith(REDIS_SCHEMES):
            raise bounds.refusal(self, "store", "'memory' or a Redis URL", self.store)


__all__ = ["RateLimitConfig"]
