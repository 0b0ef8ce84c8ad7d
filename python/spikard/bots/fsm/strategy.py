"""Whose dialogue it is."""

from enum import StrEnum


class FSMStrategy(StrEnum):
    """What shares one state: a user in a chat, a whole chat, a user everywhere, a user in a thread, a whole thread."""

    USER_IN_CHAT = "user_in_chat"
    CHAT = "chat"
    GLOBAL_USER = "global_user"
    USER_IN_THREAD = "user_in_thread"
    CHAT_THREAD = "chat_thread"


__all__ = ["FSMStrategy"]
