"""The request body, or one of its members."""

from collections.abc import Callable
from typing import Any, ClassVar, Unpack

from spikard.params.constraints import MarkerKeywords
from spikard.params.marker import Marker
from spikard.params.missing import MISSING


class Body(Marker):
    """The whole body; with `embed`, or beside another body parameter, a member of it.

    `media_type` restricts what is accepted; `coerce` leaves the check to the annotated model alone.
    """

    source: ClassVar[str] = "body"
    embed: bool
    media_type: str | None
    coerce: bool

    def __new__(
        cls,
        default: Any = MISSING,
        *,
        default_factory: Callable[[], Any] | None = None,
        embed: bool = False,
        media_type: str | None = None,
        coerce: bool = False,
        **keywords: Unpack[MarkerKeywords],
    ) -> Any:
        marker = super().__new__(cls, default, default_factory=default_factory, **keywords)
        marker.embed = embed
        marker.media_type = media_type
        marker.coerce = coerce
        return marker


__all__ = ["Body"]
