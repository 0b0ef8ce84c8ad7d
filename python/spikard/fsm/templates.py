"""Texts with `{{ expression }}` in them."""

from collections.abc import Mapping
from typing import Any

from spikard._spikard import fill_template
from spikard.fsm.expressions import as_dict


def render_template(template: str, namespace: Mapping[str, Any], *, strict: bool = False) -> str:
    """The text with each `{{ expression }}` replaced by its value.

    A place whose expression fails stays as it is written; with `strict` it raises.
    """
    return fill_template(template, as_dict(namespace), strict=strict)


def render_template_value(value: Any, namespace: Mapping[str, Any], *, strict: bool = False) -> Any:
    """The same for every text inside of lists and mappings; keys and all other values stay what they are."""
    if isinstance(value, str):
        return render_template(value, namespace, strict=strict)
    if isinstance(value, Mapping):
        return {key: render_template_value(item, namespace, strict=strict) for key, item in value.items()}
    if isinstance(value, list):
        return [render_template_value(item, namespace, strict=strict) for item in value]
    return value
