"""Dialogues that are declared, told to people who talk with the bot."""

import logging
from pathlib import Path
from typing import Any

import pytest

from spikard.bots import UNHANDLED, Bot, Dialogue, Dispatcher, Router
from spikard.bots.errors import FSMError
from spikard.bots.filters import Command
from spikard.bots.fsm import FSMContext, State, StatesGroup
from spikard.bots.testing import BotTester
from spikard.bots.types import Message
from spikard.di import Container, Inject
from spikard.fsm import to_mermaid

# Ten states without a line of Python.
FLIGHT = """
name: flight
initial: origin
states:
  origin:   {bot: {prompt: "From where?", save_as: origin}}
  dest:     {bot: {prompt: "From {origin} to where?", save_as: dest, retry: "To where?"}}
  day:      {bot: {prompt: "Which day of the month?", save_as: day, validate: int, retry: "Write a number"}}
  seats:    {bot: {prompt: "How many seats?", save_as: seats, validate: int}}
  group:    {bot: {prompt: "A large group. Who leads it?", save_as: leader}}
  bags:     {bot: {prompt: "Bags?", input: choice, save_as: bags,
                   keyboard: [[{text: "None", value: 0}, {text: "One", value: 1}], [{text: "Rules", url: "https://x.example"}]]}}
  passport: {bot: {prompt: "A scan of the passport, please", input: file, save_as: passport, retry: "A file, please"}}
  confirm:  {bot: {prompt: "{origin} - {dest}, {day}., {seats} seats, {bags} bags. Book?",
                   keyboard: [[{text: "Yes", trigger: book}, {text: "No", trigger: cancel}],
                              [{text: "Other day", trigger: again}]]}}
  booked:   {type: terminal, bot: {prompt: "Booked."}}
  dropped:  {type: terminal, bot: {prompt: "As you like."}}
transitions:
  - {trigger: answered, source: origin, dest: dest}
  - {trigger: answered, source: dest, dest: day, guards: [{expr: "answer != origin"}]}
  - {trigger: answered, source: day, dest: seats}
  - {trigger: answered, source: seats, dest: group, guards: [{expr: "seats > 9"}]}
  - {trigger: answered, source: seats, dest: bags}
  - {trigger: answered, source: group, dest: bags}
  - {trigger: answered, source: bags, dest: passport}
  - {trigger: answered, source: passport, dest: confirm}
  - {trigger: book, source: confirm, dest: booked}
  - {trigger: again, source: confirm, dest: day}
  - {trigger: cancel, source: [origin, dest, day, seats, group, bags, passport, confirm], dest: dropped}
"""


def bot_of(dialogue: Dialogue, **options: Any) -> Dispatcher:
    dp = Dispatcher(**options)
    dp.include_dialogue(dialogue, start=Command("go"), cancel=Command("cancel"))
    return dp


async def test_ten_states_in_yaml_from_the_first_question_to_the_last() -> None:
    flight = Dialogue.load(FLIGHT)
    done: list[dict[str, Any]] = []
    flight.on_done(lambda event, data: done.append(dict(data)))
    async with BotTester(bot_of(flight)) as t:
        ann = t.user("ann@corp")
        for text in ("/go", "Oslo", "Oslo", "Rome", "soon", "12", "11", "Bob", "whatever"):
            await ann.send(text)
        await ann.click("One")
        await ann.send("no file")
        await ann.send_file(b"...", "scan.pdf")
        assert ann.last.text == "Oslo - Rome, 12., 11 seats, 1 bags. Book?"
        await ann.click("Other day")
        assert (await t.state(ann).get_state(), await t.state(ann).get_value("bags")) == ("flight:day", 1)
        for text in ("13", "2", "none"):
            await ann.send(text)
        await ann.send_file(b"...", "scan.pdf")
        assert ann.last.text == "Oslo - Rome, 13., 2 seats, 0 bags. Book?"
        await ann.click("Yes")
        assert ann.last.text == "Booked."
        assert await t.state(ann).get_state() is None
        assert await t.state(ann).get_data() == {}
        texts = [message.text for message in t.platform.sent]
    assert texts[:8] == [
        *("From where?", "From Oslo to where?", "To where?", "Which day of the month?", "Write a number"),
        *("How many seats?", "A large group. Who leads it?", "Bags?"),
    ]
    assert texts[8:10] == ["A scan of the passport, please", "A file, please"]
    assert [(one["leader"], one["bags"], one["seats"]) for one in done] == [("Bob", 0, 2)]
    assert "new_status" not in done[0]


