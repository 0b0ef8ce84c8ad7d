"""What the fake server knows and does: chats, members, messages, files, and the methods on them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from spikard.bots import clock
from spikard.bots.enums import EventType
from spikard.bots.testing.fake_wire import FakeFile, FakeRequest


class Refusal(Exception):  # noqa: N818 - the server's word
    """The server says no."""


@dataclass(slots=True)
class FakeMessage:
    """A message that the server has."""

    msg_id: str
    chat_id: str
    text: str | None = None
    keyboard: list[list[dict[str, Any]]] | None = None
    parse_mode: str | None = None
    format: dict[str, Any] | None = None
    file_id: str | None = None
    file_type: str | None = None
    caption: str | None = None
    reply_to: list[str] = field(default_factory=list)
    forwarded: list[str] = field(default_factory=list)
    parent_topic: dict[str, Any] | None = None
    request_id: str | None = None
    user_id: str = ""
    timestamp: int = 0
    edited: int = 0
    is_pinned: bool = False
    is_deleted: bool = False
    file: FakeFile | None = None

    @property
    def buttons(self) -> list[list[str]]:
        """The texts of the buttons under it, row by row."""
        return [[button["text"] for button in row] for row in self.keyboard or []]


@dataclass(slots=True)
class FakeChat:
    """A chat that the server has."""

    chat_id: str
    type: str = "private"
    title: str = ""
    about: str = ""
    rules: str = ""
    members: list[str] = field(default_factory=list)
    admins: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    avatar: FakeFile | None = None
    public: bool = False
    join_moderation: bool = False
    autosubscribe: bool = False
    subscribers: list[str] = field(default_factory=list)


@dataclass(slots=True)
class FakeUser:
    """Somebody whom the server knows."""

    user_id: str
    first_name: str = ""
    last_name: str = ""
    nick: str = ""

    def contact(self) -> dict[str, Any]:
        """The person as events name them."""
        fields = {"userId": self.user_id, "firstName": self.first_name, "lastName": self.last_name, "nick": self.nick}
        return {name: value for name, value in fields.items() if value}


Method = Callable[["FakeApi", FakeRequest], dict[str, Any]]
METHODS: dict[str, Method] = {}


def method(name: str) -> Callable[[Method], Method]:
    """Registers a method of the API."""

    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


class FakeApi:
    """The state behind the server."""

    def __init__(self, bot: FakeUser, base_url: Callable[[], str]) -> None:
        self.bot = bot
        self.base_url = base_url
        self.users: dict[str, FakeUser] = {}
        self.chats: dict[str, FakeChat] = {}
        self.messages: dict[str, FakeMessage] = {}
        self.files: dict[str, FakeFile] = {}
        self.answered: dict[str, dict[str, str]] = {}
        # Who pressed, by the ids of queries.
        self.queries: dict[str, str] = {}
        self.sent: list[FakeMessage] = []
        self.duplicates = 0
        self.page_size = 100
        self._by_request: dict[str, FakeMessage] = {}
        self._next_message = 7_000_000_000_000_000_000
        self._next_file = 0

    def call(self, request: FakeRequest) -> dict[str, Any]:
        """Does what a request asks for; raises `Refusal`."""
        function = METHODS.get(request.method)
        if function is None:
            raise Refusal("Unknown method")
        try:
            return {"ok": True, **function(self, request)}
        except KeyError as fault:
            raise Refusal(f"Parameter {fault.args[0]!r} is missing") from None

    def user(self, user_id: str, **names: str) -> FakeUser:
        """Somebody, made known when first named."""
        found = self.users.setdefault(user_id, FakeUser(user_id, first_name=user_id.partition("@")[0].title()))
        for name, value in names.items():
            setattr(found, name, value)
        return found

    def chat(self, chat_id: str, kind: str | None = None) -> FakeChat:
        """A chat, made when first named; one whose id is that of no group is private."""
        found = self.chats.get(chat_id)
        if found is None:
            is_group = chat_id.endswith("@chat.agent")
            found = self.chats[chat_id] = FakeChat(chat_id, kind or ("group" if is_group else "private"))
        return found

    def group(
        self, title: str, members: list[str], *, admins: list[str] | None = None, kind: str = "group"
    ) -> FakeChat:
        """A new group with the bot in it."""
        chat = self.chat(f"{680_000_000 + len(self.chats)}@chat.agent", kind)
        chat.title = title
        chat.members = [*members, self.bot.user_id]
        chat.admins = list(admins or members[:1])
        for member in members:
            self.user(member)
        return chat

    def message(self, msg_id: str, chat_id: str) -> FakeMessage:
        """A message that is there; raises `Refusal` if it is not."""
        found = self.messages.get(msg_id)
        if found is None or found.chat_id != chat_id or found.is_deleted:
            raise Refusal("Message not found")
        return found

    def new_message_id(self) -> str:
        """The next id."""
        self._next_message += 1
        return str(self._next_message)

    def store(self, file: FakeFile) -> str:
        """Keeps a file and gives its id."""
        self._next_file += 1
        file_id = f"F{self._next_file:06d}"
        self.files[file_id] = file
        return file_id

    def receive(self, request: FakeRequest, **fields: Any) -> FakeMessage:
        """Takes a message of the bot in; one that came before, by its request id, is given back."""
        params = request.params
        request_id = params.get("requestId")
        if request_id and request_id in self._by_request:
            self.duplicates += 1
            return self._by_request[request_id]
        chat = self.chat(params["chatId"])
        message = FakeMessage(
            self.new_message_id(),
            chat.chat_id,
            keyboard=read_json(params, "inlineKeyboardMarkup"),
            parse_mode=params.get("parseMode"),
            format=read_json(params, "format"),
            reply_to=ids(params.get("replyMsgId")),
            forwarded=ids(params.get("forwardMsgId")),
            parent_topic=read_json(params, "parent_topic"),
            request_id=request_id,
            user_id=self.bot.user_id,
            timestamp=int(clock.now()),
            file=self.files.get(fields.get("file_id") or ""),
            **fields,
        )
        self.messages[message.msg_id] = message
        self.sent.append(message)
        if request_id:
            self._by_request[request_id] = message
        return message

    def event(self, message: FakeMessage) -> dict[str, Any]:
        """A message as events show it."""
        chat = self.chat(message.chat_id)
        sender = self.bot if message.user_id == self.bot.user_id else self.user(message.user_id)
        payload: dict[str, Any] = {
            "msgId": message.msg_id,
            "chat": {"chatId": chat.chat_id, "type": chat.type, **({"title": chat.title} if chat.title else {})},
            "from": sender.contact(),
            "timestamp": message.timestamp,
        }
        parts: list[dict[str, Any]] = []
        if message.text is not None:
            payload["text"] = message.text
        if message.parent_topic is not None:
            payload["parent_topic"] = message.parent_topic
        if message.edited:
            payload["editedTimestamp"] = int(clock.now())
        if message.file_id is not None:
            file = {"fileId": message.file_id, "type": message.file_type, "caption": message.caption}
            parts.append({"type": "file", "payload": {name: value for name, value in file.items() if value}})
        for answered in message.reply_to:
            inner = self.messages.get(answered)
            quoted = (
                {"msgId": answered} if inner is None else {k: v for k, v in self.event(inner).items() if k != "chat"}
            )
            parts.append({"type": "reply", "payload": {"message": quoted}})
        if message.keyboard:
            parts.append({"type": EventParts.KEYBOARD, "payload": message.keyboard})
        return payload | ({"parts": parts} if parts else {})


class EventParts:
    """Words in events."""

    KEYBOARD = "inlineKeyboardMarkup"


def read_json(params: dict[str, str], name: str) -> Any:
    """A parameter that holds JSON; raises `Refusal` if it holds something else."""
    if not params.get(name):
        return None
    try:
        return msgspec.json.decode(params[name])
    except msgspec.DecodeError:
        raise Refusal(f"Parameter {name!r} is not JSON") from None


def ids(text: str | None) -> list[str]:
    """Ids with commas between."""
    return [one for one in (text or "").split(",") if one]


NEW_MESSAGE = EventType.NEW_MESSAGE

__all__ = ["METHODS", "FakeApi", "FakeChat", "FakeMessage", "FakeUser", "Refusal", "ids", "method", "read_json"]
