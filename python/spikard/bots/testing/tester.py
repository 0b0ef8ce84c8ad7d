"""A bot under test: people write to it, and what they see is looked at. No sockets, no waiting."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from types import SimpleNamespace, TracebackType
from typing import TYPE_CHECKING, Any, Self

from spikard.bots.clock import current_clock
from spikard.bots.fsm.context import FSMContext
from spikard.bots.fsm.key import storage_key
from spikard.bots.injection import SCOPE, UpdateScope, running
from spikard.bots.outcomes import UNHANDLED
from spikard.bots.testing.fake_platform import FakeCall, FakePlatform, Fault
from spikard.bots.testing.fake_transport import FakeTransport
from spikard.bots.testing.people import Group, Person
from spikard.bots.testing.tester_clock import TesterClock

if TYPE_CHECKING:
    from spikard.bots.dispatcher.dispatcher import Dispatcher


class BotTester:
    """People who talk with a bot: `ann = BotTester(dp).user("ann@corp")`, `await ann.send("/start")`, `ann.last.text`.

    Everything goes through the dispatcher, its storage, and a real client; only the server is a fake in this process.
    With `async with`, or at the first message, what the dispatcher does at its start runs; at the end of the block what
    it does at its end. Each call of a bot is made once: a fault is seen where it happens. With `retry=` it is repeated.

    Args:
        dp: The dispatcher under test.
        raise_errors: Whether an error that no handler of errors takes comes out where the message was sent.
        now: The moment at which the clock stands, by default the present one.
        data: What `start_polling` would be given for handlers.
        bot_options: Options of `Bot`.

    Attributes:
        bot: The bot.
        platform: The server: its chats, messages, files.
        clock: `await t.clock.advance(seconds)` lets time pass, for sessions that end and for schedules.
    """

    def __init__(
        self,
        dp: "Dispatcher",
        *,
        raise_errors: bool = True,
        now: datetime | None = None,
        data: dict[str, Any] | None = None,
        **bot_options: Any,
    ) -> None:
        self.dp = dp
        self.raise_errors = raise_errors
        self.clock = TesterClock(now)
        self.data = dict(data or {})
        self.platform = FakePlatform()
        bot_options.setdefault("retry", None)
        self.bot = self.platform.bot(http=FakeTransport(self.platform).client(), **bot_options)
        self._people: dict[str, Person] = {}
        self._fetching = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._is_started = self._is_stopped = False
        self._open = AsyncExitStack()

    def user(self, user_id: str, **names: str) -> Person:
        """Somebody, the same one for the same id; `names` are first_name, last_name and nick."""
        self.platform.api.user(user_id, **names)
        return self._people.setdefault(user_id, Person(self, user_id))

    def group(self, title: str, members: Iterable[Person | str] = (), admins: Iterable[Person | str] = ()) -> Group:
        """A new group with the bot in it; without `admins` its first member is one."""
        ids = [_id(one) for one in members]
        chosen = [_id(one) for one in admins]
        return Group(self, self.platform.group(title, ids, admins=chosen or None))

    def state(self, user: Person | str, chat: Group | str | None = None) -> FSMContext:
        """State and data of somebody: in the private chat with the bot, or in a group."""
        chat_id = _id(user) if chat is None else chat if isinstance(chat, str) else chat.chat_id
        event = SimpleNamespace(
            chat=SimpleNamespace(chat_id=chat_id), from_user=SimpleNamespace(user_id=_id(user)), parent_topic=None
        )
        key = storage_key(str(self.bot.id), event, self.dp.fsm_strategy)
        if key is None:
            raise LookupError(f"{self.dp.fsm_strategy} gives {_id(user)} no state here")
        return FSMContext(self.dp.storage, key)

    @property
    def calls(self) -> list[FakeCall]:
        """What the bot asked of the server, polls aside."""
        return self.platform.calls

    def fail_next(self, method: str, fault: Fault, times: int = 1) -> None:
        """Lets the next calls of a method fail; see `FakePlatform.fail_next`."""
        self.platform.fail_next(method, fault, times)

    async def happen(self, push: Callable[[], Any]) -> Any:
        """Lets something happen at the server and gives what the handler made of it.

        Raises:
            Exception: What the handler has raised, with `raise_errors`.
        """
        async with self._in_time():
            await self.clock.catch_up()
            await self.start()
            async with self._fetching:  # what others let happen meanwhile is theirs
                push()
                updates = await self.bot.get_events(poll_time=0)
            found: Any = UNHANDLED
            for update in updates:
                found = await self.dp.feed_update(self.bot, update, raise_errors=self.raise_errors, **self.data)
            return found

    async def start(self) -> Self:
        """Does what the dispatcher does at its start; more than once is once."""
        if self._is_stopped:
            raise RuntimeError("This BotTester has ended; make a new one")
        async with self._starting, self._in_time():
            if not self._is_started:
                await self.bot.get_me()
                if self.dp.container is not None:
                    await self._open.enter_async_context(running(self.dp.container))
                await self.dp.emit_startup(**self._known())
                self.platform.calls[:] = [call for call in self.platform.calls if call.method != "self/get"]
                self._is_started = True
        return self

    async def stop(self) -> None:
        """Does what the dispatcher does at its end, and closes storage and bot."""
        if self._is_stopped:
            return
        async with self._in_time():
            try:
                if self._is_started:
                    await self.dp.emit_shutdown(**self._known())
            finally:
                self._is_stopped = True
                await self._open.aclose()
                await self.dp.storage.close()
                await self.bot.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _known(self) -> dict[str, Any]:
        known = {**self.dp.data, **self.data, "dispatcher": self.dp, "bot": self.bot, "bots": (self.bot,)}
        return known if self.dp.container is None else {**known, SCOPE: UpdateScope(self.dp.container)}

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        token = current_clock.set(self.clock)
        try:
            yield
        finally:
            current_clock.reset(token)


def _id(one: Person | str) -> str:
    return one if isinstance(one, str) else one.user_id


__all__ = ["BotTester"]
