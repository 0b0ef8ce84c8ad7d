"""Guards answered slowly and plainly, and contexts that are about what guards ask for."""

import ast
import operator
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "is_null": lambda found, _: found is None,
}


def holds(guard: Any, answers: Mapping[str, bool], context: Mapping[str, Any]) -> bool:
    """Whether a guard passes: a name, a check, an expression, or several of them."""
    if isinstance(guard, str):
        return answers[guard]
    if "name" in guard:
        return answers[guard["name"]]
    if "allOf" in guard:
        return all(holds(inner, answers, context) for inner in guard["allOf"])
    if "anyOf" in guard:
        return any(holds(inner, answers, context) for inner in guard["anyOf"])
    if "not" in guard:
        return not holds(guard["not"], answers, context)
    if "expr" in guard:
        return bool(eval(guard["expr"], {"__builtins__": {}}, dict(context)))
    check = guard["check"]
    found, compare = context.get(check["field"]), OPERATORS[check["op"]]
    is_ordered = check["op"] in ("gt", "gte", "lt", "lte")
    return False if is_ordered and found is None else compare(found, check.get("value"))


def leaves(guards: Any) -> Iterator[Any]:
    """All guards that are not made of others."""
    for guard in guards:
        if isinstance(guard, str) or not {"allOf", "anyOf", "not"} & guard.keys():
            yield guard
        else:
            yield from leaves(guard.get("allOf") or guard.get("anyOf") or [guard["not"]])


class Circumstances:
    """What an event may meet: answers of named guards, and values of the fields that others look at."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.names: list[str] = []
        self.values: dict[str, list[Any]] = {}
        required: set[str] = set()
        for guard in leaves([guard for rule in definition["transitions"] for guard in rule["guards"]]):
            if isinstance(guard, str) or "name" in guard:
                self.names.append(guard if isinstance(guard, str) else guard["name"])
            elif "expr" in guard:
                tree = ast.parse(guard["expr"], mode="eval")
                constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)] or [3]
                for node in ast.walk(tree):
                    if isinstance(node, ast.Name):
                        required.add(node.id)
                        self.values.setdefault(node.id, []).extend(near for c in constants for near in around(c))
            else:
                found = around(guard["check"].get("value"))
                self.values.setdefault(guard["check"]["field"], []).extend(found)
        for name, values in self.values.items():
            # An expression has to find what it names; a check may find nothing.
            self.values[name] = [value for value in values if value is not None] or [3] if name in required else values

    def drawn(self, chance: random.Random) -> tuple[dict[str, bool], dict[str, Any]]:
        """Answers and a context."""
        answers = {name: chance.random() < 0.5 for name in self.names}
        context = {name: chance.choice(values) for name, values in self.values.items()}
        return answers, {name: value for name, value in context.items() if value is not None}


def around(value: Any) -> list[Any]:
    """A value, one before it and one after it, or another; and nothing."""
    if isinstance(value, bool):
        return [True, False, None]
    if isinstance(value, (int, float)):
        return [value - 1, value, value + 1, None]
    return [3, None] if value is None else [value, f"not {value}", None]
