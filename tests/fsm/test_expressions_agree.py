"""Expressions and CPython's own `eval` say the same."""

import math
import warnings
from typing import Any

import pytest

from spikard.fsm import ExprError, Expression, ExprLimitError, ExprRefusedError
from tests.fsm.expression_source import NAMES, Source

COUNT = 12_000
_FUNCTIONS = {
    function.__name__: function for function in (len, min, max, abs, round, str, int, float, bool, any, all, sum)
}


def _python(source: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(source, {"__builtins__": _FUNCTIONS}, dict(NAMES))


def _same(ours: Any, theirs: Any) -> bool:
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, float):
        return repr(ours) == repr(theirs) or math.isclose(ours, theirs, rel_tol=1e-15)
    if isinstance(ours, (list, tuple)):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key]) for key in ours)
    return bool(ours == theirs)


def _ours(source: str) -> Any:
    try:
        return Expression(source).evaluate(NAMES)
    except Exception as error:  # noqa: BLE001 - compared with Python's
        return error


def _theirs(source: str) -> Any:
    try:
        return _python(source)
    except Exception as error:  # noqa: BLE001 - compared with ours
        return error


def _agree(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, KeyError) and any(isinstance(key, slice) for key in theirs.args):
        # From 3.12 on a slice is a key like any other; here it is none, as before.
        return isinstance(ours, TypeError)
    if isinstance(theirs, Exception):
        return isinstance(ours, ExprError) or (isinstance(ours, Exception) and isinstance(theirs, type(ours)))
    if isinstance(theirs, complex):
        return isinstance(ours, Exception)
    # Formatting with % is not available.
    return isinstance(ours, ExprRefusedError) or _same(ours, theirs)


@pytest.mark.timeout(120)
def test_random_expressions_have_the_values_and_the_errors_of_python() -> None:
    source = Source(20261121)
    differences, values, refused = [], 0, 0
    for _ in range(COUNT):
        text = source.expression()
        ours = _ours(text)
        refused += isinstance(ours, ExprRefusedError)
        if isinstance(ours, ExprLimitError):
            # Python would take its time, and all the memory.
            refused += 1
            continue
        theirs = _theirs(text)
        values += not isinstance(theirs, Exception)
        if not _agree(ours, theirs):
            differences.append((text, ours, theirs))
    assert differences == [], f"{len(differences)} differ"
    assert values > COUNT / 4, f"only {values} of {COUNT} have a value"
    assert refused < COUNT / 10, f"{refused} of {COUNT} are refused"


@pytest.mark.parametrize("number", [0.1, 1e22, 1e16, 123456789.125, 5e-324, 1.7976931348623157e308, 1e-4, 1e-5, 2.5e15])
@pytest.mark.parametrize(
    "source",
    ["str(n)", "round(n, 2)", "round(n, -2)", "f'{n:g}'", "f'{n:.3e}'", "f'{n:.10g}'", "n // 3", "n % 0.7", "-n // 7"],
)
def test_floats_are_written_and_rounded_as_in_python(source: str, number: float) -> None:
    expected = eval(source, {"n": number})
    assert _same(Expression(source).evaluate({"n": number}), expected)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (10**400, 10**390),
        (2**1100, 3**690),
        (1, 10**300),
        (7**500, -(3**900)),
        (2**53 + 1, 2**60),
        (-(10**30), 7),
        (5**320, 2**1800),
    ],
)
def test_large_whole_numbers_are_divided_exactly(left: int, right: int) -> None:
    names = {"l": left, "r": right}
    for source in ("l / r", "l // r", "l % r", "l - r", "l * r", "l & r", "l | r", "l ^ r", "l < r", "l >> 5"):
        assert Expression(source).evaluate(names) == eval(source, dict(names)), source
