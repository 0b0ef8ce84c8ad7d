"""YAML that every reader understands as the same document."""

import math
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikard.openapi import to_yaml

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DOCUMENTS = st.dictionaries(
    st.text(),
    st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8),
    min_size=1,
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS)
def test_what_is_written_is_read_again(document: dict[str, Any]) -> None:
    assert yaml.safe_load(to_yaml(document)) == document


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "Yes",
        "null",
        "~",
        "1",
        "1e3",
        "0x10",
        "- a",
        "a: b",
        "a #b",
        "2020-01-01",
        "\x85",
        "\u2028",
        "*",
        "'",
        "é",
    ],
)
def test_texts_stay_texts(text: str) -> None:
    assert yaml.safe_load(to_yaml({text: [text, {text: text}]})) == {text: [text, {text: text}]}


def test_numbers_stay_numbers() -> None:
    read = yaml.safe_load(to_yaml({"a": 1e16, "b": 5e-324, "c": -2.0, "d": 10**30, "e": True}))
    assert read == {"a": 1e16, "b": 5e-324, "c": -2.0, "d": 10**30, "e": True}
    assert isinstance(read["a"], float)
    assert math.copysign(1, yaml.safe_load(to_yaml({"zero": -0.0}))["zero"]) == -1


def test_it_is_written_for_people() -> None:
    assert to_yaml({"info": {"title": "My API"}, "tags": [{"name": "a", "x": []}, "b"], "paths": {}}) == (
        "info:\n  title: My API\ntags:\n  - name: a\n    x: []\n  - b\npaths: {}\n"
    )
