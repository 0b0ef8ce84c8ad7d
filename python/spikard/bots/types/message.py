"""Messages, and what can be done with them."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from msgspec import UNSET, UnsetType, field

from spikard.bots.enums import ChatAction
from spikard.bots.types.base import VKObject
from spikard.bots.types.chat import Chat
from spikard.bots.types.input_file import filename_from_url
from spikard.bots.types.keyboard import Button
from spikard.bots.types.part import (
    FilePayload,
    FormatSpan,
    ForwardPayload,
    MentionPayload,
    MessageFormat,
    ParentMessage,
    Part,
    ReplyMessagePayload,
    ReplyPayload,
)
from spikard.bots.types.response import APIResponse
from spikard.bots.types.user import Contact

if TYPE_CHECKING:
    from spikard.bots.actions import ChatActionSender
    from spikard.bots.keyboard import InlineKeyboardBuilder

Mode = str | None | UnsetType


def _nowhere() -> Chat:
    return Chat(chat_id="")


class Message(VKObject):
    """A message: one that came, or one that was just sent, of which the server tells nothing but its id."""

    msg_id: str = ""
    chat: Chat = field(default_factory=_nowhere)
    from_user: Contact | None = field(default=None, name="from")
    text: str | None = None
    timestamp: int | None = None
    edited_timestamp: int | None = None
    format: MessageFormat | None = None
    parts: list[Part] = field(default_factory=list)
    parent_topic: ParentMessage | None = field(default=None, name="parent_topic")

    @property
    def is_thread_message(self) -> bool:
        """Whether it stands in a thread. Comments to posts of a channel do."""
        return self.parent_topic is not None

    @property
    def thread_root_chat_id(self) -> str | None:
        """The chat of the message that the thread hangs under; the message's own chat is the thread."""
        return self.parent_topic.chat_id if self.parent_topic else None

    @property
    def thread_root_message_id(self) -> int | None:
        """The message that the thread hangs under."""
        return self.parent_topic.message_id if self.parent_topic else None

    @property
    def is_edited(self) -> bool:
        """Whether it was changed. A deleted private message may come as one without text that was."""
        return self.edited_timestamp is not None

    @property
    def mentions(self) -> list[MentionPayload]:
        """Who is mentioned."""
        return [found for part in self.parts if (found := part.as_mention) is not None]

    @property
    def mentioned_user_ids(self) -> list[str]:
        """Ids of those who are mentioned."""
        return [mention.user_id for mention in self.mentions]

    @property
    def reply_to(self) -> ReplyMessagePayload | None:
        """The message that this one answers."""
        return next((found.message for part in self.parts if (found := part.as_reply) is not None), None)

    @property
    def forwards(self) -> list[ReplyMessagePayload]:
        """Messages that are passed on."""
        return [found.message for part in self.parts if (found := part.as_forward) is not None]

    @property
    def files(self) -> list[FilePayload]:
        """Files."""
        return [found for part in self.parts if (found := part.as_file) is not None]

    @property
    def sticker(self) -> FilePayload | None:
        """The sticker."""
        return next((found for part in self.parts if (found := part.as_sticker) is not None), None)

    @property
    def voice(self) -> FilePayload | None:
        """The voice message."""
        return next((found for part in self.parts if (found := part.as_voice) is not None), None)

    @property
    def attachments(self) -> list[FilePayload]:
        """Files, stickers and voice messages, in the order of the message."""
        return [found for part in self.parts if (found := part.as_attachment) is not None]

    @property
    def caption(self) -> str | None:
        """The first file's caption. The server writes captions of several files into the text instead."""
        return next((found.caption for part in self.parts if (found := part.as_file) is not None), None)

    @property
    def content(self) -> str | None:
        """The text, else the caption."""
        return self.text or self.caption

    @property
    def inline_keyboard(self) -> list[list[Button]] | None:
        """Rows of buttons under the message."""
        return next((found for part in self.parts if (found := part.as_inline_keyboard) is not None), None)

    @property
    def markup(self) -> "InlineKeyboardBuilder":
        """The buttons under the message as a builder, to be changed and sent back."""
        from spikard.bots.keyboard import InlineKeyboardBuilder

        rows = self.inline_keyboard or []
        return InlineKeyboardBuilder.from_markup(
            [[button.to_dict(exclude_none=True) for button in row] for row in rows]
        )

    async def answer(
        self, text: Any, parse_mode: Mode = UNSET, inline_keyboard_markup: Any = None, **options: Any
    ) -> "Message":
        """Sends a text to the same chat, and to the same thread. More options are those of `bot.send_text`."""
        self._keep_thread(options)
        return await self._send_text(text, parse_mode, inline_keyboard_markup, **options)

    async def reply(
        self, text: Any, parse_mode: Mode = UNSET, inline_keyboard_markup: Any = None, **options: Any
    ) -> "Message":
        """Sends a text that quotes this message."""
        self._keep_thread(options)
        options.setdefault("reply_msg_id", self.msg_id)
        return await self._send_text(text, parse_mode, inline_keyboard_markup, **options)

    async def answer_thread(
        self, text: Any, parse_mode: Mode = UNSET, inline_keyboard_markup: Any = None, **options: Any
    ) -> "Message":
        """Sends a text to the thread of this message, which is made if there is none."""
        if self.parent_topic is not None:
            return await self.answer(text, parse_mode, inline_keyboard_markup, **options)
        thread = await self.bot.threads_add(chat_id=self.chat.chat_id, msg_id=self.msg_id)
        if "parent_topic" not in options and self.msg_id.isdecimal():
            root = ParentMessage(chat_id=self.chat.chat_id, message_id=int(self.msg_id), type="thread")
            options["parent_topic"] = root
        chat = Chat(chat_id=thread.thread_id, type=self.chat.type)
        return await self._send_text(text, parse_mode, inline_keyboard_markup, chat=chat, **options)

    async def answer_file(
        self,
        file_id: str | None = None,
        file: Any = None,
        caption: Any = None,
        parse_mode: Mode = UNSET,
        inline_keyboard_markup: Any = None,
        **options: Any,
    ) -> "Message":
        """Sends a file to the same chat: one that the server has, or a new one. More options as in `bot.send_file`."""
        self._keep_thread(options)
        _add(options, parse_mode, inline_keyboard_markup)
        sent = await self.bot.send_file(
            chat_id=self.chat.chat_id, file_id=file_id, file=file, caption=caption, **options
        )
        return self._sent(sent, self.chat, None if caption is None else str(caption))

    async def reply_file(
        self,
        file_id: str | None = None,
        file: Any = None,
        caption: Any = None,
        parse_mode: Mode = UNSET,
        inline_keyboard_markup: Any = None,
        **options: Any,
    ) -> "Message":
        """Sends a file that quotes this message."""
        options.setdefault("reply_msg_id", self.msg_id)
        return await self.answer_file(file_id, file, caption, parse_mode, inline_keyboard_markup, **options)

    async def answer_voice(
        self, file_id: str | None = None, file: Any = None, inline_keyboard_markup: Any = None, **options: Any
    ) -> "Message":
        """Sends a voice message to the same chat."""
        self._keep_thread(options)
        _add(options, UNSET, inline_keyboard_markup)
        sent = await self.bot.send_voice(chat_id=self.chat.chat_id, file_id=file_id, file=file, **options)
        return self._sent(sent, self.chat, None)

    async def edit_text(
        self, text: Any, parse_mode: Mode = UNSET, inline_keyboard_markup: Any = None, **options: Any
    ) -> APIResponse:
        """Changes the text. Without `inline_keyboard_markup` the buttons are gone."""
        _add(options, parse_mode, inline_keyboard_markup)
        return await self.bot.edit_text(chat_id=self.chat.chat_id, msg_id=self.msg_id, text=text, **options)

    async def edit_keyboard(self, markup: Any, **options: Any) -> APIResponse:
        """Changes the buttons and leaves the text, with its styles, as it is."""
        if self.format is not None:
            options.setdefault("format_", self.format)
            options.setdefault("parse_mode", None)
        return await self.edit_text(self.text or "", inline_keyboard_markup=markup, **options)

    async def delete(self) -> APIResponse:
        """Deletes the message."""
        return await self.bot.delete_messages(chat_id=self.chat.chat_id, msg_id=self.msg_id)

    async def pin(self) -> APIResponse:
        """Pins the message in its chat."""
        return await self.bot.pin_message(chat_id=self.chat.chat_id, msg_id=self.msg_id)

    async def unpin(self) -> APIResponse:
        """Takes the pin off."""
        return await self.bot.unpin_message(chat_id=self.chat.chat_id, msg_id=self.msg_id)

    async def forward(self, chat_id: str, text: str = "", **options: Any) -> "Message":
        """Passes the message on to another chat, naming its author."""
        options |= {"forward_chat_id": self.chat.chat_id, "forward_msg_id": self.msg_id}
        return await self._send_text(text, UNSET, None, chat=Chat(chat_id=chat_id), **options)

    async def copy_to(self, chat_id: str, **options: Any) -> "Message":
        """Sends the same text, with its styles and its first file, to another chat as the bot's own."""
        chat = Chat(chat_id=chat_id)
        if self.format is not None:
            options.setdefault("format_", self.format)
            options.setdefault("parse_mode", None)
        attachments = self.attachments
        if not attachments:
            return await self._send_text(self.text or "", UNSET, None, chat=chat, **options)
        first = attachments[0]
        if self.voice is not None:
            sent = await self.bot.send_voice(chat_id=chat_id, file_id=first.file_id, **options)
        else:
            sent = await self.bot.send_file(chat_id=chat_id, file_id=first.file_id, caption=self.content, **options)
        return self._sent(sent, chat, self.content)

    async def answer_chat_action(self, action: str | None = None) -> APIResponse:
        """Shows once that the bot is typing or looking."""
        return await self.bot.send_actions(self.chat.chat_id, str(action or ChatAction.TYPING))

    def typing(self, action: str | None = None, interval: float = 3.0) -> "ChatActionSender":
        """Shows that the bot is typing as long as an `async with` lasts; `interval` in seconds."""
        from spikard.bots.actions import ChatActionSender

        chosen = str(action or ChatAction.TYPING)
        return ChatActionSender(bot=self.bot, chat_id=self.chat.chat_id, action=chosen, interval=interval)

    @overload
    async def download(self, destination: None = None, index: int = 0, **options: Any) -> bytes: ...
    @overload
    async def download(self, destination: str | Path, index: int = 0, **options: Any) -> Path: ...
    async def download(self, destination: str | Path | None = None, index: int = 0, **options: Any) -> bytes | Path:
        """Fetches one of the attachments, the first by default. Raises ValueError if there is none."""
        found = self.attachments
        if not -len(found) <= index < len(found):
            raise ValueError(f"The message has no downloadable file number {index}: it has {len(found)}")
        return await self.bot.download_file(found[index].file_id, destination, **options)

    async def download_all(self, directory: str | Path, **options: Any) -> list[Path]:
        """Fetches all attachments into a directory, by the names that the server has for them; of two with one name
        the second is `name (2)`.
        """
        from spikard.bots.files import safe_name  # it loads the HTTP client

        place = Path(directory)
        await asyncio.to_thread(place.mkdir, parents=True, exist_ok=True)
        paths: list[Path] = []
        for found in self.attachments:
            info = await self.bot.get_file_info(found.file_id)
            info.file_id = found.file_id
            name = _unlike(safe_name(info.filename or filename_from_url(info.url or "")), paths)
            paths.append(await self.bot.download(info, place, **{"filename": name, **options}))
        return paths

    def _keep_thread(self, options: dict[str, Any]) -> None:
        if self.parent_topic is not None:
            options.setdefault("parent_topic", self.parent_topic)

    async def _send_text(
        self, text: Any, parse_mode: Mode, markup: Any, *, chat: Chat | None = None, **options: Any
    ) -> "Message":
        chat = chat or self.chat
        _add(options, parse_mode, markup)
        sent = await self.bot.send_text(chat_id=chat.chat_id, text=text, **options)
        return self._sent(sent, chat, str(text))

    def _sent(self, answer: Any, chat: Chat, text: str | None) -> "Message":
        """The new message; the server tells nothing of it but its id."""
        return Message(msg_id=getattr(answer, "msg_id", None) or "", chat=chat, text=text).bound(self.bot)


def _add(options: dict[str, Any], parse_mode: Mode, markup: Any) -> None:
    """Passes on what was said, and nothing else: the bot has defaults of its own."""
    if parse_mode is not UNSET:
        options["parse_mode"] = parse_mode
    if markup is not None:
        options["inline_keyboard_markup"] = markup


def _unlike(name: str, paths: list[Path]) -> str:
    """The name with a number, if one of the files has it; disks may not tell small letters from capitals."""
    taken = {path.name.lower() for path in paths}
    first, number = Path(name), 2
    while name.lower() in taken:
        name, number = f"{first.stem} ({number}){first.suffix}", number + 1
    return name


__all__ = [
    "FilePayload",
    "FormatSpan",
    "ForwardPayload",
    "MentionPayload",
    "Message",
    "MessageFormat",
    "ParentMessage",
    "Part",
    "ReplyMessagePayload",
    "ReplyPayload",
]
