"""What asking guards has given."""

from dataclasses import dataclass, field


@dataclass
class GuardResult:
    """Whether guards let a transition pass, and what each of those asked has said. True when they do."""

    passed: bool
    guard_name: str | None = None
    message: str = ""
    evaluated_guards: list[tuple[str, bool]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.passed

    @classmethod
    def success(cls, evaluated: list[tuple[str, bool]] | None = None) -> "GuardResult":
        """All passed."""
        return cls(True, evaluated_guards=evaluated or [])

    @classmethod
    def failure(
        cls, guard_name: str, message: str = "", evaluated: list[tuple[str, bool]] | None = None
    ) -> "GuardResult":
        """One refused."""
        return cls(False, guard_name, message or f"Guard '{guard_name}' rejected transition", evaluated or [])
