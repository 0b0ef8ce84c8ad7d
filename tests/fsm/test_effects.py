"""Effects, templates and delays."""

from datetime import UTC, datetime
from typing import Any

import pytest

from spikard.fsm import (
    ExprNameError,
    ExprSyntaxError,
    SimulatedClock,
    apply_effect,
    parse_delay,
    render_template,
    render_template_value,
)


@pytest.mark.parametrize(
    ("effect", "params", "before", "after"),
    [
        ("set", {"a": 1, "b": [1]}, {"a": 0}, {"a": 1, "b": [1]}),
        ("increment", {"field": "n"}, {}, {"n": 1}),
        ("increment", {"field": "n"}, {"n": 1.5}, {"n": 2.5}),
        ("increment", {"field": "n"}, {"n": 2**63 - 1}, {"n": 2**63}),
        ("decrement", {"field": "n"}, {"n": 1}, {"n": 0}),
        ("decrement", {"field": "n"}, {}, {"n": -1}),
        ("append", {"field": "l", "value": {"x": 1}}, {}, {"l": [{"x": 1}]}),
        ("append", {"field": "l", "value": 2}, {"l": [1]}, {"l": [1, 2]}),
        ("clear", {"field": "x"}, {"x": 1, "y": 2}, {"y": 2}),
        ("clear", {"field": "x"}, {"y": 2}, {"y": 2}),
        ("compute", {"b": "a + 1", "c": "b * 2", "a": "c"}, {"a": 1}, {"a": 4, "b": 2, "c": 4}),
        ("timestamp", {"field": "t"}, {}, {"t": "2026-01-01T00:00:00.500000+00:00"}),
    ],
)
def test_effects(effect: str, params: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    apply_effect(effect, params, before, clock=SimulatedClock(datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)))
    assert before == after


@pytest.mark.parametrize(
    ("effect", "params", "context", "error", "text"),
    [
        (
            "increment",
            {"field": "n"},
            {"n": True},
            TypeError,
            "Cannot increment field 'n': expected a numeric value, got bool",
        ),
        ("decrement", {"field": "n"}, {"n": None}, TypeError, "Cannot decrement field 'n'"),
        ("append", {"field": "l", "value": 1}, {"l": (1,)}, TypeError, "expected a list value, got tuple"),
        ("append", {"field": "l"}, {"l": []}, KeyError, "value"),
        ("increment", {}, {}, KeyError, "field"),
        ("nothing", {}, {}, ValueError, "Unknown effect type: nothing"),
        ("compute", {"a": "1", "b": "zz"}, {}, ExprNameError, "'zz' is not defined"),
        ("compute", {"a": "1", "b": "2 +"}, {}, ExprSyntaxError, "the end"),
    ],
)
def test_an_effect_that_fails_changes_nothing(
    effect: str, params: dict[str, Any], context: dict[str, Any], error: type[Exception], text: str
) -> None:
    before = dict(context)
    with pytest.raises(error) as caught:
        apply_effect(effect, params, context)
    assert text in str(caught.value)
    assert context == before


def test_a_list_is_extended_where_it_is() -> None:
    items = [object()]
    context = {"l": items}
    apply_effect("append", {"field": "l", "value": 1}, context)
    assert context["l"] is items
    assert items[1] == 1


def test_what_is_set_is_the_very_value() -> None:
    value = object()
    context: dict[str, Any] = {}
    apply_effect("set", {"v": value}, context)
    assert context["v"] is value


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("x {{ a }} {{zz}} {{ b.c }} {{ n }} {{ a + 1 }}{{}}", "x 5 {{zz}} 1 None 6{{}}"),
        ("{{ l }}{{ b }}", "[1, 2]{'c': 1}"),
        ("{{\na\n}}", "5"),
        ("{ {a} } {{ a", "{ {a} } {{ a"),
        ("{{ {'x': {'y': a}}['x']['y'] }}!", "5!"),
        ("{{ a + }} and {{ a }}", "{{ a + }} and 5"),
        ("{{ a }}" * 3, "555"),
        ("é{{ 'ü' }}", "éü"),
        ("", ""),
    ],
)
def test_templates(template: str, text: str) -> None:
    assert render_template(template, {"a": 5, "b": {"c": 1}, "n": None, "l": [1, 2]}) == text


def test_strict_templates_raise() -> None:
    with pytest.raises(ExprNameError):
        render_template("{{ zz }}", {}, strict=True)
    with pytest.raises(ExprSyntaxError):
        render_template("{{ 1 + }}", {}, strict=True)
    assert render_template("{{ 1 + 1 }}", {}, strict=True) == "2"


def test_templates_inside_of_values() -> None:
    value = {"k{{a}}": ["{{a}}", 3, ("{{a}}",)], "z": None, "deep": {"x": "{{ a }}!"}}
    rendered = render_template_value(value, {"a": 5})
    assert rendered == {"k{{a}}": ["5", 3, ("{{a}}",)], "z": None, "deep": {"x": "5!"}}


@pytest.mark.parametrize(
    ("delay", "milliseconds"),
    [
        (5, 5),
        (0, 0),
        ("5", 5),
        ("500ms", 500),
        (" 5 s ", 5000),
        ("1.5s", 1500),
        ("1h30m", 5_400_000),
        ("2d", 172_800_000),
        ("1w", 604_800_000),
        ("PT1H30M", 5_400_000),
        ("P1DT0.5S", 86_400_500),
    ],
)
def test_delays(delay: int | str, milliseconds: int) -> None:
    assert parse_delay(delay) == milliseconds


@pytest.mark.parametrize("delay", [-1, "-5s", "", "abc", "5x", "30m1h", "P1M", 5.5, None, [1]])
def test_what_is_no_delay(delay: Any) -> None:
    with pytest.raises(ValueError, match="Invalid delay value"):
        parse_delay(delay)
