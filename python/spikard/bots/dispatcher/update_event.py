"""What an update holds: its event, who has caused it, and where."""

from typing import TYPE_CHECKING, Any

from spikard.bots.errors import DecodeError
from spikard.bots.platform import platform_of
from spikard.bots.types.event import Update
from spikard.bots.types.message import Message

if TYPE_CHECKING:
    from spikard.bots.bot import Bot


def event_of(bot: "Bot", update: Update) -> Any:
    """The event, bound to the bot; None for a kind that nobody knows. Raises DecodeError."""
    if update.bot_or_none is not bot:
        update.set_bot(bot)
    return platform_of(bot).decode(update)


def shown(bot: "Bot", update: Update) -> Any:
    """What handlers of errors get: the event, or the update where there is none."""
    try:
        return event_of(bot, update) or update
    except DecodeError:
        return update


def is_ghost(message: Message) -> bool:
    """Whether it is what deleting leaves behind."""
    return message.edited_timestamp is not None and not message.text and not message.parts


def add_who(event: Any, data: dict[str, Any]) -> None:
    """Lets handlers ask for whom and where it came from."""
    chat = getattr(event, "chat", None)
    if chat is not None:
        data["chat"] = chat
    user = getattr(event, "from_user", None)
    if user is not None:
        data["from_user"] = data["event_from_user"] = user
    message = getattr(event, "message", None)
    if message is not None:
        data["message"] = data["callback_message"] = message


__all__ = ["add_who", "event_of", "is_ghost", "shown"]
