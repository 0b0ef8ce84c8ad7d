"""Routers, their order, what stands around handlers, what handlers are given, and what becomes of errors."""

import logging
from typing import Any

import pytest

from spikard.bots import UNHANDLED, BaseMiddleware, CancelHandler, Dispatcher, F, Router, SkipHandler
from spikard.bots.callback_data_factory import CallbackDataFactory, signing_key
from spikard.bots.dispatcher import ErrorEvent
from spikard.bots.errors import HandlerError, MissingArgument
from spikard.bots.filters import ChatTypeFilter, Command, CommandObject, StateFilter
from spikard.bots.fsm import FSMContext, State, StatesGroup
from spikard.bots.request_ids import new_request_id
from spikard.bots.testing import sample
from spikard.bots.types import CallbackQuery, Message, Update
from tests.bots.updates import BOT, Bot, pressed, said


async def test_own_handlers_first_then_routers_in_their_order() -> None:
    dp, first, second, inner = Dispatcher(), Router("first"), Router("second"), Router("inner")
    asked: list[str] = []
    for router in (second, inner, first, dp):
        router.message.register(lambda event, name=router.name: asked.append(name) or UNHANDLED, flags={"inline": True})
    first.include_router(inner)
    dp.include_routers(first, second)
    assert [router.name for router in dp.walk()] == ["Dispatcher", "first", "inner", "second"]
    assert await dp.feed_update(BOT, said()) is UNHANDLED
    assert asked == ["Dispatcher", "first", "inner", "second"]


async def test_the_first_that_fits_wins_and_what_it_returns_is_given() -> None:
    dp = Dispatcher()

    @dp.message(F.text == "a")
    async def first(message: Message) -> str:
        return "first"

    @dp.message(Command("a"))
    @dp.message()
    async def rest(message: Message) -> None:
        return None

    assert await dp.feed_update(BOT, said("a")) == "first"
    assert await dp.feed_update(BOT, said("b")) is None
    assert await dp.feed_update(BOT, pressed()) is UNHANDLED


def test_trees_stay_trees() -> None:
    root, child, other = Router("root"), Router("child"), Router("other")
    root.include_router(child)
    for parent, router in ((root, child), (other, child), (child, root), (root, root)):
        with pytest.raises(RuntimeError, match=router.name):
            parent.include_router(router)
    with pytest.raises(TypeError, match="str"):
        root.include_router("child")  # type: ignore[arg-type]
    assert child.parent_router is root
    assert root.sub_routers == [child]


async def test_skip_goes_on_and_cancel_ends() -> None:
    dp = Dispatcher()
    seen: list[str] = []

    @dp.message(F.text == "skip")
    async def skip(message: Message) -> None:
        seen.append("skip")
        raise SkipHandler

    @dp.message(F.text == "cancel")
    async def cancel(message: Message) -> None:
        seen.append("cancel")
        raise CancelHandler

    @dp.message()
    async def last(message: Message) -> str:
        seen.append("last")
        return "last"

    assert await dp.feed_update(BOT, said("skip")) == "last"
    assert await dp.feed_update(BOT, said("cancel")) is None
    assert seen == ["skip", "last", "cancel"]


class Order(StatesGroup):
    tea = State()


async def test_handlers_get_what_they_name_or_annotate() -> None:
    dp = Dispatcher()
    dp["database"] = "db"

    class Numbers:
        pass

    numbers = Numbers()

    @dp.message(Command("go"))
    async def handler(
        event: Message,
        bot: Any,
        context: FSMContext,
        parsed: CommandObject,
        database: str,
        more: Numbers,
        event_type: str,
        absent: int = 5,
        *,
        raw_event: Update,
    ) -> dict[str, Any]:
        return {
            "args": parsed.args,
            "state": await context.get_state(),
            "rest": (bot is BOT, database, more is numbers, event_type, absent, raw_event.type),
        }

    found = await dp.feed_update(BOT, said("/go home"), numbers=numbers)
    assert found == {"args": "home", "state": None, "rest": (True, "db", True, "newMessage", 5, "newMessage")}


