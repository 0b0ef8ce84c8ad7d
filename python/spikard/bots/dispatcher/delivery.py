"""From a batch to handlers: taken over, kept until it is handled, handled, dropped."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from spikard.bots._events import Batch, decode_events
from spikard.bots.dispatcher.lanes import Lanes
from spikard.bots.dispatcher.window import Window
from spikard.bots.leaving import leave_lane
from spikard.bots.offsets import IN_COMPANY, MOST_ATTEMPTS, Finish, JournalEntry, OffsetStore
from spikard.bots.retry import Retry
from spikard.bots.storages.base import BaseStorage
from spikard.bots.storages.draft import DraftStorage
from spikard.bots.types.event import Update

if TYPE_CHECKING:
    from spikard.bots.bot import Bot

logger = logging.getLogger("spikard.bots.delivery")

DeliveryKind = Literal["at_least_once", "at_most_once"]
T = TypeVar("T")

# Seconds that one that is tried alone keeps the others waiting, and that all of them do.
_ONE_ALONE, _ALL_ALONE = 1.0, 15.0
# How long to wait for a database between two tries.
_PAUSES = Retry(base=0.1, max_delay=10.0)


class Delivery:
    """Takes updates over from the server and brings each to its handler.

    Args:
        offsets: What was taken over.
        storage: Where states are. Writes of handlers wait for the end of the update if it is `offsets` itself.
        kind: Whether an update that a kill has interrupted is handled again.
        lanes: Where updates wait.
        feed: Handles an update with a storage for its states.
        lane: In which lane an update goes.
    """

    def __init__(
        self,
        offsets: OffsetStore,
        storage: BaseStorage | None,
        kind: DeliveryKind,
        lanes: Lanes,
        feed: Callable[["Bot", Update, BaseStorage | None], Awaitable[None]],
        lane: Callable[["Bot", Update], Hashable | None],
    ) -> None:
        self.lanes = lanes
        self.is_durable = offsets.is_durable
        self.has_journal = offsets.is_durable and kind == "at_least_once"
        self._offsets = offsets
        self._storage = storage
        keeps_both: object = storage
        self._drafts = storage if self.has_journal and keeps_both is offsets else None
        self._feed = feed
        self._lane = lane
        self._windows: dict[str, Window] = {}
        self._under_way: set[tuple[str, int]] = set()

    async def begin(self, bot: "Bot") -> None:
        """Goes on where a process before this one has ended."""
        last = await self._patiently(lambda: self._offsets.last_id(bot.id)) if self.is_durable else 0
        bot.last_event_id = max(bot.last_event_id, last)
        self._windows[bot.id] = Window(last)

    async def replay(self, bot: "Bot") -> None:
        """Brings what is not handled yet to its handlers, in its order.

        The first of each lane may have been under way when the process before this one ended, and may be why it did.
        If that happens again with several under way, each is tried alone, so that one takes no others with it.
        """
        if not self.has_journal:
            return
        waiting = await self._waiting(bot)
        heads: dict[Hashable, int] = {}
        for number, (_, update) in waiting.items():
            lane = self._lane(bot, update)
            heads.setdefault(number if lane is None else lane, number)
        firsts = set(heads.values())
        if waiting:
            logger.info("%r: %d updates that were not handled before are handled now", bot, len(waiting))
        end = monotonic() + _ALL_ALONE
        for number in sorted(firsts):
            entry, update = waiting[number]
            if entry.attempts >= MOST_ATTEMPTS:
                await self._bury(bot, update, f"it was begun {MOST_ATTEMPTS} times alone, and the process ended")
                del waiting[number]
            elif len(firsts) == 1 or (entry.attempts and monotonic() < end):
                # One that was the only one under way has had its first attempt already.
                begun = 1 if len(firsts) == 1 and not entry.attempts else max(entry.attempts, 0)
                await self._alone(bot, update, begun + 1)
                del waiting[number]
        for number, (entry, update) in waiting.items():
            await self._put(bot, update, (entry.attempts or IN_COMPANY) if number in firsts else None)

    async def _waiting(self, bot: "Bot") -> dict[int, tuple[JournalEntry, Update]]:
        """All of a bot's journal that this process is not about already, by event id."""
        found: dict[int, tuple[JournalEntry, Update]] = {}
        entries = await self._patiently(lambda: self._offsets.pending(bot.id))
        while entries:
            for entry in entries:
                if (bot.id, entry.event_id) in self._under_way:
                    continue
                batch = decode_events([msgspec.json.decode(entry.raw)])
                if not batch.updates:
                    await self._patiently(partial(self._offsets.bury, bot.id, entry.event_id, "it cannot be read"))
                    continue
                batch.updates[0].set_bot(bot)
                found[entry.event_id] = entry, batch.updates[0]
            entries = await self._patiently(partial(self._offsets.pending, bot.id, entries[-1].event_id))
        return found

    async def _alone(self, bot: "Bot", update: Update, attempts: int) -> None:
        """Lets an update be handled while nothing else begins, as long as that does not take long."""
        done = asyncio.Event()
        await self._put(bot, update, attempts, done.set)
        with suppress(TimeoutError):
            async with asyncio.timeout(_ONE_ALONE):
                await done.wait()

    async def take(self, bot: "Bot", batch: Batch, taken: Callable[[int], None]) -> None:
        """Takes a batch over; says by and by up to which id it need not come again."""
        updates = self._windows[bot.id].fresh(batch.updates)
        last = batch.last_id
        if self.is_durable and last is not None:
            entries = [JournalEntry(one.event_id, _raw(one)) for one in updates] if self.has_journal else []
            await self._patiently(lambda: self._offsets.take(bot.id, last, entries))
            taken(last)
        for number, update in enumerate(updates):
            try:
                await self._put(bot, update)
            except asyncio.CancelledError:
                if self.is_durable and not self.has_journal:
                    # It is noted as taken over, and nowhere else.
                    for one in updates[number:]:
                        self._put_now(bot, one)
                raise
            taken(update.event_id)
        if last is not None:
            taken(last)

    async def note(self, bot: "Bot") -> None:
        """Keeps the bot's last id, of updates that were skipped."""
        if self.is_durable:
            await self._patiently(lambda: self._offsets.take(bot.id, bot.last_event_id, []))

    def let_go(self, bot: "Bot") -> None:
        """Forgets updates of a bot that have not begun: they are another process's now."""
        for label in self.lanes.drop_waiting(lambda label: label[0] == bot.id):
            self._under_way.discard(label)

    async def _put(
        self, bot: "Bot", update: Update, attempts: int | None = None, ended: Callable[[], None] = lambda: None
    ) -> None:
        self._under_way.add((bot.id, update.event_id))
        job = self._job(bot, update, attempts, ended)
        try:
            await self.lanes.put(self._lane(bot, update), job, (bot.id, update.event_id))
        except asyncio.CancelledError:
            self._under_way.discard((bot.id, update.event_id))
            raise

    def _put_now(self, bot: "Bot", update: Update) -> None:
        self._under_way.add((bot.id, update.event_id))
        self.lanes.put_now(self._lane(bot, update), self._job(bot, update), (bot.id, update.event_id))

    def _job(
        self, bot: "Bot", update: Update, attempts: int | None = None, ended: Callable[[], None] = lambda: None
    ) -> Callable[[], Awaitable[None]]:
        async def job() -> None:
            try:
                await self._deliver(bot, update, attempts)
            except Exception:
                logger.exception("%r: event %s could not be delivered", bot, update.event_id)
            finally:
                self._under_way.discard((bot.id, update.event_id))
                ended()

        return job

    async def _deliver(self, bot: "Bot", update: Update, attempts: int | None) -> None:
        """Handles an update; what is to be noted as its attempts, if it is not one that has just come."""
        if not self.has_journal:
            await self._feed(bot, update, None)
            return
        if attempts is not None and not await self._patiently(
            lambda: self._offsets.begin(bot.id, update.event_id, attempts)
        ):
            return
        for _ in range(MOST_ATTEMPTS):
            draft = self._draft()
            await self._feed(bot, update, draft)
            if await self._finish(bot, update, draft):
                return
        await self._bury(bot, update, f"others have written what it had read, {MOST_ATTEMPTS} times")

    def _draft(self) -> DraftStorage | None:
        if self._drafts is None:
            return None
        storage = self._drafts
        # A fault of the database costs time; it is not the handler's.
        draft = DraftStorage(storage, lambda key: self._patiently(lambda: storage.get(key)))
        leave = leave_lane.get()

        def leave_with_writes() -> None:
            # The next of its lane would not see what is held back.
            draft.open_through()
            if leave is not None:
                leave()

        leave_lane.set(leave_with_writes)
        return draft

    async def _finish(self, bot: "Bot", update: Update, draft: DraftStorage | None) -> bool:
        """Ends an update with what was written. False if somebody has written what its handler had read."""
        if draft is not None:
            draft.open_through()
        faults = 0
        while True:
            try:
                writes = draft.writes() if draft is not None else []
                outcome = await self._offsets.finish(bot.id, update.event_id, writes)
                if outcome is Finish.CONFLICT and draft is not None:
                    if not await draft.rebase():
                        return False
                    continue
            except Exception as fault:
                faults += 1
                if faults == 1:
                    logger.warning("%r: event %s cannot be ended yet", bot, update.event_id, exc_info=fault)
                if faults >= MOST_ATTEMPTS and await self._is_buried(bot, update, fault):
                    return True
                await asyncio.sleep(_PAUSES.delay(faults))
                continue
            if outcome is Finish.GONE:
                logger.warning("%r: event %s was ended by another process; nothing is kept", bot, update.event_id)
            return True

    async def _is_buried(self, bot: "Bot", update: Update, fault: Exception) -> bool:
        """Gives an update up whose writes are refused; False if this is refused as well, so that it is the database."""
        try:
            await self._offsets.bury(bot.id, update.event_id, f"its writes fail: {type(fault).__name__}: {fault}")
        except Exception:  # noqa: BLE001 - then it is the database
            return False
        logger.error("%r: event %s is a dead letter: its writes fail", bot, update.event_id, exc_info=fault)
        return True

    async def _bury(self, bot: "Bot", update: Update, error: str) -> None:
        await self._patiently(lambda: self._offsets.bury(bot.id, update.event_id, error))
        logger.error("%r: event %s is a dead letter: %s", bot, update.event_id, error)

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """What a database gives, sooner or later."""
        faults = 0
        while True:
            try:
                return await work()
            except Exception as fault:
                faults += 1
                if faults == 1:
                    logger.warning("The journal of updates is not to be had; waiting for it", exc_info=fault)
                await asyncio.sleep(_PAUSES.delay(faults))


def _raw(update: Update) -> bytes:
    event: dict[str, Any] = {"eventId": update.event_id, "type": update.type, "payload": update.payload}
    return msgspec.json.encode(event)


__all__ = ["Delivery", "DeliveryKind"]
