"""Reading what a server of another version sends: a field that does not fit is left out, its object is not."""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypeVar

import msgspec

from spikard.bots.types.base import VKObject, decode_error

Model = TypeVar("Model", bound=VKObject)

# Each step of a path like `$.parts[1].payload`.
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
# A sender of nothing but faults does not keep us busy.
_MOST_ISSUES = 20


def convert(model: type[Model], data: Any, required: frozenset[str] = frozenset()) -> tuple[Model, list[str]]:
    """The object, and what was left out of it.

    Args:
        model: What to make.
        data: By names of the wire.
        required: Fields whose faults are faults of the whole though they have defaults.

    Raises:
        DecodeError: A field without which there is no object is missing or does not fit.
    """
    issues: list[str] = []
    while True:
        try:
            return msgspec.convert(data, model, strict=False), issues
        except msgspec.ValidationError as fault:
            error = decode_error(model, fault)
            steps = [name or index for name, index in _STEP.findall(error.path)]
            if not steps or (len(steps) == 1 and steps[0] in required) or len(issues) >= _MOST_ISSUES:
                raise error from None
            if not issues:
                data = deepcopy(data)
            if not _drop(data, steps):
                raise error from None
            issues.append(str(fault))


def _drop(data: Any, steps: list[str]) -> bool:
    """Takes the thing at the end of a path out of what holds it."""
    for step in steps[:-1]:
        data = _inside(data, step)
    last = steps[-1]
    if isinstance(data, dict):
        return data.pop(last, data) is not data
    if isinstance(data, list):
        index = _index(data, last)
        if index is not None:
            del data[index]
            return True
    return False


def _inside(data: Any, step: str) -> Any:
    if isinstance(data, Mapping):
        return data.get(step)
    if isinstance(data, list):
        index = _index(data, step)
        return None if index is None else data[index]
    return None


def _index(items: list[Any], step: str) -> int | None:
    return int(step) if step.isdigit() and int(step) < len(items) else None


__all__ = ["convert"]