async def test_it_is_drawn_by_the_engine() -> None:
    drawn = to_mermaid(Dialogue.load(FLIGHT))
    assert "origin --> dest" in drawn
    assert "confirm --> booked" in drawn


async def test_cancel_goes_the_machines_way_or_drops_the_dialogue() -> None:
    plain = {
        "name": "plain",
        "initial": "a",
        "states": {"a": {"bot": {"prompt": "?", "save_as": "a"}}, "b": {"type": "terminal"}},
        "transitions": [{"trigger": "answered", "source": "a", "dest": "b"}],
    }
    for source, last in ((FLIGHT, "As you like."), (plain, "?")):
        async with BotTester(bot_of(Dialogue.load(source))) as t:
            ann = t.user("ann@corp")
            assert await ann.send("/cancel") is UNHANDLED
            await ann.send("/go")
            await ann.send("/cancel")
            assert ann.last.text == last
            assert await t.state(ann).get_state() is None


async def test_what_is_no_answer_goes_on_to_handlers_outside() -> None:
    dp = bot_of(Dialogue.load(FLIGHT))
    outside: list[Any] = []

    rest = Router("rest")
    dp.include_router(rest)

    @rest.message()
    async def seen(message: Message) -> None:
        outside.append(message.text)

    async with BotTester(dp) as t:
        ann = t.user("ann@corp")
        for text in ("/go", "/help", "Oslo"):
            await ann.send(text)
        # A command is no answer.
        assert outside == ["/help"]
        assert ann.last.text == "From Oslo to where?"


@pytest.mark.parametrize("falls", [False, True])
async def test_retry_and_fallthrough(falls: bool) -> None:
    source = {
        "name": "d",
        "initial": "n",
        "fallthrough": falls,
        "states": {
            "n": {"bot": {"prompt": "Number?", "save_as": "n", "validate": "small", "retry": "Below ten"}},
            "end": {"type": "terminal", "bot": {"prompt": "{n}"}},
        },
        "transitions": [{"trigger": "answered", "source": "n", "dest": "end"}],
    }

    async def small(text: str, limit: int) -> bool:
        return text.isdigit() and int(text) < limit

    dp = bot_of(Dialogue.load(source, validators={"small": small}), limit=10)
    async with BotTester(dp) as t:
        ann = t.user("ann@corp")
        await ann.send("/go")
        assert (await ann.send("12") is UNHANDLED) is falls
        assert ann.last.text == "Below ten"
        assert await ann.send("5") is None
        assert ann.last.text == "5"


