"""What a platform is to the dispatcher: which kinds of events it has, and how they are read.

VK Teams is the one that comes with the package. Another brings a bot that polls and sends in its own way, and events of
its own: routers, filters, states, services, middlewares and dialogues know nothing of either.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from spikard.bots._events import Batch
from spikard.bots.enums import EventType, ParseMode
from spikard.bots.types.event import Update


@runtime_checkable
class Platform(Protocol):
    """A platform. A bot names it as its attribute `platform`.

    Attributes:
        name: For messages.
        observers: By the kind of an event the name of the observers of routers that it goes to.
        text_limit: How long a text may be; None where it does not matter.
        text_modes: Markups that it understands.
    """

    name: str
    observers: Mapping[str, str]
    text_limit: int | None
    text_modes: tuple[str, ...]

    def decode(self, update: Update) -> Any:
        """The event of an update, read once, bound to the bot; None for a kind that nobody knows.

        Of events the dispatcher looks at `chat.chat_id`, `from_user.user_id` and, of presses, at `message`; each may be
        missing. Raises DecodeError.
        """


class PlatformBot(Protocol):
    """What the dispatcher asks of a bot.

    Attributes:
        id: Tells bots of one platform apart; it is part of the keys of states.
        last_event_id: The greatest number of an event that was fetched.
        platform: Whose events it fetches.
    """

    id: str
    last_event_id: int
    platform: Any

    async def get_me(self) -> Any:
        """Who the bot is. Raises InvalidToken."""

    async def poll(self, poll_time: int | None = None, **options: Any) -> Batch:
        """Events that have happened; waits for some. Raises BotError."""

    async def close(self) -> None:
        """Lets go of connections."""


class VKTeams:
    """VK Teams."""

    name = "vkteams"
    observers: Mapping[str, str] = {
        EventType.NEW_MESSAGE: "message",
        EventType.EDITED_MESSAGE: "edited_message",
        EventType.DELETED_MESSAGE: "deleted_message",
        EventType.PINNED_MESSAGE: "pinned_message",
        EventType.UNPINNED_MESSAGE: "unpinned_message",
        EventType.NEW_CHAT_MEMBERS: "new_chat_members",
        EventType.LEFT_CHAT_MEMBERS: "left_chat_members",
        EventType.CHANGED_CHAT_INFO: "changed_chat_info",
        EventType.CALLBACK_QUERY: "callback_query",
    }
    text_limit: int | None = 4096
    text_modes: tuple[str, ...] = (ParseMode.MARKDOWNV2, ParseMode.HTML)

    def decode(self, update: Update) -> Any:
        """The event of an update. Raises DecodeError."""
        return update.decoded


VK_TEAMS = VKTeams()


def platform_of(bot: Any) -> Platform:
    """The platform of a bot: VK Teams, unless it brings one."""
    found = getattr(bot, "platform", None)
    return VK_TEAMS if found is None or isinstance(found, str) else found


__all__ = ["VK_TEAMS", "Platform", "PlatformBot", "VKTeams", "platform_of"]
