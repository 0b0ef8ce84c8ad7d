"""vkworkspace."""

from typing import Any
from unittest.mock import MagicMock

from cases import Feed
from vkworkspace import Dispatcher, F
from vkworkspace.filters import CallbackData, Command, StateFilter
from vkworkspace.types.event import Update


class Bot:
    token = "001.1:1"


async def handler(event: Any) -> None: ...


def filters_of(kind: str, word: str) -> list[Any]:
    found: dict[str, list[Any]] = {
        "command": [Command(word)],
        "text": [F.text == word],
        "data": [CallbackData(word)],
        "state": [StateFilter(None), F.text == word],
    }
    return found[kind]


def make(kind: str, count: int, text: str) -> Feed:
    dispatcher = Dispatcher()
    for number in range(count):
        observer = dispatcher.callback_query if kind == "data" else dispatcher.message
        observer.register(handler, *filters_of(kind, f"c{number}"))
    who = {"from": {"userId": "a"}, "chat": {"chatId": "c", "type": "private"}}
    if kind == "data":
        message = {**who, "msgId": "1"}
        payload = {**who, "queryId": "q", "callbackData": text, "message": message}
        update = {"eventId": 1, "type": "callbackQuery", "payload": payload}
    else:
        payload = {**who, "msgId": "1", "timestamp": 1, "text": text}
        update = {"eventId": 1, "type": "newMessage", "payload": payload}
    bot = MagicMock(spec=Bot)
    bot.token = Bot.token
    return lambda: dispatcher.feed_update(bot, Update.model_validate(update))
