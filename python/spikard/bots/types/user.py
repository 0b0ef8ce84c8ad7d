"""People and bots."""

import re

from msgspec import field

from spikard.bots.types.base import VKObject

# The number of an account stands in the address of its picture.
_TARGET = re.compile(r"[?&]targetSn=(\d+)(?:&|$)")


class Photo(VKObject):
    """A picture of somebody, in pixels."""

    url: str
    width: int | None = None
    height: int | None = None


class Contact(VKObject):
    """Somebody, as events name them."""

    user_id: str
    first_name: str | None = None
    last_name: str | None = None
    nick: str | None = None

    @property
    def full_name(self) -> str:
        """First and last name, else the nick, else the id."""
        return display_name(self.first_name, self.last_name) or self.nick or self.user_id

    @property
    def mention(self) -> str:
        """What mentions the person in plain text and HTML."""
        return f"@[{self.user_id}]"

    @property
    def mention_md(self) -> str:
        """What mentions the person in MarkdownV2."""
        from spikard.bots.text import md

        return md.mention(self.user_id)


class User(Contact):
    """Somebody, as lists of chats name them."""

    about: str | None = None
    is_bot: bool | None = None


class ChatMember(User):
    """Somebody in a chat, and their rights."""

    creator: bool = False
    admin: bool = False


class UserInfo(User):
    """Somebody's profile."""

    photos: list[Photo] = field(default_factory=list)
    phone: str | None = None
    language: str | None = None

    @property
    def uin(self) -> str | None:
        """The number of the account, where a picture tells it."""
        for photo in self.photos:
            found = _TARGET.search(photo.url)
            if found is not None:
                return found[1]
        return None


class BotInfo(Contact):
    """The bot itself."""

    about: str | None = None
    photo: list[Photo] = field(default_factory=list)


def display_name(first: str | None, last: str | None) -> str:
    """Both names with a space between, or the one there is."""
    return " ".join(name for name in (first, last) if name)


__all__ = ["BotInfo", "ChatMember", "Contact", "Photo", "User", "UserInfo"]
