"""Sending, changing and deleting messages."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import UNSET

from spikard.bots.methods.base import Methods, Mode
from spikard.bots.request_ids import new_request_id
from spikard.bots.types.message import ParentMessage
from spikard.bots.types.response import APIResponse
from spikard.bots.uploads import Progress, payload
from spikard.bots.wire import dump_format, dump_keyboard, dump_parent_topic, join_ids

logger = logging.getLogger("spikard.bots")

Ids = str | Iterable[str] | None
Topic = ParentMessage | Mapping[str, Any] | str | None


class MessageMethods(Methods):
    """Methods under `messages/`, and the actions that chats show."""

    id: str
    parse_mode: str | None
    text_limit: int
    on_long_text: str
    auto_request_id: bool

    def resolve_parse_mode(self, value: Mode = UNSET) -> str | None:
        """The mode that a text is sent in: the bot's own unless another, or None for plain text, is given."""
        mode = self.parse_mode if value is UNSET else value
        return None if mode is None else str(mode)

    async def send_text(
        self,
        chat_id: str,
        text: Any,
        reply_msg_id: Ids = None,
        forward_chat_id: str | None = None,
        forward_msg_id: Ids = None,
        inline_keyboard_markup: Any = None,
        parse_mode: Mode = UNSET,
        format_: Any = None,
        parent_topic: Topic = None,
        request_id: str | None = None,
    ) -> APIResponse:
        """Sends a text: a string, or a tree of styles that brings its mode along.

        Args:
            chat_id: Where to.
            text: What; see `text_limit` and `on_long_text` of the bot for long ones.
            reply_msg_id: Which messages it quotes.
            forward_chat_id: From where messages are passed on; goes with `forward_msg_id`.
            forward_msg_id: Which messages are passed on.
            inline_keyboard_markup: Buttons: a builder, rows, or JSON.
            parse_mode: In which markup the text is; by default the bot's, None for plain text.
            format_: Styles as ranges.
            parent_topic: The message whose thread it goes to.
            request_id: The server drops a second message with the same; made here if not given.

        Returns:
            The id of the message; of a text in parts that of the last, and all in `msg_ids`.

        Raises:
            ValueError: Only one of the forward fields is given, or the text is too long and is not to be split.
        """
        text, mode = self._rendered(text, parse_mode)
        fields = {
            "chatId": chat_id,
            "text": text,
            **_relations(reply_msg_id, forward_chat_id, forward_msg_id),
            "inlineKeyboardMarkup": dump_keyboard(inline_keyboard_markup),
            "parseMode": mode,
            "format": dump_format(format_),
            "parent_topic": dump_parent_topic(parent_topic),
            "requestId": self._request_id(chat_id, request_id),
        }
        if self._is_too_long(text) and self.on_long_text == "split" and format_ is None:
            return await self._send_parts(fields, mode)
        return await self._do("messages/sendText", fields)

    async def send_text_with_deeplink(
        self,
        chat_id: str,
        text: Any,
        deeplink: str,
        inline_keyboard_markup: Any = None,
        parse_mode: Mode = UNSET,
        format_: Any = None,
    ) -> APIResponse:
        """Sends a text whose button opens the bot with a payload."""
        text, mode = self._rendered(text, parse_mode)
        self._is_too_long(text)
        return await self._do(
            "messages/sendTextWithDeeplink",
            {
                "chatId": chat_id,
                "text": text,
                "deeplink": deeplink,
                "inlineKeyboardMarkup": dump_keyboard(inline_keyboard_markup),
                "parseMode": mode,
                "format": dump_format(format_),
            },
        )

    async def edit_text(
        self,
        chat_id: str,
        msg_id: str,
        text: Any,
        inline_keyboard_markup: Any = None,
        parse_mode: Mode = UNSET,
        format_: Any = None,
    ) -> APIResponse:
        """Changes a message of the bot. Without buttons those that were there are gone."""
        text, mode = self._rendered(text, parse_mode)
        self._is_too_long(text)
        return await self._do(
            "messages/editText",
            {
                "chatId": chat_id,
                "msgId": msg_id,
                "text": text,
                "inlineKeyboardMarkup": dump_keyboard(inline_keyboard_markup),
                "parseMode": mode,
                "format": dump_format(format_),
            },
        )

    async def delete_messages(self, chat_id: str, msg_id: str | Iterable[str]) -> APIResponse:
        """Deletes one message or several."""
        return await self._do("messages/deleteMessages", {"chatId": chat_id, "msgId": join_ids(msg_id)})

    async def send_file(
        self,
        chat_id: str,
        file_id: str | None = None,
        file: Any = None,
        caption: Any = None,
        reply_msg_id: Ids = None,
        forward_chat_id: str | None = None,
        forward_msg_id: Ids = None,
        inline_keyboard_markup: Any = None,
        parse_mode: Mode = UNSET,
        format_: Any = None,
        parent_topic: Topic = None,
        request_id: str | None = None,
        *,
        progress: Progress | None = None,
    ) -> APIResponse:
        """Sends a file.

        Args:
            chat_id: Where to.
            file_id: A file that the server has; this, `file` or a forward.
            file: A new one: an `InputFile`, a path, bytes or an open binary file. It is sent in constant memory.
            caption: What stands below it.
            reply_msg_id: As in `send_text`, like all that follow.
            forward_chat_id: From where messages are passed on.
            forward_msg_id: Which messages are passed on.
            inline_keyboard_markup: Buttons.
            parse_mode: In which markup the caption is.
            format_: Styles of the caption as ranges.
            parent_topic: The message whose thread it goes to.
            request_id: The server drops a second message with the same.
            progress: Called with bytes sent and bytes in all.

        Raises:
            ValueError: There is nothing to send, or two things.
        """
        _check_source(file_id, file, forward_msg_id)
        mode = None
        if caption is not None:
            caption, mode = self._rendered(caption, parse_mode)
        elif parse_mode is not UNSET or self.parse_mode is not None:
            mode = self.resolve_parse_mode(parse_mode)
        fields = {
            "chatId": chat_id,
            "fileId": file_id,
            "caption": caption,
            **_relations(reply_msg_id, forward_chat_id, forward_msg_id),
            "inlineKeyboardMarkup": dump_keyboard(inline_keyboard_markup),
            "parseMode": mode,
            "format": dump_format(format_),
            "parent_topic": dump_parent_topic(parent_topic),
            "requestId": self._request_id(chat_id, request_id),
        }
        return await self._do("messages/sendFile", fields, payload(file, progress))

    async def send_voice(
        self,
        chat_id: str,
        file_id: str | None = None,
        file: Any = None,
        reply_msg_id: Ids = None,
        forward_chat_id: str | None = None,
        forward_msg_id: Ids = None,
        inline_keyboard_markup: Any = None,
        parent_topic: Topic = None,
        request_id: str | None = None,
        *,
        progress: Progress | None = None,
    ) -> APIResponse:
        """Sends a voice message, in Opus in an OGG container. See `send_file`."""
        _check_source(file_id, file, forward_msg_id)
        fields = {
            "chatId": chat_id,
            "fileId": file_id,
            **_relations(reply_msg_id, forward_chat_id, forward_msg_id),
            "inlineKeyboardMarkup": dump_keyboard(inline_keyboard_markup),
            "parent_topic": dump_parent_topic(parent_topic),
            "requestId": self._request_id(chat_id, request_id),
        }
        return await self._do("messages/sendVoice", fields, payload(file, progress))

    async def answer_callback_query(
        self, query_id: str, text: str = "", show_alert: bool = False, url: str | None = None
    ) -> APIResponse:
        """Ends the waiting of a button that was pressed."""
        return await self._do(
            "messages/answerCallbackQuery", {"queryId": query_id, "text": text, "showAlert": show_alert, "url": url}
        )

    async def pin_message(self, chat_id: str, msg_id: str) -> APIResponse:
        """Pins a message."""
        return await self._do("chats/pinMessage", {"chatId": chat_id, "msgId": msg_id})

    async def unpin_message(self, chat_id: str, msg_id: str) -> APIResponse:
        """Takes the pin off a message."""
        return await self._do("chats/unpinMessage", {"chatId": chat_id, "msgId": msg_id})

    async def send_actions(self, chat_id: str, actions: str | Iterable[str]) -> APIResponse:
        """Shows what the bot does for about five seconds: `typing`, `looking`, both, or an empty text for nothing."""
        return await self._do("chats/sendActions", {"chatId": chat_id, "actions": join_ids(actions)})

    def _rendered(self, text: Any, parse_mode: Mode) -> tuple[str, str | None]:
        """The text and its mode; a tree of styles is written in the mode that is asked for, else in HTML."""
        mode = self.resolve_parse_mode(parse_mode)
        as_kwargs = getattr(text, "as_kwargs", None)
        if as_kwargs is None:
            return str(text), mode
        rendered = as_kwargs(mode or "HTML")
        return rendered["text"], rendered["parse_mode"]

    def _is_too_long(self, text: str) -> bool:
        if len(text) <= self.text_limit:
            return False
        if self.on_long_text == "error":
            raise ValueError(f"The text has {len(text)} characters, more than {self.text_limit}")
        if self.on_long_text == "warn":
            logger.warning(
                "Text length %d exceeds %d characters: clients may be slow or the server may refuse",
                len(text),
                self.text_limit,
            )
        return True

    async def _send_parts(self, fields: dict[str, Any], mode: str | None) -> APIResponse:
        """A long text in several messages: the quotation on the first, buttons on the last."""
        from spikard.bots.text.splitting import split_text

        parts = split_text(fields["text"], self.text_limit, parse_mode=mode)
        ids: list[str] = []
        answer = APIResponse()
        for number, part in enumerate(parts):
            one = fields | {"text": part}
            if number:
                one |= {"replyMsgId": None, "forwardChatId": None, "forwardMsgId": None}
                if fields["requestId"] is not None:
                    one["requestId"] = f"{fields['requestId']}.{number}"
            if number < len(parts) - 1:
                one["inlineKeyboardMarkup"] = None
            answer = await self._do("messages/sendText", one)
            if answer.msg_id is not None:
                ids.append(answer.msg_id)
        answer.msg_ids = ids
        return answer

    def _request_id(self, chat_id: str, given: str | None) -> str | None:
        if given is not None or not self.auto_request_id:
            return given
        return new_request_id(self.id, chat_id)


def _relations(reply: Ids, forward_chat_id: str | None, forward: Ids) -> dict[str, Any]:
    if (forward_chat_id is None) != (forward is None):
        raise ValueError("forward_chat_id and forward_msg_id go together: give both or none")
    return {"replyMsgId": join_ids(reply), "forwardChatId": forward_chat_id, "forwardMsgId": join_ids(forward)}


def _check_source(file_id: str | None, file: Any, forward: Ids) -> None:
    if file_id is not None and file is not None:
        raise ValueError("Give file_id for a file that the server has or file for a new one, not both")
    if file_id is None and file is None and forward is None:
        raise ValueError("There is nothing to send: give file_id, file or a message to pass on")


__all__ = ["MessageMethods"]
