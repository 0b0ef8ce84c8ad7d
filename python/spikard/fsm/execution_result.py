"""What carrying out a plan has given."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from spikard.fsm.action_result import ActionResult, ActionStatus
from spikard.fsm.plan import Plan


class ExecutionMode(str, Enum):  # noqa: UP042 - existing code compares both the text and the look of the member
    """In which order the actions of a plan run."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"
    PHASED = "phased"


@dataclass
class ExecutionResult:
    """The results of all actions of a plan, in the order of the plan."""

    transition_result: Plan
    action_results: list[ActionResult] = field(default_factory=list)
    execution_mode: ExecutionMode = ExecutionMode.SEQUENTIAL
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    completed_at: datetime | None = None

    @property
    def all_succeeded(self) -> bool:
        """Whether every action was done; a skipped one was not."""
        return all(result.status is ActionStatus.OK for result in self.action_results)

    @property
    def failed_actions(self) -> list[str]:
        """The names of those that failed."""
        return self._with(ActionStatus.FAILED)

    @property
    def succeeded_actions(self) -> list[str]:
        """The names of those that were done."""
        return self._with(ActionStatus.OK)

    @property
    def skipped_actions(self) -> list[str]:
        """The names of those that were left out."""
        return self._with(ActionStatus.SKIPPED)

    @property
    def action_count(self) -> int:
        """How many there were."""
        return len(self.action_results)

    @property
    def duration_ms(self) -> float | None:
        """How long it took, or None while it lasts."""
        return (self.completed_at - self.started_at).total_seconds() * 1000 if self.completed_at else None

    def _with(self, status: ActionStatus) -> list[str]:
        return [result.action_name for result in self.action_results if result.status is status]
