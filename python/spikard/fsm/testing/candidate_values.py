"""Values that decide guards one way or the other: those at the edges of what conditions compare with.

Between two neighbouring constants all values are alike to checks, so one of each range, and the constants themselves,
stand for everything. Of expressions the constants are taken likewise, which is a good guess and no proof.
"""

import ast
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spikard.fsm.check_spec import CheckSpec
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.testing.pattern_sample import sample
from spikard.fsm.testing.simulation import flattened

# Operators whose outcome is decided by where a value lies between constants: nothing else has to be tried.
EXACT = frozenset({"eq", "neq", "gt", "gte", "lt", "lte", "in", "not_in", "is_set", "is_null"})
_BY_TYPE: Mapping[str, tuple[Any, ...]] = {
    "string": ("x",),
    "number": (1, 0),
    "boolean": (True, False),
    "object": ({"x": 1}, {}),
}
_MOST = 40
_KNOWN = frozenset({"True", "False", "None", "true", "false", "null"})


class Conditions:
    """What guards say of fields: the checks, the expressions, and the names of functions."""

    def __init__(self, guards: Iterable[GuardSpec]) -> None:
        self.checks: list[CheckSpec] = []
        self.expressions: list[ast.expr] = []
        self.named: list[GuardSpec] = []
        self.vague: list[str] = []
        for guard in guards:
            for leaf in flattened(guard):
                if leaf.check is not None:
                    self.checks.append(leaf.check)
                    if leaf.check.op not in EXACT:
                        self.vague.append(f"'{leaf.check.field}' is searched for a text")
                elif leaf.expr is not None:
                    trees = _parsed(leaf.expr)
                    self.expressions += trees
                    if not (trees and _is_plain(trees[0])):
                        self.vague.append(f"the expression '{leaf.expr}' is not one of comparisons with constants")
                else:
                    self.named.append(leaf)

    @property
    def doubt(self) -> str:
        """Why candidates may not stand for every value there is; nothing, where they do."""
        return self.vague[0] if self.vague else ""

    @property
    def fields(self) -> list[str]:
        """The fields that are looked at, dotted where they lie deeper, in the order in which they come."""
        found = [check.field for check in self.checks]
        found += [name for tree in self.expressions for name in _names(tree)]
        found += [str(guard.params["key"]) for guard in self.named if isinstance(guard.params.get("key"), str)]
        return list(dict.fromkeys(found))

    def values(self, field: str, kind: str | None) -> list[Any]:
        """What a field is tried with; the likeliest first. `kind` is its type in `state_variables`."""
        checks = [check for check in self.checks if check.field == field]
        constants = [value for check in checks for value in _of_check(check)] + _put_together(checks)
        for tree in self.expressions:
            if field in _names(tree):
                constants += _of_expression(tree, field)
        values = _around(constants)
        if kind in _BY_TYPE and not any(_is_of(kind, value) for value in values):
            values = [*_BY_TYPE[str(kind)], *values]
        elif not constants:
            values = [1, 0, True, False, "x", *values]
        return _distinct([*values, None])[:_MOST]


def _parsed(text: str) -> list[ast.expr]:
    try:
        return [ast.parse(text.strip(), mode="eval").body]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _is_plain(tree: ast.AST) -> bool:
    """Whether an expression only compares fields with constants, and puts such comparisons together."""
    if isinstance(tree, ast.BoolOp):
        return all(_is_plain(value) for value in tree.values)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return _is_plain(tree.operand)
    if isinstance(tree, ast.Compare):
        sides = [tree.left, *tree.comparators]
        return all(isinstance(side, ast.Constant) or _dotted(side) for side in sides) and (
            sum(not isinstance(side, ast.Constant) and _dotted(side) not in _KNOWN for side in sides) <= 1
        )
    return isinstance(tree, ast.Constant) or bool(_dotted(tree))


