"""States, and one contract for all storages."""

import pytest

from spikard.bots.fsm import (
    FSMContext,
    FSMStrategy,
    MemoryStorage,
    State,
    StatesGroup,
    StorageKey,
)
from spikard.bots.fsm.key import storage_key
from spikard.bots.storages import create_storage
from spikard.bots.types import Chat, Contact, Message
from spikard.errors import ConfigError


class Form(StatesGroup):
    name = State()
    named = State("other")

    class Address(StatesGroup):
        street = State()


class Longer(Form):
    age = State()


def test_states_are_called_by_their_groups() -> None:
    assert Form.name.state == "Form:name"
    assert Form.named.state == "Form:other"
    assert Form.Address.street.state == "Form.Address:street"
    assert Longer.name.state == "Form:name"
    assert Longer.__state_names__ == ("Form:name", "Form:other", "Form.Address:street", "Longer:age")
    assert [state.state for state in Form] == ["Form:name", "Form:other", "Form.Address:street"]
    assert State("alone").state == ":alone"


def test_states_equal_their_text() -> None:
    assert Form.name == "Form:name"
    assert "Form:name" in Form
    assert Form.name in Form
    assert Longer.age not in Form
    assert 5 not in Form
    assert {Form.name: 1}["Form:name"] == 1  # type: ignore[index]
    assert repr(Form.name) == "<State 'Form:name'>"


KEY = StorageKey("1", "chat:1", "ann@corp")


def test_unknown_kinds_of_storages_are_named() -> None:
    with pytest.raises(ConfigError, match="mysql"):
        create_storage("mysql://x")


async def test_contexts() -> None:
    context = FSMContext(MemoryStorage(), KEY)
    await context.set_state(Form.name)
    assert await context.get_state() == "Form:name"
    await context.set_data({"a": 1})
    assert await context.update_data({"b": 2}, c=3) == {"a": 1, "b": 2, "c": 3}
    assert await context.get_value("b") == 2
    assert await context.get_value("x", "none") == "none"
    assert await context.pop("a") == 1
    assert await context.get_data() == {"b": 2, "c": 3}
    assert await context.for_user("bob").get_state() is None
    await context.clear()
    assert (await context.get_state(), await context.get_data()) == (None, {})


async def test_transactions_are_written_once_or_not_at_all() -> None:
    context = FSMContext(MemoryStorage(), KEY)
    async with context.transaction() as change:
        change.state, change.data["n"] = Form.name, 1
    assert (await context.get_state(), await context.get_data()) == ("Form:name", {"n": 1})
    with pytest.raises(ZeroDivisionError):
        async with context.transaction() as change:
            change.data["n"] = 1 / 0
    opened = context.transaction()
    change = await opened.__aenter__()
    await context.update_data(n=5)
    change.data["n"] = 6
    with pytest.raises(RuntimeError, match="another process"):
        await opened.__aexit__(None, None, None)
    assert await context.get_data() == {"n": 5}


@pytest.mark.parametrize(
    ("strategy", "chat", "user"),
    [
        ("user_in_chat", "c", "u"),
        ("chat", "c", ""),
        ("global_user", "", "u"),
        ("user_in_thread", "root#7", "u"),
        ("chat_thread", "root#7", ""),
    ],
)
def test_strategies(strategy: str, chat: str, user: str) -> None:
    message = Message(
        chat=Chat(chat_id="c"), from_user=Contact(user_id="u"), parent_topic={"chatId": "root", "messageId": 7}
    )
    assert storage_key("1", message, FSMStrategy(strategy)) == StorageKey("1", chat, user)
    assert storage_key("1", object(), FSMStrategy(strategy)) is None
