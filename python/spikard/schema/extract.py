"""JSON Schema of types and of functions."""

import inspect
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

from spikard._spikard import Response
from spikard.params import Body
from spikard.schema.annotation import is_union, peel
from spikard.schema.build import Schema, SchemaBuilder, UnsupportedType
from spikard.schema.kind import kind_of
from spikard.schema.returns import content_type_of

BODY_NAMES = ("body", "_body")


def extract_json_schema(annotation: Any) -> Schema | None:
    """The JSON Schema of a type, self-contained; None for types that have none, such as Any."""
    if annotation is inspect.Parameter.empty:
        return None
    try:
        return SchemaBuilder().root(annotation) or None
    except (UnsupportedType, NameError):
        return None
    except Exception as fault:
        # Its errors have no base that could be named without importing it.
        if type(fault).__module__.split(".")[0] in ("pydantic", "pydantic_core"):
            return None
        raise


def extract_schemas(function: Callable[..., Any]) -> tuple[Schema | None, Schema | None]:
    """The schemas of a handler's body and of its answer; None where there is no body or nothing is known."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError:
        hints = dict(getattr(function, "__annotations__", {}))
    request = next(
        (
            extract_json_schema(hints.get(name, Any))
            for name, parameter in inspect.signature(function).parameters.items()
            if _takes_body(name, hints.get(name, Any), parameter.default)
        ),
        None,
    )
    return request, response_schema(hints.get("return", Any))


def response_schema(annotation: Any) -> Schema | None:
    """The schema of the answer for a return annotation."""
    content = content_type_of(annotation)
    core = peel(content).core
    members = get_args(core) if is_union(core) else (core,)
    if any(isinstance(member, type) and issubclass(member, Response) for member in members):
        return None
    # `-> None` promises nothing about a body.
    return None if core is type(None) or core is None else extract_json_schema(content)


def _takes_body(name: str, annotation: Any, default: Any) -> bool:
    peeled = peel(annotation)
    return (
        name in BODY_NAMES
        or isinstance(default, Body)
        or any(isinstance(item, Body) for item in peeled.metadata)
        or kind_of(peeled.core) is not None
    )


__all__ = ["extract_json_schema", "extract_schemas", "response_schema"]
