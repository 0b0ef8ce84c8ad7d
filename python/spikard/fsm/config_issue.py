"""Issues of configurations."""

from dataclasses import dataclass

from spikard.fsm.config_code import ConfigCode


@dataclass(frozen=True, slots=True)
class ConfigIssue:
    """Something wrong with a configuration: what, where, and what to do about it."""

    code: ConfigCode
    severity: str
    path: str
    message: str
    hint: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = "" if self.line is None else f"line {self.line}, column {self.column}: "
        path = f" [{self.path}]" if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.severity} {self.code.value}{path}: {self.message}{hint}"
