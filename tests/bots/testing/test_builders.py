"""Messages, presses and updates made by hand."""

import pytest

from spikard.bots import UNHANDLED, Dispatcher, F
from spikard.bots.filters import ChatTypeFilter, Command
from spikard.bots.testing import BotTester, make_callback, make_message, make_update
from spikard.bots.testing.samples import names
from spikard.bots.types import CallbackQuery, Message


async def test_messages_for_filters() -> None:
    message = make_message("/ban Bob", chat="680000001@chat.agent")
    assert await (ChatTypeFilter("group") & Command("ban"))(message)
    assert make_message().chat.chat_id == "ann@corp.example"
    assert make_message(user="bob@corp").from_user == make_message("x", user="bob@corp").from_user
    assert make_message(None).text is None
    assert make_message(parts=[{"type": "file", "payload": {"fileId": "F"}}]).files[0].file_id == "F"
    assert make_message("a").msg_id != make_message("b").msg_id


async def test_presses_are_under_a_message_of_the_bot() -> None:
    t = BotTester(Dispatcher())
    query = make_callback("yes", user="bob@corp", bot=t.bot)
    assert (query.from_user and query.from_user.user_id, query.chat and query.chat.chat_id) == ("bob@corp", "bob@corp")
    await query.answer("Done")
    assert t.calls[-1].params["queryId"] == query.query_id
    shown = make_message("Sure?")
    assert make_callback("yes", message=shown).message == shown


async def test_updates_reach_their_handlers() -> None:
    dp, seen = Dispatcher(), []

    @dp.message(F.text)
    async def text(message: Message) -> None:
        seen.append(message.text)

    @dp.callback_query()
    async def pressed(query: CallbackQuery) -> None:
        seen.append(query.callback_data)

    t = BotTester(dp)
    for update in (
        make_update(),
        make_update(make_message("two")),
        make_update(make_callback("three")),
        make_update("callback_query"),
        make_update({"eventId": 7, "type": "newMessage", "payload": make_message("x").to_dict(exclude_none=True)}),
    ):
        await dp.feed_update(t.bot, update, raise_errors=True)
    assert seen[:3] == ["hi", "two", "three"]
    assert seen[4:] == ["x"]
    unknown = make_update("somethingNew", {})
    assert (unknown.type, await dp.feed_update(t.bot, unknown)) == ("somethingNew", UNHANDLED)
    assert make_update(event_id=5).event_id == 5
    with pytest.raises(KeyError, match="no sample 'nothing'"):
        make_update("nothing")


@pytest.mark.parametrize("name", names())
def test_every_sample_is_an_update(name: str) -> None:
    assert make_update(name).decoded is not None
