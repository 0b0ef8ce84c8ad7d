"""Everything the state machines raise: one branch of the package's tree."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from spikard.errors import SpikardError


class ErrorCode(str, Enum):  # noqa: UP042 - existing code compares both the text and the look of the member
    """Stable names of what can go wrong, for programs."""

    GUARD_REJECTED = "guard_rejected"
    GUARD_EXECUTION_ERROR = "guard_execution_error"
    VALIDATION_FAILED = "validation_failed"
    INVALID_STATE = "invalid_state"
    INVALID_TRIGGER = "invalid_trigger"
    TERMINAL_STATE = "terminal_state"
    TIMEOUT = "timeout"
    CONFIG = "config"
    ACTION_FAILED = "action_failed"
    STALE_VERSION = "stale_version"
    GUARD_NOT_FOUND = "guard_not_found"
    ACTION_NOT_FOUND = "action_not_found"
    UNDEFINED_STATE = "undefined_state"


class FSMError(SpikardError):
    """The root of what state machines raise; `context` holds what is known about the case."""

    def __init__(self, message: str, context: dict[str, Any] | None = None, *, code: ErrorCode | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.context: dict[str, Any] = context or {}
        self.code = code

    def __str__(self) -> str:
        if not self.context:
            return self.message
        details = ", ".join(f"{key}={_shown(key, value)}" for key, value in self.context.items())
        return f"{self.message} ({details})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses take other arguments than the message that `args` holds.
        return _restore, (type(self), self.args, self.__dict__)

    def to_dict(self) -> dict[str, Any]:
        """The error as plain data."""
        return {
            "type": type(self).__name__,
            "message": self.message,
            "code": self.code.value if self.code else None,
            "context": self.context,
        }


class ConfigurationError(FSMError):
    """A machine's definition cannot be used; `path` says where in it."""

    def __init__(self, message: str, path: str | None = None, context: dict[str, Any] | None = None) -> None:
        super().__init__(message, _with(context, path=path) if path else context, code=ErrorCode.CONFIG)
        self.path = path


class MissingKeyError(ConfigurationError, KeyError):
    """A machine's definition lacks a key."""


class InvalidTransitionError(FSMError):
    """The state has no transition for the trigger."""

    def __init__(self, message: str, current_state: str, trigger: str, context: dict[str, Any] | None = None) -> None:
        details = _with(context, current_state=current_state, trigger=trigger)
        super().__init__(message, details, code=ErrorCode.INVALID_TRIGGER)
        self.current_state = current_state
        self.trigger = trigger


