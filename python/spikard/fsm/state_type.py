"""The kinds of states."""

from enum import StrEnum


class StateType(StrEnum):
    """What a state is for."""

    INITIAL = "initial"
    STABLE = "stable"
    TERMINAL = "terminal"
    ERROR = "error"
    PARALLEL = "parallel"
    CHOICE = "choice"
