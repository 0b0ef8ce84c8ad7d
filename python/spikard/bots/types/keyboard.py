"""A button of a message that somebody else has sent."""

from spikard.bots.types.base import VKObject


class Button(VKObject):
    """One button; where both are there, the url wins over the callback data."""

    text: str
    url: str | None = None
    callback_data: str | None = None
    style: str | None = None


__all__ = ["Button"]
