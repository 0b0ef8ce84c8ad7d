"""Expressions: what they reach, what they refuse, where they stop."""

import dataclasses
import enum
from collections import namedtuple
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from spikard.fsm import (
    ExprAttributeError,
    ExprError,
    Expression,
    ExprLimitError,
    ExprNameError,
    ExprRefusedError,
    ExprSyntaxError,
    evaluate_bool_expr,
    evaluate_expr,
)


class Colour(enum.Enum):
    RED = "red"


class Item(msgspec.Struct):
    price: int


@dataclasses.dataclass
class Order:
    total: float
    lines: list[Item]
    _secret: str = "s"

    @property
    def computed(self) -> int:
        raise AssertionError("code of an object was run")

    def method(self) -> int:
        raise AssertionError("code of an object was run")


Point = namedtuple("Point", "x y")  # noqa: PYI024 - the untyped kind as well

NESTED = "[" * 8 + "1" + "] * 999" * 8

CONTEXT: dict[str, Any] = {
    "order": Order(99.5, [Item(3), Item(4)]),
    "customer": {"tier": "gold", "tags": ["a", "b"], "get": 1},
    "point": Point(1, 2),
    "colour": Colour.RED,
    "price": Decimal("9.99"),
    "due": datetime(2026, 1, 2, tzinfo=UTC),
    "day": date(2026, 1, 2),
    "allowed": {"x", "y"},
    "nothing": None,
    "_event": {"name": "go"},
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("order.total > 50", True),
        ("order.lines[1].price", 4),
        ("customer.tier == 'gold'", True),
        ("customer.get", 1),
        ("customer.get('none', 5)", 5),
        ("'a' in customer.tags", True),
        ("point.x + point.y", 3),
        ("colour.value", "red"),
        ("price * 2", Decimal("19.98")),
        ("price > 5", True),
        ("f'{price:.1f}'", "10.0"),
        ("int(price)", 9),
        ("due + days(1)", datetime(2026, 1, 3, tzinfo=UTC)),
        ("due - date('2026-01-01')", timedelta(days=1)),
        ("due >= date('2026-01-02T00:00:00Z')", True),
        ("date(due) == due", True),
        ("day.year", 2026),
        ("'x' in allowed and len(allowed) == 2", True),
        ("_event.name", "go"),
        ("coalesce(nothing, customer.tier)", "gold"),
        ("matches(customer.tier, '^g.*d$')", True),
        ("true and not false and null is None", True),
        ("(1, [2, {'a': 3}])", (1, [2, {"a": 3}])),
    ],
)
def test_values(source: str, value: Any) -> None:
    result = evaluate_expr(source, CONTEXT)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        ("missing + 1", ExprNameError, "'missing' is not defined for expression 'missing + 1'"),
        ("customer.none", ExprAttributeError, "Attribute 'none' does not exist in expression 'customer.none'"),
        ("order._secret", ExprRefusedError, "private"),
        ("order.computed", ExprAttributeError, "computed"),
        ("order.method", ExprAttributeError, "method"),
        ("order.method()", ExprRefusedError, "method"),
        ("order.__class__", ExprRefusedError, "private"),
        ("''.__class__", ExprRefusedError, "private"),
        ("customer.items().x", ExprAttributeError, "x"),
        ("order.total.real.upper()", ExprAttributeError, "real"),
        ("order.upper()", ExprAttributeError, "upper"),
        ("'{0.__class__}'.format(order)", ExprRefusedError, "format"),
        ("'%s' % order", ExprRefusedError, "f-text"),
        ("__import__('os')", ExprRefusedError, "__import__"),
        ("eval('1')", ExprRefusedError, "there are len"),
        ("(lambda: 1)()", ExprRefusedError, "lambda"),
        ("[n for n in customer.tags]", ExprRefusedError, "comprehension"),
        ("{1, 2}", ExprRefusedError, "sets"),
        ("(n := 1)", ExprRefusedError, "assignment"),
        ("a = 1", ExprRefusedError, "=="),
        ("1; 2", ExprRefusedError, "one expression"),
        ("1\n+ 1", ExprSyntaxError, "brackets"),
        ("f'{order!a}'", ExprSyntaxError, "!r"),
        ("1 +", ExprSyntaxError, "the end at character 4"),
        ("", ExprSyntaxError, "empty"),
        ("rand()", ExprRefusedError, "allow_random"),
        ("in_state('x')", ExprRefusedError, "states"),
        ("1 / 0", ZeroDivisionError, "division by zero"),
        ("'a' + 1", TypeError, "concatenate"),
        ("1 < 'a'", TypeError, "'<' not supported between instances of 'int' and 'str'"),
        ("customer['none']", KeyError, "none"),
        ("customer.tags[7]", IndexError, "list index out of range"),
        ("int('x')", ValueError, "invalid literal"),
        ("matches('a', '(?=a)')", ValueError, "pattern"),
    ],
)
def test_faults_say_what_is_wrong(source: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        evaluate_expr(source, CONTEXT)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "9 ** 9 ** 9",
        "2 ** 4000001",
        "1 << 4000001",
        "'x' * 100001",
        "[0] * 100001",
        "('x' * 99999 + 'x' * 99999).replace('x', 'yy')",
        "f'{1:1000000}'",
        "f'{1.5:.1000000f}'",
        f"{NESTED} == {NESTED}",
        f"str({NESTED})",
        "matches('a' * 99999, '(a*)*b') " + "or matches('a' * 99999, '(a*)*b') " * 200,
        "(3 ** 2000000) // (7 ** 500000) " + "+ (3 ** 2000000) // (7 ** 500000) " * 200,
        "(" * 101 + "1" + ")" * 101,
        "-" * 5000 + "1",
        "1" + "+1" * 6000,
    ],
)
def test_hostile_expressions_end(source: str) -> None:
    with pytest.raises(ExprLimitError):
        evaluate_expr(source, {})


def test_a_context_that_holds_itself_ends() -> None:
    loop: list[Any] = []
    loop += [loop, loop]
    with pytest.raises(ExprLimitError):
        evaluate_expr("loop == [[[], []], 1] or str(loop)", {"loop": loop})


def test_chance_and_the_clock_come_from_outside() -> None:
    assert 0 <= evaluate_expr("rand()", {}, allow_random=True) < 1
    assert evaluate_expr("randint(1)", {}, allow_random=True) == 0
    expression = Expression("now() - days(1)")
    assert expression.evaluate({}, now=172_800_000_000) == datetime(1970, 1, 2, tzinfo=UTC)
    assert abs(evaluate_expr("now()", {}) - datetime.now(UTC)) < timedelta(seconds=10)


def test_an_expression_knows_its_names() -> None:
    expression = Expression("a + len(b.c) if d else 'e'")
    assert sorted(expression.names) == ["a", "b", "d"]
    assert expression.source in repr(expression)


def test_only_what_is_asked_for_is_looked_at() -> None:
    class Guarded(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise AssertionError(key)

    assert evaluate_bool_expr("a or b", {"a": 1, "b": Guarded()})


def test_any_mapping_will_do() -> None:
    assert evaluate_expr("a + 1", MappingProxyType({"a": 1})) == 2


def test_errors_are_errors_of_the_wing() -> None:
    with pytest.raises(ExprError) as caught:
        evaluate_expr("zz", {})
    assert caught.value.to_dict()["type"] == "ExprNameError"
    assert isinstance(caught.value, NameError)
