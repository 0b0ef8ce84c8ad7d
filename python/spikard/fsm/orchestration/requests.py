"""What has to be waited for while an event is processed.

A request is the name of a method of a driver with its arguments; there is a driver that blocks and one that awaits.
"""

import random
from collections.abc import Generator
from typing import Any

Request = tuple[Any, ...]
Steps = Generator[Request, Any, Any]


def conflict_pause(attempt: int) -> float:
    """Seconds before the next try: a little longer each time, and never the same for all who have lost."""
    return random.uniform(0, min(0.001 * 2**attempt, 0.05))  # noqa: S311 - no secret
