"""One event, as the server delivers it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec import field

from spikard.bots.types.base import VKObject

if TYPE_CHECKING:
    from spikard.bots.bot import Bot


@cache
def _decoder() -> Callable[[str, Mapping[str, Any]], tuple[VKObject | None, list[str]]]:
    # The models of payloads know this one.
    from spikard.bots._events import decode_payload

    return decode_payload


class Update(VKObject):
    """An event before it is read: what kind, and everything the server said of it."""

    event_id: int
    type: str
    payload: dict[str, Any] = field(default_factory=dict)

    def set_bot(self, bot: "Bot") -> None:
        """Binds the event, and its object if that was read already."""
        memory = self.__dict__
        memory["_bot"] = bot
        decoded = memory.get("_decoded")
        if decoded is not None:
            decoded.set_bot(bot)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | Self) -> Self:
        """Makes an update from names of the wire or of Python; raises `DecodeError` for what does not fit."""
        if type(data) is dict:
            # By names of the wire there is nothing to translate.
            with suppress(msgspec.ValidationError):
                return msgspec.convert(data, cls, strict=False)
        return super().from_dict(data)

    @property
    def decoded(self) -> VKObject | None:
        """The event as an object of its type, read once; None for a type that nobody knows. Raises `DecodeError`."""
        memory = self.__dict__
        if "_decoded" in memory:
            found: VKObject | None = memory["_decoded"]
            return found
        decoded, issues = _decoder()(self.type, self.payload)
        memory["_decoded"], memory["_issues"] = decoded, issues
        bot = memory.get("_bot")
        if decoded is not None and bot is not None:
            decoded.set_bot(bot)
        return decoded

    @property
    def issues(self) -> list[str]:
        """Fields that were left out since they did not fit, and why."""
        if self.decoded is None:
            return []
        found: list[str] = self.__dict__["_issues"]
        return found


__all__ = ["Update"]
