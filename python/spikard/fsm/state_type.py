"""The kinds of states."""

from enum import Enum


class StateType(str, Enum):  # noqa: UP042 - existing code compares both the text and the look of the member
    """What a state is for."""

    INITIAL = "initial"
    STABLE = "stable"
    TERMINAL = "terminal"
    ERROR = "error"
    PARALLEL = "parallel"
    CHOICE = "choice"
