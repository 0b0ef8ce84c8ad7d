"""Filters by hand: which events they take, and what they give."""

import re
from typing import Any

import pytest

from spikard.bots import F
from spikard.bots.enums import ChatType
from spikard.bots.filters import (
    BaseFilter,
    CallbackData,
    CallbackDataFactory,
    CallbackDataRegexpFilter,
    ChatTypeFilter,
    Command,
    CommandStart,
    ExceptionMessageFilter,
    ExceptionTypeFilter,
    FileFilter,
    ImageFilter,
    MentionFilter,
    RegexpFilter,
    ReplyFilter,
    SenderFilter,
    StateFilter,
    Throttled,
    URLFilter,
    and_f,
    invert_f,
    or_f,
)
from spikard.bots.filters.base import compiled
from spikard.bots.fsm import State, StatesGroup
from spikard.bots.testing import sample
from spikard.bots.types import CallbackQuery, Chat, Contact, Message


def says(text: str | None, **fields: Any) -> Message:
    return Message(text=text, chat=Chat(chat_id="c", type="private"), from_user=Contact(user_id="ann"), **fields)


@pytest.mark.parametrize(
    ("filter_", "text", "command"),
    [
        (Command("start"), "/start", ("/", "start", "")),
        (Command("start"), "  /START  now please ", ("/", "START", "now please")),
        (Command("start", ignore_case=False), "/START", None),
        (Command("start"), "/started", None),
        (Command("start"), "start", None),
        (Command("start"), "/ start", ("/", "start", "")),
        (Command("start"), "/ ", None),
        (Command("start"), None, None),
        (Command("start"), "", None),
        (Command("a", "b"), "/b x", ("/", "b", "x")),
        (Command(), "/anything at all", ("/", "anything", "at all")),
        (Command("menu", prefix=("/", "!", "")), "!menu", ("!", "menu", "")),
        (Command("menu", prefix=("/", "!", "")), "menu", ("", "menu", "")),
        (Command("x", prefix=("!", "!!")), "!!x", ("!!", "x", "")),
        (Command(re.compile(r"item_(\d+)")), "/item_12 y", ("/", "item_12", "y")),
        (Command("n", magic=F.args.isdigit()), "/n 5", ("/", "n", "5")),
        (Command("n", magic=F.args.isdigit()), "/n five", None),
    ],
)
async def test_commands(filter_: Command, text: str | None, command: tuple[str, str, str] | None) -> None:
    found = await filter_(says(text))
    if command is None:
        assert found is False
    else:
        assert (found["command"].prefix, found["command"].command, found["command"].args) == command


async def test_a_pattern_leaves_its_match() -> None:
    found = await Command(re.compile(r"item_(\d+)"))(says("/item_12"))
    assert found["command"].match[1] == "12"


async def test_deep_links() -> None:
    assert await CommandStart(deep_link=True)(says("/start")) is False
    assert (await CommandStart(deep_link=True)(says("/start x")))["command"].args == "x"
    assert (await CommandStart(deep_link=True, decode=True)(says("/start aMOkbGxv")))["command"].args == "hällo"
    assert await CommandStart(deep_link=True, decode=True)(says("/start !!!!!")) is False


class Form(StatesGroup):
    name = State()
    age = State()


@pytest.mark.parametrize(
    ("filter_", "fits"),
    [
        (StateFilter(Form.name), {"Form:name"}),
        (StateFilter("Form:age"), {"Form:age"}),
        (StateFilter(Form), {"Form:name", "Form:age"}),
        (StateFilter(None), {None}),
        (StateFilter("*"), {"Form:name", "Form:age", "other"}),
        (StateFilter(None, Form.name), {None, "Form:name"}),
    ],
)
async def test_states(filter_: StateFilter, fits: set[str | None]) -> None:
    every = {"Form:name", "Form:age", "other", None}
    assert {state for state in every if await filter_(says("x"), current_state=state)} == fits


