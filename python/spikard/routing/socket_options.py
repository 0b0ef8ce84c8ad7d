"""What the keywords of `websocket` say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from spikard._spikard import JsonSchema
from spikard.errors import RouteError
from spikard.routing.handler_plan import SocketPlan

OVERFLOW = ("wait", "close")
ON_INVALID = ("reply", "close")
VALIDATE = ("log", "strict")


class SocketKeywords(TypedDict, total=False):
    """The keywords of a WebSocket's limits and switches."""

    message_schema: Mapping[str, Any] | None
    response_schema: Mapping[str, Any] | None
    max_message_size: int
    ping_interval: float | None
    ping_timeout: float | None
    idle_timeout: float | None
    compression: bool
    queue: int
    overflow: Literal["wait", "close"]
    on_invalid: Literal["reply", "close"]
    validate: Literal["log", "strict"]
    subprotocols: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketOptions:
    """Limits and switches of a WebSocket; times are seconds, sizes bytes, None switches off."""

    message_schema: Mapping[str, Any] | None = None
    response_schema: Mapping[str, Any] | None = None
    max_message_size: int = 1_048_576
    ping_interval: float | None = 20
    ping_timeout: float | None = 20
    idle_timeout: float | None = None
    compression: bool = True
    queue: int = 64
    overflow: Literal["wait", "close"] = "wait"
    on_invalid: Literal["reply", "close"] = "reply"
    validate: Literal["log", "strict"] = "log"
    subprotocols: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("max_message_size", "queue"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise _refusal(name, "a whole number of at least 1", value)
        for name in ("ping_interval", "ping_timeout", "idle_timeout"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int | float) or value <= 0):
                raise _refusal(name, "a number of seconds above 0, or None", value)
        for name, choices in (("overflow", OVERFLOW), ("on_invalid", ON_INVALID), ("validate", VALIDATE)):
            if getattr(self, name) not in choices:
                raise _refusal(name, f"one of {', '.join(choices)}", getattr(self, name))
        if isinstance(self.subprotocols, str) or not all(isinstance(name, str) for name in self.subprotocols):
            raise _refusal("subprotocols", "a sequence of names", self.subprotocols)

    def plan(self, *, is_message_style: bool, reply_schema: Mapping[str, Any] | None) -> SocketPlan:
        """What the native side needs of it; ValueError for a schema that is none."""
        return SocketPlan(
            is_message_style=is_message_style,
            max_message_size=self.max_message_size,
            ping_interval=self.ping_interval,
            ping_timeout=self.ping_timeout,
            idle_timeout=self.idle_timeout,
            compression=self.compression,
            subprotocols=tuple(self.subprotocols),
            queue=self.queue,
            closes_on_overflow=self.overflow == "close",
            closes_invalid=self.on_invalid == "close",
            reply_schema=JsonSchema(reply_schema) if reply_schema is not None else None,
            strict=self.validate == "strict",
        )


def _refusal(name: str, expected: str, value: object) -> RouteError:
    return RouteError(f"websocket: {name} must be {expected}, not {value!r}")


__all__ = ["SocketKeywords", "SocketOptions"]
