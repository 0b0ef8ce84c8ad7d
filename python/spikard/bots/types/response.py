"""What most methods answer."""

from msgspec import field

from spikard.bots.types.base import VKObject


class APIResponse(VKObject):
    """A call that succeeded. `sn` is the id of a new chat; `msg_ids` has all messages of a text sent in parts."""

    ok: bool = True
    description: str | None = None
    msg_id: str | None = None
    file_id: str | None = None
    sn: str | None = None
    msg_ids: list[str] = field(default_factory=list)


__all__ = ["APIResponse"]
