"""In which kind of chat."""

from collections.abc import Iterable
from typing import Any

from spikard.bots.enums import ChatType
from spikard.bots.filters.base import BuiltinFilter, Key, Verdict


class ChatTypeFilter(BuiltinFilter):
    """Passes in chats of these kinds: private, group, channel."""

    def __init__(self, chat_type: ChatType | str | Iterable[ChatType | str]) -> None:
        kinds = [chat_type] if isinstance(chat_type, str) else list(chat_type)
        self.chat_types = [str(kind) for kind in kinds]

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges an event."""
        del data
        chat = getattr(event, "chat", None)
        return chat is not None and getattr(chat, "type", None) in self.chat_types

    def key(self) -> Key | None:
        """The kinds."""
        return Key(("attribute", "chat", "type"), tuple(self.chat_types), 4, is_exact=True)

    def __repr__(self) -> str:
        return f"ChatTypeFilter({self.chat_types})"


__all__ = ["ChatTypeFilter"]
