"""One `start_polling`, from its beginning to its end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from spikard.bots._events import Malformed
from spikard.bots.dispatcher.delivery import Delivery
from spikard.bots.dispatcher.lease import PollLease
from spikard.bots.dispatcher.polling import Poller
from spikard.bots.dispatcher.stopping import Stopping
from spikard.bots.errors import InvalidToken
from spikard.bots.injection import call
from spikard.bots.offsets import OffsetStore
from spikard.bots.router import Router

if TYPE_CHECKING:
    from spikard.bots.bot import Bot

logger = logging.getLogger("spikard.bots.dispatcher")

# How long the last words to a server may take.
_LAST_WORDS = 2.0


class PollingRun:
    """Polls for bots, and ends as it should, whatever ends it.

    Args:
        root: Whose hooks run.
        bots: Whose updates.
        delivery: What takes them over.
        offsets: Where leases are, if processes share it.
        malformed: Told of events that cannot be read.
        known: What hooks are given.
        skips: Whether what waits at the servers is dropped first.
        closing: What is closed at the very end.
    """

    def __init__(
        self,
        root: Router,
        bots: "tuple[Bot, ...]",
        delivery: Delivery,
        offsets: OffsetStore,
        malformed: Callable[[Malformed], Awaitable[None]],
        known: dict[str, Any],
        *,
        skips: bool,
        closing: list[Callable[[], Any]],
    ) -> None:
        self.stopping = Stopping()
        self.delivery = delivery
        self.pollers = [
            Poller(bot, delivery, malformed, PollLease(offsets, bot.id) if offsets.is_durable else None, skips=skips)
            for bot in bots
        ]
        self._root = root
        self._known = known
        self._closing = closing
        self._started: list[Router] = []

    async def run(self) -> None:
        """Polls until the end is asked for. Raises InvalidToken, and what hooks raise."""
        try:
            for poller in self.pollers:
                await self.stopping.race(poller.begin())
            if not self.stopping.asked.is_set():
                await self._start()
                # From now on a handler that is added would be there for some updates and not for others.
                self._root.is_open = False
                await self.stopping.race(self._poll())
        finally:
            await self._end()

    async def _start(self) -> None:
        for router in self._root.walk():
            data = {**self._known, "router": router}
            hooks = router.startup_hooks
            if not hooks:
                self._started.append(router)
            for number, hook in enumerate(hooks):
                await call(hook, data)
                if number == 0:
                    self._started.append(router)

    async def _poll(self) -> None:
        results = await asyncio.gather(*(self._polled(poller) for poller in self.pollers), return_exceptions=True)
        raise next(found for found in results if isinstance(found, BaseException))

    async def _polled(self, poller: Poller) -> None:
        try:
            await poller.run()
        except InvalidToken:
            logger.error("%r: the server refuses the token now; this bot has stopped", poller.bot)
            raise

    async def _end(self) -> None:
        try:
            await self._end_updates()
        finally:
            try:
                await asyncio.gather(*(self._last_words(poller) for poller in self.pollers))
            finally:
                try:
                    await self._shut_down()
                finally:
                    await self._close()

    async def _end_updates(self) -> None:
        lanes = self.delivery.lanes
        if self.delivery.has_journal:
            waiting = lanes.drop_waiting()
            if waiting:
                logger.info("%d updates wait in the journal for the next start", len(waiting))
        left = await lanes.drain(self.stopping.grace, self.stopping.hurried)
        if left and self.delivery.has_journal:
            logger.warning("Handlers were cancelled; these events are handled again at the next start: %s", _list(left))
        elif left:
            logger.warning("These events were not handled, and are lost: %s", _list(left))

    @staticmethod
    async def _last_words(poller: Poller) -> None:
        try:
            async with asyncio.timeout(_LAST_WORDS):
                await poller.end()
        except Exception as fault:  # noqa: BLE001 - the next start will do as well
            logger.info("%r: the server could not be told of the end: %s", poller.bot, fault)

    async def _shut_down(self) -> None:
        """Runs the hooks of what had started, the innermost first; all of them, and raises the first error then."""
        faults: list[Exception] = []
        for router in reversed(self._started):
            for hook in router.shutdown_hooks:
                try:
                    await call(hook, {**self._known, "router": router})
                except Exception as fault:
                    logger.exception("A hook of %r has failed at the end", router)
                    faults.append(fault)
        if faults:
            raise faults[0]

    async def _close(self) -> None:
        for close in self._closing:
            try:
                found = close()
                if isawaitable(found):
                    await found
            except Exception:
                logger.exception("Something could not be closed at the end")


def _list(labels: list[tuple[str, int]]) -> str:
    most = 100
    shown = ", ".join(f"{event_id} of bot {bot_id}" for bot_id, event_id in sorted(labels)[:most])
    return shown if len(labels) <= most else f"{shown} and {len(labels) - most} more"


__all__ = ["PollingRun"]
