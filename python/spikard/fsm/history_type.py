"""Destinations that mean "where it was before"."""

import re
from enum import Enum

_HISTORY = re.compile(r"H(\*?)\(([A-Za-z0-9_.]+)\)")


class HistoryType(str, Enum):  # noqa: UP042 - existing code compares both the text and the look of the member
    """How far down a compound state remembers."""

    SHALLOW = "shallow"
    DEEP = "deep"


def parse_history_dest(dest: str) -> tuple[str, HistoryType] | None:
    """What `H(state)` or `H*(state)` names: the compound state and the kind; None for any other destination."""
    found = _HISTORY.fullmatch(dest)
    if found is None:
        return None
    return found[2], HistoryType.DEEP if found[1] else HistoryType.SHALLOW
