"""One parameter of a handler, as far as the signature tells."""

import inspect
from dataclasses import dataclass, replace
from typing import Any

from spikard.errors import RouteError
from spikard.params import MISSING, Marker
from spikard.schema.annotation import Annotation, peel


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter: `annotation` is taken apart, `declared` as written; `default` is Python's or the marker's."""

    name: str
    annotation: Annotation
    declared: Any
    marker: Marker | None = None
    default: Any = MISSING
    default_factory: Any = None
    keyword_only: bool = False

    @property
    def is_optional(self) -> bool:
        """Whether the value may be absent: there is a default, or the annotation admits None."""
        return self.default is not MISSING or self.default_factory is not None or self.annotation.nullable

    @property
    def wire_name(self) -> str:
        """The alias, or the name without outer underscores; headers have rules of their own."""
        alias = self.marker.alias if self.marker is not None else None
        return alias or stripped(self.name)

    def with_default(self, default: Any, default_factory: Any = None) -> "Slot":
        """The same parameter with another default."""
        return replace(self, default=default, default_factory=default_factory)


def stripped(name: str) -> str:
    """The name without leading and trailing underscores, unless nothing else is in it."""
    return name.strip("_") or name


def slot_of(parameter: inspect.Parameter, described: str) -> Slot:
    """Read a parameter of a signature; RouteError when it has two markers."""
    declared = Any if parameter.annotation is parameter.empty else parameter.annotation
    annotation = _instantiated(peel(declared))
    default = MISSING if parameter.default is parameter.empty else parameter.default
    markers = [item for item in annotation.metadata if isinstance(item, Marker)]
    if isinstance(default, Marker):
        markers.append(default)
        annotation = replace(annotation, metadata=(*annotation.metadata, default))
        default = MISSING
    if len(markers) > 1:
        raise RouteError(
            f"{described}: parameter {parameter.name!r} has {len(markers)} markers "
            f"({', '.join(repr(marker) for marker in markers)}); keep the one that names its source"
        )
    marker = markers[0] if markers else None
    factory = None
    if marker is not None and default is MISSING:
        default, factory = marker.default, marker.default_factory
    keyword_only = parameter.kind is parameter.KEYWORD_ONLY
    return Slot(parameter.name, annotation, declared, marker, default, factory, keyword_only)


def _instantiated(annotation: Annotation) -> Annotation:
    """The annotation with `Query` meaning `Query()`."""
    metadata = tuple(
        item() if isinstance(item, type) and issubclass(item, Marker) else item for item in annotation.metadata
    )
    return replace(annotation, metadata=metadata)


__all__ = ["Slot", "slot_of", "stripped"]
