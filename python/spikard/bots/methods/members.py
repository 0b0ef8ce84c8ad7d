"""Who is in a chat, who may be, who may not."""

from collections.abc import AsyncIterator, Iterable

from spikard.bots.methods.base import Methods
from spikard.bots.methods.chats import numbers
from spikard.bots.types.chat import ChatMembers
from spikard.bots.types.response import APIResponse
from spikard.bots.types.user import ChatMember, User


class MemberMethods(Methods):
    """Methods under `chats/` about people. The platform has none for making somebody an admin."""

    async def get_chat_admins(self, chat_id: str) -> list[ChatMember]:
        """Those who rule the chat."""
        answer = await self.request("chats/getAdmins", {"chatId": chat_id})
        return self._read_list(ChatMember, answer.get("admins"))

    async def get_chat_members(self, chat_id: str, cursor: str | None = None) -> ChatMembers:
        """One page of the chat's members; `cursor` of the answer asks for the next."""
        answer = await self.request("chats/getMembers", {"chatId": chat_id, "cursor": cursor})
        return ChatMembers(answer)

    async def iter_chat_members(self, chat_id: str) -> AsyncIterator[ChatMember]:
        """All members of the chat, page by page."""
        cursor: str | None = None
        while True:
            page = await self.get_chat_members(chat_id, cursor)
            for member in page.members:
                yield self._bind(member)
            if page.cursor is None or page.cursor == cursor:
                return
            cursor = page.cursor

    async def get_blocked_users(self, chat_id: str) -> list[User]:
        """Those who were thrown out for good."""
        answer = await self.request("chats/getBlockedUsers", {"chatId": chat_id})
        return self._read_list(User, answer.get("users"))

    async def get_pending_users(self, chat_id: str) -> list[User]:
        """Those who wait to be let in."""
        answer = await self.request("chats/getPendingUsers", {"chatId": chat_id})
        return self._read_list(User, answer.get("users"))

    async def block_user(self, chat_id: str, user_id: str, del_last_messages: bool = False) -> APIResponse:
        """Throws somebody out for good."""
        return await self._do(
            "chats/blockUser", {"chatId": chat_id, "userId": user_id, "delLastMessages": del_last_messages}
        )

    async def unblock_user(self, chat_id: str, user_id: str) -> APIResponse:
        """Lets somebody come again."""
        return await self._do("chats/unblockUser", {"chatId": chat_id, "userId": user_id})

    async def resolve_pending(
        self, chat_id: str, approve: bool = True, user_id: str = "", everyone: bool = False
    ) -> APIResponse:
        """Lets somebody in who waits, or everyone, or refuses them. Raises ValueError for both and for none."""
        if bool(user_id) == everyone:
            raise ValueError("Say who: either user_id or everyone=True")
        who = {"everyone": True} if everyone else {"userId": user_id}
        return await self._do("chats/resolvePending", {"chatId": chat_id, "approve": approve, **who})

    async def add_chat_members(self, chat_id: str, members: Iterable[str]) -> APIResponse:
        """Brings people into the chat. It is tried once if the server may have got it."""
        return await self._do("chats/members/add", {"chatId": chat_id, "members": numbers(members)})

    async def delete_chat_members(self, chat_id: str, members: Iterable[str]) -> APIResponse:
        """Sends people out of the chat."""
        return await self._do("chats/members/delete", {"chatId": chat_id, "members": numbers(members)})


__all__ = ["MemberMethods"]
