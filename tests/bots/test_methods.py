"""Methods against a server: what they send, what they read, what objects do through them."""

import pytest

from spikard.bots import Retry, VKTeamsAPIError
from spikard.bots.errors import APIError, MethodUnknown, NotAllowed, NotFound
from spikard.bots.request_ids import HandlerRun, current_run
from spikard.bots.testing import FakeVKTeams
from spikard.bots.text import Bold
from spikard.bots.types import CallbackQuery, Message

SWIFT = Retry(base=0.0)


async def test_what_methods_send(server: FakeVKTeams) -> None:
    bot = server.bot(parse_mode="HTML", auto_request_id=False)
    group = server.group("Crew", ["ann", "bob"])
    chat = group.chat_id
    sent = await bot.send_text(
        chat, "t", reply_msg_id=["1", "2"], inline_keyboard_markup=[[{"text": "я"}]], format_={"bold": []}
    )
    assert sent.msg_id is not None
    await bot.send_text(chat, "t", parse_mode=None, forward_chat_id="c", forward_msg_id="5", request_id="r")
    await bot.send_text_with_deeplink(chat, "t", "payload")
    await bot.edit_text(chat, sent.msg_id, Bold("<"), parse_mode="MarkdownV2")
    await bot.pin_message(chat, sent.msg_id)
    await bot.unpin_message(chat, sent.msg_id)
    await bot.delete_messages(chat, [sent.msg_id])
    await bot.answer_callback_query("q", "text", show_alert=True, url="https://u.example")
    await bot.send_actions(chat, ["typing", "looking"])
    await bot.set_chat_title(chat, "T")
    await bot.set_chat_about(chat, "A")
    await bot.set_chat_rules(chat, "R")
    await bot.block_user(chat, "bob", del_last_messages=True)
    await bot.unblock_user(chat, "bob")
    await bot.add_chat_members(chat, ["eve"])
    await bot.delete_chat_members(chat, ["ann"])
    await bot.threads_autosubscribe(chat, enable=True)
    made = await bot.create_chat("New", members=["ann"], default_role="readonly")
    assert made.sn is not None
    assert [(call.method, call.params) for call in server.calls] == [
        (
            "messages/sendText",
            {
                "chatId": chat,
                "text": "t",
                "replyMsgId": "1,2",
                "inlineKeyboardMarkup": '[[{"text":"я"}]]',
                "parseMode": "HTML",
                "format": '{"bold":[]}',
            },
        ),
        (
            "messages/sendText",
            {"chatId": chat, "text": "t", "forwardChatId": "c", "forwardMsgId": "5", "requestId": "r"},
        ),
        ("messages/sendTextWithDeeplink", {"chatId": chat, "text": "t", "deeplink": "payload", "parseMode": "HTML"}),
        ("messages/editText", {"chatId": chat, "msgId": sent.msg_id, "text": "*<*", "parseMode": "MarkdownV2"}),
        ("chats/pinMessage", {"chatId": chat, "msgId": sent.msg_id}),
        ("chats/unpinMessage", {"chatId": chat, "msgId": sent.msg_id}),
        ("messages/deleteMessages", {"chatId": chat, "msgId": sent.msg_id}),
        (
            "messages/answerCallbackQuery",
            {"queryId": "q", "text": "text", "showAlert": "true", "url": "https://u.example"},
        ),
        ("chats/sendActions", {"chatId": chat, "actions": "typing,looking"}),
        ("chats/setTitle", {"chatId": chat, "title": "T"}),
        ("chats/setAbout", {"chatId": chat, "about": "A"}),
        ("chats/setRules", {"chatId": chat, "rules": "R"}),
        ("chats/blockUser", {"chatId": chat, "userId": "bob", "delLastMessages": "true"}),
        ("chats/unblockUser", {"chatId": chat, "userId": "bob"}),
        ("chats/members/add", {"chatId": chat, "members": '[{"sn":"eve"}]'}),
        ("chats/members/delete", {"chatId": chat, "members": '[{"sn":"ann"}]'}),
        ("threads/autosubscribe", {"chatId": chat, "enable": "true", "withExisting": "false"}),
        (
            "chats/createChat",
            {
                "name": "New",
                "members": '[{"sn":"ann"}]',
                "public": "false",
                "joinModeration": "false",
                "defaultRole": "readonly",
            },
        ),
    ]
    assert not any(call.token_in_url for call in server.calls)
    assert {call.verb for call in server.calls} == {"POST"}


