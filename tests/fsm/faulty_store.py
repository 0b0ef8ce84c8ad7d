"""A store whose n-th call goes wrong."""

import inspect
from typing import Any


class Fault(ConnectionError):  # noqa: N818 - what it is
    """What libraries raise when a server is out of reach."""


class Crash(BaseException):
    """What nobody handles: the process is as good as gone."""


class FaultyStore:
    """A store that raises at its n-th call, before or after having done what was asked; never, without a number."""

    def __init__(self, store: Any, error: type[BaseException] = Fault, *, is_after: bool = False) -> None:
        self._store = store
        self._error = error
        self._is_after = is_after
        self.fails_at: int | None = None
        self.calls = 0

    @property
    def capabilities(self) -> frozenset[str]:
        return frozenset(self._store.capabilities)

    def load(self, *arguments: Any) -> Any:
        return self._call("load", *arguments)

    def commit(self, *arguments: Any) -> Any:
        return self._call("commit", *arguments)

    async def aload(self, *arguments: Any) -> Any:
        return await self._acall("aload", *arguments)

    async def acommit(self, *arguments: Any) -> Any:
        return await self._acall("acommit", *arguments)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name.startswith("_") or not callable(found):
            return found
        if inspect.iscoroutinefunction(found):
            return lambda *arguments: self._acall(name, *arguments)
        return lambda *arguments: self._call(name, *arguments)

    def _call(self, name: str, *arguments: Any) -> Any:
        is_now = self._counts()
        if is_now and not self._is_after:
            raise self._error(name)
        answer = getattr(self._store, name)(*arguments)
        if is_now:
            raise self._error(name)
        return answer

    async def _acall(self, name: str, *arguments: Any) -> Any:
        is_now = self._counts()
        if is_now and not self._is_after:
            raise self._error(name)
        answer = await getattr(self._store, name)(*arguments)
        if is_now:
            raise self._error(name)
        return answer

    def _counts(self) -> bool:
        number, self.calls = self.calls, self.calls + 1
        return number == self.fails_at