def _names(tree: ast.AST) -> list[str]:
    """The names that an expression looks up, with the attributes behind them."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = []
    for node in ast.walk(tree):
        if id(node) in called and isinstance(node, ast.Name):
            continue
        if isinstance(node, (ast.Name, ast.Attribute)) and id(node) not in inner:
            # The name of a method is no field.
            dotted = _dotted(node.value if id(node) in called and isinstance(node, ast.Attribute) else node)
            if dotted and dotted not in _KNOWN:
                found.append(dotted)
    return list(dict.fromkeys(found))


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _constants(node: ast.AST) -> list[Any]:
    return [
        inner.value
        for inner in ast.walk(node)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, (int, float, str, bool))
    ]


def _of_expression(tree: ast.expr, field: str) -> list[Any]:
    """Constants that a field may be compared with: all of the comparison, or else of the whole expression."""
    constants: list[Any] = []
    compared = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and field in _names(node):
            compared = True
            constants += _sized(node, field) or _constants(node)
            if not any(isinstance(value, str) for value in constants):
                # It may be compared with other fields: small numbers meet each other.
                constants += [0, 1, 10]
    return constants if compared else [True, False, *_constants(tree)]


def _sized(node: ast.Compare, field: str) -> list[Any]:
    """Values of the lengths that `len(field)` is compared with, and a list that has what is looked for."""
    sides = (node.left, *node.comparators)
    for side in sides:
        if isinstance(side, ast.Call) and isinstance(side.func, ast.Name) and side.func.id == "len":
            lengths = {size + more for size in _constants(node) if isinstance(size, int) for more in (0, 1, -1)}
            return ["x" * length for length in sorted(lengths) if 0 <= length <= 1000]
    if isinstance(node.ops[0], (ast.In, ast.NotIn)) and field in _names(node.comparators[0]):
        return [[value] for value in _constants(node.left)] + [[]]
    return []


def _of_check(check: CheckSpec) -> list[Any]:
    if check.op in {"in", "not_in"}:
        return list(check.values) or (list(check.value) if isinstance(check.value, Sequence) else [])
    if check.op in {"is_set", "is_null"}:
        return [True]
    if check.op == "matches":
        found = sample(str(check.value))
        return [""] if found is None else [found, ""]
    if check.op in {"contains", "starts_with", "ends_with"}:
        return [str(check.value), f"{check.value} x", f"x {check.value}", ""]
    return [check.value]


def _put_together(checks: Sequence[CheckSpec]) -> list[Any]:
    """A text that begins, goes on and ends as several checks want it."""
    parts = [str(check.value) for op in ("starts_with", "contains", "ends_with") for check in checks if check.op == op]
    return ["".join(parts)] if len(parts) > 1 else []


def _around(constants: Sequence[Any]) -> list[Any]:
    """The constants, their neighbours, and something between each two and beyond all of them."""
    values = list(constants)
    numbers = sorted({value for value in constants if _is_number(value) and math.isfinite(value)})
    for lower, upper in itertools.pairwise(numbers):
        # Further apart, what is next to them lies between them.
        if upper - lower < 2:
            values.append((lower + upper) / 2)
    for number in numbers:
        values += [number + 1, number - 1]
    if any(isinstance(value, float) for value in numbers):
        values += [value for number in numbers for value in (number + 0.01, number - 0.01)]
    if any(isinstance(value, bool) for value in constants):
        values += [True, False]
    for text in [value for value in constants if isinstance(value, str)]:
        values.append(f"{text}~")
    return _distinct(values)


def around_constants(constants: Iterable[Any]) -> list[Any]:
    """Constants and their neighbours."""
    return _around(list(constants))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_of(kind: str | None, value: Any) -> bool:
    if kind == "number":
        return _is_number(value)
    return isinstance(value, {"string": str, "boolean": bool, "object": dict}.get(kind or "", object))


def _distinct(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    seen: set[str] = set()
    for value in values:
        key = f"{type(value).__name__} {value!r}"
        if key not in seen:
            seen.add(key)
            found.append(value)
    return found
