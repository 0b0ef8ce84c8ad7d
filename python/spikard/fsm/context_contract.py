"""What a definition says of the context: which keys there are, and what holds for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from spikard.fsm.front import front
from spikard.fsm.when_check import WhenCheck

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
}


def validate_context(
    variables: Sequence[Mapping[str, Any]], invariants: Sequence[Mapping[str, Any]], context: Mapping[str, Any]
) -> list[str]:
    """What is wrong with a context."""
    faults = [fault for variable in variables for fault in _variable(variable, context)]
    faults.extend(fault for invariant in invariants for fault in _invariant(invariant, context))
    return faults


def _variable(variable: Mapping[str, Any], context: Mapping[str, Any]) -> list[str]:
    key = variable["key"]
    if key not in context:
        return [f"Missing required state variable: '{key}'"] if variable.get("required") else []
    value = context[key]
    if value is None:
        return [f"Required state variable '{key}' must not be None"] if variable.get("required") else []
    expected = _TYPES.get(variable.get("type") or "")
    if expected is not None and not isinstance(value, expected):
        return [f"State variable '{key}' should be {variable['type']}, got {type(value).__name__}"]
    return []


def _invariant(invariant: Mapping[str, Any], context: Mapping[str, Any]) -> list[str]:
    label = invariant.get("name") or invariant.get("description") or invariant.get("field") or "context_invariant"
    try:
        holds = front().evaluate_when_check(WhenCheck.from_config(invariant), dict(context))
    except Exception as error:  # noqa: BLE001 - values of contexts may raise whatever they like when compared
        return [f"Context invariant '{label}' is invalid: {error}"]
    return [] if holds else [f"Context invariant '{label}' failed"]
