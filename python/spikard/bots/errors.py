"""Everything that talking with the platform raises: one tree under `BotError`. No text holds a token."""

from spikard.bots.redaction import redact
from spikard.errors import SpikardError


class BotError(SpikardError):
    """The root of all errors of bots."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(redact(arg) if isinstance(arg, str) else arg for arg in args))


class APIError(BotError):
    """The server has refused a call.

    Attributes:
        method: The API's method, like `messages/sendText`.
        message: The server's own words.
    """

    def __init__(self, method: str, message: str | None = None) -> None:
        if message is None:  # a program's own error has no method
            method, message = "", method
        self.method = method
        self.message = redact(message)
        super().__init__(f"API error in {method}: {self.message}" if method else self.message)

    def __reduce__(self) -> tuple[type["APIError"], tuple[str, str]]:
        return type(self), (self.method, self.message)


class InvalidToken(APIError):  # noqa: N818 - a public name
    """The server does not know the bot's token. Repeating will not help."""


class NotAllowed(APIError):  # noqa: N818 - a public name
    """The method is switched off for this bot, or the bot lacks the right in this chat."""


class MethodUnknown(APIError):  # noqa: N818 - a public name
    """This server has no such method: it is too old."""


class NotFound(APIError):  # noqa: N818 - a public name
    """The chat, the message or the file does not exist, or the bot cannot see it."""


class RateLimited(APIError):  # noqa: N818 - a public name
    """The server wants fewer calls, and waiting would take longer than the retry's budget.

    Attributes:
        retry_after: Seconds that the server asked to wait; None if it did not say.
    """

    def __init__(self, method: str, message: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(method, message)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type["RateLimited"], tuple[str, str, float | None]]:  # type: ignore[override]
        return type(self), (self.method, self.message, self.retry_after)


class NetworkError(BotError):
    """The server was not reached or did not answer; the cause is the HTTP client's error."""


class TLSError(NetworkError):
    """The server's certificate was not accepted; the message says which option to set."""


class ServerError(BotError):
    """The server, or a proxy before it, answered with a fault of its own or with something that is not JSON.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, message: str, status: int = 500) -> None:
        super().__init__(message)
        self.status = status


class FileDownloadError(BotError):
    """A file could not be fetched.

    Attributes:
        url: Where from, without the token.
        message: What went wrong.
    """

    def __init__(self, url: str, message: str) -> None:
        self.url = redact(url)
        self.message = redact(message)
        super().__init__(f"Cannot download {self.url}: {self.message}" if url else self.message)

    def __reduce__(self) -> tuple[type["FileDownloadError"], tuple[str, str]]:
        return type(self), (self.url, self.message)


class DecodeError(BotError, ValueError):
    """What the server sent, or a program passed, does not have the shape of the model.

    Attributes:
        path: Where the fault is, like `$.chat.chatId`; empty if it is not known.
    """

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class HandlerError(BotError):
    """A handler cannot be registered or called as it is declared."""


class MissingArgument(HandlerError):  # noqa: N818 - a public name
    """A handler wants an argument that nothing gives."""


class FSMError(BotError):
    """A dialogue does not fit together, or cannot go on."""


VKWorkspaceError = BotError
VKTeamsAPIError = APIError

__all__ = [
    "APIError",
    "BotError",
    "DecodeError",
    "FSMError",
    "FileDownloadError",
    "HandlerError",
    "InvalidToken",
    "MethodUnknown",
    "MissingArgument",
    "NetworkError",
    "NotAllowed",
    "NotFound",
    "RateLimited",
    "ServerError",
    "TLSError",
    "VKTeamsAPIError",
    "VKWorkspaceError",
]
