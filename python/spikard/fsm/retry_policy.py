"""How often to try again, and after how long."""

from dataclasses import dataclass
from enum import StrEnum


class BackoffStrategy(StrEnum):
    """How pauses grow."""

    FIXED = "fixed"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often to try again, after how long, and for which reasons; all reasons where none is named."""

    max_retries: int = 3
    backoff: BackoffStrategy = BackoffStrategy.EXPONENTIAL
    base_delay_seconds: float = 1.0
    max_delay_seconds: float = 300.0
    retryable_reasons: frozenset[str] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "backoff", BackoffStrategy(self.backoff))


def compute_delay(policy: RetryPolicy, retry_count: int) -> float:
    """Seconds to wait before retry number `retry_count`, from zero."""
    if policy.backoff is BackoffStrategy.FIXED:
        delay = policy.base_delay_seconds
    elif policy.backoff is BackoffStrategy.LINEAR:
        delay = policy.base_delay_seconds * (retry_count + 1)
    else:
        # Beyond this the limit has long been reached, and a float would overflow.
        delay = policy.base_delay_seconds * 2.0 ** min(retry_count, 512)
    return min(delay, policy.max_delay_seconds)
