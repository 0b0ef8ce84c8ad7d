"""Asking one bot's server for events, for as long as the dispatcher runs."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from spikard.bots._events import Batch, Malformed
from spikard.bots.calls import POLL, is_cut
from spikard.bots.dispatcher.delivery import Delivery
from spikard.bots.dispatcher.lease import PollLease
from spikard.bots.errors import BotError, InvalidToken

if TYPE_CHECKING:
    from spikard.bots.bot import Bot

logger = logging.getLogger("spikard.bots.polling")

_LONGEST_PAUSE = 60.0
_CUTS_IN_A_ROW = 5
_LONGEST_SKIP = 10.0


class Poller:
    """Fetches updates and hands them on; faults are waited out, longer each time.

    Args:
        bot: Whose events.
        delivery: What takes updates over.
        malformed: Told of events that cannot be read.
        lease: The right to poll, where processes share it.
        skips: Whether what waits at the server is dropped first.

    Attributes:
        taken: The greatest id that need not come again.
        is_polling: Whether it has begun to poll.
    """

    def __init__(
        self,
        bot: "Bot",
        delivery: Delivery,
        malformed: Callable[[Malformed], Awaitable[None]],
        lease: PollLease | None = None,
        *,
        skips: bool = False,
    ) -> None:
        self.bot = bot
        self.taken = 0
        self.is_polling = False
        self._delivery = delivery
        self._malformed = malformed
        self._lease = lease
        self._skips = skips
        self._faults = 0
        self._cuts = 0

    @property
    def stands_by(self) -> bool:
        """Whether another process polls for the bot."""
        return self._lease is not None and self._lease.stands_by

    async def begin(self) -> None:
        """Learns who the bot is. Raises InvalidToken at once; other faults are waited out."""
        while True:
            try:
                await self.bot.get_me()
            except InvalidToken:
                raise
            except Exception as fault:  # noqa: BLE001 - whatever it is, it may be gone the next time
                await self._pause(fault)
            else:
                self._restored()
                return

    async def run(self) -> None:
        """Polls until it is cancelled. Raises InvalidToken if the server refuses the token meanwhile."""
        if self._lease is None:
            await self._poll()
            return
        while True:
            if await self._lease.acquire():
                # What waits was not there before the process whose place this is.
                self._skips = False
            polling, kept = asyncio.create_task(self._poll()), asyncio.create_task(self._lease.kept())
            try:
                await asyncio.wait({polling, kept}, return_when=asyncio.FIRST_COMPLETED)
                if polling.done():
                    polling.result()
            finally:
                self.is_polling = False
                for one in (polling, kept):
                    one.cancel()
                await asyncio.gather(polling, kept, return_exceptions=True)
            logger.warning("%r: another process polls now, or may; this one stands by", self.bot)
            self._delivery.let_go(self.bot)

    async def end(self) -> None:
        """Tells the server what is done: it drops events up to the last id. Lets others poll."""
        try:
            if self.taken:
                # Not by `poll`: what it gives now is for the next start.
                await self.bot.request(POLL, {"lastEventId": self.taken, "pollTime": 0}, retry=0)
        finally:
            if self._lease is not None:
                await self._lease.release()

    async def _poll(self) -> None:
        await self._delivery.begin(self.bot)
        self.taken = self.bot.last_event_id
        if self._skips:
            self._skips = False
            await self._skip()
        await self._delivery.replay(self.bot)
        self.is_polling = True
        while True:
            # A server that has always something to say, or a transport of tests, must not keep handlers from running.
            await asyncio.sleep(0)
            before = self.bot.last_event_id
            batch = await self._asked()
            if batch is None:
                continue
            await self._hand_over(batch)
            if (batch.malformed or batch.updates) and self.bot.last_event_id == before:
                # The same events again: nothing in them has a greater id.
                await self._pause(BotError("the server repeats events without a greater id"))
            else:
                self._restored()

    async def _asked(self) -> Batch | None:
        try:
            batch = await self.bot.poll(retry=0)
        except InvalidToken:
            raise
        except Exception as fault:  # noqa: BLE001 - whatever it is, it may be gone the next time
            if is_cut(fault) and self._cuts < _CUTS_IN_A_ROW:
                self._cuts += 1
            else:
                await self._pause(fault)
            return None
        self._cuts = 0
        return batch

    async def _hand_over(self, batch: Batch) -> None:
        def taken(number: int) -> None:
            self.taken = max(self.taken, number)

        try:
            for bad in batch.malformed:
                await self._malformed(bad)
            await self._delivery.take(self.bot, batch, taken)
        finally:
            # What was not taken over comes again.
            self.bot.last_event_id = self.taken

    async def _skip(self) -> None:
        """Drops what waits at the server, for some time at most."""
        dropped = 0
        try:
            async with asyncio.timeout(_LONGEST_SKIP):
                while True:
                    try:
                        batch = await self.bot.poll(poll_time=0)
                    except InvalidToken:
                        raise
                    except Exception as fault:  # noqa: BLE001 - whatever it is, it may be gone the next time
                        await self._pause(fault)
                        continue
                    self._restored()
                    if not batch.updates and not batch.malformed:
                        break
                    if self.bot.last_event_id == self.taken:
                        await self._pause(BotError("the server repeats events without a greater id"))
                    self.taken = self.bot.last_event_id
                    dropped += len(batch.updates)
        except TimeoutError:
            logger.warning("%r: more updates wait than could be dropped in %s s", self.bot, _LONGEST_SKIP)
        if dropped:
            logger.info("%r: %d updates were skipped", self.bot, dropped)
        await self._delivery.note(self.bot)

    def _restored(self) -> None:
        if self._faults:
            logger.info("%r: restored after %d tries", self.bot, self._faults)
        self._faults = self._cuts = 0

    async def _pause(self, fault: Exception) -> None:
        self._faults += 1
        seconds = min(2.0 ** min(self._faults - 1, 10), _LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311
        if self._faults == 1:
            logger.warning("%r: polling failed, again in %.1f s", self.bot, seconds, exc_info=fault)
        else:
            logger.warning("%r: polling failed %d times, again in %.1f s: %s", self.bot, self._faults, seconds, fault)
        await asyncio.sleep(seconds)


__all__ = ["Poller"]
