"""Profiles, remembered for a while."""

import time
from collections import OrderedDict

from spikard.bots.methods.chats import ChatMethods
from spikard.bots.types.user import UserInfo

_MOST = 10_000
_SECONDS = 600.0


class PeopleMethods(ChatMethods):
    """Profiles of people."""

    def __init__(self) -> None:
        self._people: OrderedDict[str, tuple[float, UserInfo]] = OrderedDict()

    async def get_user(self, user_id: str, cache: bool = True) -> UserInfo:
        """Somebody's profile, by id or nick; remembered for ten minutes.

        Raises:
            ValueError: It is the id of a group or a channel.
        """
        known = self._people.get(user_id) if cache else None
        if known is not None and known[0] > time.monotonic():
            self._people.move_to_end(user_id)
            return known[1]
        info = await self.get_chat_info(user_id)
        if info.type not in ("", "private"):
            raise ValueError(f"{user_id} is a {info.type}, not a person")
        fields = {name: getattr(info, name) for name in UserInfo.__struct_fields__ if hasattr(info, name)}
        found = self._bind(UserInfo(user_id=user_id, **fields))
        self._people[user_id] = (time.monotonic() + _SECONDS, found)
        self._people.move_to_end(user_id)
        while len(self._people) > _MOST:
            self._people.popitem(last=False)
        return found

    async def get_user_name(self, user_id: str, cache: bool = True) -> str:
        """Somebody's name."""
        return (await self.get_user(user_id, cache)).full_name

    def clear_user_cache(self) -> None:
        """Forgets all profiles."""
        self._people.clear()


__all__ = ["PeopleMethods"]
