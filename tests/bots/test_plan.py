"""The plan gives what a walk through the tree gives."""

import random
from typing import Any

import pytest

from spikard.bots import Dispatcher, F, Router
from spikard.bots.filters import CallbackData, ChatTypeFilter, Command, SenderFilter, StateFilter
from spikard.bots.filters.base import CompiledFilter, compiled, judged
from spikard.bots.fsm import FSMContext, MemoryStorage
from spikard.bots.outcomes import UNHANDLED
from spikard.bots.types import CallbackQuery, Chat, Contact, Message
from tests.bots.updates import BOT, pressed, said

TEXTS = ["/a", "/b x", "/A", "a", "b", None, "!a", "/c@other"]
STATES = [None, "s:1", "s:2"]


def some_filter(dice: random.Random) -> Any:
    return dice.choice(
        [
            lambda: Command(dice.choice(["a", "b", "c"])),
            lambda: Command(dice.choice(["a", "b"]), prefix=("/", "!")),
            lambda: Command("A", ignore_case=False),
            lambda: F.text == dice.choice(["a", "b", "/a"]),
            lambda: F.text.in_({"a", "b"}),
            lambda: F.text.startswith("/"),
            lambda: StateFilter(dice.choice(STATES)),
            lambda: StateFilter("*"),
            lambda: ChatTypeFilter(dice.choice(["private", "group"])),
            lambda: SenderFilter(dice.choice(["ann", "bob"])),
            lambda: CallbackData(dice.choice(["a", "b"])),
            lambda: ~Command("a"),
            lambda: Command("a") | (F.text == "b"),
            lambda: ChatTypeFilter("private") & Command("b"),
            lambda: lambda event, current_state: current_state is not None,
        ]
    )()


def some_tree(dice: random.Random, depth: int = 0) -> Router:
    router = Router(f"r{dice.random()}")
    for observer in (router.message, router.callback_query):
        if dice.random() < 0.2:
            observer.filter(some_filter(dice))
        for number in range(dice.randrange(5)):
            name = f"{router.name}/{number}"
            result = UNHANDLED if dice.random() < 0.2 else name
            filters = [some_filter(dice) for _ in range(dice.randrange(3))]
            observer.register(lambda event, result=result: result, *filters, flags={"inline": True})
    if depth < 3:
        for _ in range(dice.randrange(4)):
            router.include_router(some_tree(dice, depth + 1))
    return router


async def walked(router: Router, name: str, event: Any, data: dict[str, Any]) -> Any:
    """The slow, obvious way."""
    observer = router.observers[name]
    for filter_ in observer.filters:
        if await judged(filter_, event, data) is False:
            return UNHANDLED
    for handler in observer.handlers:
        passes, given = await handler.check(event, dict(data))
        if passes and (found := await handler.run(event, given)) is not UNHANDLED:
            return found
    for child in router.sub_routers:
        if (found := await walked(child, name, event, data)) is not UNHANDLED:
            return found
    return UNHANDLED


@pytest.mark.parametrize("seed", range(40))
async def test_plan_and_walk_agree(seed: int) -> None:
    dice = random.Random(seed)
    tree = some_tree(dice)
    for _ in range(25):
        chat = Chat(chat_id="c", type=dice.choice(["private", "group"]))
        user = Contact(user_id=dice.choice(["ann", "bob"]))
        if dice.random() < 0.5:
            name, event = "message", Message(text=dice.choice(TEXTS), chat=chat, from_user=user)
        else:
            name, event = (
                "callback_query",
                CallbackQuery(query_id="q", chat=chat, from_user=user, callback_data=dice.choice(["a", "b", "c", ""])),
            )
        data = {"current_state": dice.choice(STATES)}
        assert await tree.propagate_event(name, event, **data) == await walked(tree, name, event, data)


class Counted(MemoryStorage):
    """Counts how often it is asked."""

    reads = 0

    async def get_state(self, key: Any) -> str | None:
        self.reads += 1
        return await super().get_state(key)


@pytest.mark.parametrize("kind", ["command", "text", "data", "state", "prefix"])
async def test_as_many_filters_are_asked_of_a_thousand_handlers_as_of_ten(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    makers: dict[str, Any] = {
        "command": lambda number: [Command(f"c{number}")],
        "text": lambda number: [F.text == f"c{number}"],
        "data": lambda number: [CallbackData(f"c{number}")],
        "state": lambda number: [StateFilter(None), F.text == f"c{number}"],
        "prefix": lambda number: [SenderFilter("ann"), CallbackData(f"c{number}")],
    }

    def counted(target: Any) -> CompiledFilter:
        found = compiled(target)

        def check(event: Any, data: dict[str, Any]) -> Any:
            nonlocal asked
            asked += 1
            return found.check(event, data)

        return found._replace(check=check)

    monkeypatch.setattr("spikard.bots.handler.compiled", counted)
    counts = []
    for number in (10, 1000):
        dp = Dispatcher()
        for one in range(number):
            observer = dp.callback_query if kind in {"data", "prefix"} else dp.message
            observer.register(lambda event, one=one: one, *makers[kind](one), flags={"inline": True})
        text = f"c{number - 1}"
        update = pressed(text) if kind in {"data", "prefix"} else said(f"/{text}" if kind == "command" else text)
        asked = 0
        assert await dp.feed_update(BOT, update) == number - 1
        counts.append(asked)
    assert counts[0] == counts[1] <= 2


async def test_routers_whose_filters_cannot_pass_are_not_asked() -> None:
    dp = Dispatcher()
    asked: list[str] = []

    def noted(name: str) -> Any:
        def check(message: Message) -> bool:
            asked.append(name)
            return True

        return check

    for number in range(20):
        router = Router(f"r{number}")
        router.message.filter(F.chat.chat_id == f"c{number}", noted(router.name))
        router.message.register(lambda message, router: router.name, flags={"inline": True})
        dp.include_router(router)
    assert await dp.feed_update(BOT, said(chat={"chatId": "c7"})) == "r7"
    assert await dp.feed_update(BOT, said(chat={"chatId": "c20"})) is UNHANDLED
    assert asked == ["r7"]


async def test_states_are_read_only_where_somebody_looks_at_them() -> None:
    storage = Counted()
    dp, other = Dispatcher(storage), Router()
    dp.include_router(other)

    @dp.message(Command("a") | (F.text == "b"))
    async def handler(message: Message, state: FSMContext) -> str | None:
        await state.update_data(seen=True)
        return state.key.user_id

    assert await dp.feed_update(BOT, said("/a")) == "ann"
    assert storage.reads == 0
    for register in (
        lambda: other.message.register(handler, StateFilter("s") & F.text),
        lambda: other.message.register(lambda message, raw_state: raw_state),
        lambda: other.message.register(handler, lambda message, **data: False),
        lambda: other.message.middleware(lambda handler, event, data: handler(event, data)),
    ):
        before = storage.reads
        register()
        await dp.feed_update(BOT, said("/a"))
        assert storage.reads == before + 1
        other.message.handlers.clear()
        other.message.middleware.middlewares.clear()


async def test_a_thousand_commands_ask_only_the_one_that_fits() -> None:
    router = Router()
    asked: list[int] = []
    for number in range(1000):

        def noted(event: Any, number: int = number) -> bool:
            asked.append(number)
            return True

        router.message.register(lambda event, n=number: n, Command(f"c{number}"), noted, flags={"inline": True})
    assert await router.propagate_event("message", Message(text="/c999")) == 999
    assert await router.propagate_event("message", Message(text="/nobody")) is UNHANDLED
    assert asked == [999]
