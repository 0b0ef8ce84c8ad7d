"""One process polls for a bot; others stand by and take its place."""

import asyncio
import logging
import secrets
from functools import cache
from pathlib import Path
from time import monotonic

from spikard.bots.offsets import OffsetStore

logger = logging.getLogger("spikard.bots.polling")

TTL = 30.0
_LOOKS = 10
_RENEWALS = 3


class PollLease:
    """The right to poll for a bot, kept in a store that processes share.

    Args:
        offsets: The store.
        bot_id: Of which bot.
    """

    def __init__(self, offsets: OffsetStore, bot_id: str) -> None:
        self.holder = f"{_process()}/{secrets.token_hex(8)}"
        self.is_held = False
        # Whether another process has it.
        self.stands_by = False
        self._offsets = offsets
        self._bot_id = bot_id
        self._renewed = 0.0

    async def acquire(self) -> bool:
        """Waits until it is ours; whether somebody else had it."""
        stood_by = False
        while True:
            try:
                self._renewed = monotonic()
                holder = await self._offsets.hold(self._bot_id, self.holder, TTL)
                if holder != self.holder and _is_gone(holder):
                    holder = await self._offsets.hold(self._bot_id, self.holder, TTL, instead_of=holder)
            except Exception as fault:  # noqa: BLE001 - databases come back
                logger.warning("Bot %s: the lease of polling cannot be asked for: %s", self._bot_id, fault)
                holder = ""
            self.stands_by = bool(holder) and holder != self.holder
            if holder == self.holder:
                self.is_held = True
                if stood_by:
                    logger.warning("Bot %s: this process polls from now on", self._bot_id)
                return stood_by
            if holder and not stood_by:
                stood_by = True
                logger.warning("Bot %s: another process polls for it; this one stands by", self._bot_id)
            await asyncio.sleep(TTL / _LOOKS)

    async def kept(self) -> None:
        """Renews it; ends when somebody else has it, or nobody knows any more."""
        try:
            while True:
                await asyncio.sleep(TTL / _RENEWALS)
                now = monotonic()
                try:
                    if await self._offsets.hold(self._bot_id, self.holder, TTL) != self.holder:
                        return
                    self._renewed = now
                except Exception as fault:  # noqa: BLE001 - databases come back
                    logger.warning("Bot %s: the lease of polling cannot be renewed: %s", self._bot_id, fault)
                    if now - self._renewed > TTL:
                        return
        finally:
            self.is_held = False

    async def release(self) -> None:
        """Gives it back, so that those who stand by need not wait until it runs out."""
        await self._offsets.release(self._bot_id, self.holder)


@cache
def _machine() -> str:
    """What all processes that see each other have in common; empty where that cannot be known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _begun(process: str) -> str:
    """When a process of this machine began, in ticks; empty if there is none of the number."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _process() -> str:
    """This process, unlike any other that ever was."""
    machine = _machine()
    if not machine:
        return f"?/?/{secrets.token_hex(4)}/?"
    number = Path("/proc/self").resolve().name
    return f"{machine}/{number}/{_begun(number)}"


def _is_gone(holder: str) -> bool:
    """Whether it is known that the process is no more: it ran here, and does not."""
    parts = holder.split("/")
    if len(parts) != 5 or not _machine() or "/".join(parts[:2]) != _machine():
        return False
    return _begun(parts[2]) != parts[3]


__all__ = ["TTL", "PollLease"]
