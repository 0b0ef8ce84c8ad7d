"""The methods of the fake server."""

from typing import Any

from spikard.bots import clock
from spikard.bots.testing.fake_api import FakeApi, FakeChat, Refusal, ids, method, read_json
from spikard.bots.testing.fake_wire import FakeRequest

_KINDS = {"image": "image", "video": "video", "audio": "audio"}


def _chat(api: FakeApi, request: FakeRequest) -> FakeChat:
    return api.chat(request.params["chatId"])


@method("self/get")
def self_get(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    del request
    return {**api.bot.contact(), "about": "A bot for tests", "photo": []}


@method("messages/sendText")
def send_text(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    text = request.params["text"]
    if not text and not request.params.get("forwardMsgId"):
        raise Refusal("Text is empty")
    return {"msgId": api.receive(request, text=text).msg_id}


@method("messages/sendTextWithDeeplink")
def send_text_with_deeplink(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    request.params["deeplink"]
    return send_text(api, request)


@method("messages/editText")
def edit_text(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    message = api.message(request.params["msgId"], request.params["chatId"])
    message.text = request.params["text"]
    message.keyboard = read_json(request.params, "inlineKeyboardMarkup")
    message.parse_mode = request.params.get("parseMode")
    message.edited += 1
    return {}


@method("messages/deleteMessages")
def delete_messages(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    for msg_id in ids(request.params["msgId"]):
        api.message(msg_id, request.params["chatId"]).is_deleted = True
    return {}


@method("messages/sendFile")
def send_file(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    return _send_file(api, request, None)


@method("messages/sendVoice")
def send_voice(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    return _send_file(api, request, "voice")


def _send_file(api: FakeApi, request: FakeRequest, kind: str | None) -> dict[str, Any]:
    file = request.files.get("file")
    file_id = request.params.get("fileId")
    if file is not None:
        file_id = api.store(file)
    elif file_id is None and not request.params.get("forwardMsgId"):
        raise Refusal("File is missing")
    elif file_id is not None and file_id not in api.files:
        raise Refusal("File not found")
    if file_id is not None and kind is None:
        kind = _KINDS.get(api.files[file_id].content_type.partition("/")[0], "file")
    message = api.receive(request, file_id=file_id, file_type=kind, caption=request.params.get("caption"))
    return {"msgId": message.msg_id, **({"fileId": message.file_id} if file is not None else {})}


@method("messages/answerCallbackQuery")
def answer_callback_query(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    query = request.params["queryId"]
    if query in api.answered:
        raise Refusal("Query is answered already")
    api.answered[query] = {name: value for name, value in request.params.items() if name != "token"}
    return {}


@method("chats/getInfo")
def get_info(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    chat_id = request.params["chatId"]
    if chat_id not in api.chats and chat_id in api.users:
        return {"type": "private", **{k: v for k, v in api.users[chat_id].contact().items() if k != "userId"}}
    chat = api.chats.get(chat_id)
    if chat is None:
        raise Refusal("Chat not found")
    if chat.type == "private":
        return {"type": "private", **{k: v for k, v in api.user(chat_id).contact().items() if k != "userId"}}
    return {
        "type": chat.type,
        "title": chat.title,
        "about": chat.about,
        "rules": chat.rules,
        "public": chat.public,
        "joinModeration": chat.join_moderation,
        "inviteLink": f"https://invite.example/{chat_id}",
    }


@method("chats/getAdmins")
def get_admins(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    admins = _chat(api, request).admins
    return {"admins": [{"userId": one, "creator": number == 0} for number, one in enumerate(admins)]}


@method("chats/getMembers")
def get_members(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    chat = _chat(api, request)
    start = int(request.params.get("cursor") or 0)
    end = start + api.page_size
    members = [{"userId": one, "admin": one in chat.admins} for one in chat.members[start:end]]
    return {"members": members, **({"cursor": str(end)} if end < len(chat.members) else {})}


@method("chats/getBlockedUsers")
def get_blocked(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    return {"users": [{"userId": one} for one in _chat(api, request).blocked]}


@method("chats/getPendingUsers")
def get_pending(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    return {"users": [{"userId": one} for one in _chat(api, request).pending]}


@method("chats/blockUser")
def block_user(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    chat, user = _chat(api, request), request.params["userId"]
    _remove(chat.members, user)
    _append(chat.blocked, user)
    return {}


@method("chats/unblockUser")
def unblock_user(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    _remove(_chat(api, request).blocked, request.params["userId"])
    return {}


@method("chats/resolvePending")
def resolve_pending(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    chat = _chat(api, request)
    if ("userId" in request.params) == (request.params.get("everyone") == "true"):
        raise Refusal("Either userId or everyone")
    chosen = [request.params["userId"]] if "userId" in request.params else list(chat.pending)
    for user in chosen:
        _remove(chat.pending, user)
        if request.params["approve"] == "true":
            _append(chat.members, user)
    return {}


@method("chats/setTitle")
def set_title(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    _chat(api, request).title = request.params["title"]
    return {}


@method("chats/setAbout")
def set_about(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    _chat(api, request).about = request.params["about"]
    return {}


@method("chats/setRules")
def set_rules(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    _chat(api, request).rules = request.params["rules"]
    return {}


@method("chats/avatar/set")
def set_avatar(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    if "file" not in request.files:
        raise Refusal("File is missing")
    _chat(api, request).avatar = request.files["file"]
    return {}


def _members(request: FakeRequest) -> list[dict[str, str]]:
    if not request.params["members"]:
        raise Refusal("Parameter 'members' is empty")
    found: list[dict[str, str]] = read_json(request.params, "members")
    return found


@method("chats/members/add")
def add_members(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    for one in _members(request):
        _append(_chat(api, request).members, one["sn"])
    return {}


@method("chats/members/delete")
def delete_members(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    for one in _members(request):
        _remove(_chat(api, request).members, one["sn"])
    return {}


@method("chats/createChat")
def create_chat(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    params = request.params
    members = [one["sn"] for one in read_json(params, "members") or []]
    chat = api.group(params["name"], members, kind="channel" if params.get("defaultRole") == "readonly" else "group")
    chat.about = params.get("about", "")
    chat.rules = params.get("rules", "")
    chat.public = params.get("public") == "true"
    chat.join_moderation = params.get("joinModeration") == "true"
    return {"sn": chat.chat_id}


@method("chats/pinMessage")
def pin_message(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    api.message(request.params["msgId"], request.params["chatId"]).is_pinned = True
    return {}


@method("chats/unpinMessage")
def unpin_message(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    api.message(request.params["msgId"], request.params["chatId"]).is_pinned = False
    return {}


@method("chats/sendActions")
def send_actions(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    _chat(api, request).actions.append(request.params["actions"])
    return {}


@method("files/getInfo")
def get_file_info(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    file_id = request.params["fileId"]
    file = api.files.get(file_id)
    if file is None:
        raise Refusal("File not found")
    return {
        "type": _KINDS.get(file.content_type.partition("/")[0], "file"),
        "size": len(file.content),
        "filename": file.filename,
        "url": f"{api.base_url()}/files/{file_id}",
    }


@method("threads/add")
def threads_add(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    thread_id = f"thread-{request.params['msgId']}"
    thread = api.chat(thread_id, "thread")
    thread.subscribers = list(_chat(api, request).members)
    return {"threadId": thread_id, "msgId": request.params["msgId"]}


@method("threads/subscribers/get")
def threads_subscribers(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    people = api.chat(request.params["threadId"]).subscribers
    start = int(request.params.get("cursor") or 0)
    end = start + int(request.params.get("pageSize") or api.page_size)
    return {
        "subscribers": [{"userId": one} for one in people[start:end]],
        **({"cursor": str(end)} if end < len(people) else {}),
    }


@method("threads/autosubscribe")
def threads_autosubscribe(api: FakeApi, request: FakeRequest) -> dict[str, Any]:
    _chat(api, request).autosubscribe = request.params["enable"] == "true"
    return {}


def _append(people: list[str], one: str) -> None:
    if one not in people:
        people.append(one)


def _remove(people: list[str], one: str) -> None:
    if one in people:
        people.remove(one)


def now() -> int:
    """Seconds since 1970, as events have them."""
    return int(clock.now())


__all__ = ["now"]
