"""From whom, and about whom."""

from collections.abc import Iterable
from typing import Any

from spikard.bots.filters.base import BuiltinFilter, Key, Verdict


class SenderFilter(BuiltinFilter):
    """Events of these users."""

    def __init__(self, user_id: str | Iterable[str]) -> None:
        self.user_ids = [user_id] if isinstance(user_id, str) else list(user_id)

    def __repr__(self) -> str:
        return f"SenderFilter({self.user_ids})"

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges an event."""
        del data
        return getattr(getattr(event, "from_user", None), "user_id", None) in self.user_ids

    def key(self) -> Key | None:
        """The users."""
        return Key(("attribute", "from_user", "user_id"), tuple(self.user_ids), 1, is_exact=True)


class MentionFilter(BuiltinFilter):
    """Messages that mention this user, or anybody."""

    def __init__(self, user_id: str | None = None) -> None:
        self.user_id = user_id

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges a message."""
        del data
        mentioned = getattr(event, "mentioned_user_ids", None) or []
        return bool(mentioned) if self.user_id is None else self.user_id in mentioned


class MentionMe(BuiltinFilter):
    """Messages that mention this bot."""

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges a message."""
        bot = data.get("bot")
        me = getattr(getattr(bot, "me", None), "user_id", None) or getattr(bot, "id", None)
        return me in (getattr(event, "mentioned_user_ids", None) or [])


__all__ = ["MentionFilter", "MentionMe", "SenderFilter"]
