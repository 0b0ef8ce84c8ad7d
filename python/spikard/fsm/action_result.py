"""What doing an action has given."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any


class ActionStatus(str, Enum):  # noqa: UP042 - existing code compares both the text and the look of the member
    """How an action has ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass
class ActionResult:
    """What became of one action. One that was skipped counts as a success."""

    success: bool
    action_name: str
    result: Any = None
    error: Exception | None = None
    status: ActionStatus = ActionStatus.OK

    @property
    def is_skipped(self) -> bool:
        """Whether it was not done at all."""
        return self.status is ActionStatus.SKIPPED

    @classmethod
    def ok(cls, action_name: str, result: Any = None) -> "ActionResult":
        """It was done."""
        return cls(True, action_name, result)

    @classmethod
    def fail(cls, action_name: str, error: Exception) -> "ActionResult":
        """It raised, or could not be done."""
        return cls(False, action_name, error=error, status=ActionStatus.FAILED)

    @classmethod
    def skipped(cls, action_name: str, reason: str = "") -> "ActionResult":
        """It was left out, for a reason."""
        return cls(True, action_name, reason or "not_registered", status=ActionStatus.SKIPPED)


def action_results_to_payload(results: Iterable[ActionResult]) -> list[dict[str, Any]]:
    """Results as plain data, for metadata and answers."""
    payload = []
    for result in results:
        entry: dict[str, Any] = {
            "name": result.action_name,
            "status": result.status._value_,
            "success": result.success,
            "skipped": result.status is ActionStatus.SKIPPED,
        }
        if result.error is not None:
            entry["error"] = str(result.error)
        if result.result is not None:
            entry["result"] = result.result
        payload.append(entry)
    return payload
