"""A bot that repeats what is said to it.

export VKTEAMS_TOKEN=... VKTEAMS_API_URL=https://teams.corp.example
python examples/bots/echo.py
"""

import logging

from spikard.bots import Bot, Dispatcher, F, Router
from spikard.bots.filters import Command
from spikard.bots.types import Message

router = Router()


@router.message(Command("start", "help"))
async def start(message: Message) -> None:
    await message.answer("Say something, and I say it too.")


@router.message(F.text)
async def echo(message: Message) -> None:
    await message.reply(message.text)


dp = Dispatcher()
dp.include_router(router)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    dp.run(Bot())
