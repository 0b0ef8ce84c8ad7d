"""F against the Python it stands for."""

import re
from types import SimpleNamespace as Thing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikard.bots import F
from spikard.bots.filters import Command
from spikard.bots.fsm import State, StatesGroup
from spikard.bots.types import Chat, Message

HELLO = Thing(
    text="Hello", chat=Thing(type="private"), parts=[Thing(type="file"), Thing(type="mention")], n=7, none=None
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (F.text == "Hello", True),
        (F.text == "hello", False),
        (F.text != "x", True),
        (F.text, "Hello"),
        (F.absent, None),
        (F.absent.deeper == 1, None),
        (~F.absent, True),
        (~F.text, False),
        (~~F.text, "Hello"),
        (F.text.lower() == "hello", True),
        (F.text.lower().startswith("he"), True),
        (F.text.in_(["a", "Hello"]), True),
        (F.text.not_in({"a"}), True),
        (F.text.contains("ell"), True),
        (F.text.not_contains("ell"), False),
        (F.text.len() == 5, True),
        (F.none.len(), None),
        (F.n + 1, 8),
        (10 - F.n, 3),
        (F.n % 4 == 3, True),
        (-F.n, -7),
        ((F.n > 3) & (F.n < 9), True),
        ((F.n > 30) | (F.text == "Hello"), True),
        (F.absent | F.text, "Hello"),
        (F.parts[0].type, "file"),
        (F.parts[5].type, None),
        (F.parts[...].type == "mention", True),
        (F.parts[:].type == "mention", False),
        (F.text[1:3], "el"),
        (F.text.cast(int), None),
        (F.n.cast(str), "7"),
        (F.text.func(len), 5),
        (F.text.func(lambda prefix, text: text.startswith(prefix), "He"), True),
        (F.none.is_(None), True),
        (F.n.is_not(None), True),
        (F.chat.type.in_({"private", "group"}), True),
        (F.attr_("text") == "Hello", True),
        (F.n(), None),
    ],
)
def test_values(expression: Any, expected: Any) -> None:
    assert expression.resolve(HELLO) == expected


def test_patterns_are_anchored_unless_they_search() -> None:
    assert F.text.regexp("ello").resolve(HELLO) is None
    assert F.text.regexp("ello", mode="search").resolve(HELLO)[0] == "ello"
    assert F.text.regexp(re.compile("hel+", re.IGNORECASE)).resolve(HELLO)
    assert F.none.regexp("x").resolve(HELLO) is None
    with pytest.raises(ValueError, match="fullmatch"):
        F.text.regexp("x", mode="all")


def test_selectors_keep_what_fits() -> None:
    assert F.parts[F.type == "file"].resolve(HELLO) == [HELLO.parts[0]]
    assert F.parts[F.type == "voice"].resolve(HELLO) is None
    assert F.parts.extract(F.type == "mention").resolve(HELLO) == [HELLO.parts[1]]


def test_values_are_injected_by_name_unless_they_are_none() -> None:
    assert F.n.as_("number").check(HELLO) == {"number": 7}
    assert F.none.as_("number").check(HELLO) is False
    assert F.n.as_("number").check(Thing(n=0)) == {"number": 0}


def test_a_mapping_in_an_event_is_a_value_not_an_injection() -> None:
    assert F.payload.check(Thing(payload={"a": 1})) is True


@pytest.mark.parametrize("misuse", [bool, len, iter, lambda f: f and f, lambda f: 1 if f else 2])
def test_what_python_cannot_hand_over_is_refused_with_a_hint(misuse: Any) -> None:
    with pytest.raises(TypeError, match="write"):
        misuse(F.text)


def test_private_names_do_not_exist() -> None:
    with pytest.raises(AttributeError, match="_x"):
        _ = F._x


