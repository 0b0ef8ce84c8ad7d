"""Filters: which events a handler takes.

- `base`: what a filter is, and how filters are joined
- `command`, `state`, `callback_data`, `regexp`: what somebody wants
- `chat_type`, `sender`, `admin`, `throttled`: where, who, how often
- `content`: what a message consists of
- `exception`: which error it was
"""

from spikard.bots.filters.admin import AdminFilter
from spikard.bots.filters.base import BaseFilter, and_f, invert_f, or_f
from spikard.bots.filters.callback_data import CallbackData, CallbackDataFactory
from spikard.bots.filters.chat_type import ChatTypeFilter
from spikard.bots.filters.command import Command, CommandObject, CommandStart
from spikard.bots.filters.content import (
    AudioFilter,
    FileFilter,
    ForwardFilter,
    ImageFilter,
    ReplyFilter,
    StickerFilter,
    URLFilter,
    VideoFilter,
    VoiceFilter,
)
from spikard.bots.filters.exception import ExceptionMessageFilter, ExceptionTypeFilter
from spikard.bots.filters.regexp import CallbackDataRegexpFilter, RegexpFilter, RegexpPartsFilter
from spikard.bots.filters.sender import MentionFilter, MentionMe, SenderFilter
from spikard.bots.filters.state import StateFilter
from spikard.bots.filters.throttled import Throttled
from spikard.bots.magic import F, MagicFilter

__all__ = [
    "AdminFilter",
    "AudioFilter",
    "BaseFilter",
    "CallbackData",
    "CallbackDataFactory",
    "CallbackDataRegexpFilter",
    "ChatTypeFilter",
    "Command",
    "CommandObject",
    "CommandStart",
    "ExceptionMessageFilter",
    "ExceptionTypeFilter",
    "F",
    "FileFilter",
    "ForwardFilter",
    "ImageFilter",
    "MagicFilter",
    "MentionFilter",
    "MentionMe",
    "RegexpFilter",
    "RegexpPartsFilter",
    "ReplyFilter",
    "SenderFilter",
    "StateFilter",
    "StickerFilter",
    "Throttled",
    "URLFilter",
    "VideoFilter",
    "VoiceFilter",
    "and_f",
    "invert_f",
    "or_f",
]
