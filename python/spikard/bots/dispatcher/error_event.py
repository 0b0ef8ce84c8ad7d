"""What a handler of errors with one parameter gets."""

from dataclasses import dataclass
from typing import Any

from spikard.bots.types.event import Update


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """An error, and what it happened with.

    Attributes:
        event: The event whose handler has failed.
        exception: The error.
        update: The update of the event, if it came as one.
    """

    event: Any
    exception: Exception
    update: Update | None = None


__all__ = ["ErrorEvent"]
