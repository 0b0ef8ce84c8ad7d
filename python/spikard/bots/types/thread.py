"""Threads under messages."""

from msgspec import field

from spikard.bots.types.base import VKObject


class Thread(VKObject):
    """A thread; its id is that of a chat of its own."""

    thread_id: str = ""
    msg_id: str | None = None
    ok: bool = True


class Subscriber(VKObject):
    """Somebody who follows a thread."""

    user_id: str
    first_name: str | None = None
    last_name: str | None = None
    nick: str | None = None


class ThreadSubscribers(VKObject):
    """One page of those who follow a thread."""

    cursor: str | None = None
    subscribers: list[Subscriber] = field(default_factory=list)


__all__ = ["Subscriber", "Thread", "ThreadSubscribers"]