async def test_all_kinds_of_functions_are_handlers() -> None:
    dp = Dispatcher()

    class Things:
        async def method(self, message: Message) -> str:
            return f"method {message.text}"

        async def __call__(self, message: Message, bot: Any) -> str:
            return f"object {bot.id}"

    def plain(message: Message, state: FSMContext) -> str:
        return f"plain {message.text}"

    async def nothing() -> str:
        return "nothing"

    async def everything(message: Message, **data: Any) -> bool:
        return {"bot", "state", "handler", "router", "flags"} <= data.keys()

    dp.message.register(Things().method, F.text == "a")
    dp.message.register(Things(), F.text == "b")
    dp.message.register(plain, F.text == "c")
    dp.message.register(nothing, F.text == "d")
    dp.message.register(everything, F.text == "e")
    found = [await dp.feed_update(BOT, said(text), raise_errors=True) for text in "abcde"]
    assert found == ["method a", "object 100", "plain c", "nothing", True]


async def test_what_nobody_gives_is_named() -> None:
    dp = Dispatcher()

    @dp.message()
    async def handler(message: Message, database: Any) -> None: ...

    with pytest.raises(MissingArgument, match=r"handler.*'database'"):
        await dp.feed_update(BOT, said(), raise_errors=True)
    with pytest.raises(HandlerError):
        dp.message.register(5)  # type: ignore[type-var]


class Notes(BaseMiddleware):
    def __init__(self, seen: list[str], name: str) -> None:
        self.seen, self.name = seen, name

    async def __call__(self, handler: Any, event: Any, data: dict[str, Any]) -> Any:
        self.seen.append(f"{self.name}>")
        data[self.name] = True
        try:
            return await handler(event, data)
        finally:
            self.seen.append(f"<{self.name}")


async def test_outer_before_filters_inner_only_around_the_chosen_one() -> None:
    dp, router = Dispatcher(), Router()
    dp.include_router(router)
    seen: list[str] = []
    dp.message.outer_middleware.register(Notes(seen, "outer"))
    dp.message.middleware.register(Notes(seen, "inner"))
    router.message.outer_middleware(Notes(seen, "below"))
    router.message.middleware(Notes(seen, "innermost"))

    def passes(message: Message, outer: bool, below: bool) -> bool:
        seen.append("filter")
        return message.text == "a" and outer and below

    @router.message(passes)
    async def handler(message: Message, inner: bool, innermost: bool) -> None:
        seen.append("handler")

    await dp.feed_update(BOT, said("a"), raise_errors=True)
    assert seen == [
        *("outer>", "below>", "filter", "inner>", "innermost>", "handler"),
        *("<innermost", "<inner", "<below", "<outer"),
    ]
    seen.clear()
    assert await dp.feed_update(BOT, said("b")) is UNHANDLED
    assert seen == ["outer>", "below>", "filter", "<below", "<outer"]


async def test_outer_middleware_may_stop_and_sees_updates_before_their_kind() -> None:
    dp = Dispatcher()
    kinds: list[str] = []

    @dp.update.outer_middleware
    async def all_updates(handler: Any, update: Update, data: dict[str, Any]) -> Any:
        kinds.append(update.type)
        return await handler(update, data)

    @dp.message.outer_middleware
    async def stop(handler: Any, event: Message, data: dict[str, Any]) -> Any:
        return "stopped" if event.text == "stop" else await handler(event, data)

    @dp.message()
    async def handler(message: Message) -> str:
        return "handled"

    assert await dp.feed_update(BOT, said("stop")) == "stopped"
    assert await dp.feed_update(BOT, said("go")) == "handled"
    assert await dp.feed_update(BOT, pressed()) is UNHANDLED
    assert kinds == ["newMessage", "newMessage", "callbackQuery"]
    dp.message.outer_middleware.unregister(stop)
    assert await dp.feed_update(BOT, said("stop")) == "handled"


async def test_filters_of_a_router_stand_before_all_in_it() -> None:
    dp, admin, deeper = Dispatcher(), Router("admin"), Router("deeper")
    admin.include_router(deeper)
    dp.include_router(admin)
    admin.message.filter(F.from_user.user_id == "root", F.text.as_("what"))

    @deeper.message()
    async def handler(message: Message, what: str) -> str:
        return what

    assert await dp.feed_update(BOT, said("x", user="ann")) is UNHANDLED
    assert await dp.feed_update(BOT, said("x", user="root")) == "x"


