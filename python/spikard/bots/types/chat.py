"""Chats."""

from collections.abc import Mapping
from typing import Any, ClassVar

from msgspec import field

from spikard.bots.types.base import VKObject
from spikard.bots.types.user import ChatMember, Photo, display_name


class Chat(VKObject):
    """The chat where something happened. A private chat has the id of the other person."""

    chat_id: str
    type: str = ""
    title: str | None = None


class ChatInfo(VKObject):
    """What the server tells about a chat or a person."""

    # The server says either.
    __wire_aliases__: ClassVar[Mapping[str, str]] = {"photo": "photos"}

    type: str = ""
    first_name: str | None = None
    last_name: str | None = None
    nick: str | None = None
    about: str | None = None
    rules: str | None = None
    title: str | None = None
    is_bot: bool | None = None
    phone: str | None = None
    photos: list[Photo] = field(default_factory=list)
    public: bool | None = None
    join_moderation: bool | None = None
    invite_link: str | None = None
    language: str | None = None

    @property
    def full_name(self) -> str:
        """First and last name, else the title, else the nick."""
        return display_name(self.first_name, self.last_name) or self.title or self.nick or ""


class ChatMembers(dict[str, Any]):
    """One page of a chat's members: the answer as it came, and its parts as models.

    Attributes:
        members: Those of this page.
        cursor: What asks for the next page; None on the last.
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(answer)
        self.members = [ChatMember.from_dict(member) for member in answer.get("members") or []]
        self.cursor: str | None = answer.get("cursor") or None


__all__ = ["Chat", "ChatInfo", "ChatMembers"]
