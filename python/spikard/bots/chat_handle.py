"""A chat as something to talk to."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from spikard.bots.types.chat import Chat, ChatInfo
from spikard.bots.types.message import Message
from spikard.bots.types.response import APIResponse
from spikard.bots.types.user import ChatMember

if TYPE_CHECKING:
    from spikard.bots.actions import ChatActionSender
    from spikard.bots.bot import Bot


class ChatHandle:
    """A chat of a bot, with the bot's verbs and without its id in every call."""

    def __init__(self, bot: "Bot", chat_id: str) -> None:
        self.bot = bot
        self.chat_id = chat_id

    async def send(self, text: Any, **options: Any) -> Message:
        """Sends a text; options are those of `send_text`."""
        return await self._here().answer(text, **options)

    async def send_file(self, file: Any = None, *, file_id: str | None = None, **options: Any) -> Message:
        """Sends a file; options are those of `Bot.send_file`."""
        return await self._here().answer_file(file_id=file_id, file=file, **options)

    async def send_voice(self, file: Any = None, *, file_id: str | None = None, **options: Any) -> Message:
        """Sends a voice message; options are those of `Bot.send_voice`."""
        return await self._here().answer_voice(file_id=file_id, file=file, **options)

    async def edit(self, msg_id: str, text: Any, **options: Any) -> APIResponse:
        """Changes a message."""
        return await self.bot.edit_text(self.chat_id, msg_id, text, **options)

    async def delete(self, *msg_ids: str) -> APIResponse:
        """Deletes messages."""
        return await self.bot.delete_messages(self.chat_id, list(msg_ids))

    async def pin(self, msg_id: str) -> APIResponse:
        """Pins a message."""
        return await self.bot.pin_message(self.chat_id, msg_id)

    async def unpin(self, msg_id: str) -> APIResponse:
        """Takes the pin off a message."""
        return await self.bot.unpin_message(self.chat_id, msg_id)

    async def info(self) -> ChatInfo:
        """What the server tells about the chat."""
        return await self.bot.get_chat_info(self.chat_id)

    async def admins(self) -> list[ChatMember]:
        """Those who rule it."""
        return await self.bot.get_chat_admins(self.chat_id)

    def members(self) -> AsyncIterator[ChatMember]:
        """Those who are in it, page by page."""
        return self.bot.iter_chat_members(self.chat_id)

    def typing(self, action: str | None = None, interval: float = 3.0) -> "ChatActionSender":
        """Shows that the bot is typing as long as an `async with` lasts."""
        return self._here().typing(action, interval)

    def _here(self) -> Message:
        return Message(chat=Chat(chat_id=self.chat_id)).bound(self.bot)

    def __repr__(self) -> str:
        return f"<ChatHandle {self.chat_id} of {self.bot!r}>"


__all__ = ["ChatHandle"]
