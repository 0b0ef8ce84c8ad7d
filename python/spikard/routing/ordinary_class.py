"""Instances of ordinary classes: those of no family of types with fields, made by their own constructor."""

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, get_type_hints

import msgspec

Build = Callable[[Any, Any], Any]

# Classes looked at, not requests: more than one application has.
REMEMBERED = 512


class _Member(NamedTuple):
    name: str
    annotation: Any
    required: bool


class _Layout(NamedTuple):
    members: tuple[_Member, ...]
    takes_others: bool
    by_constructor: bool


def is_ordinary(cls: Any) -> bool:
    """Whether the class is written in Python and says what it holds: in `__init__`, or by annotations."""
    return isinstance(cls, type) and (_constructor(cls) is not None or bool(inspect.get_annotations(cls)))


def instance_of(cls: type, value: Any, build: Build) -> Any:
    """An instance that holds the members of an object by their names.

    A member has the type that the class names for it where `build` can make it, and is left as it came elsewhere:
    the class knows no schema, so what came has been judged by another. A member that is demanded and absent is None.
    msgspec.ValidationError when the class takes no object, or not this one; any other ValueError comes from its
    constructor, and is the developer's refusal.
    """
    if not isinstance(value, Mapping):
        raise _unfit(value)
    layout = _layout(cls)
    given = {
        member.name: _built(member.annotation, value[member.name], build) if member.name in value else None
        for member in layout.members
        if member.name in value or member.required
    }
    if layout.takes_others:
        given = {**value, **given}
    try:
        if layout.by_constructor:
            return cls(**given)
        made = cls()
    except TypeError as error:
        # Abstract, or its constructor looks into the values.
        raise _unfit(value) from error
    for name, item in given.items():
        setattr(made, name, item)
    return made


def _unfit(value: Any) -> msgspec.ValidationError:
    # In msgspec's words for its own types, as this happens on its behalf.
    return msgspec.ValidationError(f"Expected `object`, got `{type(value).__name__}`")


def _built(annotation: Any, value: Any, build: Build) -> Any:
    try:
        return build(annotation, value)
    except (TypeError, ValueError):
        return value


def _constructor(cls: type) -> Callable[..., None] | None:
    found = inspect.getattr_static(cls, "__init__", None)
    return found if inspect.isfunction(found) else None


@lru_cache(REMEMBERED)
def _layout(cls: type) -> _Layout:
    constructor = _constructor(cls)
    if constructor is None:
        members = (_Member(name, hint, not hasattr(cls, name)) for name, hint in _hints(cls).items())
        return _Layout(tuple(members), takes_others=False, by_constructor=False)
    hints = _hints(constructor)
    parameters = list(inspect.signature(constructor).parameters.values())[1:]
    named = (
        _Member(parameter.name, hints.get(parameter.name, Any), parameter.default is parameter.empty)
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    )
    takes_others = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return _Layout(tuple(named), takes_others, by_constructor=True)


def _hints(named: Any) -> dict[str, Any]:
    try:
        return get_type_hints(named, include_extras=True)
    except NameError:
        # A name that only a type checker knows.
        return dict.fromkeys(inspect.get_annotations(named), Any)


__all__ = ["instance_of", "is_ordinary"]