async def test_what_methods_read(server: FakeVKTeams) -> None:
    bot = server.bot()
    group = server.group("Crew", [f"u{number}" for number in range(5)])
    group.blocked, group.pending = ["x"], ["y", "z"]
    server.api.page_size = 2
    info = await bot.get_chat_info(group.chat_id)
    assert (info.type, info.title) == ("group", "Crew")
    assert [(one.user_id, one.creator) for one in await bot.get_chat_admins(group.chat_id)] == [("u0", True)]
    assert len((await bot.get_chat_members(group.chat_id)).members) == 2
    assert [one.user_id async for one in bot.iter_chat_members(group.chat_id)] == group.members
    assert [one.user_id for one in await bot.get_blocked_users(group.chat_id)] == ["x"]
    assert [one.user_id for one in await bot.get_pending_users(group.chat_id)] == ["y", "z"]
    await bot.resolve_pending(group.chat_id, user_id="y")
    assert server.calls[-1].params == {"chatId": group.chat_id, "approve": "true", "userId": "y"}
    await bot.resolve_pending(group.chat_id, approve=False, everyone=True)
    assert server.calls[-1].params == {"chatId": group.chat_id, "approve": "false", "everyone": "true"}
    thread = await bot.threads_add(group.chat_id, "5")
    assert len((await bot.threads_get_subscribers(thread.thread_id, page_size=3)).subscribers) == 3
    handle = bot.chat(group.chat_id)
    sent = await handle.send("hi")
    await handle.edit(sent.msg_id, "ho")
    assert server.sent[-1].text == "ho"
    assert (await handle.info()).title == "Crew"


async def test_calls_that_make_no_sense_reach_no_server(server: FakeVKTeams) -> None:
    bot = server.bot()
    with pytest.raises(ValueError, match="either user_id or everyone"):
        await bot.resolve_pending("c")
    with pytest.raises(ValueError, match="either user_id or everyone"):
        await bot.resolve_pending("c", user_id="u", everyone=True)
    with pytest.raises(ValueError, match="go together"):
        await bot.send_text("c", "t", forward_chat_id="d")
    with pytest.raises(ValueError, match="nothing to send"):
        await bot.send_file("c")
    with pytest.raises(ValueError, match="not both"):
        await bot.send_file("c", file_id="F", file=b"x")
    assert server.calls == []


async def test_any_method_can_be_called(server: FakeVKTeams) -> None:
    bot = server.bot()
    assert (await bot.request("chats/setTitle", {"chatId": "c", "title": "T", "none": None}))["ok"] is True
    assert (await bot.call("self/get"))["nick"] == "testbot"
    server.disabled.add("chats/setTitle")
    with pytest.raises(NotAllowed, match="Method not allowed"):
        await bot.set_chat_title("c", "T")
    with pytest.raises(MethodUnknown):
        await bot.request("chats/nothing")
    with pytest.raises(NotFound) as caught:
        await bot.get_chat_info("nobody")
    assert isinstance(caught.value, VKTeamsAPIError)
    assert (caught.value.method, caught.value.message) == ("chats/getInfo", "Chat not found")
    assert str(caught.value) == "API error in chats/getInfo: Chat not found"
    assert str(APIError("words of a program")) == "words of a program"


async def test_messages_answer_where_they_stand(server: FakeVKTeams) -> None:
    bot = server.bot()
    server.push_message("hi")
    server.push_sample("new_message_thread")
    first, second = (update.decoded for update in await bot.get_events(poll_time=0))
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    sent = await first.reply("yes", inline_keyboard_markup=[[{"text": "b"}]])
    assert (sent.chat.chat_id, sent.text, sent.bot) == ("ann@corp.example", "yes", bot)
    assert server.sent[-1].reply_to == [first.msg_id]
    await sent.edit_text("no")
    await sent.edit_keyboard([[{"text": "c"}]])
    assert server.sent[-1].keyboard == [[{"text": "c"}]]
    await sent.pin()
    await sent.unpin()
    await sent.delete()
    assert server.sent[-1].is_deleted
    await second.answer("here")
    assert server.sent[-1].parent_topic == second.parent_topic.to_dict()  # type: ignore[union-attr]
    await first.forward("bob@corp.example")
    assert server.sent[-1].forwarded == [first.msg_id]
    await first.copy_to("bob@corp.example")
    assert server.sent[-1].text == "hi"
    await first.answer_chat_action()
    assert server.api.chat("ann@corp.example").actions == ["typing"]


