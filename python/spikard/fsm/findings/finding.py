"""One thing that was found in a file."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters; `rank` grows with it."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """Its place among the others, from 0."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, where, and what to do about it.

    Lines and columns count from one, columns count characters; `end_column` is the one after the last character.
    `is_fault` tells what makes a file no machine from what is only worth a look.
    """

    file: str
    code: str
    severity: Severity
    message: str
    hint: str | None = None
    path: str = ""
    line: int | None = None
    column: int | None = None
    end_column: int | None = None
    is_fault: bool = False
