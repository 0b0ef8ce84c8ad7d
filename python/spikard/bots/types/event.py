"""One event, as the server delivers it."""

from typing import TYPE_CHECKING, Any

from msgspec import field

from spikard.bots.types.base import VKObject

if TYPE_CHECKING:
    from spikard.bots.bot import Bot


class Update(VKObject):
    """An event before it is read: what kind, and everything the server said of it."""

    event_id: int
    type: str
    payload: dict[str, Any] = field(default_factory=dict)

    def set_bot(self, bot: "Bot") -> None:
        """Binds the event, and its object if that was read already."""
        super().set_bot(bot)
        decoded = self.__dict__.get("_decoded")
        if decoded is not None:
            decoded.set_bot(bot)

    @property
    def decoded(self) -> VKObject | None:
        """The event as an object of its type, read once; None for a type that nobody knows. Raises `DecodeError`."""
        from spikard.bots._events import decode_payload

        memory = self.__dict__
        if "_decoded" not in memory:
            decoded, issues = decode_payload(self.type, self.payload)
            memory["_decoded"], memory["_issues"] = decoded, issues
            if decoded is not None and self.bot_or_none is not None:
                decoded.set_bot(self.bot)
        found: VKObject | None = memory["_decoded"]
        return found

    @property
    def issues(self) -> list[str]:
        """Fields that were left out since they did not fit, and why."""
        if self.decoded is None:
            return []
        found: list[str] = self.__dict__["_issues"]
        return found


__all__ = ["Update"]
