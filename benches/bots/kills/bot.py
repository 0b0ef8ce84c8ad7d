"""The bot that is killed: a dialogue of three steps, with an answer to each message and a count of them all."""

import asyncio
import random
import sys
from typing import Any

from spikard.bots import Bot, Dispatcher, FSMContext
from spikard.bots.fsm import State, StatesGroup
from spikard.bots.types import Message


class Step(StatesGroup):
    one = State()
    two = State()


AFTER = {None: Step.one, Step.one.state: Step.two, Step.two.state: None}


def answer(number: int, step: str | None, count: int, total: int) -> str:
    """What the bot says to the message of a number, in a step of the dialogue, with what it has counted so far."""
    return f"{number} {step or 'start'} {count} {total}"


async def main(url: str, token: str, storage: str, delivery: Any) -> None:
    dp = Dispatcher(storage, delivery=delivery)

    @dp.message()
    async def take(message: Message, state: FSMContext, current_state: str | None) -> None:
        number = int(message.text or 0)
        data = await state.get_data()
        count, total = data.get("count", 0) + 1, data.get("total", 0) + number
        following = AFTER[current_state]
        await state.set_state(following)
        await asyncio.sleep(random.random() * 0.02)
        await message.answer(answer(number, current_state, count, total))
        await asyncio.sleep(random.random() * 0.02)
        await state.update_data(count=count, total=total)

    @dp.on_startup
    async def tell() -> None:
        print("ready", flush=True)

    await dp.start_polling(Bot(token, url, poll_time=5))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
