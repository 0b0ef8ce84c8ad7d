"""Expressions of definitions: guards, computed fields, conditions. Compiled once, evaluated natively under limits."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from spikard._spikard import Expression

__all__ = ["Expression", "as_dict", "evaluate_bool_expr", "evaluate_expr"]

# Compiled expressions are small, and definitions have few.
_compiled = lru_cache(maxsize=4096)(Expression)


def evaluate_expr(expr: str, namespace: Mapping[str, Any], *, allow_random: bool = False) -> Any:
    """The value of an expression whose names mean what the namespace says.

    Raises ExprNameError for an unknown name, ExprSyntaxError for what is no expression, and what Python would raise for
    the values, such as ZeroDivisionError.
    """
    return _compiled(expr).evaluate(as_dict(namespace), allow_random=allow_random)


def evaluate_bool_expr(expr: str, namespace: Mapping[str, Any], *, allow_random: bool = False) -> bool:
    """Whether the value of an expression counts as true."""
    return _compiled(expr).holds(as_dict(namespace), allow_random=allow_random)


def as_dict(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The namespace as the native side reads it; a dict is read in place."""
    return namespace if isinstance(namespace, dict) else dict(namespace)
