"""What becomes of timers of the time in which nobody looked after them."""

from datetime import datetime, timedelta
from typing import Literal, get_args

RestorePolicy = Literal["resume", "restart", "freeze"]


def check_policy(policy: str) -> RestorePolicy:
    """The policy, or ValueError where there is no such one."""
    for known in get_args(RestorePolicy):
        if policy == known:
            found: RestorePolicy = known
            return found
    raise ValueError(f"timers must be 'resume', 'restart' or 'freeze', got {policy!r}")


def restored(
    policy: RestorePolicy, fires_at: datetime, delay_ms: int | None, last_seen: datetime | None, now: datetime
) -> datetime:
    """When a timer fires after a restore.

    `resume`: as it was recorded, at once where that is past. `restart`: after its whole delay from now on. `freeze`:
    after what was left of it when timers were last looked after. What is not known leaves the timer as it is.
    """
    if policy == "restart" and delay_ms is not None:
        return now + timedelta(milliseconds=delay_ms)
    if policy == "freeze" and last_seen is not None:
        return fires_at + max(timedelta(), now - last_seen)
    return fires_at
