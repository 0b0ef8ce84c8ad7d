"""Chats: what they are called, who may write, making new ones."""

from collections.abc import Iterable
from typing import Any, Literal

from spikard.bots.methods.base import Methods
from spikard.bots.types.chat import ChatInfo
from spikard.bots.types.response import APIResponse
from spikard.bots.uploads import payload


class ChatMethods(Methods):
    """Methods under `chats/` about chats themselves."""

    async def get_chat_info(self, chat_id: str) -> ChatInfo:
        """What the server tells about a chat or, by the id of a person, about them."""
        return await self._ask(ChatInfo, "chats/getInfo", {"chatId": chat_id})

    async def set_chat_title(self, chat_id: str, title: str) -> APIResponse:
        """Gives the chat a title."""
        return await self._do("chats/setTitle", {"chatId": chat_id, "title": title})

    async def set_chat_about(self, chat_id: str, about: str) -> APIResponse:
        """Gives the chat a description."""
        return await self._do("chats/setAbout", {"chatId": chat_id, "about": about})

    async def set_chat_rules(self, chat_id: str, rules: str) -> APIResponse:
        """Gives the chat rules."""
        return await self._do("chats/setRules", {"chatId": chat_id, "rules": rules})

    async def set_chat_avatar(self, chat_id: str, file: Any) -> APIResponse:
        """Gives the chat a picture: an `InputFile`, a path, bytes or an open binary file."""
        return await self._do("chats/avatar/set", {"chatId": chat_id}, payload(file))

    async def create_chat(
        self,
        name: str,
        about: str = "",
        rules: str = "",
        members: Iterable[str] | None = None,
        public: bool = False,
        join_moderation: bool = False,
        default_role: Literal["member", "readonly"] = "member",
    ) -> APIResponse:
        """Makes a group, or a channel with the role `readonly`. The new chat's id is `sn` of the answer.

        It is tried once if the server may have got it: nobody wants two chats.
        """
        return await self._do(
            "chats/createChat",
            {
                "name": name,
                "about": about or None,
                "rules": rules or None,
                "members": None if members is None else numbers(members),
                "public": public,
                "joinModeration": join_moderation,
                "defaultRole": default_role,
            },
        )


def numbers(members: Iterable[str]) -> list[dict[str, str]]:
    """People as lists of them are sent."""
    return [{"sn": member} for member in ([members] if isinstance(members, str) else members)]


__all__ = ["ChatMethods"]
