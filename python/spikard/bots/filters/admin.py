"""Who is in charge of a chat."""

from collections import OrderedDict
from time import monotonic
from typing import Any

from spikard.bots.filters.base import BaseFilter

_LIMIT = 10_000


class AdminFilter(BaseFilter):
    """Passes for admins of the chat.

    Args:
        cache: Seconds for which the admins of a chat are remembered; one call of the API for each chat in that time.
    """

    injects = ()

    def __init__(self, cache: float = 60.0) -> None:
        self._seconds = cache
        self._known: OrderedDict[tuple[Any, str], tuple[float, frozenset[str]]] = OrderedDict()

    async def __call__(self, event: Any, bot: Any = None, **kwargs: Any) -> bool:
        """Judges an event by who sent it."""
        del kwargs
        chat, user = getattr(event, "chat", None), getattr(event, "from_user", None)
        if chat is None or user is None:
            return False
        bot = bot or event.bot
        place = (bot, chat.chat_id)
        at, admins = self._known.get(place, (float("-inf"), frozenset()))
        if monotonic() - at >= self._seconds:
            found = await bot.get_chat_admins(chat.chat_id)
            admins = frozenset(member.user_id for member in found)
            self._known[place] = (monotonic(), admins)
            self._known.move_to_end(place)
            if len(self._known) > _LIMIT:
                self._known.popitem(last=False)
        return user.user_id in admins


__all__ = ["AdminFilter"]
