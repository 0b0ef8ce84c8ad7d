"""Asking one bot's server for events, for as long as the dispatcher runs."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from spikard.bots._events import Malformed
from spikard.bots.calls import is_cut
from spikard.bots.errors import BotError, InvalidToken
from spikard.bots.types.event import Update

if TYPE_CHECKING:
    from spikard.bots.bot import Bot

logger = logging.getLogger("spikard.bots.polling")

_LONGEST_PAUSE = 60.0
_CUTS_IN_A_ROW = 5


class Poller:
    """Fetches updates and hands them on; faults are waited out, longer each time.

    Args:
        bot: Whose events.
        take: Takes an update over; waits when there are too many.
        malformed: Told of events that cannot be read.
    """

    def __init__(
        self,
        bot: "Bot",
        take: Callable[["Bot", Update], Awaitable[None]],
        malformed: Callable[[Malformed], Awaitable[None]],
    ) -> None:
        self.bot = bot
        self._take = take
        self._malformed = malformed
        self._faults = 0
        self._cuts = 0

    async def begin(self) -> None:
        """Learns who the bot is. Raises InvalidToken at once; other faults are waited out."""
        while True:
            try:
                await self.bot.get_me()
            except InvalidToken:
                raise
            except BotError as fault:
                await self._pause(fault)
            else:
                self._faults = 0
                return

    async def skip(self, seconds: float = 10.0) -> int:
        """Drops what waits at the server, for so long at most; gives how many updates those were."""
        dropped = 0
        try:
            async with asyncio.timeout(seconds):
                while True:
                    batch = await self.bot.poll(poll_time=0)
                    if not batch.updates and not batch.malformed:
                        break
                    dropped += len(batch.updates)
        except TimeoutError:
            logger.warning("%r: more updates wait than could be dropped in %s s", self.bot, seconds)
        return dropped

    async def run(self) -> None:
        """Polls until it is cancelled. Raises InvalidToken if the server refuses the token meanwhile."""
        while True:
            before = self.bot.last_event_id
            try:
                batch = await self.bot.poll(retry=0)
            except InvalidToken:
                raise
            except BotError as fault:
                if is_cut(fault) and self._cuts < _CUTS_IN_A_ROW:
                    self._cuts += 1
                else:
                    await self._pause(fault)
                continue
            if self._faults:
                logger.info("%r: restored after %d tries", self.bot, self._faults)
            self._faults = self._cuts = 0
            for bad in batch.malformed:
                await self._malformed(bad)
            for update in batch.updates:
                await self._take(self.bot, update)
            if (batch.malformed or batch.updates) and self.bot.last_event_id == before:
                # The same events again: nothing in them has a greater id.
                await self._pause(BotError("the server repeats events without a greater id"))

    async def _pause(self, fault: BotError) -> None:
        self._faults += 1
        seconds = min(2.0 ** (self._faults - 1), _LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311
        if self._faults == 1:
            logger.warning("%r: polling failed, again in %.1f s", self.bot, seconds, exc_info=fault)
        else:
            logger.warning("%r: polling failed %d times, again in %.1f s: %s", self.bot, self._faults, seconds, fault)
        await asyncio.sleep(seconds)


__all__ = ["Poller"]
