"""Names and ids: what is taken, what is made of the rest."""

import re

import pytest

from spikard.fsm import (
    is_valid_entity_id,
    is_valid_name,
    normalize_entity_id,
    normalize_name,
    validate_discovery_namespace,
    validate_discovery_slug,
    validate_entity_id,
    validate_name,
    validate_namespace,
)  # fmt: skip


def test_names() -> None:
    assert validate_name("  Ok_1 ") == "ok_1"
    assert is_valid_name("ok")
    assert not is_valid_name("a-b")
    for bad, rule in (("", "status cannot be empty"), ("a.b", "status must contain only"), (5, "status must be a str")):
        with pytest.raises(ValueError, match=rule):
            validate_name(bad, "status")


@pytest.mark.parametrize(
    ("text", "name"), [("A-b c!d", "a_b_cd"), ("--x--", "x"), ("a__b", "a_b"), ("!", None), ("", None)]
)
def test_normalize_name(text: str, name: str | None) -> None:
    assert normalize_name(text) == name


def test_namespaces() -> None:
    assert validate_namespace("/a//B/") == "a/b"
    with pytest.raises(ValueError, match="cannot be empty after normalization"):
        validate_namespace("/")
    assert validate_discovery_namespace("/a//b/", "machine") == "a/b"
    assert validate_discovery_namespace(None, "machine") is None
    assert validate_discovery_slug(" a ", "machine") == "a"
    with pytest.raises(ValueError, match="machine segment 2 must contain only"):
        validate_discovery_namespace("a/B", "machine")


def test_entity_ids() -> None:
    assert validate_entity_id(" Order-1.a ") == "Order-1.a"
    assert is_valid_entity_id("x" * 255)
    assert not is_valid_entity_id("x" * 256)
    assert normalize_entity_id("-A-b c!d") == "A-bcd"
    with pytest.raises(ValueError, match="entity_id must start with an alphanumeric"):
        validate_entity_id(".x")


def test_rules_can_be_asked_for() -> None:
    from spikard.fsm.discovery.slug import DISCOVERY_SLUG_PATTERN, validate_discovery_slug_optional
    from spikard.fsm.shared.entity_id_validator import ENTITY_ID_ERROR_MESSAGE, ENTITY_ID_PATTERN
    from spikard.fsm.shared.name_validator import NAME_ERROR_MESSAGE, NAME_PATTERN, NAMESPACE_PATTERN

    # Programs use them with `match`, which looks at the beginning only.
    assert (NAME_PATTERN.match("a.b"), ENTITY_ID_PATTERN.match("a b"), DISCOVERY_SLUG_PATTERN.match("a/b")) == (
        None, None, None,
    )  # fmt: skip
    assert NAMESPACE_PATTERN.match("a/b")
    assert not NAMESPACE_PATTERN.match("a//b")
    with pytest.raises(ValueError, match=re.escape(f"name {NAME_ERROR_MESSAGE} Got: 'a b'")):
        validate_name("a b")
    with pytest.raises(ValueError, match=re.escape(f"entity_id {ENTITY_ID_ERROR_MESSAGE} Got: 'a b'")):
        validate_entity_id("a b")
    assert [validate_discovery_slug_optional(text, "slug") for text in (None, " ", " a ")] == [None, None, "a"]
