"""Ids by which the server knows a message that it already has."""

import secrets
import time
from base64 import b32encode
from contextvars import ContextVar
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

_LENGTH = 26


@dataclass(slots=True)
class HandlerRun:
    """One run of a handler for one event. The same run after a crash makes the same ids, in the same order."""

    event_id: int
    handler_id: str
    calls: int = 0
    # What the handler is given.
    data: dict[str, Any] = field(default_factory=dict, repr=False)


# Set by the dispatcher around a handler.
current_run: ContextVar[HandlerRun | None] = ContextVar("spikard_bots_handler_run", default=None)


def new_request_id(bot_id: str, chat_id: str) -> str:
    """An id for the next message: determined by the handler's run, or unlike any other outside of one."""
    run = current_run.get()
    if run is None:
        return str(uuid7())
    run.calls += 1
    return fixed_id(bot_id, str(run.event_id), run.handler_id, str(run.calls), chat_id)


def fixed_id(*parts: str) -> str:
    """An id that the parts determine."""
    # Lengths, so that no two lists of parts make one text.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return b32encode(sha256(text.encode()).digest()).decode()[:_LENGTH]


def uuid7() -> UUID:
    """A UUID that sorts by time. Python makes them itself from 3.14 on."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
    return UUID(int=number)


__all__ = ["HandlerRun", "current_run", "fixed_id", "new_request_id", "uuid7"]
