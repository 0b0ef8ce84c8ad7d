"""How the actions of kept steps are delivered."""

import random
from dataclasses import dataclass
from typing import Literal

from spikard.fsm.retry_policy import RetryPolicy, compute_delay
from spikard.fsm.stores.row import Settlement

DELIVERIES = ("inline", "deferred", "off")


@dataclass(frozen=True, slots=True)
class OutboxPolicy:
    """When actions are done, for how long one deliverer has them, and how often they are tried.

    `inline`: by whoever has processed the event, before it gets the result; what fails or is left by a crash is for an
    `OutboxDrainer` or a `Worker`. `deferred`: by these alone. `off`: in place, and nothing is kept of what is to be
    done. `lease_seconds` must be longer than the longest action with its retries: afterwards another deliverer begins.
    """

    delivery: Literal["inline", "deferred", "off"] = "inline"
    lease_seconds: float = 300.0
    max_attempts: int = 5
    base_delay_seconds: float = 1.0
    max_delay_seconds: float = 300.0

    def __post_init__(self) -> None:
        if self.delivery not in DELIVERIES:
            raise ValueError(f"delivery must be one of {', '.join(DELIVERIES)}, got {self.delivery!r}")
        if self.max_attempts < 1:
            raise ValueError(f"max_attempts must be at least 1, got {self.max_attempts}")
        if min(self.lease_seconds, self.base_delay_seconds, self.max_delay_seconds) < 0:
            raise ValueError("lease_seconds, base_delay_seconds and max_delay_seconds must not be negative")

    @classmethod
    def of(cls, given: "OutboxPolicy | str | bool | None") -> "OutboxPolicy":
        """A policy as orchestrators take it: itself, the name of a delivery, or whether there is an outbox."""
        if isinstance(given, OutboxPolicy):
            return given
        if given is None or isinstance(given, bool):
            return cls("off" if given is False else "inline")
        return cls(given)  # type: ignore[arg-type] # refused above when it is not one of the names

    def failed(self, attempt: int, error: object, fence: int | None = None) -> Settlement:
        """What becomes of an action whose attempt, counted from one, has failed."""
        if attempt >= self.max_attempts:
            return Settlement("dead", str(error), fence=fence)
        policy = RetryPolicy(
            base_delay_seconds=self.base_delay_seconds, max_delay_seconds=self.max_delay_seconds,
        )  # fmt: skip
        # Those who failed together do not come back together.
        pause = compute_delay(policy, attempt - 1) * random.uniform(1.0, 1.1)  # noqa: S311 - no secret
        return Settlement("failed", str(error), pause, fence)
