"""Parameters from request headers."""

from collections.abc import Callable
from typing import Any, ClassVar, Unpack

from spikard.params.constraints import MarkerKeywords
from spikard.params.marker import Marker
from spikard.params.missing import MISSING


class Header(Marker):
    """The value of a header; `x_token` reads `x-token` unless `convert_underscores` is off."""

    source: ClassVar[str] = "header"
    convert_underscores: bool

    def __new__(
        cls,
        default: Any = MISSING,
        *,
        default_factory: Callable[[], Any] | None = None,
        convert_underscores: bool = True,
        **keywords: Unpack[MarkerKeywords],
    ) -> Any:
        marker = super().__new__(cls, default, default_factory=default_factory, **keywords)
        marker.convert_underscores = convert_underscores
        return marker


__all__ = ["Header"]
