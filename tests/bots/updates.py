"""Updates as somebody in a chat causes them, and a bot that has no server."""

from typing import Any

from spikard.bots.types import Update


class Bot:
    """As much of a bot as handlers without answers need."""

    id = "100"
    token = "001.1:100"
    me = None

    def __init__(self) -> None:
        self.answered: list[str] = []

    async def answer_callback_query(self, query_id: str, **options: Any) -> None:
        self.answered.append(query_id)


BOT: Any = Bot()
NUMBERS = iter(range(1, 1_000_000))


def said(text: str | None = "hi", user: str = "ann", **fields: Any) -> Update:
    payload = {
        "msgId": "1",
        "chat": {"chatId": "c", "type": "private"},
        "from": {"userId": user},
        "timestamp": 1,
        "text": text,
        **fields,
    }
    return Update(event_id=next(NUMBERS), type="newMessage", payload=payload)


def pressed(data: str = "x") -> Update:
    payload = {"queryId": "q1", "from": {"userId": "ann"}, "chat": {"chatId": "c"}, "callbackData": data}
    return Update(event_id=next(NUMBERS), type="callbackQuery", payload=payload)