async def test_functions_of_the_program_are_given_what_they_name() -> None:
    class Requests(list[Any]):
        pass

    source = {
        "name": "leave",
        "initial": "dates",
        "states": {
            "dates": {"bot": {"prompt": "{greeting} When?", "save_as": "dates", "validate": "parse"}},
            "confirm": {"bot": {"prompt": "{days} days?", "keyboard": [[{"text": "Yes", "trigger": "submit"}]]}},
            "sent": {"type": "terminal", "bot": {"prompt": "Sent as {number}."}},
        },
        "transitions": [
            {"trigger": "answered", "source": "dates", "dest": "confirm"},
            {"trigger": "submit", "source": "confirm", "dest": "sent", "actions": ["create"]},
        ],
    }

    def parse(text: str) -> list[str]:
        begin, dash, end = text.partition("-")
        if not dash:
            raise ValueError("Two days with a dash, please")
        return [begin, end]

    async def create(event: Any, data: dict[str, Any], requests: Inject[Requests], bot: Bot) -> None:
        requests.append((data["dates"], type(event).__name__, bot.id))
        data["number"] = len(requests)

    leave = Dialogue.load(source, actions={"create": create}, validators={"parse": parse})

    @leave.on_enter("confirm")
    async def count(event: Message, data: dict[str, Any]) -> None:
        data["days"] = int(data["dates"][1]) - int(data["dates"][0]) + 1

    container = Container().add_singleton(Requests)
    dp = Dispatcher(container=container)

    @dp.message(Command("leave"))
    async def begin(message: Message, state: FSMContext) -> None:
        await leave.start(state, message, greeting="Hello.")

    dp.include_dialogue(leave)
    async with BotTester(dp) as t:
        ann = t.user("ann@corp")
        for text in ("/leave", "tomorrow", "3-5"):
            await ann.send(text)
        assert ann.last.text == "3 days?"
        assert await t.state(ann).get_state() == leave.confirm
        await ann.click("Yes")
        assert ann.last.text == "Sent as 1."
        assert container.resolve(Requests) == [(["3", "5"], "CallbackQuery", t.bot.id)]
        assert [message.text for message in t.platform.sent][:2] == ["Hello. When?", "Two days with a dash, please"]


async def test_an_action_that_fails_keeps_the_dialogue_where_it_was() -> None:
    source = {
        "name": "pay",
        "initial": "ask",
        "states": {"ask": {"bot": {"prompt": "?", "save_as": "x"}}, "done": {"type": "terminal"}},
        "transitions": [{"trigger": "answered", "source": "ask", "dest": "done", "actions": ["pay"]}],
    }

    def pay(event: Message) -> None:
        raise OSError("the bank is closed")

    dp = bot_of(Dialogue.load(source, actions={"pay": pay}))
    told: list[str] = []

    @dp.error()
    async def on_error(event: Any, error: Exception) -> None:
        told.append(str(error))

    async with BotTester(dp) as t:
        ann = t.user("ann@corp")
        await ann.send("/go")
        await ann.send("now")
        assert told == ["the bank is closed"]
        assert await t.state(ann).get_state() == "pay:ask"
        assert await t.state(ann).get_data() == {}


async def test_buttons_of_questions_that_were_answered_do_nothing() -> None:
    async with BotTester(bot_of(Dialogue.load(FLIGHT))) as t:
        ann = t.user("ann@corp")
        for text in ("/go", "Oslo", "Rome", "1", "1"):
            await ann.send(text)
        question = ann.last
        await ann.click("One")
        await ann.click("None", message=question)
        assert await t.state(ann).get_data() == {"origin": "Oslo", "dest": "Rome", "day": 1, "seats": 1, "bags": 1}
        await ann.send("/cancel")
        assert await ann.click("None", message=question) is None
        assert await t.state(ann).get_state() is None


@pytest.mark.parametrize("way", ["reset", "keep", {"old": "dest"}])
async def test_states_of_an_older_version(way: Any, caplog: pytest.LogCaptureFixture) -> None:
    dp = bot_of(Dialogue.load(FLIGHT, on_unknown_state=way))
    async with BotTester(dp) as t:
        ann = t.user("ann@corp")
        state = t.state(ann)
        await state.set_state("flight:old")
        await state.set_data({"origin": "Oslo"})
        with caplog.at_level(logging.WARNING, "spikard.bots"):
            found = await ann.send("Rome")
        assert "'old'" in caplog.text
        kept = (await state.get_state(), await state.get_data())
    if way == "reset":
        assert (found, kept) == (UNHANDLED, (None, {}))
    elif way == "keep":
        assert (found, kept) == (UNHANDLED, ("flight:old", {"origin": "Oslo"}))
    else:
        assert kept == ("flight:day", {"origin": "Oslo", "dest": "Rome"})