async def test_errors_go_to_the_router_that_failed_and_up_from_there() -> None:
    dp, left, right = Dispatcher(), Router("left"), Router("right")
    dp.include_routers(left, right)
    seen: list[Any] = []

    @left.message(F.text == "left")
    @right.message()
    async def fails(message: Message) -> None:
        raise ValueError(message.text)

    @left.error()
    async def of_left(event: Message, error: Exception, bot: Any) -> str:
        seen.append((event.text, str(error), bot is BOT))
        return "left"

    @dp.error()
    async def of_all(event: ErrorEvent) -> str:
        seen.append((type(event.event), str(event.exception), event.update.type if event.update else None))
        return "all"

    assert await dp.feed_update(BOT, said("left")) == "left"
    assert await dp.feed_update(BOT, said("right")) == "all"
    assert seen == [("left", "left", True), (Message, "right", "newMessage")]


async def test_errors_that_nobody_takes_are_logged_without_the_text(caplog: pytest.LogCaptureFixture) -> None:
    dp = Dispatcher()

    @dp.message()
    async def fails(message: Message) -> None:
        raise RuntimeError("out of order")

    @dp.error()
    async def fails_too(event: Any, error: Exception) -> None:
        raise KeyError("second")

    with caplog.at_level(logging.INFO, "spikard.bots"):
        update = said("my secret")
        assert await dp.feed_update(BOT, update) is UNHANDLED
    assert "fails" in caplog.text
    assert str(update.event_id) in caplog.text
    assert "out of order" in caplog.text
    assert "second" in caplog.text
    assert "my secret" not in caplog.text
    with pytest.raises(RuntimeError, match="out of order"):
        await dp.feed_update(BOT, said(), raise_errors=True)


async def test_states_lead_to_their_handlers() -> None:
    dp = Dispatcher()

    @dp.message(StateFilter(None), Command("order"))
    async def begin(message: Message, state: FSMContext) -> str:
        await state.set_state(Order.tea)
        return "which?"

    @dp.message(Order.tea)
    async def tea(message: Message, state: FSMContext, current_state: str) -> str:
        await state.clear()
        return f"{current_state} {message.text}"

    assert await dp.feed_update(BOT, said("sencha")) is UNHANDLED
    assert await dp.feed_update(BOT, said("/order")) == "which?"
    assert await dp.feed_update(BOT, said("sencha", user="bob")) is UNHANDLED
    assert await dp.feed_update(BOT, said("sencha")) == "Order:tea sencha"
    assert await dp.feed_update(BOT, said("sencha")) is UNHANDLED


async def test_bots_of_one_server_share_no_states() -> None:
    dp = Dispatcher()
    other: Any = Bot()
    other.id = "200"

    @dp.message()
    async def count(message: Message, state: FSMContext) -> int:
        return int((await state.update_data(n=(await state.get_data()).get("n", 0) + 1))["n"])

    assert [await dp.feed_update(bot, said()) for bot in (BOT, BOT, other)] == [1, 2, 1]


async def test_presses_are_answered_by_the_dispatcher_if_by_nobody_else() -> None:
    bot: Any = Bot()
    dp = Dispatcher()

    @dp.callback_query(F.callback_data == "forgets")
    async def forgets(query: CallbackQuery) -> None: ...

    @dp.callback_query(F.callback_data == "answers")
    async def answers(query: CallbackQuery) -> None:
        await query.answer("yes")

    await dp.feed_update(bot, pressed("forgets"))
    assert bot.answered == ["q1"]
    await dp.feed_update(bot, pressed("answers"))
    assert bot.answered == ["q1", "q1"]
    await dp.feed_update(bot, pressed("nobody"))
    assert bot.answered == ["q1", "q1"]


async def test_every_kind_of_event_reaches_its_observer() -> None:
    dp = Dispatcher()
    seen: list[str] = []
    for name, observer in dp.observers.items():
        if name != "error":
            observer.register(lambda event, name=name: seen.append(name), flags={"inline": True})
    names = {
        "new_message_private": "message",
        "edited_message": "edited_message",
        "deleted_message": "deleted_message",
        "pinned_message": "pinned_message",
        "unpinned_message": "unpinned_message",
        "new_chat_members": "new_chat_members",
        "left_chat_members": "left_chat_members",
        "changed_chat_info": "changed_chat_info",
        "callback_query": "callback_query",
    }
    for name in names:
        await dp.feed_raw(BOT, sample(name), raise_errors=True)
    await dp.feed_update(BOT, Update(event_id=1, type="newKind", payload={}))
    assert seen == [*names.values(), "unknown_event"]


