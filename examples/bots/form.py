"""A form: questions one after another, answers that are checked, and a way out.

States are kept in memory; with SPIKARD_BOTS_STORE=sqlite:form.db they outlive the process.
"""

import logging

from spikard.bots import Bot, Dispatcher, F, FSMContext, Router
from spikard.bots.filters import Command, StateFilter
from spikard.bots.fsm import State, StatesGroup
from spikard.bots.types import Message

router = Router()


class Leave(StatesGroup):
    days = State()
    reason = State()


@router.message(Command("cancel"), StateFilter("*"))
async def cancel(message: Message, state: FSMContext) -> None:
    await state.clear()
    await message.answer("Forgotten.")


@router.message(Command("leave"))
async def begin(message: Message, state: FSMContext) -> None:
    await state.set_state(Leave.days)
    await message.answer("How many days?")


@router.message(Leave.days, F.text.isdigit())
async def take_days(message: Message, state: FSMContext) -> None:
    await state.update_data(days=int(message.text or 0))
    await state.set_state(Leave.reason)
    await message.answer("What for?")


@router.message(Leave.days)
async def ask_again(message: Message) -> None:
    await message.answer("A number, please; or /cancel.")


@router.message(Leave.reason, F.text)
async def take_reason(message: Message, state: FSMContext) -> None:
    days = await state.get_value("days")
    await state.clear()
    await message.answer(f"Requested: {days} days, {message.text}.")


dp = Dispatcher()
dp.include_router(router)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    dp.run(Bot())
