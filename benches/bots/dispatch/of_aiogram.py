"""aiogram, with updates of Telegram."""

from typing import Any

from aiogram import Bot, Dispatcher, F, Router
from aiogram.filters import Command, StateFilter
from cases import ROUTERS, Feed, middleware, spread

BOT = Bot("1:test")


async def handler(event: Any) -> None: ...


def filters_of(kind: str, word: str) -> list[Any]:
    found: dict[str, list[Any]] = {
        "command": [Command(word)],
        "routers": [Command(word)],
        "text": [F.text == word],
        "data": [F.data == word],
        "state": [StateFilter(None), F.text == word],
    }
    return found[kind]


def make(kind: str, count: int, text: str) -> Feed:
    dispatcher = Dispatcher()
    places = [dispatcher] * count
    if kind == "routers":
        places = spread(dispatcher, [Router() for _ in range(ROUTERS)], count)
        for _ in range(2):
            dispatcher.message.outer_middleware.register(middleware)
    for number, place in enumerate(places):
        observer = place.callback_query if kind == "data" else place.message
        observer.register(handler, *filters_of(kind, f"c{number}"))
    user = {"id": 1, "is_bot": False, "first_name": "Ann"}
    message = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "from": user, "text": text}
    if kind == "data":
        query = {"id": "q", "from": user, "chat_instance": "i", "data": text, "message": message}
        update: dict[str, Any] = {"update_id": 1, "callback_query": query}
    else:
        update = {"update_id": 1, "message": message}
    return lambda: dispatcher.feed_raw_update(BOT, update)
