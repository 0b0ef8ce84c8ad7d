"""Two bots in one process: a front desk that takes questions, and a bot of the team that answers them.

export VKTEAMS_TOKEN=... VKTEAMS_TEAM_TOKEN=... TEAM_CHAT=...@chat.agent
"""

import logging
import os

from spikard.bots import Bot, Dispatcher, Router
from spikard.bots.filters import Command, CommandObject
from spikard.bots.types import Message

TEAM_CHAT = os.environ.get("TEAM_CHAT", "team@corp.example")
desk, team = Router("desk"), Router("team")


def at_desk(_: Message, bot: Bot) -> bool:
    return bot.name == "desk"


def in_team(_: Message, bot: Bot) -> bool:
    return bot.name == "team"


desk.message.filter(at_desk)
team.message.filter(in_team)


@desk.message(Command("ask"))
async def ask(message: Message, command: CommandObject, bots: dict[str, Bot]) -> None:
    await bots["team"].send_text(TEAM_CHAT, f"{message.chat.chat_id} asks: {command.args}")
    await message.answer("Your question is with the team.")


@team.message(Command("answer"))
async def answer(message: Message, command: CommandObject, bots: dict[str, Bot]) -> None:
    person, _, text = (command.args or "").partition(" ")
    await bots["desk"].send_text(person, f"The team says: {text}")
    await message.answer("Told.")


dp = Dispatcher()
dp.include_routers(desk, team)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    both = {
        "desk": Bot(name="desk"),
        "team": Bot(os.environ["VKTEAMS_TEAM_TOKEN"], os.environ.get("VKTEAMS_TEAM_API_URL"), name="team"),
    }
    dp["bots"] = both
    dp.run(*both.values())
