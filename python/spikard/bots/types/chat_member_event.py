"""Who came, who went, and what became of a chat."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from msgspec import field

from spikard.bots.types.base import VKObject
from spikard.bots.types.chat import Chat
from spikard.bots.types.user import Contact

if TYPE_CHECKING:
    from spikard.bots.bot import Bot


def _nowhere() -> Chat:
    return Chat(chat_id="")


class NewChatMembersEvent(VKObject):
    """People came into a chat."""

    chat: Chat = field(default_factory=_nowhere)
    new_members: list[Contact] = field(default_factory=list)
    added_by: Contact | None = None

    async def is_bot_joined(self, bot: "Bot | None" = None) -> bool:
        """Whether the bot is one of them."""
        return await _is_among(bot or self.bot, self.new_members)


class LeftChatMembersEvent(VKObject):
    """People left a chat."""

    chat: Chat = field(default_factory=_nowhere)
    left_members: list[Contact] = field(default_factory=list)
    removed_by: Contact | None = None

    async def is_bot_left(self, bot: "Bot | None" = None) -> bool:
        """Whether the bot is one of them."""
        return await _is_among(bot or self.bot, self.left_members)


class ChangedChatInfoEvent(VKObject):
    """A chat's title, description, rules or something else has changed; `changed` has the something else."""

    chat: Chat = field(default_factory=_nowhere)
    changed_by: Contact | None = field(default=None, name="from")
    new_title: str | None = None
    new_about: str | None = None
    new_rules: str | None = None
    changed: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | Self) -> Self:
        """Like that of other models; fields that this one has not go into `changed`."""
        found = super().from_dict(data)
        if isinstance(data, Mapping):
            found.keep_rest(data)
        return found

    def keep_rest(self, data: Mapping[str, Any]) -> None:
        """Puts what no field takes into `changed`."""
        known = {*self.__struct_fields__, *self.__struct_encode_fields__}
        self.changed |= {name: value for name, value in data.items() if name not in known}


async def _is_among(bot: "Bot", members: list[Contact]) -> bool:
    me = await bot.get_me()
    return any(member.user_id == me.user_id for member in members)


__all__ = ["ChangedChatInfoEvent", "LeftChatMembersEvent", "NewChatMembersEvent"]
