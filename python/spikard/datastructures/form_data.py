"""The fields of a form."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

from spikard.datastructures.upload_file import UploadFile

Value = str | UploadFile


class FormData(Mapping[str, Value]):
    """Immutable multi-mapping of field names to texts and files; the last value wins.

        form = await request.form()
        form["title"], form.getlist("photos")

    It works plainly and with `await`.
    """

    __slots__ = ("_items", "_last")

    def __init__(self, items: Iterable[tuple[str, Value]] | Mapping[str, Value] = ()) -> None:
        pairs = items.items() if isinstance(items, Mapping) else items
        self._items: tuple[tuple[str, Value], ...] = tuple(pairs)
        self._last: dict[str, Value] = dict(self._items)

    def __getitem__(self, name: str) -> Value:
        return self._last[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)

    def getlist(self, name: str) -> list[Value]:
        """All values of a name, in the order they came."""
        return [value for key, value in self._items if key == name]

    def multi_items(self) -> list[tuple[str, Value]]:
        """All pairs, in the order they came."""
        return list(self._items)

    def close(self) -> None:
        """Close all files."""
        for _, value in self._items:
            if isinstance(value, UploadFile):
                value.close()

    async def aclose(self) -> None:
        """Close all files, those on disk in a thread."""
        for _, value in self._items:
            if isinstance(value, UploadFile):
                await value.aclose()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FormData):
            return self._items == other._items
        return self._last == other if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __await__(self) -> Generator[Any, None, "FormData"]:
        return self
        yield

    def __repr__(self) -> str:
        return f"FormData({list(self._items)!r})"


__all__ = ["FormData"]
