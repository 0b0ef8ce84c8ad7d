"""Parameters from the query string."""

from collections.abc import Callable
from typing import Any, ClassVar, Unpack

from spikard.params.constraints import MarkerKeywords
from spikard.params.marker import Marker
from spikard.params.missing import MISSING

# How a list is written in one value, by the OpenAPI style of that name.
STYLES = {"form": None, "spaceDelimited": " ", "pipeDelimited": "|", "deepObject": None}
SEPARATORS = (",", "|", ";", " ")


class Query(Marker):
    """A value of the query string; `separator` splits a single value into a list."""

    source: ClassVar[str] = "query"
    separator: str | None
    style: str

    def __new__(
        cls,
        default: Any = MISSING,
        *,
        default_factory: Callable[[], Any] | None = None,
        separator: str | None = None,
        style: str = "form",
        **keywords: Unpack[MarkerKeywords],
    ) -> Any:
        marker = super().__new__(cls, default, default_factory=default_factory, **keywords)
        if style not in STYLES:
            raise ValueError(f"Query: style must be one of {', '.join(STYLES)}, not {style!r}")
        if separator is not None and separator not in SEPARATORS:
            raise ValueError(f"Query: separator must be one of {', '.join(map(repr, SEPARATORS))}, not {separator!r}")
        marker.separator = separator if separator is not None else STYLES[style]
        marker.style = style
        return marker


__all__ = ["SEPARATORS", "Query"]