class GuardRejectedError(InvalidTransitionError):
    """There is a transition, and its guards let nobody pass."""

    def __init__(
        self,
        message: str,
        current_state: str,
        trigger: str,
        guard_name: str,
        guard_result: Any = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        details = _with(context, guard_name=guard_name, guard_result=guard_result)
        super().__init__(message, current_state, trigger, details)
        self.code = ErrorCode.GUARD_REJECTED
        self.guard_name = guard_name
        self.guard_result = guard_result


class TerminalStateError(InvalidTransitionError):
    """An event has come to a state that is never left."""

    def __init__(self, current_state: str, trigger: str, context: dict[str, Any] | None = None) -> None:
        message = f"Cannot transition from terminal state '{current_state}'"
        super().__init__(message, current_state, trigger, context)
        self.code = ErrorCode.TERMINAL_STATE


class UndefinedStateError(FSMError):
    """The machine has no state of this name."""

    def __init__(self, message: str, state_name: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(message, _with(context, state_name=state_name), code=ErrorCode.UNDEFINED_STATE)
        self.state_name = state_name


class UndefinedTriggerError(FSMError):
    """The machine has no trigger of this name anywhere."""

    def __init__(
        self,
        message: str,
        trigger: str,
        available_triggers: list[str] | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        details = _with(context, trigger=trigger)
        if available_triggers:
            details["available_triggers"] = available_triggers
        super().__init__(message, details, code=ErrorCode.INVALID_TRIGGER)
        self.trigger = trigger
        self.available_triggers = available_triggers or []


class GuardNotFoundError(FSMError):
    """A guard is named that nobody has registered."""

    def __init__(self, message: str, guard_name: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(message, _with(context, guard_name=guard_name), code=ErrorCode.GUARD_NOT_FOUND)
        self.guard_name = guard_name


class ActionNotFoundError(FSMError):
    """An action is named that nobody has registered."""

    def __init__(self, message: str, action_name: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(message, _with(context, action_name=action_name), code=ErrorCode.ACTION_NOT_FOUND)
        self.action_name = action_name


class GuardExecutionError(FSMError):
    """A guard could not be asked; asking again may help."""

    def __init__(
        self, message: str, guard_name: str, original_error: Exception, context: dict[str, Any] | None = None
    ) -> None:
        details = _with(context, guard_name=guard_name, original_error_type=type(original_error).__name__)
        super().__init__(message, details, code=ErrorCode.GUARD_EXECUTION_ERROR)
        self.guard_name = guard_name
        self.original_error = original_error


class TimeoutExpiredError(FSMError):
    """A state was held longer than it may be."""

    def __init__(
        self,
        message: str,
        state_name: str,
        timeout_seconds: float,
        elapsed_seconds: float,
        context: dict[str, Any] | None = None,
    ) -> None:
        details = _with(
            context, state_name=state_name, timeout_seconds=timeout_seconds, elapsed_seconds=elapsed_seconds
        )
        super().__init__(message, details, code=ErrorCode.TIMEOUT)
        self.state_name = state_name
        self.timeout_seconds = timeout_seconds
        self.elapsed_seconds = elapsed_seconds


class StaleVersionError(FSMError):
    """Somebody else has changed the entity in the meantime."""

    def __init__(
        self, entity_id: str, expected_version: int, actual_version: int, context: dict[str, Any] | None = None
    ) -> None:
        message = f"Stale version for entity '{entity_id}': expected {expected_version}, got {actual_version}"
        details = _with(context, entity_id=entity_id, expected_version=expected_version, actual_version=actual_version)
        super().__init__(message, details, code=ErrorCode.STALE_VERSION)
        self.entity_id = entity_id
        self.expected_version = expected_version
        self.actual_version = actual_version


class EntityBusyError(FSMError):
    """Somebody else holds the entity, and waiting for it has an end."""

    def __init__(self, entity_id: str, context: dict[str, Any] | None = None) -> None:
        message = f"Entity '{entity_id}' is held by another process; try again later"
        super().__init__(message, _with(context, entity_id=entity_id))
        self.entity_id = entity_id


class TimerGoneError(FSMError):
    """The timer was cancelled, fires elsewhere, or is of an earlier stay in its state; nothing was kept."""

    def __init__(self, timer_key: str | None) -> None:
        super().__init__(f"timer '{timer_key}' is no longer there", {"timer_key": timer_key})


class LeaseLostError(FSMError):
    """An event or an action was held, and belongs to somebody else by now; nothing was kept."""

    def __init__(self, what: str, held_id: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(f"{what} '{held_id}' is held by somebody else by now", _with(context, held_id=held_id))
        self.held_id = held_id


class EventInProgressError(FSMError):
    """The same event is being processed by somebody else at this moment; ask again later."""

    def __init__(self, key: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(f"Event '{key}' is being processed by somebody else", _with(context, key=key))
        self.key = key


class EventAnsweredError(FSMError):
    """The event was processed before; nothing was kept of it now."""

    def __init__(self, key: str, context: dict[str, Any] | None = None) -> None:
        super().__init__(f"Event '{key}' was processed before", _with(context, key=key))
        self.key = key


class MachineVersionMismatch(FSMError):  # noqa: N818 - a public name
    """An entity belongs to another definition of the machine than the one at hand."""

    def __init__(self, entity_id: str, expected: str, actual: str, context: dict[str, Any] | None = None) -> None:
        message = (
            f"Entity '{entity_id}' was stored by machine {expected}, this is {actual}; "
            "migrate the entity or load the version that it belongs to"
        )
        super().__init__(message, _with(context, entity_id=entity_id, expected=expected, actual=actual))
        self.entity_id = entity_id
        self.expected = expected
        self.actual = actual


class ReplayDivergence(FSMError):  # noqa: N818 - a public name
    """Replaying recorded events led elsewhere than the recording; `index` is the first event that did."""

    def __init__(
        self, message: str, index: int, expected: Any, actual: Any, context: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message, _with(context, index=index, expected=expected, actual=actual))
        self.index = index
        self.expected = expected
        self.actual = actual


@dataclass
class ErrorPolicy:
    """What a machine does when an event does not fit."""

    default_fallback: str | None = None
    retry_attempts: int = 0
    strict_mode: bool = True
    reject_invalid_events: bool | None = None
    strict_guard_registry: bool | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    def reject_invalid_events_effective(self) -> bool:
        """Whether an unknown event is a failure; where nothing is said, as strict as the machine."""
        return self.strict_mode if self.reject_invalid_events is None else self.reject_invalid_events

    def strict_guard_registry_effective(self) -> bool:
        """Whether a guard must be registered; where nothing is said, as strict as the machine."""
        return self.strict_mode if self.strict_guard_registry is None else self.strict_guard_registry

    def should_fallback(self, error: FSMError) -> bool:  # noqa: ARG002 - policies that look at the error override this
        """Whether a state is named to go to after an error."""
        return self.default_fallback is not None


def is_transient_error(exc: BaseException) -> bool:
    """Whether trying again may help: the network, the file system or time got in the way."""
    return isinstance(exc, OSError)


# A machine may be of many pages; it is in `context`, and its beginning in the text.
_LONGEST_SHOWN = 500


def _shown(key: str, value: Any) -> str:
    text = repr(value)
    return text if key != "config" or len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _with(context: Mapping[str, Any] | None, **details: Any) -> dict[str, Any]:
    return {**(context or {}), **details}


def _restore(cls: type[FSMError], args: tuple[Any, ...], attributes: dict[str, Any]) -> FSMError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error
