"""What the server knows about a file."""

from spikard.bots.types.base import VKObject


class File(VKObject):
    """A stored file; `size` in bytes. The url wants the bot's token, which `bot.download_file` adds."""

    file_id: str | None = None
    type: str | None = None
    size: int | None = None
    filename: str | None = None
    url: str | None = None


__all__ = ["File"]
