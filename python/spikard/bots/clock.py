"""The time that bots go by: the machine's, or in a test the tester's."""

from contextvars import ContextVar

from spikard.fsm.clock import Clock, FsmClock

# Tasks and threads that a test starts go by its clock as well: they take the context along.
current_clock: ContextVar[Clock] = ContextVar("spikard_bots_clock", default=FsmClock())  # noqa: B039 - without state


def now() -> float:
    """The present moment, in seconds since 1970."""
    return current_clock.get().now().timestamp()


__all__ = ["current_clock", "now"]
