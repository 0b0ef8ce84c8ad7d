"""States as stores keep them."""

from collections.abc import Callable

from spikard.fsm.parallel_state_config import ParallelStateConfig


def parse_stored_state(value: str, is_parallel_state: Callable[[str], bool]) -> str | ParallelStateConfig:
    """The state that a stored text means: where the regions are, for one of a parallel state."""
    name, colon, _ = value.partition(":")
    if colon and is_parallel_state(name):
        return ParallelStateConfig.from_string(value)
    return value