def test_equality_tells_what_a_table_can_hold() -> None:
    assert (F.text == "a").equality() == (("text",), ("a",))
    assert F.chat.type.in_(["a", "b"]).equality() == (("chat", "type"), ("a", "b"))
    assert (F.text.lower() == "a").equality() is None
    assert (F.text == ["unhashable"]).equality() is None
    assert (F.text == F.other).equality() is None


async def test_filters_join_with_it_on_both_sides() -> None:
    message = Message(text="/ban Ann")
    found = await (F.text & Command("ban"))(message)
    assert found["command"].args == "Ann"
    found = await (Command("ban") & F.text.as_("text"))(message)
    assert (found["command"].command, found["text"]) == ("ban", "/ban Ann")
    assert (await (F.absent | Command("ban"))(message))["command"].command == "ban"
    assert await (F.absent & Command("ban"))(message) is False


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9))
def test_arithmetic_and_comparisons_are_those_of_python(value: int, left: int, right: int) -> None:
    event = Thing(n=value)
    assert (F.n * left + right).resolve(event) == value * left + right
    assert (left - F.n).resolve(event) == left - value
    assert (F.n < left).resolve(event) == (value < left)
    assert ((F.n < left) | (F.n > right)).resolve(event) == (value < left or value > right)
    assert ((F.n == left) & (F.n != right)).resolve(event) == (value == left and value != right)
    expected = None if left == 0 else value // left
    assert (F.n // left).resolve(event) == expected if left else True


@pytest.mark.parametrize(
    "text",
    [
        "F",
        "F.text == 'a'",
        "(F.id > 0) & (F.parts.len() < 3)",
        "F.text.regexp('([0-9]{2})', mode='search').as_('found')",
        "(~F.text).len()",
        "(F.a | F.b).c[0]['{}']",
        "F.parts[F.type == 'file']",
        "F[...] > 1",
        "(2 + F.x) * 3",
        "(-F.a) @ 3",
        "F.text.lower().func(int, 3, base=F.b)",
        "F.text.in_({'a'})",
        "F.a.cast(int).is_not(None)",
    ],
)
def test_an_expression_is_shown_as_it_is_written(text: str) -> None:
    assert repr(eval(text, {"F": F, "int": int})) == text


class Form(StatesGroup):
    name = State()


@pytest.mark.parametrize(
    ("joined", "injected"),
    [
        (F.text.as_("said") & F.msg_id.as_("number"), {"said": "hi", "number": "7"}),
        (F.text.as_("said") & (F.chat.chat_id == "c"), {"said": "hi"}),
        ((F.chat.chat_id == "c") & F.text.as_("said"), {"said": "hi"}),
        (F.text.as_("said") & (F.chat.chat_id == "d"), False),
        (F.timestamp.as_("when") | F.text.as_("said"), {"said": "hi"}),
        (F.timestamp.as_("when") & F.text.as_("said"), False),
        (F.text & Form.name, True),
        (Form.name & F.text, True),
        (F.timestamp & Form.name, False),
        (F.timestamp | Form.name, True),
    ],
)
async def test_joined_expressions_inject_what_each_names_and_take_states(joined: Any, injected: Any) -> None:
    message = Message(msg_id="7", text="hi", chat=Chat(chat_id="c"))
    assert await joined(message, current_state="Form:name", raw_state="Form:name") == injected


def test_text_is_no_filter_to_join_with() -> None:
    with pytest.raises(TypeError, match="Command\\('start'\\)"):
        F.text & "start"


def test_the_right_side_of_and_is_not_looked_at_when_the_left_says_no() -> None:
    assert (F.zero & (1 / F.zero)).resolve(Thing(zero=0)) == 0
    assert ((F.zero == 1) & (1 / F.zero > 0)).resolve(Thing(zero=0)) is False


def test_the_mode_of_a_pattern_may_stand_in_its_place() -> None:
    assert F.text.regexp("b+", "search").resolve(Thing(text="abb"))[0] == "bb"
