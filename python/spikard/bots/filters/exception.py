"""Which error it was; for handlers of errors."""

import re
from typing import Any

from spikard.bots.filters.base import BuiltinFilter, Verdict


def _error(event: Any, data: dict[str, Any]) -> Any:
    found = data.get("error")
    if found is None:
        found = getattr(event, "exception", event)
    return found


class ExceptionTypeFilter(BuiltinFilter):
    """Errors of these types."""

    def __init__(self, *types: type[BaseException]) -> None:
        if not types:
            raise ValueError("ExceptionTypeFilter needs at least one type of exceptions")
        self.types = types

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges an error."""
        return isinstance(_error(event, data), self.types)


class ExceptionMessageFilter(BuiltinFilter):
    """Errors whose text the pattern matches from the beginning. Injects `match_exception`."""

    injects = ("match_exception",)

    def __init__(self, pattern: str | re.Pattern[str]) -> None:
        self.pattern = re.compile(pattern)

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges an error."""
        found = self.pattern.match(str(_error(event, data)))
        return {"match_exception": found} if found else False


__all__ = ["ExceptionMessageFilter", "ExceptionTypeFilter"]
