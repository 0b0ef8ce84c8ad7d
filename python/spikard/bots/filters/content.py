"""What a message consists of."""

import re
from collections.abc import Callable
from typing import Any

from spikard.bots.filters.base import BuiltinFilter, Verdict

_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"']+", re.IGNORECASE)


class _PartFilter(BuiltinFilter):
    """Messages with a part that fits."""

    _fits: Callable[[Any], Any]

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges a message."""
        del data
        return any(type(self)._fits(part) for part in getattr(event, "parts", None) or [])


def _file_of(kind: str) -> Callable[[Any], bool]:
    def fits(part: Any) -> bool:
        file = part.as_file
        return file is not None and file.type == kind

    return fits


class ReplyFilter(_PartFilter):
    """Messages that answer another."""

    _fits = staticmethod(lambda part: part.as_reply is not None)


class ForwardFilter(_PartFilter):
    """Messages that pass another on."""

    _fits = staticmethod(lambda part: part.as_forward is not None)


class FileFilter(_PartFilter):
    """Messages with a file of any kind."""

    _fits = staticmethod(lambda part: part.as_file is not None)


class ImageFilter(_PartFilter):
    """Messages with a picture."""

    _fits = staticmethod(_file_of("image"))


class VideoFilter(_PartFilter):
    """Messages with a film."""

    _fits = staticmethod(_file_of("video"))


class AudioFilter(_PartFilter):
    """Messages with a piece of sound that is no voice message."""

    _fits = staticmethod(_file_of("audio"))


class StickerFilter(_PartFilter):
    """Messages with a sticker."""

    _fits = staticmethod(lambda part: part.as_sticker is not None)


class VoiceFilter(_PartFilter):
    """Voice messages."""

    _fits = staticmethod(lambda part: part.as_voice is not None)


class URLFilter(BuiltinFilter):
    """Messages with an address in the text. Injects the first as `url`."""

    injects = ("url",)

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges a message."""
        del data
        text = getattr(event, "text", None)
        found = _URL.search(text[:8192]) if text else None
        return {"url": found[0].rstrip(".,;:!?)")} if found else False


__all__ = [
    "AudioFilter",
    "FileFilter",
    "ForwardFilter",
    "ImageFilter",
    "ReplyFilter",
    "StickerFilter",
    "URLFilter",
    "VideoFilter",
    "VoiceFilter",
]
