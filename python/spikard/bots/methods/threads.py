"""Threads under messages."""

from spikard.bots.methods.base import Methods
from spikard.bots.types.response import APIResponse
from spikard.bots.types.thread import Thread, ThreadSubscribers


class ThreadMethods(Methods):
    """Methods under `threads/`."""

    async def threads_add(self, chat_id: str, msg_id: str) -> Thread:
        """Makes a thread under a message."""
        return await self._ask(Thread, "threads/add", {"chatId": chat_id, "msgId": msg_id})

    async def threads_get_subscribers(
        self, thread_id: str, page_size: int | None = None, cursor: str | None = None
    ) -> ThreadSubscribers:
        """One page of those who follow a thread."""
        return await self._ask(
            ThreadSubscribers,
            "threads/subscribers/get",
            {"threadId": thread_id, "pageSize": page_size, "cursor": cursor},
        )

    async def threads_autosubscribe(self, chat_id: str, enable: bool, with_existing: bool = False) -> APIResponse:
        """Whether everybody in the chat follows its threads."""
        return await self._do(
            "threads/autosubscribe", {"chatId": chat_id, "enable": enable, "withExisting": with_existing}
        )


__all__ = ["ThreadMethods"]
