"""Checks of one field, and what several of them make together."""

from collections.abc import Mapping
from typing import Any

from spikard._spikard import check_holds
from spikard.fsm.check_spec import CheckSpec
from spikard.fsm.expressions import as_dict
from spikard.fsm.when_check import WhenCheck


def evaluate_check(check: CheckSpec, ctx: Mapping[str, Any]) -> bool:
    """Whether a check holds; TypeError where an order is asked for that the values don't have."""
    return check_holds(check.field, check.op, check.value, tuple(check.values), check.allow_backtracking, as_dict(ctx))


def evaluate_when_check(when_check: WhenCheck, ctx: Mapping[str, Any]) -> bool:
    """Whether a condition holds; what decides it ends the search."""
    if when_check.check is not None:
        return evaluate_check(when_check.check, ctx)
    if when_check.any_of:
        return any(evaluate_when_check(item, ctx) for item in when_check.any_of)
    if when_check.all_of:
        return all(evaluate_when_check(item, ctx) for item in when_check.all_of)
    return when_check.negate is not None and not evaluate_when_check(when_check.negate, ctx)
