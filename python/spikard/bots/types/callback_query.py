"""Presses of buttons."""

from typing import Any

from msgspec import UNSET, field

from spikard.bots.types.base import VKObject
from spikard.bots.types.chat import Chat
from spikard.bots.types.message import Message, Mode
from spikard.bots.types.response import APIResponse
from spikard.bots.types.user import Contact


class CallbackQuery(VKObject):
    """Somebody has pressed a button. Answer within half a minute, or the button looks stuck."""

    query_id: str
    chat: Chat | None = None
    from_user: Contact | None = field(default=None, name="from")
    message: Message | None = None
    callback_data: str = ""

    def __post_init__(self) -> None:
        # The server puts the chat into the message, often only there. Whoever pressed is never the message's author:
        # that is the bot.
        if self.chat is None and isinstance(self.message, Message):
            self.chat = self.message.chat

    async def answer(self, text: str = "", show_alert: bool = False, url: str | None = None) -> APIResponse:
        """Ends the waiting of the button: silently, with a short note, with an alert, or by opening a page."""
        self.__dict__["_is_answered"] = True
        return await self.bot.answer_callback_query(query_id=self.query_id, text=text, show_alert=show_alert, url=url)

    @property
    def is_answered(self) -> bool:
        """Whether `answer` was called."""
        return "_is_answered" in self.__dict__

    async def edit_text(
        self, text: Any, parse_mode: Mode = UNSET, inline_keyboard_markup: Any = None, **options: Any
    ) -> APIResponse:
        """Changes the message with the button. Raises ValueError if the server did not tell which it is."""
        if self.message is None:
            raise ValueError("The message of this button is not known: the server did not send it")
        return await self.message.edit_text(text, parse_mode, inline_keyboard_markup, **options)


__all__ = ["CallbackQuery"]
