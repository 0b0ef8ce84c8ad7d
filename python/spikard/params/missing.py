"""The value of a default nobody has given."""

import enum
from typing import Final


class Missing(enum.Enum):
    """Has one member; None is a default like any other."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing.MISSING

__all__ = ["MISSING", "Missing"]
