"""Checks of fields, by every operator."""

from typing import Any

import pytest

from spikard.fsm import CheckSpec, WhenCheck, evaluate_check, evaluate_when_check

CONTEXT: dict[str, Any] = {
    "n": 5,
    "f": 2.5,
    "text": "hello\n",
    "null": None,
    "list": [1, 2],
    "order": {"lines": [{"qty": 3}], "a.b": 1},
    "a.b": "literal",
    "a": {"b": "nested"},
}


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("n", "eq", 5, True),
        ("n", "eq", 5.0, True),
        ("n", "eq", "5", False),
        ("missing", "eq", None, True),
        ("null", "eq", None, True),
        ("n", "neq", 6, True),
        ("null", "neq", 1, True),
        ("n", "gt", 4, True),
        ("n", "gt", 5, False),
        ("n", "gte", 5, True),
        ("n", "lt", 5.5, True),
        ("n", "lte", 4, False),
        ("null", "gt", 1, False),
        ("missing", "lt", 1, False),
        ("missing", "gt", "x", False),
        ("n", "is_set", None, True),
        ("null", "is_set", None, False),
        ("missing", "is_null", None, True),
        ("text", "contains", "ell", True),
        ("n", "contains", 5, True),
        ("list", "contains", 1, True),
        ("null", "contains", "None", False),
        ("text", "starts_with", "he", True),
        ("f", "starts_with", 2, True),
        ("text", "ends_with", "o\n", True),
        ("text", "matches", "^h.l+o$", True),
        ("text", "matches", r"o\Z", False),
        ("n", "matches", "^[0-9]$", True),
        ("missing", "matches", ".*", False),
        ("order.lines.0.qty", "eq", 3, True),
        ("order.lines.1.qty", "is_null", None, True),
        ("a.b", "eq", "literal", True),
        ("n.x", "is_null", None, True),
    ],
)
def test_operators(field: str, op: str, value: Any, expected: bool) -> None:
    assert evaluate_check(CheckSpec(field, op, value), CONTEXT) is expected


@pytest.mark.parametrize(
    ("values", "inside"), [((1, 5), True), (([1, 2], "5"), False), ((), False), ((5.0,), True), ((True,), False)]
)
def test_elements(values: tuple[Any, ...], inside: bool) -> None:
    assert evaluate_check(CheckSpec("n", "in", values=values), CONTEXT) is inside
    assert evaluate_check(CheckSpec("n", "not_in", values=values), CONTEXT) is not inside


def test_values_without_an_order_raise() -> None:
    with pytest.raises(TypeError, match="'>' not supported between instances of 'int' and 'str'"):
        evaluate_check(CheckSpec("n", "gt", "x"), CONTEXT)


def test_look_around_needs_a_word() -> None:
    with pytest.raises(ValueError, match="allow_backtracking"):
        evaluate_check(CheckSpec("text", "matches", "h(?=e)"), CONTEXT)
    assert evaluate_check(CheckSpec("text", "matches", "h(?=e)", allow_backtracking=True), CONTEXT)
    assert evaluate_check(CheckSpec("text", "matches", r"(l)\1", allow_backtracking=True), CONTEXT)


@pytest.mark.timeout(10)
def test_patterns_take_time_in_proportion() -> None:
    check = CheckSpec("text", "matches", "^(a+)+$")
    assert not evaluate_check(check, {"text": "a" * 50_000 + "b"})


def test_what_several_make_together() -> None:
    yes = {"field": "n", "op": "eq", "value": 5}
    no = {"field": "n", "op": "eq", "value": 6}
    wrong = {"field": "n", "op": "gt", "value": "x"}
    for config, expected in [
        ({"any_of": [no, yes, wrong]}, True),
        ({"anyOf": [no, no]}, False),
        ({"all_of": [yes, yes]}, True),
        ({"allOf": [no, wrong]}, False),
        ({"negate": no}, True),
        ({"not": {"any_of": [no, {"negate": yes}]}}, True),
    ]:
        assert evaluate_when_check(WhenCheck.from_config(config), CONTEXT) is expected
    with pytest.raises(TypeError):
        evaluate_when_check(WhenCheck.from_config({"negate": wrong}), CONTEXT)
