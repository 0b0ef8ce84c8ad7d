"""Services of a container in everything that an update passes through."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from spikard.bots import Bot, Dispatcher, F, MessageHandler, Router
from spikard.bots.errors import MissingArgument
from spikard.bots.fsm import FSMContext
from spikard.bots.testing import FakeVKTeams
from spikard.bots.types import CallbackQuery, Message, Update
from spikard.di import Container, Inject
from tests.bots.updates import BOT, pressed, said


class Database:
    pass


class Session:
    """Says how it has ended."""

    def __init__(self) -> None:
        self.uses = 0
        self.end: str | None = None


class Log:
    def __init__(self) -> None:
        self.sessions: list[Session] = []


def container() -> Container:
    made = Container()
    made.add_singleton(Log)
    made.add_singleton(Database)

    def session(log: Log) -> Iterator[Session]:
        one = Session()
        log.sessions.append(one)
        try:
            yield one
        except Exception as error:
            one.end = f"failed: {error}"
            raise
        one.end = "done"

    made.add_scoped(Session, session)
    return made


async def test_one_scope_for_all_that_an_update_passes_through() -> None:
    services = container()
    dp, router = Dispatcher(container=services), Router()
    dp.include_router(router)
    seen: list[Session] = []

    @dp.update.outer_middleware
    async def first(handler: Any, event: Update, data: dict[str, Any], session: Session) -> Any:
        seen.append(session)
        return await handler(event, data)

    @dp.message.outer_middleware
    async def outer(handler: Any, event: Message, data: dict[str, Any], session: Inject[Session]) -> Any:
        seen.append(session)
        return await handler(event, data)

    @router.message.middleware
    async def inner(handler: Any, event: Message, data: dict[str, Any], *, session: Session) -> Any:
        seen.append(session)
        return await handler(event, data)

    def passes(message: Message, session: Session) -> bool:
        seen.append(session)
        return True

    @router.message(passes)
    async def fails(message: Message, db: Inject[Database], session: Session, bot: Any) -> None:
        assert session.end is None
        seen.append(session)
        assert db is services.resolve(Database)
        raise ValueError("out of tea")

    @dp.error()
    async def on_error(event: Message, error: Exception, session: Session) -> str:
        assert session.end is None
        seen.append(session)
        return "told"

    assert await dp.feed_update(BOT, said()) == "told"
    assert len(seen) == 6
    assert set(seen) == set(services.resolve(Log).sessions)
    assert len(services.resolve(Log).sessions) == 1
    # The error has reached what the handler worked with, though a handler of errors has taken it.
    assert seen[0].end == "failed: out of tea"


async def test_each_update_has_a_scope_of_its_own_and_opens_it_only_if_needed() -> None:
    services = container()
    dp = Dispatcher(container=services)

    @dp.message(F.text == "plain")
    async def plain(message: Message) -> str:
        return "plain"

    @dp.message()
    def in_a_thread(message: Message, session: Session) -> Session:
        return session

    log = services.resolve(Log)
    assert await dp.feed_update(BOT, said("plain")) == "plain"
    assert log.sessions == []
    one, other = [await dp.feed_update(BOT, said()) for _ in range(2)]
    assert one is not other
    assert [session.end for session in log.sessions] == ["done", "done"]


async def test_services_may_ask_for_bot_update_and_state() -> None:
    class Answers:
        def __init__(self, bot: Bot, update: Update, state: FSMContext) -> None:
            self.known = (bot, update, state)

    dp = Dispatcher(container=Container().add_scoped(Answers))

    @dp.message()
    async def handler(message: Message, answers: Answers, state: FSMContext) -> bool:
        bot, update, own = answers.known
        return bot is BOT and update.decoded is message and own is state

    assert await dp.feed_update(BOT, said(), raise_errors=True) is True


async def test_providers_that_wait_and_handlers_as_classes() -> None:
    async def slow() -> AsyncIterator[str]:
        await asyncio.sleep(0)
        yield "slow"

    dp = Dispatcher(container=Container().add_scoped("word", slow))

    @dp.message()
    class Handler(MessageHandler):
        async def handle(self, word: str) -> str:  # type: ignore[override]
            return f"{word} {self.event.text}"

    @dp.callback_query()
    async def by_name(query: CallbackQuery, word: str, absent: int = 3) -> tuple[str, int]:
        return word, absent

    assert await dp.feed_update(BOT, said("tea"), raise_errors=True) == "slow tea"
    assert await dp.feed_update(BOT, pressed(), raise_errors=True) == ("slow", 3)


async def test_data_comes_before_the_container_unless_it_is_marked() -> None:
    mine = Database()
    dp = Dispatcher(container=container(), db=mine)

    @dp.message(F.text == "data")
    async def data(message: Message, db: Database) -> bool:
        return db is mine

    @dp.message()
    async def marked(message: Message, db: Inject[Database]) -> bool:
        return db is mine

    assert await dp.feed_update(BOT, said("data"), raise_errors=True) is True
    assert await dp.feed_update(BOT, said(), raise_errors=True) is False


async def test_overrides_hold_for_handlers() -> None:
    services, other = container(), Database()
    dp = Dispatcher(container=services)

    @dp.message()
    async def handler(message: Message, db: Database) -> bool:
        return db is other

    assert await dp.feed_update(BOT, said()) is False
    with services.override(Database, value=other):
        assert await dp.feed_update(BOT, said()) is True
    assert await dp.feed_update(BOT, said()) is False


async def test_without_a_container_what_is_marked_is_missing() -> None:
    dp = Dispatcher()

    @dp.message()
    async def handler(message: Message, db: Inject[Database]) -> None: ...

    with pytest.raises(MissingArgument, match="'db'"):
        await dp.feed_update(BOT, said(), raise_errors=True)


async def test_polling_opens_and_closes_the_container_and_hooks_are_given_from_it(server: FakeVKTeams) -> None:
    services = container()
    closed: list[str] = []

    async def engine() -> AsyncIterator[Database]:
        yield Database()
        closed.append("engine")

    services = Container().add_singleton(Database, engine)
    dp = Dispatcher(container=services)
    given: list[Any] = []

    @dp.on_startup
    async def begin(db: Inject[Database]) -> None:
        given.append(db)

    @dp.on_shutdown
    def end(db: Database) -> None:
        assert closed == []
        given.append(db)

    @dp.message()
    async def handler(message: Message, db: Database) -> None:
        given.append(db)
        await dp.stop()

    server.push_message("x")
    await asyncio.wait_for(dp.start_polling(server.bot(), handle_signals=False), 20)
    assert len(given) == 3
    assert len(set(given)) == 1
    assert closed == ["engine"]
    assert services.is_closed