class Buy(CallbackDataFactory, prefix="buy"):
    action: str
    id: int
    note: str | None = None


async def test_buttons() -> None:
    press = CallbackQuery(query_id="q", callback_data="buy:add:42:")
    assert (await Buy.filter()(press))["callback_data"].id == 42
    assert (await Buy.filter(F.id == 42)(press))["callback_data"].id == 42
    assert await Buy.filter(F.id == 41)(press) is False
    assert await CallbackData("buy:add:42:")(press) is True
    assert await CallbackData("buy")(press) is False
    assert (await CallbackData(re.compile(r"\d+"))(press))["callback_match"][0] == "42"
    assert (await CallbackDataRegexpFilter("buy:(.*?):")(press))["regexp_match"][1] == "add"
    assert await CallbackDataRegexpFilter("add")(press) is False


async def test_places_people_and_patterns() -> None:
    message = says("see https://example.org/x, please")
    assert await ChatTypeFilter("private")(message)
    assert await ChatTypeFilter([ChatType.GROUP, ChatType.PRIVATE])(message)
    assert not await ChatTypeFilter("group")(message)
    assert await SenderFilter("ann")(message)
    assert not await SenderFilter(["bob"])(message)
    assert (await RegexpFilter("ex(a)mple")(message))["regexp_match"][1] == "a"
    assert await RegexpFilter("example", mode="match")(message) is False
    assert (await URLFilter()(message))["url"] == "https://example.org/x"
    assert await RegexpFilter("x")(says(None)) is False


async def test_parts() -> None:
    reply = Message.from_dict(sample("new_message_reply")["payload"])
    assert await ReplyFilter()(reply)
    file = Message.from_dict(sample("new_message_file_caption")["payload"])
    assert await FileFilter()(file)
    assert not await FileFilter()(reply)
    assert await ImageFilter()(file) is (file.files[0].type == "image")
    group = Message.from_dict(sample("new_message_group_mention")["payload"])
    assert await MentionFilter()(group)
    assert await MentionFilter(group.mentioned_user_ids[0])(group)
    assert not await MentionFilter("nobody")(group)


async def test_errors() -> None:
    assert await ExceptionTypeFilter(ValueError)(says("x"), error=UnicodeError("u"))
    assert not await ExceptionTypeFilter(KeyError)(says("x"), error=ValueError("v"))
    assert await ExceptionMessageFilter("no .* left")(says("x"), error=ValueError("no tea left"))


async def test_turns_are_counted_for_each_user() -> None:
    filter_ = Throttled(rate=0.001, burst=2)
    ann = [await filter_(says("x")) for _ in range(3)]
    assert ann == [True, True, False]
    bob = Message(text="x", from_user=Contact(user_id="bob"))
    assert await filter_(bob)


class Gives(BaseFilter):
    def __init__(self, **values: Any) -> None:
        self.values = values

    async def __call__(self, event: Any, **kwargs: Any) -> dict[str, Any]:
        return self.values


async def no(event: Any) -> bool:
    return False


async def test_joined_filters_keep_what_they_gave() -> None:
    message = says("/ban Ann")
    assert await (Gives(a=1) & Gives(b=2))(message) == {"a": 1, "b": 2}
    assert await (ChatTypeFilter("private") & Command("ban") & Gives(a=1))(message) == {
        "a": 1,
        "command": (await Command("ban")(message))["command"],
    }
    assert await (Gives(a=1) & no)(message) is False
    assert await (invert_f(Gives(a=1)) | Gives(b=2))(message) == {"b": 2}
    assert await (~Gives(a=1))(message) is False
    assert await and_f(lambda event: event.text, Gives(a=1))(message) == {"a": 1}
    assert await or_f(no, lambda event, bot: bot == "B")(message, bot="B") is True


@pytest.mark.parametrize("wrong", ["start", 5, None, Command])
def test_what_is_no_filter_is_refused_when_it_is_registered(wrong: Any) -> None:
    with pytest.raises(TypeError):
        compiled(wrong)
