"""The value of an option nobody has set."""

import enum
from typing import Final


class Unset(enum.Enum):
    """Has one member; told apart from None, which switches an option off."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset.UNSET

__all__ = ["UNSET", "Unset"]
