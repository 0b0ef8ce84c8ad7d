"""A live session kept in a file, and run again as a test.

The file has a line of JSON for each answer of the server: the method, its parameters without the token, and the answer.
Texts and names of people are in it as they were; look at it before you share it.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

import msgspec

from spikard.bots.bot import Bot
from spikard.bots.calls import POLL, Call
from spikard.bots.errors import APIError
from spikard.bots.redaction import redact
from spikard.bots.retry import ONCE
from spikard.bots.session import refusal
from spikard.bots.types.event import Update

if TYPE_CHECKING:
    from spikard.bots.dispatcher.dispatcher import Dispatcher

# Drawn anew outside of handlers, and without meaning for what a bot does.
_IGNORED = frozenset({"requestId", "token"})


class Line(msgspec.Struct, omit_defaults=True):
    """What one call came to."""

    method: str
    params: dict[str, Any] = {}
    answer: dict[str, Any] | None = None
    error: str | None = None
    bot: str | None = None


class Recording:
    """Writes a session down until `close`, or to the end of a `with` block."""

    def __init__(self, bot: Bot, file: Path) -> None:
        self._out: TextIO | None = file.open("w", encoding="utf-8")
        self._account: str | None = bot.id
        bot.use(self._noted)

    async def _noted(self, call: Call, bot: Bot, method: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = await call(bot, method, params)
        except APIError as error:
            self._write(Line(method, _plain(params), error=error.message))
            raise
        # Polls in which nothing happened say nothing.
        if method != POLL or answer.get("events"):
            self._write(Line(method, _plain(params), answer=answer))
        return answer

    def _write(self, line: Line) -> None:
        if self._out is not None:
            line.bot, self._account = self._account, None
            self._out.write(redact(msgspec.json.encode(line).decode()) + "\n")
            self._out.flush()

    def close(self) -> None:
        """Ends it; the bot goes on unheard."""
        if self._out is not None:
            self._out.close()
            self._out = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Difference(AssertionError):  # noqa: N818 - what a test says, not a fault of a program
    """The bot has done something else than in the session, or not everything."""


class Replay:
    """A session that happens again: `await replay("session.jsonl").run(dp)`."""

    def __init__(self, lines: list[Line]) -> None:
        polls = [line for line in lines if line.method == POLL and line.answer]
        self.events: list[dict[str, Any]] = [event for line in polls for event in (line.answer or {})["events"]]
        self._left = deque(line for line in lines if line.method not in (POLL, "self/get"))
        self._me = next((line.answer for line in lines if line.method == "self/get" and line.answer), None)
        account = next((line.bot for line in lines if line.bot), None) or "0"
        self.bot = Bot(f"replay:{account}", "http://replay.example", retry=ONCE)
        self.bot.use(self._answered)

    async def run(self, dp: "Dispatcher", **data: Any) -> None:
        """Shows the events of the session to a dispatcher, one after another; its calls get the answers they had.

        Raises:
            Difference: A call is not in the session, or one of the session was not made.
        """
        await self.bot.get_me()
        for event in self.events:
            update = Update.from_dict(event)
            await dp.feed_update(self.bot, update, raise_errors=True, **data)
        if self._left:
            missing = "\n  ".join(_shown(line.method, line.params) for line in self._left)
            raise Difference(f"the bot has not called, as it did in the session:\n  {missing}")

    async def _answered(self, call: Call, bot: Bot, method: str, params: dict[str, Any]) -> dict[str, Any]:
        del call  # there is no server
        if method == "self/get":
            return self._me or {"userId": bot.id}
        asked = _plain(params)
        for line in self._left:
            if line.method == method and line.params == asked:
                self._left.remove(line)
                if line.error is not None:
                    raise refusal(method, line.error)
                return line.answer or {}
        expected = "\n  ".join(_shown(line.method, line.params) for line in self._left) or "no more calls"
        raise Difference(
            f"the bot calls {_shown(method, asked)}\nwhich is not in the session; there comes:\n  {expected}"
        )


def record(bot: Bot, file: str | Path) -> Recording:
    """Writes down what a bot asks and what the server answers, to be run again by `replay`; without the token.

    Works with or without `with`. A file that is there is written anew; files that are sent are not kept.
    """
    return Recording(bot, Path(file))


def replay(file: str | Path) -> Replay:
    """A session that `record` has written.

    Raises:
        ValueError: A line is none of its own.
    """
    return Replay(list(_lines(Path(file))))


def _lines(file: Path) -> Iterator[Line]:
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            yield msgspec.json.decode(text, type=Line)
        except msgspec.DecodeError as fault:
            raise ValueError(f"{file}:{number} is no line of a recorded session: {fault}") from None


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as they are in a file."""
    kept = {name: value for name, value in params.items() if name not in _IGNORED}
    plain: dict[str, Any] = msgspec.json.decode(redact(msgspec.json.encode(kept, enc_hook=_encoded).decode()))
    return plain


def _encoded(value: Any) -> Any:
    return value.to_dict(exclude_none=True) if hasattr(value, "to_dict") else str(value)


def _shown(method: str, params: Mapping[str, Any]) -> str:
    return f"{method} {msgspec.json.encode(params).decode()}"


__all__ = ["Difference", "Recording", "Replay", "record", "replay"]