async def test_a_dialogue_as_a_class_and_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tea.yaml"
    file.write_text(
        """
name: tea
initial: kind
states:
  kind: {bot: {prompt: "Which tea?", save_as: kind, validate: known}}
  brewed: {type: terminal, bot: {prompt: "{kind}, {minutes} minutes"}}
transitions:
  - {trigger: answered, source: kind, dest: brewed, actions: [brew]}
"""
    )

    class Tea(Dialogue):
        definition = file
        finished = 0

        def known(self, text: str) -> str:
            if text not in ("sencha", "assam"):
                raise ValueError("We have sencha and assam")
            return text

        async def brew(self, event: Message, data: dict[str, Any]) -> None:
            data["minutes"] = 2

        async def enter_brewed(self, event: Message, data: dict[str, Any]) -> None:
            data["kind"] = data["kind"].title()

        def done(self, event: Message) -> None:
            self.finished += 1

    tea = Tea()
    async with BotTester(bot_of(tea)) as t:
        ann = t.user("ann@corp")
        for text in ("/go", "milk", "sencha"):
            await ann.send(text)
        assert [message.text for message in t.platform.sent] == [
            *("Which tea?", "We have sencha and assam", "Sencha, 2 minutes"),
        ]
    assert tea.finished == 1


class Form(StatesGroup):
    name = State()
    age = State()


async def test_a_group_of_states_as_a_dialogue() -> None:
    form = Dialogue.from_states(Form, prompts={"name": "Name?", "age": "Age?", "done": "{name}, {age}"})
    assert form.age == Form.age
    async with BotTester(bot_of(form)) as t:
        ann = t.user("ann@corp")
        for text in ("/go", "Ann", "30"):
            await ann.send(text)
        assert ann.last.text == "Ann, 30"


async def test_what_was_gathered_is_escaped_in_markup() -> None:
    form = Dialogue.from_states(Form, prompts={"name": "<b>Name?</b>", "age": "<b>{name}</b>"})
    async with BotTester(bot_of(form), parse_mode="HTML") as t:
        ann = t.user("ann@corp")
        await ann.send("/go")
        await ann.send("<i>Ann & {age}")
        assert ann.last.text == "<b>&lt;i&gt;Ann &amp; {age}</b>"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "needs a name"),
        ({"initial": "nowhere"}, "'nowhere'"),
        ({"states": {"a": {"bot": {"promt": "x"}}}}, "promt"),
        ({"states": {"a": {"bot": {"validate": "gone"}}}}, "no validator is called 'gone'"),
        ({"states": {"a": {"bot": {"keyboard": [[{"text": "x", "trigger": "gone"}]]}}}}, "leads nowhere"),
        ({"states": {"a": {"bot": {"keyboard": [[{"text": "x"}]]}}}}, "exactly one"),
        ({"states": {"a": {"bot": {"save_as": "x", "trigger": "other"}}}}, "no transition"),
        ({"actions": ["gone"]}, "no action is called 'gone'"),
        ({"on_unknown_state": "guess"}, "reset, keep"),
        ({"on_unknown_state": {"old": "gone"}}, "gone"),
    ],
)
def test_faults_are_found_when_it_is_loaded(change: dict[str, Any], message: str) -> None:
    actions = change.pop("actions", [])
    source = {
        "name": "d",
        "initial": "a",
        "states": {"a": {"bot": {"save_as": "x"}}},
        **change,
        "transitions": [{"trigger": "answered", "source": "a", "dest": "end", "actions": actions}],
    }
    source["states"] = {**source["states"], "end": {"type": "terminal"}}
    with pytest.raises(FSMError, match=message):
        Dialogue.load(source)


async def test_a_text_that_cannot_be_filled_in_says_so() -> None:
    form = Dialogue.from_states(Form, prompts={"name": "{greeting} Name?"})
    async with BotTester(bot_of(form)) as t:
        with pytest.raises(FSMError, match="greeting"):
            await t.user("ann@corp").send("/go")
    with pytest.raises(FSMError, match="no state 'gone'"):
        form.on_enter("gone")
    with pytest.raises(AttributeError, match="gone"):
        form.gone  # noqa: B018
