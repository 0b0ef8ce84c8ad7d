"""Error types of cases that were written with other words for them."""

from typing import Any

VAGUE = frozenset({"validation_error", "type_error"})
BY_CONTEXT = {
    "min_length": "string_too_short",
    "max_length": "string_too_long",
    "min_items": "too_short",
    "max_items": "too_long",
    "unique_items": "unique_items",
    "exclusive_minimum": "greater_than",
    "minimum": "greater_than_equal",
    "exclusive_maximum": "less_than",
    "maximum": "less_than_equal",
    "multiple_of": "multiple_of",
    "pattern": "string_pattern_mismatch",
    "const": "const",
    "additional_properties": "extra_forbidden",
    "min_properties": "min_properties",
    "max_properties": "max_properties",
    "dependency": "dependent_required",
    "prohibited_value": "not_allowed",
}
BY_FORMAT = {
    "uuid": "uuid_parsing",
    "date": "date_parsing",
    "date-time": "datetime_parsing",
    "time": "time_parsing",
    "duration": "time_delta_parsing",
    "decimal": "decimal_parsing",
    "email": "string_pattern_mismatch",
    "ipv4": "ip_v4_address",
    "ipv6": "ip_v6_address",
    "uri": "url_parsing",
    "url": "url_parsing",
}
BY_TEXT = {
    "(oneOf)": "one_of",
    "(anyOf)": "any_of",
    "null byte": "null_byte",
    "less than 1 item": "too_short",
    "at least 2 items": "too_short",
    "UUID": "uuid_parsing",
    "Must not match": "not_allowed",
    "Field required": "missing",
    "not a valid integer": "int_parsing",
    "not a valid number": "float_parsing",
    "not a valid boolean": "bool_parsing",
    "Invalid content type": "file_content_type",
    "File type mismatch": "file_type_mismatch",
    "File buffer is empty": "file_empty",
    "Additional properties": "extra_forbidden",
}
# Texts of the same type that differ from the table's, or go on behind it.
OWN_TEXTS = frozenset({"uuid_parsing", "float_parsing"})
WRONG_KINDS = frozenset({"string_type", "list_type", "dict_type", "null_type", "int_parsing", "float_parsing"})


def types_meant(error: dict[str, Any]) -> frozenset[str]:
    """The types the error may have, by the table of types."""
    if error["type"] not in VAGUE:
        return frozenset({error["type"]})
    context = error.get("ctx", {})
    text = error.get("msg", "")
    for part, kind in BY_TEXT.items():
        if part in text:
            return frozenset({kind})
    if "format" in context:
        return frozenset({BY_FORMAT.get(context["format"], "string_format")})
    for key, kind in BY_CONTEXT.items():
        if key in context:
            return frozenset({kind})
    if "valid unknown" in text:
        return WRONG_KINDS
    raise AssertionError(f"no type is known for {error}")


def text_is_firm(error: dict[str, Any]) -> bool:
    """Whether the case's text is that of the table."""
    return "msg" in error and error["type"] not in VAGUE | OWN_TEXTS
