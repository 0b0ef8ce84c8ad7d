"""What stands around handlers: who may come in, how often, what handlers are given, and what becomes of errors."""

import logging
import time
from typing import Any

from spikard.bots import BaseMiddleware, Bot, Dispatcher, F, Router
from spikard.bots.filters import Command, Throttled
from spikard.bots.types import Message

STAFF = {"ann@corp.example": "Ann"}
logger = logging.getLogger("bot")
router = Router()


class OnlyStaff(BaseMiddleware):
    """Lets only people through whom it knows, and gives handlers their names."""

    async def __call__(self, handler: Any, event: Message, data: dict[str, Any]) -> Any:
        name = STAFF.get(event.from_user.user_id if event.from_user else "")
        if name is None:
            return await event.answer("This bot is for our staff.")
        return await handler(event, {**data, "name": name})


class Timing(BaseMiddleware):
    """Logs how long each handler takes."""

    async def __call__(self, handler: Any, event: Message, data: dict[str, Any]) -> Any:
        begun = time.perf_counter()
        try:
            return await handler(event, data)
        finally:
            logger.info("%s took %.1f ms", data["handler"].name, 1000 * (time.perf_counter() - begun))


@router.message(Command("divide"), Throttled(rate=1, burst=3))
async def divide(message: Message, name: str) -> None:
    _, first, second = (message.text or "").split()
    await message.answer(f"{name}, that is {int(first) / int(second):g}.")


@router.message(Command("divide"))
async def too_often(message: Message) -> None:
    await message.answer("Not so fast.")


@router.message(F.text)
async def greet(message: Message, name: str) -> None:
    await message.answer(f"Hello, {name}.")


@router.error()
async def on_error(event: Message, error: Exception) -> None:
    await event.answer(f"That did not work: {error}.")


router.message.outer_middleware(OnlyStaff())
router.message.middleware(Timing())
dp = Dispatcher()
dp.include_router(router)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    dp.run(Bot())