async def test_row_21_a_thread_hangs_under_its_message(server: FakeVKTeams) -> None:
    bot = server.bot()
    server.push_message("hi")
    (update,) = await bot.get_events(poll_time=0)
    message = update.decoded
    assert isinstance(message, Message)
    await message.answer_thread("in a thread")
    assert server.calls[-2].method == "threads/add"
    sent = server.sent[-1]
    assert sent.chat_id == f"thread-{message.msg_id}"
    assert sent.parent_topic is not None
    assert sent.parent_topic["messageId"] == int(message.msg_id)
    wordy = Message(msg_id="no-number", chat=message.chat).bound(bot)
    await wordy.answer_thread("in a thread")
    assert server.sent[-1].parent_topic is None
    assert server.sent[-1].chat_id == "thread-no-number"


async def test_buttons_are_answered(server: FakeVKTeams) -> None:
    bot = server.bot()
    await bot.send_text("ann@corp.example", "Sure?", inline_keyboard_markup=[[{"text": "y", "callbackData": "y"}]])
    query_id = server.push_callback("y")
    (update,) = await bot.get_events(poll_time=0)
    query = update.decoded
    assert isinstance(query, CallbackQuery)
    await query.answer("Done", show_alert=True)
    assert server.api.answered[query_id]["text"] == "Done"
    await query.edit_text("Done")
    assert server.sent[-1].text == "Done"
    with pytest.raises(ValueError, match="not known"):
        await CallbackQuery(query_id="q").bound(bot).edit_text("x")


async def test_ids_of_messages_in_a_handler_are_determined(server: FakeVKTeams) -> None:
    bot = server.bot()
    for _ in range(2):
        token = current_run.set(HandlerRun(7, "module.handler"))
        await bot.send_text("c", "one")
        await bot.send_text("c", "two")
        current_run.reset(token)
    assert [message.text for message in server.sent] == ["one", "two"]
    assert server.duplicates == 2
    await bot.send_text("c", "three")
    await bot.send_text("c", "three")
    assert len(server.sent) == 4
    assert len({message.request_id for message in server.sent}) == 4
    await server.bot(auto_request_id=False).send_text("c", "x")
    assert server.sent[-1].request_id is None


async def test_long_texts(server: FakeVKTeams, caplog: pytest.LogCaptureFixture) -> None:
    text = "<b>" + "word " * 50 + "</b>"
    await server.bot(text_limit=100).send_text("c", text)
    assert "Text length 257 exceeds 100" in caplog.text
    with pytest.raises(ValueError, match="257 characters"):
        await server.bot(text_limit=100, on_long_text="error").send_text("c", text)
    splitting = server.bot(text_limit=100, on_long_text="split", parse_mode="HTML")
    answer = await splitting.send_text("d", text, reply_msg_id="5", inline_keyboard_markup=[[{"text": "b"}]])
    parts = [message for message in server.sent if message.chat_id == "d"]
    assert [part.msg_id for part in parts] == answer.msg_ids
    assert answer.msg_id == parts[-1].msg_id
    assert all((part.text or "").startswith("<b>") for part in parts)
    assert [part.reply_to for part in parts] == [["5"], [], []]
    assert [bool(part.keyboard) for part in parts] == [False, False, True]


async def test_people_are_remembered(server: FakeVKTeams) -> None:
    bot = server.bot()
    server.api.user("ann@corp.example", first_name="Ann", last_name="Reed")
    assert await bot.get_user_name("ann@corp.example") == "Ann Reed"
    assert (await bot.get_user("ann@corp.example")).user_id == "ann@corp.example"
    assert len(server.calls) == 1
    await bot.get_user("ann@corp.example", cache=False)
    bot.clear_user_cache()
    await bot.get_user("ann@corp.example")
    assert len(server.calls) == 3
    with pytest.raises(ValueError, match="is a group"):
        await bot.get_user(server.group("Crew", []).chat_id)


async def test_broadcasts(server: FakeVKTeams) -> None:
    bot = server.bot(retry=None)
    server.fail_next("messages/sendText", {"ok": False, "description": "Chat not found"})
    result = await bot.broadcast(["a", "b", "c", "a"], lambda chat: {"text": f"to {chat}"}, concurrency=1, job="promo")
    assert list(result.failed) == ["a"]
    assert {message.text for message in server.sent} == {"to b", "to c"}
    again = await bot.broadcast(["a", "b", "c"], "to all", job="promo")
    assert len(again.sent) == 3
    assert len(server.sent) == 3, "the server has two of them"
    server.fail_next("messages/sendText", 400)
    with pytest.raises(Exception, match="400"):
        await bot.broadcast(["x", "y"], "t", on_error="raise", concurrency=1)
    with pytest.raises(ValueError, match="concurrency"):
        await bot.broadcast([], "t", concurrency=0)
