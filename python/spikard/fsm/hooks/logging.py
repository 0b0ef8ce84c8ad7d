"""Hooks that write lines."""

import json
import logging
from typing import Any

from spikard.fsm.plan import Plan


class LoggingHook:
    """One line of text for each phase."""

    def __init__(self, log_level: int = logging.DEBUG, logger_name: str = "spikard.fsm.transitions") -> None:
        self.log_level = log_level
        self.logger = logging.getLogger(logger_name)

    def on_before_process(self, entity_id: str, current_state: str, trigger: str, context: dict[str, Any]) -> None:  # noqa: ARG002
        """An event has come."""
        self.logger.log(
            self.log_level, "Processing: entity_id=%s state=%s trigger=%s", entity_id, current_state, trigger
        )

    def on_transition_start(self, current_state: str, trigger: str, context: dict[str, Any]) -> None:  # noqa: ARG002
        """It is about to be computed."""
        self.logger.log(self.log_level, "Transition starting: state=%s trigger=%s", current_state, trigger)

    def on_transition_complete(self, result: Plan, duration_ms: float, context: dict[str, Any]) -> None:  # noqa: ARG002
        """It was computed."""
        if result.success:
            self.logger.log(
                self.log_level,
                "Transition completed: %s -> %s (trigger=%s, duration=%.2fms)",
                result.source_state, result.target_state, result.trigger, duration_ms,
            )  # fmt: skip
        else:
            self.logger.log(
                self.log_level,
                "Transition failed: state=%s trigger=%s error=%s (duration=%.2fms)",
                result.source_state, result.trigger, result.error, duration_ms,
            )  # fmt: skip

    def on_transition_error(self, error: Exception, current_state: str, trigger: str, context: dict[str, Any]) -> None:  # noqa: ARG002
        """It raised."""
        self.logger.error(
            "Transition error: state=%s trigger=%s error=%s", current_state, trigger, error, exc_info=error
        )


class StructuredLoggingHook:
    """One JSON object for each phase."""

    def __init__(self, log_level: int = logging.INFO, logger_name: str = "spikard.fsm.structured") -> None:
        self.log_level = log_level
        self.logger = logging.getLogger(logger_name)

    def on_before_process(self, entity_id: str, current_state: str, trigger: str, context: dict[str, Any]) -> None:  # noqa: ARG002
        """An event has come."""
        self._write("before_process", entity_id=entity_id, source_state=current_state, trigger=trigger)

    def on_transition_start(self, current_state: str, trigger: str, context: dict[str, Any]) -> None:  # noqa: ARG002
        """It is about to be computed."""
        self._write("transition_start", source_state=current_state, trigger=trigger)

    def on_transition_complete(self, result: Plan, duration_ms: float, context: dict[str, Any]) -> None:  # noqa: ARG002
        """It was computed."""
        self._write(
            "transition_complete", source_state=result.source_state, target_state=result.target_state,
            trigger=result.trigger, success=result.success, duration_ms=round(duration_ms, 3),
        )  # fmt: skip

    def on_transition_error(self, error: Exception, current_state: str, trigger: str, context: dict[str, Any]) -> None:  # noqa: ARG002
        """It raised."""
        self._write(
            "transition_error", source_state=current_state, trigger=trigger,
            error_type=type(error).__name__, error_message=str(error),
        )  # fmt: skip

    def _write(self, event: str, **values: Any) -> None:
        self.logger.log(self.log_level, "%s", json.dumps({"event": event, **values}, default=str))
