"""The cookies of a request."""

from collections.abc import Iterable


class Cookies(dict[str, str]):
    """A dict of the last value of each name; `getlist` has all that were sent."""

    __slots__ = ("_sent",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._sent = list(pairs)
        super().__init__(self._sent)

    def getlist(self, name: str) -> list[str]:
        """Every value of a name, in the order they were sent; of one that has been set since, that value alone."""
        if name not in self:
            return []
        sent = [value for key, value in self._sent if key == name]
        return sent if sent and sent[-1] == self[name] else [self[name]]


__all__ = ["Cookies"]
