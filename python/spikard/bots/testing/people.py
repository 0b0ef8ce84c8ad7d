"""Who talks with a bot under test: what they do, and what they see."""

import asyncio
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from spikard.bots.enums import EventType
from spikard.bots.testing.fake_api import FakeChat, FakeMessage
from spikard.bots.testing.fake_methods import now
from spikard.bots.testing.fake_wire import FakeFile

if TYPE_CHECKING:
    from spikard.bots.testing.fake_platform import FakePlatform


class Stage(Protocol):
    """Where people talk with a bot."""

    @property
    def platform(self) -> "FakePlatform":
        """The server."""
        ...

    async def happen(self, push: Callable[[], Any]) -> Any:
        """Lets something happen, and gives what is known of its end."""
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """What a pressed button was answered with."""

    text: str
    is_alert: bool
    url: str | None


class Person:
    """Somebody who writes to the bot.

    With `BotTester` what they do ends when the bot has handled it, and gives the handler's result; with a server that
    another program polls, it ends at once.
    """

    def __init__(self, stage: Stage, user_id: str) -> None:
        self._stage = stage
        self._platform = stage.platform
        self.user_id = user_id
        # What one person does happens in its order, also when several wait at once.
        self._acting = asyncio.Lock()

    # --- what they do

    async def send(
        self, text: str, *, chat: "Group | FakeChat | None" = None, reply_to: FakeMessage | None = None
    ) -> Any:
        """Writes a message: to the bot alone, or in a group."""
        return await self._send(chat, text=text, reply_to=[] if reply_to is None else [reply_to.msg_id])

    async def send_file(
        self,
        content: bytes,
        filename: str = "file.bin",
        *,
        caption: str | None = None,
        content_type: str | None = None,
        chat: "Group | FakeChat | None" = None,
    ) -> Any:
        """Sends a file; what kind it is is seen from its name, unless `content_type` says it."""
        mime = content_type or mimetypes.guess_type(filename)[0] or "application/octet-stream"
        file = FakeFile(filename, content, mime)
        kind = mime.partition("/")[0]
        kind = kind if kind in ("image", "video", "audio") else "file"
        return await self._send(
            chat, file_id=self._platform.api.store(file), file_type=kind, file=file, caption=caption
        )

    async def click(self, button: str, *, message: FakeMessage | None = None) -> Any:
        """Presses a button, named by its text, else by its data, under the last message that has one.

        A button that opens an address tells the bot nothing; the address is given back.

        Raises:
            LookupError: No message that is seen here has such a button.
        """
        shown, pressed = self._button(button, message)
        if pressed.get("url"):
            return pressed["url"]
        data = pressed.get("callbackData", "")
        return await self._happen(lambda: self._platform.push_callback(data, shown, self.user_id))

    async def edit(self, text: str, message: FakeMessage | None = None) -> Any:
        """Changes the text of a message of one's own, by default of the last."""
        changed = message or self._own()

        def push() -> None:
            changed.text = text
            changed.edited += 1
            self._platform.push(EventType.EDITED_MESSAGE, self._platform.api.event(changed))

        return await self._happen(push)

    async def delete(self, message: FakeMessage | None = None) -> Any:
        """Deletes a message of one's own, by default the last."""
        gone = message or self._own()

        def push() -> None:
            event = self._platform.api.event(gone)
            gone.is_deleted = True
            kept = {name: event[name] for name in ("msgId", "chat", "timestamp")}
            self._platform.push(EventType.DELETED_MESSAGE, kept)

        return await self._happen(push)

    # --- what they see

    @property
    def messages(self) -> list[FakeMessage]:
        """The bot's messages that are there, in the private chat and in groups."""
        chats = self._platform.api.chats
        return [
            message
            for message in self._platform.sent
            if not message.is_deleted
            and (message.chat_id == self.user_id or self.user_id in chats[message.chat_id].members)
        ]

    @property
    def texts(self) -> list[str]:
        """Texts, or captions, of the bot's messages."""
        return [message.text or message.caption or "" for message in self.messages]

    @property
    def last(self) -> FakeMessage:
        """The bot's last message. Raises LookupError if there is none."""
        found = self.messages
        if not found:
            raise LookupError(f"the bot has not written to {self.user_id}")
        return found[-1]

    @property
    def notices(self) -> list[Notice]:
        """What the buttons that they pressed were answered with, silent answers aside."""
        api = self._platform.api
        return [
            Notice(answer.get("text", ""), answer.get("showAlert") == "true", answer.get("url"))
            for query, answer in api.answered.items()
            if api.queries.get(query) == self.user_id and (answer.get("text") or answer.get("url"))
        ]

    def _button(self, wanted: str, message: FakeMessage | None) -> tuple[FakeMessage, dict[str, Any]]:
        shown = self.messages if message is None else [message]
        for name in ("text", "callbackData"):
            for candidate in reversed(shown):
                for row in candidate.keyboard or []:
                    for button in row:
                        if button.get(name) == wanted:
                            return candidate, button
        texts = [text for candidate in shown for row in candidate.buttons for text in row]
        raise LookupError(f"{self.user_id} sees no button {wanted!r}; there are: {', '.join(texts) or 'none'}")

    def _own(self) -> FakeMessage:
        own = [
            one for one in self._platform.api.messages.values() if one.user_id == self.user_id and not one.is_deleted
        ]
        if not own:
            raise LookupError(f"{self.user_id} has written nothing")
        return own[-1]

    async def _send(self, chat: "Group | FakeChat | None", **fields: Any) -> Any:
        place = None if chat is None else chat.chat_id
        text = fields.pop("text", None)
        return await self._happen(lambda: self._platform.push_message(text, self.user_id, place, **fields))

    async def _happen(self, push: Any) -> Any:
        async with self._acting:
            return await self._stage.happen(push)

    def __repr__(self) -> str:
        return f"<Person {self.user_id}>"


