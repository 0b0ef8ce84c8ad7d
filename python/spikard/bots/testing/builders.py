"""Messages, presses and updates made by hand, for tests of filters and handlers by themselves."""

from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

from spikard.bots import clock
from spikard.bots.enums import ChatType, EventType
from spikard.bots.testing.samples import sample
from spikard.bots.types.callback_query import CallbackQuery
from spikard.bots.types.event import Update
from spikard.bots.types.message import Message

if TYPE_CHECKING:
    from spikard.bots.bot import Bot

USER = "ann@corp.example"
_numbers = count(1)


def make_message(
    text: str | None = "hi",
    *,
    user: str = USER,
    chat: str | None = None,
    chat_type: str | None = None,
    bot: "Bot | None" = None,
    **fields: Any,
) -> Message:
    """A message of somebody, in the private chat with the bot or in `chat`; more fields are those of `Message`."""
    return Message.from_dict(_message(text, user, chat, chat_type) | fields).bound(bot)


def make_callback(
    data: str = "",
    *,
    user: str = USER,
    message: Message | None = None,
    bot: "Bot | None" = None,
    **fields: Any,
) -> CallbackQuery:
    """A press of a button with this data, under a message of the bot or under `message`."""
    shown = message.to_dict(exclude_none=True) if message is not None else _message("", "bot@corp.example", user, None)
    query = {"queryId": f"q{next(_numbers)}", "from": {"userId": user}, "message": shown, "callbackData": data}
    return CallbackQuery.from_dict(query | fields).bound(bot)


def make_update(
    event: "str | Message | CallbackQuery | Mapping[str, Any]" = EventType.NEW_MESSAGE,
    payload: Mapping[str, Any] | None = None,
    *,
    event_id: int | None = None,
    bot: "Bot | None" = None,
) -> Update:
    """An update, for `dp.feed_update(bot, update)`.

    Args:
        event: A message, a press, an event as the server sends it, the name of a sample, or a type on the wire.
        payload: What happened, where `event` is a type.
        event_id: Its number, by default the next.
        bot: Whom it comes to.

    Raises:
        KeyError: `event` is no type, and there is no sample of this name.
    """
    if isinstance(event, Message):
        kind, payload = str(EventType.NEW_MESSAGE), event.to_dict(exclude_none=True)
    elif isinstance(event, CallbackQuery):
        kind, payload = str(EventType.CALLBACK_QUERY), event.to_dict(exclude_none=True)
    elif isinstance(event, Mapping):
        kind, payload, event_id = event["type"], event["payload"], event_id or event.get("eventId")
    elif payload is not None:
        kind = str(event)
    elif event == EventType.NEW_MESSAGE:
        kind, payload = str(event), _message("hi", USER, None, None)
    else:
        found = sample(event)
        kind, payload = found["type"], found["payload"]
    return Update(event_id=event_id or next(_numbers), type=kind, payload=dict(payload)).bound(bot)


def _message(text: str | None, user: str, chat: str | None, chat_type: str | None) -> dict[str, Any]:
    is_group = (chat or "").endswith("@chat.agent")
    kind = chat_type or (ChatType.GROUP if is_group else ChatType.PRIVATE)
    message = {
        "msgId": str(next(_numbers)),
        "chat": {"chatId": chat or user, "type": str(kind)},
        "from": {"userId": user, "firstName": user.partition("@")[0].title()},
        "timestamp": int(clock.now()),
        "text": text,
    }
    return {name: value for name, value in message.items() if value is not None}


__all__ = ["make_callback", "make_message", "make_update"]
