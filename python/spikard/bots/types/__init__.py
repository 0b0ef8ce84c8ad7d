"""Models of the platform: what events and answers are read into.

- `base`, `tolerance`: what all models have; reading what does not quite fit
- `user`, `chat`, `message`, `part`, `keyboard`: people, chats, messages and what is in them
- `event`, `callback_query`, `chat_member_event`: what happens
- `response`, `file`, `thread`: what methods answer
- `input_file`: files to be sent
"""

from spikard.bots.types.base import VKObject, VKTeamsObject
from spikard.bots.types.callback_query import CallbackQuery
from spikard.bots.types.chat import Chat, ChatInfo, ChatMembers
from spikard.bots.types.chat_member_event import ChangedChatInfoEvent, LeftChatMembersEvent, NewChatMembersEvent
from spikard.bots.types.event import Update
from spikard.bots.types.file import File
from spikard.bots.types.input_file import InputFile, filename_from_url
from spikard.bots.types.keyboard import Button
from spikard.bots.types.message import Message
from spikard.bots.types.part import (
    FilePayload,
    FormatSpan,
    ForwardPayload,
    MentionPayload,
    MessageFormat,
    ParentMessage,
    Part,
    ReplyMessagePayload,
    ReplyPayload,
)
from spikard.bots.types.response import APIResponse
from spikard.bots.types.thread import Subscriber, Thread, ThreadSubscribers
from spikard.bots.types.user import BotInfo, ChatMember, Contact, Photo, User, UserInfo

__all__ = [
    "APIResponse",
    "BotInfo",
    "Button",
    "CallbackQuery",
    "ChangedChatInfoEvent",
    "Chat",
    "ChatInfo",
    "ChatMember",
    "ChatMembers",
    "Contact",
    "File",
    "FilePayload",
    "FormatSpan",
    "ForwardPayload",
    "InputFile",
    "LeftChatMembersEvent",
    "MentionPayload",
    "Message",
    "MessageFormat",
    "NewChatMembersEvent",
    "ParentMessage",
    "Part",
    "Photo",
    "ReplyMessagePayload",
    "ReplyPayload",
    "Subscriber",
    "Thread",
    "ThreadSubscribers",
    "Update",
    "User",
    "UserInfo",
    "VKObject",
    "VKTeamsObject",
    "filename_from_url",
]
