"""When timers of states fire, as definitions write it."""

from collections.abc import Callable, Container, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from spikard.fsm.delays import parse_delay
from spikard.fsm.errors import ConfigurationError, ErrorCode, FSMError
from spikard.fsm.expressions import evaluate_expr

# The moment for an entity's context at a present moment; None where the context has nothing to say.
Due = Callable[[Mapping[str, Any], datetime], datetime | None]

# No timer waits longer: beyond are mistakes of units rather than plans.
LONGEST = timedelta(days=36_525)


def after_seconds(seconds: float) -> Due:
    """A fixed while after the entry."""
    delay = timedelta(seconds=seconds)
    return lambda _, now: now + delay


def after_expression(expression: str, state: str) -> Due:
    """As many seconds after the entry as an expression over the context says."""

    def due(context: Mapping[str, Any], now: datetime) -> datetime:
        value = evaluate_expr(expression, context)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LONGEST.total_seconds():
            raise _wrong(state, f"after: {{expr: {expression!r}}} must give seconds from 0 on, not {value!r}")
        return now + timedelta(seconds=value)

    return due


def at_field(field: str, state: str) -> Due:
    """The moment in a field of the context; no timer without one. What is past fires at once."""
    path = field.split(".")

    def due(context: Mapping[str, Any], now: datetime) -> datetime | None:  # noqa: ARG001 - as all that are due
        value: Any = context
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        return None if value is None else _moment(value, field, state)

    return due


def cron(schedule: str, zone: str | None, state: str) -> Due:
    """The next time that fits a schedule of five fields, in a time zone, by default UTC."""
    try:
        from cronsim import CronSim, CronSimError
    except ImportError as error:
        raise ConfigurationError(
            f"state '{state}' has a cron schedule, which needs cronsim: pip install 'spikard[cron]'"
        ) from error
    try:
        where = _zone(zone)
        CronSim(schedule, datetime.now(where))
    except (CronSimError, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"state '{state}': cron {schedule!r} in zone {zone!r} cannot be read: {error}"
        ) from error

    def due(_: Mapping[str, Any], now: datetime) -> datetime | None:
        following = next(CronSim(schedule, now.astimezone(where)), None)
        return None if following is None else following.astimezone(UTC)

    return due


def of_transition(after: int | None, metadata: Mapping[str, Any], state: str) -> Due | None:
    """What makes a transition fire by itself; None where nothing does."""
    if after is not None and after > 0:
        return after_seconds(after / 1000)
    rule = metadata.get("after")
    if isinstance(rule, Mapping) and "expr" in rule:
        return after_expression(str(rule["expr"]), state)
    at = metadata.get("at")
    if at is None:
        return None
    field = at.get("field") if isinstance(at, Mapping) else None
    if not isinstance(field, str) or not field:
        raise ConfigurationError(f"state '{state}': at must be {{field: name}}, not {at!r}")
    return at_field(field, state)


def of_state(given: Any, state: str, triggers: Container[str]) -> tuple[str, Due]:
    """The trigger and the moments of a state's `cron`: a schedule, or one with `trigger` and `timezone`."""
    rule = given if isinstance(given, Mapping) else {"schedule": given}
    schedule = rule.get("schedule")
    if not isinstance(schedule, str):
        raise ConfigurationError(f"state '{state}': cron must be a schedule like '0 9 * * 1-5', not {given!r}")
    trigger = rule.get("trigger") or ("cron" if "cron" in triggers else f"_cron_{state}")
    return str(trigger), cron(schedule, rule.get("timezone"), state)


def delay_of(text: Any) -> float:
    """Seconds of a delay as messages write it."""
    return parse_delay(text) / 1000 if text else 0.0


def _zone(name: str | None) -> Any:
    from zoneinfo import ZoneInfo

    return UTC if name is None else ZoneInfo(name)


def _moment(value: Any, field: str, state: str) -> datetime:
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise _wrong(
            state, f"at: {{field: {field}}} must hold a moment in ISO 8601 or seconds, not {value!r}"
        ) from error
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _wrong(state: str, message: str) -> FSMError:
    return FSMError(f"The timer of state '{state}' cannot be armed: {message}", code=ErrorCode.VALIDATION_FAILED)
