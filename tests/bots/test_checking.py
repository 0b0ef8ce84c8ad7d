"""What is wrong with handlers is said before the first update."""

import asyncio
import logging
from functools import partial
from typing import Any

import pytest

from spikard.bots import BaseMiddleware, Dispatcher, F, MessageHandler, Router
from spikard.bots.callback_data_factory import CallbackDataFactory
from spikard.bots.errors import HandlerError
from spikard.bots.filters import BaseFilter, CallbackData, ChatTypeFilter, Command, CommandObject, StateFilter
from spikard.bots.fsm import FSMContext
from spikard.bots.testing import FakeVKTeams
from spikard.bots.types import CallbackQuery, Chat, Contact, Message
from spikard.di import Container, Inject
from tests.bots.updates import BOT, said


class Database:
    pass


class Broken:
    def __init__(self, nobody_knows_this) -> None: ...  # type: ignore[no-untyped-def]


async def test_what_nobody_gives_is_listed_with_its_place() -> None:
    dp, router = Dispatcher(dat=1), Router("below")
    dp.include_router(router)

    @router.message(Command("a"))
    async def misspelt(message: Message, databse: Any, dat: int, command: CommandObject) -> None: ...

    @router.message(F.text.as_("word"), lambda message, absent: True)
    async def marked(message: Message, word: str, db: Inject[Database]) -> None: ...

    @router.callback_query()
    class Button(MessageHandler):
        async def handle(self, bot: Any, gone: Any) -> None: ...  # type: ignore[override]

    @dp.on_startup
    def begin(bots: Any, nothing: Any) -> None: ...

    @dp.message.middleware
    async def middleware(handler: Any, event: Any, data: dict[str, Any], thing: Any) -> Any: ...

    middleware.injects = ()  # type: ignore[attr-defined]
    # A lambda does not say what it answers: it may well give `db`, but never what is marked.
    found = {(one.handler.rpartition(".")[2], one.parameter): one for one in dp.check()}
    places = {"misspelt": "databse", "marked": "db", "begin": "nothing", "middleware": "thing", "handle": "gone"}
    assert set(found) == set(places.items())
    one = found["misspelt", "databse"]
    assert one.is_fault
    assert one.file == __file__
    assert one.line == misspelt.__code__.co_firstlineno
    assert str(one).startswith(f"{__file__}:{one.line}: ")
    assert "'databse'" in str(one)
    assert "no container" in found["marked", "db"].message
    assert [one.parameter for one in dp.check(databse=1, nothing=2, thing=3, gone=4)] == ["db"]


async def test_everything_the_dispatcher_gives_is_no_fault() -> None:
    dp = Dispatcher(container=Container().add_scoped(Database))

    @dp.message()
    async def handler(
        message: Message,
        bot: Any,
        context: FSMContext,
        raw_state: Any,
        event_type: str,
        place: Chat,
        who: Contact,
        db: Inject[Database],
        other: Database,
        absent: int = 1,
        **rest: Any,
    ) -> None: ...

    @dp.callback_query(CallbackData("x"))
    async def button(query: CallbackQuery, message: Message) -> None: ...

    @dp.error()
    async def on_error(event: Any, error: Exception, anything: Any) -> None: ...

    assert dp.check() == []


@pytest.mark.parametrize("declared", [None, (), ("user",)])
async def test_middlewares_and_filters_may_give_what_they_do_not_deny(declared: tuple[str, ...] | None) -> None:
    class Users(BaseMiddleware):
        injects = declared

        async def __call__(self, handler: Any, event: Any, data: dict[str, Any]) -> Any:
            return await handler(event, {**data, "user": "Ann"})

    class Asks(BaseFilter):
        injects = declared

        async def __call__(self, event: Any, **kwargs: Any) -> Any:
            return {"user": "Ann"}

    def yes(message: Message) -> bool:
        return True

    async def handler(message: Message, user: str) -> None: ...

    by_middleware, by_filter, by_neither = Dispatcher(), Dispatcher(), Dispatcher()
    by_middleware.message.middleware(Users())
    by_middleware.message.register(handler)
    by_filter.message.register(handler, ChatTypeFilter("private") & Asks())
    by_neither.message.register(handler, yes)
    count = 1 if declared == () else 0
    assert [len(dp.check()) for dp in (by_middleware, by_filter, by_neither)] == [count, count, 1]


async def test_what_the_container_cannot_make_is_told_with_its_reason() -> None:
    dp = Dispatcher(container=Container())

    @dp.message()
    async def handler(message: Message, broken: Inject[Broken]) -> None: ...

    (found,) = dp.check()
    assert "nobody_knows_this" in found.message


async def test_two_kinds_of_buttons_with_one_prefix() -> None:
    class Buy(CallbackDataFactory, prefix="b"):
        id: int

    class Ban(CallbackDataFactory, prefix="b"):
        id: int

    dp = Dispatcher()
    dp.callback_query.register(lambda query: None, Buy.filter(F.id == 1))
    dp.callback_query.register(lambda query: None, Buy.filter(F.id == 2))
    assert dp.check() == []
    dp.callback_query.register(lambda query: None, ChatTypeFilter("private") & Ban.filter())
    (found,) = dp.check()
    assert (found.kind, found.is_fault) == ("prefix", True)
    assert "Buy" in found.message
    assert "Ban" in found.message


