"""Words of the platform. Fields of models are plain strings, so that words of newer servers pass; these equal them."""

from enum import StrEnum

# The modules of single enums are other names of this one (see `former_paths`), which makes it a package to importers.
__path__: list[str] = []


class ButtonStyle(StrEnum):
    """How a button looks: grey, blue, red."""

    BASE = "base"
    PRIMARY = "primary"
    ATTENTION = "attention"


class ChatAction(StrEnum):
    """What a chat sees the bot do."""

    TYPING = "typing"
    LOOKING = "looking"


class ChatType(StrEnum):
    """Kinds of chats."""

    PRIVATE = "private"
    GROUP = "group"
    CHANNEL = "channel"


class EventType(StrEnum):
    """Kinds of events, as the server names them."""

    NEW_MESSAGE = "newMessage"
    EDITED_MESSAGE = "editedMessage"
    DELETED_MESSAGE = "deletedMessage"
    PINNED_MESSAGE = "pinnedMessage"
    UNPINNED_MESSAGE = "unpinnedMessage"
    NEW_CHAT_MEMBERS = "newChatMembers"
    LEFT_CHAT_MEMBERS = "leftChatMembers"
    CHANGED_CHAT_INFO = "changedChatInfo"
    CALLBACK_QUERY = "callbackQuery"


class ParseMode(StrEnum):
    """In which markup a text is written."""

    MARKDOWNV2 = "MarkdownV2"
    HTML = "HTML"


class PartType(StrEnum):
    """Kinds of what a message carries beside its text."""

    STICKER = "sticker"
    MENTION = "mention"
    VOICE = "voice"
    FILE = "file"
    FORWARD = "forward"
    REPLY = "reply"
    INLINE_KEYBOARD_MARKUP = "inlineKeyboardMarkup"


class StyleType(StrEnum):
    """Styles of ranges of a text."""

    BOLD = "bold"
    ITALIC = "italic"
    UNDERLINE = "underline"
    STRIKETHROUGH = "strikethrough"
    LINK = "link"
    MENTION = "mention"
    INLINE_CODE = "inline_code"
    PRE = "pre"
    ORDERED_LIST = "ordered_list"
    UNORDERED_LIST = "unordered_list"
    QUOTE = "quote"


__all__ = ["ButtonStyle", "ChatAction", "ChatType", "EventType", "ParseMode", "PartType", "StyleType"]
