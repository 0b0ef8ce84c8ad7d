"""How a handler that need not keep the order lets the next update of its lane go on."""

from collections.abc import Callable
from contextvars import ContextVar

# Set by the lanes around each update that has one.
leave_lane: ContextVar[Callable[[], None] | None] = ContextVar("spikard_bots_leave_lane", default=None)

__all__ = ["leave_lane"]