async def test_handlers_behind_one_that_takes_all_are_told(caplog: pytest.LogCaptureFixture) -> None:
    dp, gated, rest = Dispatcher(), Router("gated"), Router("rest")
    gated.message.filter(ChatTypeFilter("private"))
    dp.include_routers(gated, rest)

    def named(name: str) -> Any:
        async def handler(message: Message) -> None: ...

        handler.__qualname__ = name
        return handler

    dp.message.register(named("start"), Command("start", "begin"))
    dp.message.register(named("start again"), Command("start"))
    dp.message.register(named("start with state"), StateFilter("s"), Command("begin"))
    dp.message.register(named("start or else"), Command("start", "else"))
    dp.message.register(named("text"), F.text == "a")
    dp.message.register(named("same text"), F.text.in_({"a"}), F.chat.type == "group")
    gated.message.register(named("all private"))
    gated.message.register(named("more private"), F.text == "b")
    rest.message.register(named("others"), F.text == "b")
    found = dp.check()
    assert [one.handler for one in found] == ["start again", "start with state", "same text", "more private"]
    assert {one.kind for one in found} == {"unreachable"}
    assert "start (" in found[0].message
    assert not any(one.is_fault for one in found)


async def test_a_strict_dispatcher_does_not_begin_with_faults(
    server: FakeVKTeams, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(message: Message, one: Any, two: Any) -> None: ...

    strict, lenient = Dispatcher(), Dispatcher(strict=False)
    for dp in (strict, lenient):
        dp.message.register(handler)
    with pytest.raises(HandlerError, match=r"(?s)test_checking\.py:\d+.*'one'.*'two'"):
        await strict.start_polling(server.bot(), handle_signals=False)
    assert server.calls == []
    lenient.on_startup(lenient.stop)
    with caplog.at_level(logging.WARNING, "spikard.bots"):
        await asyncio.wait_for(lenient.start_polling(server.bot(), handle_signals=False), 20)
    assert "'two'" in caplog.text


async def test_registering_while_it_polls_must_be_meant(server: FakeVKTeams) -> None:
    dp, router, late = Dispatcher(), Router(), Router("late")
    dp.include_router(router)
    seen: list[str] = []
    gate = asyncio.Event()

    @router.message(F.text == "first")
    async def first(message: Message) -> None:
        add = partial(router.message.register, lambda event: None)
        for attempt in (
            add,
            lambda: router.message.filter(F.text),
            lambda: dp.include_router(late),
            lambda: dp.message.middleware(lambda handler, event, data: None),
        ):
            with pytest.raises(RuntimeError, match="invalidate"):
                attempt()
        assert late.parent_router is None
        assert len(router.message.handlers) == 1
        router.invalidate()

        @late.message()
        async def second(message: Message) -> None:
            seen.append(message.text or "")
            await dp.stop()

        dp.include_router(late)
        gate.set()

    polling = asyncio.create_task(dp.start_polling(server.bot(), handle_signals=False))
    server.push_message("first")
    await asyncio.wait_for(gate.wait(), 20)
    server.push_message("second")
    await asyncio.wait_for(polling, 20)
    assert seen == ["second"]
    router.message.register(lambda event: None)


async def test_the_plan_is_listed() -> None:
    dp, router = Dispatcher(container=Container().add_scoped(Database)), Router("orders")
    router.message.filter(ChatTypeFilter("private"))
    dp.include_router(router)

    @dp.message(Command("start"))
    async def start(message: Message, command: CommandObject, db: Database, unknown: Any) -> None: ...

    @router.message(F.text == "tea", lambda message: True)
    async def tea(message: Message, absent: int = 1) -> None: ...

    @router.message(~Command("x") & F.text.as_("word"))
    async def rest(message: Message) -> None: ...

    @dp.error()
    async def on_error(event: Any, error: Exception) -> None: ...

    rows = {row.handler.partition(" (")[0].rpartition(".")[2]: row for row in dp.plan()}
    assert [(row.number, row.observer, row.router) for row in rows.values()] == [
        (0, "message", "Dispatcher"),
        (1, "message", "orders"),
        (2, "message", "orders"),
        (0, "error", "Dispatcher"),
    ]
    assert rows["start"].indexed_by == "command start"
    assert dict(rows["start"].arguments) == {"command": "update", "db": "container", "unknown": "?"}
    assert rows["tea"].filters[:2] == ("ChatTypeFilter(['private'])", "F.text == 'tea'")
    assert rows["tea"].indexed_by == "text tea"
    assert rows["rest"].filters[1] == "(~Command('x') & F.text.as_('word'))"
    assert rows["rest"].indexed_by is None
    printed = str(dp.plan()).splitlines()
    assert len(printed) == 5
    assert printed[0].split()[:3] == ["#", "event", "router"]
    assert all("orders" in line for line in printed[2:4])


async def test_throttling_is_no_mere_look() -> None:
    from spikard.bots.filters import Throttled

    dp = Dispatcher()
    dp.message.register(lambda event: "taken", Throttled(rate=0.001), F.text == "a", flags={"inline": True})
    dp.message.register(lambda event: "rest", flags={"inline": True})
    # The turn is gone with the first message, as in a walk: the filter stands first.
    assert [await dp.feed_update(BOT, said(text)) for text in "ba"] == ["rest", "rest"]
