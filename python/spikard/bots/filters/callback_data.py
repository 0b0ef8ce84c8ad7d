"""Buttons: by their data, or by data with a form."""

import re
from typing import Any

from spikard.bots.callback_data_factory import CallbackDataFactory
from spikard.bots.filters.base import BuiltinFilter, Key, Verdict
from spikard.bots.magic import MagicFilter


class CallbackData(BuiltinFilter):
    """Buttons with this data; with a pattern, those in whose data it finds something, injected as `callback_match`."""

    def __init__(self, data: str | re.Pattern[str]) -> None:
        if not isinstance(data, str | re.Pattern):
            raise TypeError(f"data of a button is text or a pattern, not {data!r}")
        self.data = data
        self.injects = () if isinstance(data, str) else ("callback_match",)

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges a press."""
        del data
        given = getattr(event, "callback_data", None)
        if given is None:
            return False
        if isinstance(self.data, str):
            return bool(given == self.data)
        found = self.data.search(given)
        return {"callback_match": found} if found else False

    def key(self) -> Key | None:
        """The data, if it is text."""
        if not isinstance(self.data, str):
            return None
        return Key(("attribute", "callback_data"), (self.data,), 0, is_exact=True)

    def __repr__(self) -> str:
        return f"CallbackData({self.data!r})"


class CallbackDataFilter(BuiltinFilter):
    """Buttons with data of a form. Made by `CallbackDataFactory.filter`."""

    injects = ("callback_data",)

    def __init__(self, factory: type[CallbackDataFactory], rule: Any = None) -> None:
        self.factory = factory
        self.rule = rule

    @property
    def prefix(self) -> str:
        """What the data of such buttons begins with."""
        return self.factory.__callback_prefix__

    def check(self, event: Any, data: dict[str, Any] | None = None) -> Verdict:
        """Judges a press; gives the object."""
        del data
        given = getattr(event, "callback_data", None)
        if not isinstance(given, str) or not given:
            return False
        try:
            found = self.factory.unpack(given)
        except ValueError:
            return False
        rule = self.rule
        if rule is not None and not (rule.resolve(found) if isinstance(rule, MagicFilter) else rule(found)):
            return False
        return {"callback_data": found}

    def key(self) -> Key | None:
        """What the data begins with."""
        is_exact = self.rule is None
        return Key(("prefix", self.factory.__callback_sep__), (self.factory.__callback_prefix__,), 1, is_exact)

    def __repr__(self) -> str:
        return f"{self.factory.__name__}.filter({'' if self.rule is None else repr(self.rule)})"


__all__ = ["CallbackData", "CallbackDataFactory", "CallbackDataFilter"]
