"""What a message carries beside its text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar, overload

from msgspec import field

from spikard.bots.types.base import VKObject, to_wire
from spikard.bots.types.keyboard import Button
from spikard.bots.types.tolerance import convert
from spikard.bots.types.user import Contact, display_name

Payload = TypeVar("Payload", bound=VKObject)


class FormatSpan(VKObject):
    """A range of a text, in the units in which the server counts; `url` only in links."""

    offset: int = 0
    length: int = 0
    url: str | None = None


class MessageFormat(VKObject):
    """Which ranges of a text have which style."""

    bold: list[FormatSpan] = field(default_factory=list)
    italic: list[FormatSpan] = field(default_factory=list)
    underline: list[FormatSpan] = field(default_factory=list)
    strikethrough: list[FormatSpan] = field(default_factory=list)
    link: list[FormatSpan] = field(default_factory=list)
    mention: list[FormatSpan] = field(default_factory=list)
    inline_code: list[FormatSpan] = field(default_factory=list)
    pre: list[FormatSpan] = field(default_factory=list)
    ordered_list: list[FormatSpan] = field(default_factory=list)
    unordered_list: list[FormatSpan] = field(default_factory=list)
    quote: list[FormatSpan] = field(default_factory=list)


class ParentMessage(VKObject):
    """The message that a thread hangs under. Its id is a number of 64 bits, not a text as elsewhere."""

    chat_id: str = ""
    message_id: int = 0
    type: str = ""

    # Events of some servers call it as other messages do.
    __wire_aliases__: ClassVar[Mapping[str, str]] = {"msgId": "message_id"}


class MentionPayload(VKObject):
    """Somebody whom the text mentions."""

    user_id: str = ""
    first_name: str | None = None
    last_name: str | None = None
    nick: str | None = None

    @property
    def full_name(self) -> str:
        """First and last name, else the nick, else the id."""
        return display_name(self.first_name, self.last_name) or self.nick or self.user_id


class FilePayload(VKObject):
    """A file, a sticker or a voice message; `type` is `image`, `audio`, `video` and so on."""

    file_id: str = ""
    type: str = ""
    caption: str | None = None

    @overload
    async def download(self, destination: None = None, **options: Any) -> bytes: ...
    @overload
    async def download(self, destination: str | Path, **options: Any) -> Path: ...
    async def download(self, destination: str | Path | None = None, **options: Any) -> bytes | Path:
        """Fetches the file, as `bot.download_file` does."""
        return await self.bot.download_file(self.file_id, destination, **options)


class Part(VKObject):
    """One thing beside the text; read it by the property of its type, which is None in parts of another."""

    type: str = ""
    payload: dict[str, Any] | list[Any] = field(default_factory=dict)

    @property
    def as_mention(self) -> MentionPayload | None:
        """Who is mentioned."""
        return _read(self, "mention", MentionPayload)

    @property
    def as_reply(self) -> "ReplyPayload | None":
        """What is answered."""
        return _read(self, "reply", ReplyPayload)

    @property
    def as_forward(self) -> "ForwardPayload | None":
        """What is passed on."""
        return _read(self, "forward", ForwardPayload)

    @property
    def as_file(self) -> FilePayload | None:
        """The file."""
        return _read(self, "file", FilePayload)

    @property
    def as_sticker(self) -> FilePayload | None:
        """The sticker."""
        return _read(self, "sticker", FilePayload)

    @property
    def as_voice(self) -> FilePayload | None:
        """The voice message."""
        return _read(self, "voice", FilePayload)

    @property
    def as_attachment(self) -> FilePayload | None:
        """The file, whether it was sent as one, as a sticker or as a voice message."""
        return self.as_file or self.as_sticker or self.as_voice

    @property
    def as_inline_keyboard(self) -> list[list[Button]] | None:
        """Rows of buttons."""
        if self.type != "inlineKeyboardMarkup":
            return None
        rows = self.payload if isinstance(self.payload, list) else []
        return [
            [convert(Button, button)[0].bound(self.bot_or_none) for button in row]
            for row in rows
            if isinstance(row, list)
        ]


class ReplyMessagePayload(VKObject):
    """A message inside another, as far as the server tells of it."""

    msg_id: str = ""
    text: str | None = None
    timestamp: int | None = None
    from_user: Contact | None = field(default=None, name="from")
    format: MessageFormat | None = None
    parts: list[Part] = field(default_factory=list)


class ReplyPayload(VKObject):
    """The message that is answered."""

    message: ReplyMessagePayload = field(default_factory=ReplyMessagePayload)


class ForwardPayload(VKObject):
    """The message that is passed on."""

    message: ReplyMessagePayload = field(default_factory=ReplyMessagePayload)


def _read(part: Part, kind: str, model: type[Payload]) -> Payload | None:
    if part.type != kind:
        return None
    data = part.payload if isinstance(part.payload, dict) else {}
    return convert(model, to_wire(model, data))[0].bound(part.bot_or_none)


__all__ = [
    "FilePayload",
    "FormatSpan",
    "ForwardPayload",
    "MentionPayload",
    "MessageFormat",
    "ParentMessage",
    "Part",
    "ReplyMessagePayload",
    "ReplyPayload",
]
