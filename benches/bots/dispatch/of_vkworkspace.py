"""vkworkspace."""

from typing import Any
from unittest.mock import MagicMock

from cases import ROUTERS, Feed, middleware, spread
from vkworkspace import Dispatcher, F, Router
from vkworkspace.filters import CallbackData, Command, StateFilter
from vkworkspace.types.event import Update


class Bot:
    token = "001.1:1"


async def handler(event: Any) -> None: ...


def filters_of(kind: str, word: str) -> list[Any]:
    found: dict[str, list[Any]] = {
        "command": [Command(word)],
        "routers": [Command(word)],
        "text": [F.text == word],
        "data": [CallbackData(word)],
        "state": [StateFilter(None), F.text == word],
    }
    return found[kind]


def make(kind: str, count: int, text: str) -> Feed:
    dispatcher = Dispatcher()
    places = [dispatcher] * count
    if kind == "routers":
        places = spread(dispatcher, [Router() for _ in range(ROUTERS)], count)
        for _ in range(2):
            dispatcher.message.middleware.register(middleware)
    for number, place in enumerate(places):
        observer = place.callback_query if kind == "data" else place.message
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
