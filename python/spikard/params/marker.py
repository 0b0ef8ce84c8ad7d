"""What all parameter markers share."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Unpack

from spikard.params.constraints import MarkerKeywords, schema_keywords
from spikard.params.missing import MISSING


class Marker:
    """Says where a handler's argument comes from, and what is demanded of it.

    A default (`limit: int = Query(10)`), part of the annotation (`Annotated[int, Query(ge=1)]`), or the
    annotation itself (`Query[int]`).
    """

    source: ClassVar[str]
    default: Any
    default_factory: Callable[[], Any] | None
    keywords: MarkerKeywords

    # In place of __init__: type checkers accept `limit: int = Query(10)` because this gives Any.
    def __new__(
        cls,
        default: Any = MISSING,
        *,
        default_factory: Callable[[], Any] | None = None,
        **keywords: Unpack[MarkerKeywords],
    ) -> Any:
        kind = cls.__name__
        unknown = keywords.keys() - MarkerKeywords.__annotations__.keys()
        if unknown:
            raise TypeError(f"{kind}() has no keyword {', '.join(sorted(unknown))}")
        if default is ...:
            default = MISSING
        if default is not MISSING and default_factory is not None:
            raise ValueError(f"{kind}: give either default or default_factory, not both")
        if default_factory is not None and not callable(default_factory):
            raise TypeError(f"{kind}: default_factory must be callable, not {default_factory!r}")
        marker = super().__new__(cls)
        marker.default = default
        marker.default_factory = default_factory
        marker.keywords = keywords
        return marker

    def __class_getitem__(cls, annotation: Any) -> Any:
        return Annotated[annotation, cls()]

    @property
    def alias(self) -> str | None:
        """The name on the wire, where it is another than the parameter's."""
        return self.keywords.get("alias")

    @property
    def is_secret(self) -> bool:
        """Whether the value is kept out of error messages."""
        return bool(self.keywords.get("secret", False))

    def has_default(self) -> bool:
        """Whether the value may be absent."""
        return self.default is not MISSING or self.default_factory is not None

    def get_default(self) -> Any:
        """The value that stands in for an absent one; the factory is called every time."""
        if self.default_factory is not None:
            return self.default_factory()
        if self.default is MISSING:
            raise TypeError(f"this {type(self).__name__} parameter is required: it has no default")
        return self.default

    def __call__(self) -> Any:
        return self.get_default()

    def constrain(self, kind: Any) -> dict[str, Any]:
        """The JSON Schema keywords this marker adds for a value of the JSON type `kind`; its `schema` wins."""
        return {**schema_keywords(self.keywords, kind), **(self.keywords.get("schema") or {})}

    def __repr__(self) -> str:
        given = [repr(self.default)] if self.default is not MISSING else []
        if self.default_factory is not None:
            given.append(f"default_factory={self.default_factory!r}")
        given += [f"{name}={value!r}" for name, value in self.keywords.items()]
        return f"{type(self).__name__}({', '.join(given)})"


__all__ = ["Marker"]
