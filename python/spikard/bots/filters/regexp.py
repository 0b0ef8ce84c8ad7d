"""What texts and data match."""

import re
from typing import Any

from spikard.bots.filters.base import BuiltinFilter, Verdict

# Patterns may take long on long texts, and nobody writes commands of this length.
LIMIT = 8192
_MODES = ("search", "match", "fullmatch")


def _finder(pattern: str | re.Pattern[str], mode: str) -> Any:
    if mode not in _MODES:
        raise ValueError(f"no mode is called {mode!r}: there are {', '.join(_MODES)}")
    return getattr(re.compile(pattern), mode)


class RegexpFilter(BuiltinFilter):
    """Messages in whose text the pattern finds something. Injects `regexp_match`.

    Args:
        pattern: Text of a pattern, or one compiled.
        mode: search, match or fullmatch.
    """

    injects = ("regexp_match",)

    def __init__(self, pattern: str | re.Pattern[str], mode: str = "search") -> None:
        self.pattern = re.compile(pattern)
        self.mode = mode
        self._find = _finder(pattern, mode)

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges a message."""
        del data
        text = getattr(event, "text", None)
        found = self._find(text[:LIMIT]) if text else None
        return {"regexp_match": found} if found else False


class CallbackDataRegexpFilter(BuiltinFilter):
    """Buttons whose data the pattern matches from the beginning. Injects `regexp_match`."""

    injects = ("regexp_match",)

    def __init__(self, pattern: str | re.Pattern[str], mode: str = "match") -> None:
        self.pattern = re.compile(pattern)
        self._find = _finder(pattern, mode)

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges a press."""
        del data
        text = getattr(event, "callback_data", None)
        found = self._find(text[:LIMIT]) if text else None
        return {"regexp_match": found} if found else False


class RegexpPartsFilter(BuiltinFilter):
    """Messages that answer or pass on a text in which the pattern finds something. Injects `regexp_parts_match`."""

    injects = ("regexp_parts_match",)

    def __init__(self, pattern: str | re.Pattern[str], mode: str = "search") -> None:
        self.pattern = re.compile(pattern)
        self._find = _finder(pattern, mode)

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges a message."""
        del data
        reply = getattr(event, "reply_to", None)
        for message in [*([reply] if reply is not None else []), *(getattr(event, "forwards", None) or [])]:
            found = self._find(message.text[:LIMIT]) if message.text else None
            if found:
                return {"regexp_parts_match": found}
        return False


__all__ = ["CallbackDataRegexpFilter", "RegexpFilter", "RegexpPartsFilter"]
