"""What guards and actions look like to those who annotate them or ask with `isinstance`."""

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class GuardFunc(Protocol):
    """A condition of a context."""

    def __call__(self, context: dict[str, Any], /, **params: Any) -> bool: ...


@runtime_checkable
class AsyncGuardFunc(Protocol):
    """A condition of a context that is awaited."""

    async def __call__(self, context: dict[str, Any], /, **params: Any) -> bool: ...


@runtime_checkable
class ActionFunc(Protocol):
    """Something done with a context."""

    def __call__(self, context: dict[str, Any], /, **params: Any) -> Any: ...


@runtime_checkable
class AsyncActionFunc(Protocol):
    """Something done with a context that is awaited."""

    async def __call__(self, context: dict[str, Any], /, **params: Any) -> Any: ...
