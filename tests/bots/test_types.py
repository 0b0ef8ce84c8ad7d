"""Models: both spellings, binding, parts of messages, what is left out."""

import pytest

from spikard.bots.errors import DecodeError
from spikard.bots.testing import FakeVKTeams, sample
from spikard.bots.testing.samples import names
from spikard.bots.types import (
    APIResponse,
    CallbackQuery,
    ChangedChatInfoEvent,
    Chat,
    ChatInfo,
    ChatMembers,
    Contact,
    LeftChatMembersEvent,
    Message,
    MessageFormat,
    NewChatMembersEvent,
    Part,
    Update,
    UserInfo,
    VKObject,
    VKTeamsObject,
)

KINDS = {
    "newMessage": Message,
    "editedMessage": Message,
    "deletedMessage": Message,
    "pinnedMessage": Message,
    "unpinnedMessage": Message,
    "newChatMembers": NewChatMembersEvent,
    "leftChatMembers": LeftChatMembersEvent,
    "changedChatInfo": ChangedChatInfoEvent,
    "callbackQuery": CallbackQuery,
}


def message(name: str) -> Message:
    found = Update.from_dict(sample(name)).decoded
    assert isinstance(found, Message)
    return found


@pytest.mark.parametrize("name", names())
def test_samples_decode_without_loss(name: str) -> None:
    update = Update.from_dict(sample(name))
    assert type(update.decoded) is KINDS[update.type]
    assert update.issues == []
    assert update.decoded is update.decoded


def test_samples_cover_all_kinds() -> None:
    assert {sample(name)["type"] for name in names()} == set(KINDS)


def test_an_unknown_sample_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="new_message_private"):
        sample("nothing")


def test_a_model_is_made_by_either_name_and_from_mappings() -> None:
    by_wire = Message(msgId="1", chat={"chatId": "c"}, **{"from": {"userId": "u"}})
    by_name = Message(msg_id="1", chat=Chat(chat_id="c"), from_user=Contact(user_id="u"))
    assert by_wire == by_name
    assert Message.from_dict(by_name.to_dict()) == by_name
    assert Message.from_dict(by_name.model_dump()) == by_name
    assert Message.model_validate_json(by_name.model_dump_json()) == by_name
    assert Message.from_json(by_name.to_json()) == by_name
    assert by_name.to_dict(exclude_none=True)["from"] == {"userId": "u"}
    assert by_name.model_dump()["from_user"]["user_id"] == "u"
    assert VKTeamsObject is VKObject
    assert Message.from_dict(by_name) is by_name


def test_names_that_the_server_spells_in_two_ways() -> None:
    for spelling in ("inlineCode", "inline_code"):
        assert MessageFormat.from_dict({spelling: [{"offset": 1, "length": 2}]}).inline_code[0].length == 2
        payload = {"chat": {"chatId": "c"}, "format": {spelling: [{"offset": 1, "length": 2}]}}
        decoded = Update(event_id=1, type="newMessage", payload=payload).decoded
        assert isinstance(decoded, Message)
        assert decoded.format is not None
        assert decoded.format.inline_code[0].offset == 1
    for spelling in ("photo", "photos"):
        assert ChatInfo.from_dict({spelling: [{"url": "u"}]}).photos[0].url == "u"
    topic = {"chatId": "c", "messageId": 2**62, "type": "thread"}
    assert Message.from_dict({"parent_topic": topic}).thread_root_message_id == 2**62


def test_faults_of_a_program_are_precise() -> None:
    with pytest.raises(DecodeError, match=r"Chat: .*chatId"):
        Chat.from_dict({})
    with pytest.raises(DecodeError) as caught:
        Message.from_dict({"chat": {"chatId": 5}})
    assert caught.value.path == "$.chat.chatId"
    assert isinstance(caught.value, ValueError)
    with pytest.raises(DecodeError, match="mapping"):
        Message.from_dict(5)  # type: ignore[arg-type]
    with pytest.raises(DecodeError):
        Message.from_json(b"{")
    with pytest.raises(TypeError, match="nonsense"):
        Message(nonsense=1)  # type: ignore[call-arg]


def test_fields_that_do_not_fit_are_left_out_of_events() -> None:
    payload = {
        "msgId": "1",
        "chat": {"chatId": "c"},
        "text": 5,
        "parts": [{"type": "file", "payload": {"fileId": "F"}}, "nonsense"],
        "from": {"firstName": "no id"},
        "new": {"field": 1},
    }
    update = Update(event_id=1, type="newMessage", payload=payload)
    decoded = update.decoded
    assert isinstance(decoded, Message)
    assert (decoded.text, decoded.from_user, len(decoded.parts)) == (None, None, 1)
    assert len(update.issues) == 3
    assert update.payload["text"] == 5, "what came is still there"


@pytest.mark.parametrize("payload", [{"chat": "c"}, {"chat": {"chatId": None}}])
def test_an_event_whose_place_is_not_known_is_malformed(payload: dict[str, object]) -> None:
    with pytest.raises(DecodeError, match=r"chat"):
        _ = Update(event_id=1, type="newMessage", payload=payload).decoded


def test_an_unknown_kind_has_no_object() -> None:
    update = Update(event_id=1, type="somethingNew", payload={"a": 1})
    assert update.decoded is None
    assert update.issues == []


def test_objects_made_by_hand_are_bound_to_nothing() -> None:
    with pytest.raises(RuntimeError, match="not bound to a Bot"):
        _ = Message(msg_id="1").bot
    assert Message(msg_id="1").bot_or_none is None


