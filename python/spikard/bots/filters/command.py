"""Commands: `/start payload`."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from spikard.bots.filters.base import BuiltinFilter, Key, Verdict
from spikard.bots.magic import MagicFilter

# A name that no argument can have: what the text of an event was taken apart to.
_TAKEN = "spikard.command"
_MENTION = re.compile(r"@\[([^\]]+)\]\s*")


@dataclass
class CommandObject:
    """A command, taken apart.

    Attributes:
        prefix: What it began with.
        command: Its first word, as written.
        args: What follows; empty if nothing does.
        raw_text: The whole text, stripped.
        match: What a pattern has found.
        magic_result: What `magic` has found.
    """

    prefix: str
    command: str
    args: str
    raw_text: str
    match: re.Match[str] | None = None
    magic_result: Any = None

    @property
    def text(self) -> str:
        """The command as it was written."""
        return f"{self.prefix}{self.command} {self.args}".rstrip()


class Command(BuiltinFilter):
    """Messages that begin with one of these commands; with any command if none is named. Injects `command`.

    Args:
        commands: Words, or patterns that must match the word from its beginning.
        prefix: What stands before the word; of several the longest that fits.
        ignore_case: Whether `/START` is `/start`. Patterns decide for themselves.
        mention: Whether the command must name this bot, as in `/start@nick`. None takes both, but never another bot's.
        magic: A condition on the `CommandObject`.
    """

    injects = ("command",)

    def __init__(
        self,
        *commands: str | re.Pattern[str],
        prefix: str | tuple[str, ...] | list[str] = "/",
        ignore_case: bool = True,
        mention: bool | None = None,
        magic: MagicFilter | None = None,
    ) -> None:
        for command in commands:
            if not isinstance(command, str | re.Pattern):
                raise TypeError(f"a command is text or a pattern, not {command!r}")
        self.commands = commands
        self.prefixes: tuple[str, ...] = (prefix,) if isinstance(prefix, str) else tuple(prefix)
        self.ignore_case = ignore_case
        self.mention = mention
        self.magic = magic
        # The same object for all with the same prefixes.
        self._longest_first = _longest_first(self.prefixes)
        self._patterns = [command for command in commands if isinstance(command, re.Pattern)]
        self._words = frozenset(self._folded(command) for command in commands if isinstance(command, str))

    def _folded(self, word: str) -> str:
        return word.lower() if self.ignore_case else word

    def parse(self, event: Any, bot: Any = None) -> CommandObject | None:
        """The command of a message, whichever it is; None if it has none."""
        return self._object(_taken_apart(event, bot, self._longest_first))

    def _object(self, parts: "_Parts | None") -> CommandObject | None:
        if parts is None or (self.mention is not None and self.mention is not parts.is_named):
            return None
        return CommandObject(prefix=parts.prefix, command=parts.word, args=parts.args, raw_text=parts.text)

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges a message."""
        parts = _parts_of(event, data, self._longest_first)
        if parts is None:
            return False
        match = None
        if self.commands and self._folded(parts.word) not in self._words:
            match = next((found for pattern in self._patterns if (found := pattern.match(parts.word))), None)
            if match is None:
                return False
        command = self._object(parts)
        if command is None:
            return False
        command.match = match
        if self.magic is not None:
            found = self.magic.resolve(command)
            if not found:
                return False
            command = replace(command, magic_result=found)
        return {"command": command}

    def key(self) -> Key | None:
        """Its words, unless a pattern could match others."""
        if not self._words or self._patterns:
            return None
        is_exact = self.mention is None and self.magic is None
        return Key(("command", self._longest_first, self.ignore_case), tuple(self._words), 0, is_exact)

    def __repr__(self) -> str:
        return f"Command({', '.join(map(repr, self.commands))})"


@lru_cache(maxsize=1024)
def _longest_first(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(prefixes, key=len, reverse=True))