class Group:
    """A group that the bot is in."""

    def __init__(self, stage: Stage, chat: FakeChat) -> None:
        self._stage = stage
        self.chat = chat

    @property
    def chat_id(self) -> str:
        """Its id."""
        return self.chat.chat_id

    @property
    def messages(self) -> list[FakeMessage]:
        """The bot's messages that are there."""
        sent = self._stage.platform.sent
        return [message for message in sent if message.chat_id == self.chat_id and not message.is_deleted]

    @property
    def last(self) -> FakeMessage:
        """The bot's last message. Raises LookupError if there is none."""
        if not self.messages:
            raise LookupError(f"the bot has not written in {self.chat.title!r}")
        return self.messages[-1]

    async def add(self, *people: Person, by: Person | None = None) -> Any:
        """Lets people join; `by` is who has added them."""
        self.chat.members += [person.user_id for person in people if person.user_id not in self.chat.members]
        return await self._changed(EventType.NEW_CHAT_MEMBERS, newMembers=_contacts(people), addedBy=by)

    async def remove(self, *people: Person, by: Person | None = None) -> Any:
        """Lets people leave; `by` is who has removed them."""
        gone = {person.user_id for person in people}
        self.chat.members = [member for member in self.chat.members if member not in gone]
        return await self._changed(EventType.LEFT_CHAT_MEMBERS, leftMembers=_contacts(people), removedBy=by)

    async def _changed(self, kind: str, **fields: Any) -> Any:
        payload = {
            "chat": {"chatId": self.chat_id, "type": self.chat.type, "title": self.chat.title},
            "timestamp": now(),
            **{name: _contact(value) if isinstance(value, Person) else value for name, value in fields.items()},
        }
        kept = {name: value for name, value in payload.items() if value is not None}
        return await self._stage.happen(lambda: self._stage.platform.push(kind, kept))

    def __repr__(self) -> str:
        return f"<Group {self.chat.title!r} {self.chat_id}>"


def _contact(person: Person) -> dict[str, Any]:
    return person._platform.api.user(person.user_id).contact()


def _contacts(people: tuple[Person, ...]) -> list[dict[str, Any]]:
    return [_contact(person) for person in people]


__all__ = ["Group", "Notice", "Person", "Stage"]