async def test_edited_messages_and_ghosts() -> None:
    plain, merged = Dispatcher(), Dispatcher(handle_edited_as_message=True)
    for dp in (plain, merged):
        dp.message.register(lambda event, event_type: f"message {event_type}", flags={"inline": True})
        dp.edited_message.register(lambda event: "edited", flags={"inline": True})
    assert await plain.feed_raw(BOT, sample("edited_message")) == "edited"
    assert await merged.feed_raw(BOT, sample("edited_message")) == "message editedMessage"
    assert await plain.feed_update(BOT, said(None, editedTimestamp=2)) is UNHANDLED


async def test_malformed_events_are_told_and_cost_nothing_else() -> None:
    dp = Dispatcher()
    told: list[Any] = []
    dp.on_malformed(told.append)
    dp.message.register(lambda event: "fine", flags={"inline": True})
    bad = Update(event_id=7, type="newMessage", payload={"text": "x", "chat": 5})
    assert await dp.feed_update(BOT, bad) is UNHANDLED
    assert [one.event_id for one in told] == [7]
    assert await dp.feed_update(BOT, said()) == "fine"
    assert dp.stats()["malformed"] == 1


async def test_handlers_may_be_added_at_any_time() -> None:
    dp, router = Dispatcher(), Router()
    dp.include_router(router)
    assert await dp.feed_update(BOT, said()) is UNHANDLED
    router.message.register(lambda event: "late", flags={"inline": True})
    assert await dp.feed_update(BOT, said()) == "late"


async def test_old_states_are_forgotten_and_told() -> None:
    dp = Dispatcher(session_timeout=1e-9)
    told: list[Any] = []

    @dp.on_session_expired
    async def expired(key: Any, record: Any) -> None:
        told.append(record.state)

    @dp.message()
    async def handler(message: Message, state: FSMContext, current_state: str | None) -> str | None:
        await state.set_state(Order.tea)
        return current_state

    assert [await dp.feed_update(BOT, said()) for _ in range(2)] == [None, None]
    assert told == ["Order:tea"]


async def test_startup_and_shutdown_are_given_what_they_ask_for() -> None:
    dp, router = Dispatcher(), Router("below")
    dp.include_router(router)
    seen: list[Any] = []

    @dp.on_startup
    async def first(bot: Any, dispatcher: Dispatcher) -> None:
        seen.append((bot, dispatcher is dp))

    @router.on_startup()
    def second() -> None:
        seen.append("second")

    dp.on_shutdown(lambda: seen.append("outer"))
    router.on_shutdown(lambda: seen.append("inner"))
    await dp.emit_startup(bot="B", dispatcher=dp)
    await dp.emit_shutdown()
    assert seen == [("B", True), "second", "inner", "outer"]


async def test_what_a_handler_sends_is_known_again_when_it_runs_again() -> None:
    dp = Dispatcher()
    ids: list[str] = []

    @dp.message()
    async def handler(message: Message, bot: Any) -> None:
        ids.append(new_request_id("100", "c"))

    update, other = said(), said()
    for one in (update, update, other):
        await dp.feed_update(BOT, one, raise_errors=True)
    assert ids[0] == ids[1] != ids[2]
    assert new_request_id("100", "c") != new_request_id("100", "c")


async def test_the_dispatcher_has_the_key_of_signed_buttons() -> None:
    class Pay(CallbackDataFactory, prefix="pay", signed=True):
        amount: int

    dp = Dispatcher(signing_key=b"k" * 32)

    @dp.callback_query(Pay.filter())
    async def pay(query: CallbackQuery, callback_data: Pay) -> int:
        return callback_data.amount

    token = signing_key.set(b"k" * 32)
    genuine = Pay(amount=1).pack()
    signing_key.set(b"x" * 32)
    forged = Pay(amount=1).pack()
    signing_key.reset(token)
    assert await dp.feed_update(BOT, pressed(genuine), raise_errors=True) == 1
    assert await dp.feed_update(BOT, pressed(forged), raise_errors=True) is UNHANDLED


async def test_chat_types_and_commands_together_keep_the_command() -> None:
    dp = Dispatcher()

    @dp.message(ChatTypeFilter("private") & Command("ban"))
    async def ban(message: Message, command: CommandObject) -> str:
        return command.args

    assert await dp.feed_update(BOT, said("/ban Bob")) == "Bob"
