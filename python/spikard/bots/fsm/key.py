"""Whose state an event is about."""

from typing import Any

from spikard.bots.fsm.strategy import FSMStrategy
from spikard.bots.storages.base import StorageKey


def storage_key(bot_id: str, event: Any, strategy: FSMStrategy) -> StorageKey | None:
    """The key of an event by a strategy; None where the event has neither the chat nor the user it needs."""
    chat = getattr(event, "chat", None)
    user = getattr(event, "from_user", None)
    chat_id = getattr(chat, "chat_id", "") or ""
    user_id = getattr(user, "user_id", "") or ""
    if not chat_id and not user_id:
        return None
    if strategy is FSMStrategy.USER_IN_CHAT:
        return StorageKey(bot_id, chat_id, user_id)
    if strategy is FSMStrategy.CHAT:
        return StorageKey(bot_id, chat_id, "")
    if strategy is FSMStrategy.GLOBAL_USER:
        return StorageKey(bot_id, "", user_id)
    topic = getattr(event, "parent_topic", None) or getattr(getattr(event, "message", None), "parent_topic", None)
    thread = f"{topic.chat_id}#{topic.message_id}" if topic is not None else chat_id
    return StorageKey(bot_id, thread, user_id if strategy is FSMStrategy.USER_IN_THREAD else "")


__all__ = ["storage_key"]