class _Parts(NamedTuple):
    """A text that is a command, before anybody has asked for one."""

    prefix: str
    word: str
    args: str
    text: str
    # Whether it says that it is for this bot.
    is_named: bool


def _taken_apart(event: Any, bot: Any, prefixes: tuple[str, ...]) -> _Parts | None:
    text = getattr(event, "text", None) or getattr(event, "caption", None)
    if not text or not isinstance(text, str):
        return None
    text = text.strip()
    begin = text
    is_named = False
    if begin.startswith("@["):
        named = _MENTION.match(begin)
        if named is not None:
            if bot is None or named[1] not in _names_of(bot):
                return None
            begin, is_named = begin[named.end() :], True
    if not begin.startswith(prefixes):
        return None
    prefix = next(prefix for prefix in prefixes if begin.startswith(prefix))
    word, args = _first_word(begin[len(prefix) :])
    if not word:
        return None
    if "@" in word and prefix:
        bare, _, nick = word.partition("@")
        if bare and nick and bot is not None:
            if nick in _names_of(bot):
                word, is_named = bare, True
            elif getattr(bot, "me", None) is not None:
                return None  # another bot's
    return _Parts(prefix, word, args, text, is_named)


def _parts_of(event: Any, data: dict[str, Any], prefixes: tuple[str, ...]) -> _Parts | None:
    """As `_taken_apart`, once for an event: the plan asks, and then the filter of each handler that it finds."""
    text = getattr(event, "text", None)
    known = data.get(_TAKEN)
    if known is not None and known[0] is event and known[1] is prefixes and known[2] is text:
        parts: _Parts | None = known[3]
        return parts
    parts = _taken_apart(event, data.get("bot"), prefixes)
    if text is not None:
        data[_TAKEN] = (event, prefixes, text, parts)
    return parts


def _first_word(text: str) -> tuple[str, str]:
    """The first word, empty if there is none, and what follows."""
    word, *rest = text.split(maxsplit=1) or ("",)
    return word, rest[0] if rest else ""


def _names_of(bot: Any) -> tuple[str, ...]:
    me = getattr(bot, "me", None)
    known = (getattr(bot, "id", None), getattr(me, "user_id", None), getattr(me, "nick", None))
    return tuple(name for name in known if isinstance(name, str))


def words_of(prefixes: tuple[str, ...], ignore_case: bool) -> Callable[[Any, dict[str, Any]], str | None]:
    """The first word of an event's command, as a table of commands with these prefixes has it."""

    def word(event: Any, data: dict[str, Any]) -> str | None:
        parts = _parts_of(event, data, prefixes)
        if parts is None:
            return None
        return parts.word.lower() if ignore_case else parts.word

    return word


class CommandStart(Command):
    """`/start`, with what a deep link says.

    Args:
        deep_link: Whether there must be something after it.
        decode: Whether that is Base64 for addresses, and is to be injected as the text it stands for.
    """

    def __init__(
        self,
        deep_link: bool = False,
        decode: bool = False,
        ignore_case: bool = True,
        mention: bool | None = None,
        magic: MagicFilter | None = None,
    ) -> None:
        super().__init__("start", ignore_case=ignore_case, mention=mention, magic=magic)
        self.deep_link = deep_link
        self.decode = decode

    def key(self) -> Key | None:
        """Its word."""
        key = super().key()
        return key if key is None or not self.deep_link else key._replace(is_exact=False)

    def check(self, event: Any, data: dict[str, Any]) -> Verdict:
        """Judges a message."""
        found = super().check(event, data)
        if not isinstance(found, dict):
            return False
        command: CommandObject = found["command"]
        if not self.deep_link:
            return found
        if not command.args:
            return False
        if self.decode:
            try:
                padded = command.args + "=" * (-len(command.args) % 4)
                return {
                    "command": replace(command, args=base64.b64decode(padded, altchars=b"-_", validate=True).decode())
                }
            except ValueError:
                return False
        return found


__all__ = ["Command", "CommandObject", "CommandStart", "words_of"]
