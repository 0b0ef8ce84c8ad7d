"""What is probably wrong with machines that run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from spikard._spikard import lint_machine
from spikard.fsm.native_checks import within_limits

if TYPE_CHECKING:
    from spikard.fsm.state_machine import StateMachine


class LintSeverity(str, Enum):  # noqa: UP042 - compared with and shown as its text, like the other codes
    """How much a finding matters."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class LintWarning:
    """One finding: what it is, how much it matters, and which parts of the machine it is about."""

    code: str
    severity: LintSeverity
    message: str
    context: dict[str, Any]
    path: tuple[str | int, ...] = field(default=(), compare=False, repr=False)


def lint(machine: "StateMachine | Mapping[str, Any]") -> list[LintWarning]:
    """Looks at a machine or a configuration. Of a machine, names are found that its registries don't have."""
    if isinstance(machine, Mapping):
        found = within_limits(lint_machine, dict(machine))
    else:
        guards, actions = _names(machine.guard_registry.list_guards()), _names(machine.action_registry.list_actions())
        found = within_limits(lint_machine, machine.to_dict(), guards, actions)
    return [
        LintWarning(code, LintSeverity(severity), message, context, path)
        for code, severity, message, context, path in found
    ]


def _names(names: Iterable[str]) -> list[str]:
    return list(names)
