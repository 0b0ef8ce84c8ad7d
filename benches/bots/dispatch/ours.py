"""Ours."""

from typing import Any

from cases import ROUTERS, Feed, middleware, spread
from spikard.bots import Dispatcher, F, Router
from spikard.bots.filters import CallbackData, Command, StateFilter


class Bot:
    id = "1"
    me = None

    async def answer_callback_query(self, **options: Any) -> None: ...


BOT: Any = Bot()


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
    dispatcher = Dispatcher(auto_answer=False)
    places = [dispatcher] * count
    if kind == "routers":
        places = spread(dispatcher, [Router() for _ in range(ROUTERS)], count)
        for _ in range(2):
            dispatcher.message.outer_middleware.register(middleware)
    for number, place in enumerate(places):
        observer = place.callback_query if kind == "data" else place.message
        observer.register(handler, *filters_of(kind, f"c{number}"))
    who = {"from": {"userId": "a"}, "chat": {"chatId": "c", "type": "private"}}
    if kind == "data":
        update = {"eventId": 1, "type": "callbackQuery", "payload": {**who, "queryId": "q", "callbackData": text}}
    else:
        payload = {**who, "msgId": "1", "timestamp": 1, "text": text}
        update = {"eventId": 1, "type": "newMessage", "payload": payload}
    return lambda: dispatcher.feed_raw(BOT, update)
