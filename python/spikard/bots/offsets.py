"""What was taken over from the servers: up to which event, what of it is not handled yet, and who polls.

A server drops events as soon as a poll acknowledges them, so from then on they exist only here.
"""

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

from spikard.bots.clock import now
from spikard.bots.storages.base import Record, StorageKey

# How often an update is begun alone whose handling ends the process, before it is put aside.
MOST_ATTEMPTS = 3
# In place of a number of attempts: it was begun once more, but so were others, and any of them may have been why the
# process ended.
IN_COMPANY = -1


class JournalEntry(NamedTuple):
    """An update that was taken over and is not handled yet.

    Attributes:
        event_id: Its number at the server.
        raw: The event as the server sent it, JSON.
        attempts: How often it was begun alone, or `IN_COMPANY`, after an end of the process.
    """

    event_id: int
    raw: bytes
    attempts: int = 0


class DeadLetter(NamedTuple):
    """An update that was given up.

    Attributes:
        event_id: Its number at the server.
        raw: The event as the server sent it, JSON.
        attempts: How often it was begun.
        error: Why it was given up.
        died_at: Unix time in seconds.
    """

    event_id: int
    raw: bytes
    attempts: int
    error: str
    died_at: float


class Write(NamedTuple):
    """A record to be kept together with the end of an update, if its version is still the expected one."""

    key: StorageKey
    record: Record
    expected: int


class Finish(StrEnum):
    """What became of the end of an update.

    - `done`: it is gone from the journal, and its records are written
    - `gone`: it was not in the journal, somebody else has ended it; nothing was written
    - `conflict`: a record has another version; nothing was written
    """

    DONE = "done"
    GONE = "gone"
    CONFLICT = "conflict"


@runtime_checkable
class OffsetStore(Protocol):
    """Where offsets, the journal, dead letters and the leases of polling are kept.

    Attributes:
        is_durable: Whether it outlives the process. Only then is it worth a write for each batch and each update.
    """

    is_durable: bool

    async def last_id(self, bot_id: str) -> int:
        """The greatest id that was taken over; 0 for a bot that has never polled."""

    async def take(self, bot_id: str, last_id: int, entries: Sequence[JournalEntry]) -> None:
        """Keeps entries and the offset, all or nothing. Entries that are there already stay as they are."""

    async def pending(self, bot_id: str, after: int = -1, limit: int = 1000) -> list[JournalEntry]:
        """What is not handled, by event id, from the first after an id on."""

    async def begin(self, bot_id: str, event_id: int, attempts: int) -> bool:
        """Notes the attempts of an entry, this one included; whether it is still there."""

    async def finish(self, bot_id: str, event_id: int, writes: Sequence[Write] = ()) -> Finish:
        """Drops an entry and keeps records, all or nothing."""

    async def bury(self, bot_id: str, event_id: int, error: str) -> None:
        """Makes an entry a dead letter."""

    async def dead(self, bot_id: str) -> list[DeadLetter]:
        """The dead letters of a bot, by event id."""

    async def revive(self, bot_id: str, event_id: int) -> bool:
        """Puts a dead letter back into the journal, for the next start; whether it was there."""

    async def forget(self, bot_id: str, event_id: int) -> bool:
        """Drops a dead letter; whether it was there."""

    async def hold(self, bot_id: str, holder: str, seconds: float, instead_of: str | None = None) -> str:
        """Takes or renews the lease of polling for so long; gives who has it now.

        A lease that another has is taken only when it has run out, or if that one is the one named, who is known to be
        gone.
        """

    async def release(self, bot_id: str, holder: str) -> None:
        """Gives the lease back, if the holder has it."""

    async def close(self) -> None:
        """Lets go of connections."""


class MemoryOffsets:
    """An `OffsetStore` that is gone with its process. Records are not its own: it takes none to write."""

    is_durable = False

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._journal: dict[str, dict[int, JournalEntry]] = {}
        self._dead: dict[str, dict[int, DeadLetter]] = {}
        self._leases: dict[str, tuple[str, float]] = {}

    async def last_id(self, bot_id: str) -> int:
        """The greatest id that was taken over."""
        return self._last.get(bot_id, 0)

    async def take(self, bot_id: str, last_id: int, entries: Sequence[JournalEntry]) -> None:
        """Keeps entries and the offset."""
        journal = self._journal.setdefault(bot_id, {})
        for entry in entries:
            journal.setdefault(entry.event_id, entry)
        self._last[bot_id] = max(last_id, self._last.get(bot_id, 0))

    async def pending(self, bot_id: str, after: int = -1, limit: int = 1000) -> list[JournalEntry]:
        """What is not handled, by event id."""
        entries = sorted(self._journal.get(bot_id, {}).values())
        return [entry for entry in entries if entry.event_id > after][:limit]

    async def begin(self, bot_id: str, event_id: int, attempts: int) -> bool:
        """Notes an attempt."""
        journal = self._journal.get(bot_id, {})
        if event_id not in journal:
            return False
        journal[event_id] = journal[event_id]._replace(attempts=attempts)
        return True

    async def finish(self, bot_id: str, event_id: int, writes: Sequence[Write] = ()) -> Finish:
        """Drops an entry. Raises ValueError if there are records to write."""
        if writes:
            raise ValueError("MemoryOffsets keeps no records")
        return Finish.DONE if self._journal.get(bot_id, {}).pop(event_id, None) is not None else Finish.GONE

    async def bury(self, bot_id: str, event_id: int, error: str) -> None:
        """Makes an entry a dead letter."""
        entry = self._journal.get(bot_id, {}).pop(event_id, None)
        if entry is not None:
            letter = DeadLetter(event_id, entry.raw, entry.attempts, error, now())
            self._dead.setdefault(bot_id, {})[event_id] = letter

    async def dead(self, bot_id: str) -> list[DeadLetter]:
        """The dead letters of a bot."""
        return sorted(self._dead.get(bot_id, {}).values())

    async def revive(self, bot_id: str, event_id: int) -> bool:
        """Puts a dead letter back into the journal."""
        letter = self._dead.get(bot_id, {}).pop(event_id, None)
        if letter is None:
            return False
        self._journal.setdefault(bot_id, {})[event_id] = JournalEntry(event_id, letter.raw)
        return True

    async def forget(self, bot_id: str, event_id: int) -> bool:
        """Drops a dead letter."""
        return self._dead.get(bot_id, {}).pop(event_id, None) is not None

    async def hold(self, bot_id: str, holder: str, seconds: float, instead_of: str | None = None) -> str:
        """Takes or renews the lease of polling."""
        moment = time.monotonic()
        held_by, until = self._leases.get(bot_id, (holder, moment))
        if held_by not in (holder, instead_of) and until > moment:
            return held_by
        self._leases[bot_id] = (holder, moment + seconds)
        return holder

    async def release(self, bot_id: str, holder: str) -> None:
        """Gives the lease back."""
        if self._leases.get(bot_id, ("", 0.0))[0] == holder:
            del self._leases[bot_id]

    async def close(self) -> None:
        """Keeps everything: a dispatcher that polls again goes on with it."""


__all__ = [
    "IN_COMPANY", "MOST_ATTEMPTS", "DeadLetter", "Finish", "JournalEntry", "MemoryOffsets", "OffsetStore", "Write",
]  # fmt: skip
