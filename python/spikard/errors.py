"""Everything Spikard raises: one shallow tree under `SpikardError`."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

Fault = dict[str, Any]


class SpikardError(Exception):
    """The root of all exceptions of this package."""


class ConfigError(SpikardError):
    """The application cannot start as it is configured."""


class RouteError(SpikardError):
    """A route cannot be registered; the message names the handler, the parameter and the way out."""


class RouteConflict(RouteError):  # noqa: N818 - a public name
    """Two handlers claim the same method and path."""


class EncodeError(SpikardError):
    """A handler's result has no JSON form."""


class StreamConsumed(SpikardError):  # noqa: N818 - a public name
    """The body was asked for as a whole after its stream had begun."""


class BackgroundQueueFull(SpikardError):  # noqa: N818 - a public name
    """The background queue takes no more work."""


class WebSocketDisconnect(SpikardError):  # noqa: N818 - a public name
    """The other side of a WebSocket is gone; 1006 stands for a connection that broke."""

    def __init__(self, code: int = 1000, reason: str = "") -> None:
        self.code = code
        self.reason = reason
        super().__init__(code, reason)

    def __str__(self) -> str:
        return f"the WebSocket was closed with {self.code}{f': {self.reason}' if self.reason else ''}"


class DIError(SpikardError):
    """Something is wrong with how dependencies are registered or asked for."""


class UnknownDependency(DIError):  # noqa: N818 - a public name
    """A key that nobody has registered and that cannot be built by itself; the message tells who asked for it."""


class CyclicDependency(DIError):  # noqa: N818 - a public name
    """To build a value one needs the value itself."""


class AsyncDependency(DIError):  # noqa: N818 - a public name
    """A provider has to be awaited where nobody awaits."""


class ScopeError(DIError):
    """A scoped value was asked for where there is no scope."""


class CaptiveDependency(ScopeError):  # noqa: N818 - a public name
    """A singleton would keep a scoped value beyond the end of its scope."""


class DependencyTypeError(DIError):
    """A provider makes something else than what its key promises."""


class DuplicateRegistration(DIError):  # noqa: N818 - a public name
    """A key has been registered twice."""


class ContainerFrozen(DIError):  # noqa: N818 - a public name
    """The container takes no registrations once it has been initialised."""


class ContainerClosed(DIError):  # noqa: N818 - a public name
    """The container has been closed."""


class ValidationException(SpikardError):  # noqa: N818 - a public name
    """Answers 422 with these faults; each is a mapping with at least `type`, `loc` and `msg`."""

    def __init__(self, errors: Sequence[Fault]) -> None:
        self.errors: list[Fault] = [dict(error) for error in errors]
        super().__init__(self.errors)

    def __str__(self) -> str:
        count = len(self.errors)
        places = ", ".join(".".join(str(part) for part in error.get("loc", ())) for error in self.errors[:5])
        return f"{count} validation error{'' if count == 1 else 's'}{f' at {places}' if places else ''}"


class HTTPException(SpikardError):  # noqa: N818 - a public name
    """Answers with a status and a problem document.

        raise HTTPException(404, "No such order", headers={"x-order": "17"})

    A mapping as `detail` becomes members of the document, as does `extra`.
    """

    def __init__(
        self,
        status_code: int,
        detail: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        type: str | None = None,  # noqa: A002 - the member's name in RFC 9457
        title: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if not 100 <= status_code <= 599:
            raise ValueError(f"HTTPException: status_code must be from 100 to 599, not {status_code!r}")
        self.status_code = int(status_code)
        self.detail = detail
        self.headers = dict(headers) if headers is not None else None
        self.type = type
        self.title = title
        self.extra = dict(extra) if extra is not None else None
        super().__init__(self.status_code, detail)

    def __str__(self) -> str:
        return f"{self.status_code} {self.title or phrase(self.status_code)}" + (
            f": {self.detail}" if self.detail is not None else ""
        )


class ProblemDetails(SpikardError):  # noqa: N818 - a public name
    """A problem document (RFC 9457), to be raised or returned.

    return ProblemDetails("https://shop.example/out-of-stock", "Out of stock", 409, extensions={"left": 0})
    """

    def __init__(
        self,
        type_uri: str = "about:blank",
        title: str | None = None,
        status: int = 500,
        detail: str | None = None,
        instance: str | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        if not 100 <= status <= 599:
            raise ValueError(f"ProblemDetails: status must be from 100 to 599, not {status!r}")
        self.type_uri = type_uri
        self.status = int(status)
        self.title = phrase(self.status) if title is None else title
        self.detail = detail
        self.instance = instance
        self.extensions: dict[str, Any] = dict(extensions) if extensions is not None else {}
        super().__init__(type_uri, self.title, self.status, detail, instance, self.extensions)

    def __str__(self) -> str:
        return f"{self.status} {self.title}" + (f": {self.detail}" if self.detail is not None else "")

    def __eq__(self, other: object) -> bool:
        return self.args == other.args if isinstance(other, ProblemDetails) else NotImplemented

    __hash__ = Exception.__hash__

    def to_dict(self) -> dict[str, Any]:
        """The document; members that are None are left out, extensions stand beside the named ones."""
        named = {
            "type": self.type_uri,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": self.instance,
        }
        document: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
        return {**document, **{name: value for name, value in self.extensions.items() if name not in document}}


class AsgiAnswer(SpikardError):  # noqa: N818 - an answer on its way, no fault
    """Carries an ASGI application that a handler has returned to where the request is at hand to call it with."""

    def __init__(self, app: Any) -> None:
        super().__init__("a handler returned an ASGI application")
        self.app = app


def phrase(status: int) -> str:
    """The reason phrase of a status code."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown Status"


__all__ = [
    "AsgiAnswer",
    "AsyncDependency",
    "BackgroundQueueFull",
    "CaptiveDependency",
    "ConfigError",
    "ContainerClosed",
    "ContainerFrozen",
    "CyclicDependency",
    "DIError",
    "DependencyTypeError",
    "DuplicateRegistration",
    "EncodeError",
    "HTTPException",
    "ProblemDetails",
    "RouteConflict",
    "RouteError",
    "ScopeError",
    "SpikardError",
    "StreamConsumed",
    "UnknownDependency",
    "ValidationException",
    "WebSocketDisconnect",
]