async def test_what_an_event_holds_is_bound_with_it(server: FakeVKTeams) -> None:
    bot = server.bot()
    server.push_sample("callback_query")
    (update,) = await bot.get_events(poll_time=0)
    query = update.decoded
    assert isinstance(query, CallbackQuery)
    assert query.message is not None
    assert query.message.chat.bot is bot
    assert query.from_user is not None
    assert query.from_user.bot is bot
    assert query.message.parts[0].bot is bot
    assert query.message.inline_keyboard is not None
    assert query.message.inline_keyboard[0][0].bot is bot


def test_binding_an_event_that_was_read_binds_its_object() -> None:
    server_bot = object()
    update = Update.from_dict(sample("new_message_private"))
    assert update.decoded is not None
    update.set_bot(server_bot)  # type: ignore[arg-type]
    assert update.decoded.bot is server_bot


def test_equality_leaves_the_bot_out() -> None:
    one, other = Chat(chat_id="c"), Chat(chat_id="c")
    one.set_bot(object())  # type: ignore[arg-type]
    assert one == other


def test_names_of_people() -> None:
    assert Contact(user_id="u", first_name="Ann", last_name="Reed").full_name == "Ann Reed"
    assert Contact(user_id="u", nick="n").full_name == "n"
    assert Contact(user_id="u").full_name == "u"
    assert Contact(user_id="u@x").mention == "@[u@x]"
    assert Contact(user_id="u.v").mention_md == r"@\[u\.v\]"
    assert ChatInfo(title="T").full_name == "T"


def test_the_number_of_an_account_stands_in_its_picture() -> None:
    picture = {"url": "https://h/avatar?x=1&targetSn=12345&size=2"}
    assert UserInfo(user_id="u", photos=[picture]).uin == "12345"
    assert UserInfo(user_id="u").uin is None


def test_parts() -> None:
    mention = message("new_message_group_mention")
    assert mention.mentioned_user_ids == ["1000000001"]
    assert mention.mentions[0].full_name == "Test Bot"
    reply = message("new_message_reply").reply_to
    assert reply is not None
    assert reply.text == "Shall we?"
    assert reply.from_user is not None
    assert [one.text for one in message("new_message_forward").forwards] == ["The plan"]
    captioned = message("new_message_file_caption")
    assert (captioned.text, captioned.caption, captioned.content) == (None, "the roof", "the roof")
    assert len(message("new_message_several_files").files) == 2
    sticker = message("new_message_sticker")
    assert sticker.sticker is not None
    assert sticker.voice is None
    assert message("new_message_voice").attachments[0].file_id == "V000001"
    thread = message("new_message_thread")
    assert thread.is_thread_message
    assert thread.thread_root_chat_id == "680000001@chat.agent"
    assert not message("new_message_private").is_thread_message
    assert message("edited_message").is_edited
    assert Part(type="file", payload=[]).as_file is not None
    assert Part(type="mention", payload={"userId": 5}).as_mention is not None, "what does not fit is left out"
    assert Part(type="reply").as_mention is None


def test_a_keyboard_comes_back_as_a_builder() -> None:
    query = Update.from_dict(sample("callback_query")).decoded
    assert isinstance(query, CallbackQuery)
    assert query.message is not None
    builder = query.message.markup.button("More", callback_data="more")
    assert builder.as_markup()[0][0] == {"text": "Yes", "callbackData": "yes", "style": "primary"}
    assert len(builder) == 3


def test_a_query_without_chat_has_that_of_its_message_but_not_its_author() -> None:
    query = Update.from_dict(sample("callback_query_without_chat")).decoded
    assert isinstance(query, CallbackQuery)
    assert query.chat is not None
    assert query.chat.chat_id == "680000001@chat.agent"
    alone = CallbackQuery(query_id="q", message=Message(from_user=Contact(user_id="bot")))
    assert alone.from_user is None


def test_what_changed_in_a_chat_beside_the_known() -> None:
    changed = Update.from_dict(sample("changed_chat_info")).decoded
    assert isinstance(changed, ChangedChatInfoEvent)
    assert changed.new_title == "Crew of 7"
    assert changed.changed == {"inviteLink": "https://invite.example/crew"}
    assert changed.changed_by is not None
    assert ChangedChatInfoEvent.from_dict({"chat": {"chatId": "c"}, "x": 1}).changed == {"x": 1}


async def test_whether_the_bot_came_or_went(server: FakeVKTeams) -> None:
    bot = server.bot()
    server.push_sample("new_chat_members")
    server.push_sample("left_chat_members")
    came, went = (update.decoded for update in await bot.get_events(poll_time=0))
    assert isinstance(came, NewChatMembersEvent)
    assert isinstance(went, LeftChatMembersEvent)
    assert await came.is_bot_joined()
    assert await came.is_bot_joined(bot)
    assert not await went.is_bot_left()


def test_a_page_of_members_is_a_mapping_and_models() -> None:
    page = ChatMembers({"ok": True, "members": [{"userId": "u", "admin": True}], "cursor": "2"})
    assert page["ok"] is True
    assert page["members"][0]["userId"] == "u"
    assert page.members[0].admin
    assert page.cursor == "2"
    assert ChatMembers({"members": None}).cursor is None


def test_models_can_be_changed() -> None:
    answer = APIResponse()
    answer.msg_id = "5"
    assert answer.to_dict(exclude_none=True) == {"ok": True, "msgId": "5", "msgIds": []}
