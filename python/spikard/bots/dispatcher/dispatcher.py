"""The root of all routers: from an update to the handler that takes it."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from spikard.bots._events import Malformed
from spikard.bots.callback_data_factory import signing_key as current_signing_key
from spikard.bots.checking import Finding, check
from spikard.bots.clock import now
from spikard.bots.dispatcher.delivery import Delivery, DeliveryKind
from spikard.bots.dispatcher.error_event import ErrorEvent
from spikard.bots.dispatcher.errors import handle_error
from spikard.bots.dispatcher.lanes import Lanes
from spikard.bots.dispatcher.polling import Poller
from spikard.bots.dispatcher.polling_run import PollingRun
from spikard.bots.dispatcher.update_event import add_who, event_of, is_ghost, shown
from spikard.bots.errors import DecodeError, HandlerError
from spikard.bots.fsm.context import FSMContext
from spikard.bots.fsm.key import storage_key
from spikard.bots.fsm.strategy import FSMStrategy
from spikard.bots.injection import SCOPE, UpdateScope, brought, running
from spikard.bots.middleware import MiddlewareManager, wrapped
from spikard.bots.offsets import MemoryOffsets, OffsetStore
from spikard.bots.outcomes import UNHANDLED, CancelHandler
from spikard.bots.plan import TRAIL, Trail
from spikard.bots.plan_listing import PlanListing, list_plan
from spikard.bots.platform import platform_of
from spikard.bots.request_ids import HandlerRun, current_run
from spikard.bots.router import Router
from spikard.bots.storages.base import BaseStorage, Record, StorageKey
from spikard.bots.storages.factory import create_storage
from spikard.bots.types.event import Update
from spikard.bots.types.message import Message
from spikard.di import Container
from spikard.errors import ConfigError

if TYPE_CHECKING:
    from spikard.bots.bot import Bot

logger = logging.getLogger("spikard.bots.dispatcher")

LaneKind = Literal["fsm", "chat", "none"]
# A name that no argument can have: the storage for the states of one update.
STORAGE = "spikard.storage"


class UpdateObserver:
    """Middlewares that see every update before it is known what kind it is."""

    def __init__(self) -> None:
        self.outer_middleware = MiddlewareManager()
        self.middleware = self.outer_middleware


class Dispatcher(Router):
    """The root router, with states of dialogues and polling.

    Args:
        storage: Where states are kept: a storage, or a URL such as `sqlite:bot.db` or `redis://localhost/0`. By default
            the URL in `SPIKARD_BOTS_STORE`, else memory.
        fsm_strategy: What shares one state.
        name: For messages.
        handle_edited_as_message: Whether edited messages go to the handlers of new ones, and to no others.
        session_timeout: Seconds after which a state that nobody went on with is forgotten.
        concurrency: How many updates are handled at once.
        lanes: What is handled one after another: updates that share a state, those of a chat, or nothing.
        queue_limit: How many updates may wait before polling pauses.
        delivery: Whether an update whose handling a kill has interrupted is handled again. By default it is, as far as
            the storage outlives the process.
        offsets: Where it is kept what was taken over from servers; by default the storage, if that is durable.
        auto_answer: Whether presses of buttons that a handler did not answer are answered with nothing.
        handler_timeout: Seconds after which a handler is cancelled.
        signing_key: What signed data of buttons is signed with.
        container: What handlers, filters, middlewares and hooks are given; each update has one scope of it.
            Polling initialises it and closes it at the end, unless somebody else has done so before.
        strict: Whether polling refuses to begin when `check` finds faults.
        ghosts: Whether the empty "new" messages that deleting leaves behind count as messages.
    """

    def __init__(
        self,
        storage: BaseStorage | str | None = None,
        fsm_strategy: FSMStrategy | str = FSMStrategy.USER_IN_CHAT,
        name: str | None = None,
        handle_edited_as_message: bool = False,
        session_timeout: float | None = None,
        *,
        concurrency: int = 100,
        lanes: LaneKind = "fsm",
        queue_limit: int = 1000,
        delivery: DeliveryKind | None = None,
        offsets: OffsetStore | None = None,
        auto_answer: bool = True,
        handler_timeout: float | None = None,
        ghosts: bool = False,
        signing_key: bytes | None = None,
        container: Container | None = None,
        strict: bool = True,
        **data: Any,
    ) -> None:
        super().__init__(name=name or "Dispatcher")
        self.storage: Any
        self.offsets: OffsetStore
        self.use_storage(os.environ.get("SPIKARD_BOTS_STORE") or "memory:" if storage is None else storage, offsets)
        if delivery not in (None, "at_least_once", "at_most_once"):
            raise ConfigError(f"delivery is at_least_once or at_most_once, not {delivery!r}")
        self.delivery = delivery
        self.fsm_strategy = FSMStrategy(fsm_strategy)
        self.handle_edited_as_message = handle_edited_as_message
        self.session_timeout = session_timeout
        self.auto_answer = auto_answer
        self.handler_timeout = handler_timeout
        self.ghosts = ghosts
        self._signing_key = signing_key
        self.container: Container | None = None
        self.strict = strict
        if container is not None:
            self.use_container(container)
        self.data: dict[str, Any] = dict(data)
        self.update = UpdateObserver()
        self._lane_kind = lanes
        self._concurrency, self._queue_limit = concurrency, queue_limit
        self._malformed: list[Any] = []
        self._expired: list[Any] = []
        self._polling: PollingRun | None = None
        self._counts = {"updates": 0, "handled": 0, "unhandled": 0, "errors": 0, "malformed": 0}
        self._known_strangers: set[str] = set()

    def use_storage(self, storage: BaseStorage | str, offsets: OffsetStore | None = None) -> None:
        """Takes another storage, before polling; `offsets` as in the constructor. Nothing is brought over."""
        own: Any = create_storage(storage) if isinstance(storage, str) else storage
        self.storage = own
        if offsets is None:
            offsets = own if isinstance(own, OffsetStore) and own.is_durable else MemoryOffsets()
        self.offsets = offsets

    # --- data that handlers can ask for

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.data[key] = value

    def __delitem__(self, key: str) -> None:
        del self.data[key]

    def get(self, key: str, default: Any = None) -> Any:
        """What lies under a name."""
        return self.data.get(key, default)

    def on_malformed(self, callback: Any) -> Any:
        """Tells a function of events that cannot be read."""
        self._malformed.append(callback)
        return callback

    def on_session_expired(self, callback: Any) -> Any:
        """Tells a function of states that were forgotten: called with `key` and `record`."""
        self._expired.append(callback)
        return callback

    def stats(self) -> dict[str, int]:
        """What was counted since the start."""
        return dict(self._counts)

    @property
    def lanes(self) -> Lanes | None:
        """Where updates wait while it polls."""
        return None if self._polling is None else self._polling.delivery.lanes

    @property
    def pollers(self) -> tuple[Poller, ...]:
        """Who asks the servers while it polls, one for each bot."""
        return () if self._polling is None else tuple(self._polling.pollers)

    def use_container(self, container: Container) -> None:
        """Gives services of this container from now on."""
        self.container = container
        if not container.is_frozen:
            container.expect(*brought())

    def check(self, **data: Any) -> list[Finding]:
        """What is wrong with the handlers: arguments that nobody gives, prefixes used twice, what is never reached.

        Args:
            data: What `start_polling` will be given for handlers to ask for.
        """
        return check(self, data)

    def plan(self) -> PlanListing:
        """All handlers in the order in which they are asked, to be looped over or printed."""
        return list_plan(self)

    def _check_start(self, data: Mapping[str, Any]) -> None:
        findings = check(self, data)
        faults = [finding for finding in findings if finding.is_fault]
        if faults and self.strict:
            lines = "\n".join(f"  {fault}" for fault in faults)
            raise HandlerError(f"the handlers do not fit together; strict=False starts all the same:\n{lines}")
        for finding in findings:
            logger.warning("%s", finding)

    # --- one update

    async def feed_raw(self, bot: "Bot", update: Mapping[str, Any] | bytes | str, **data: Any) -> Any:
        """As `feed_update`, for an update as the server sent it.

        One that cannot be read is told to the functions of `on_malformed` and is not handled; with `raise_errors=True`
        it is a DecodeError.
        """
        try:
            given = Update.from_json(update) if isinstance(update, bytes | str) else Update.from_dict(update)
        except DecodeError as fault:
            raw = update.encode() if isinstance(update, str) else update
            raw = raw if isinstance(raw, bytes) else msgspec.json.encode(raw)
            logger.error("An event cannot be read and is passed over: %s", fault)
            await self._tell_malformed(Malformed(raw, fault, None))
            if data.get("raise_errors"):
                raise
            return UNHANDLED
        return await self.feed_update(bot, given, **data)

    async def feed_update(self, bot: "Bot", update: Update, *, raise_errors: bool = False, **data: Any) -> Any:
        """Shows an update to the handlers.

        Args:
            bot: Whose update.
            update: The update.
            raise_errors: Whether an error that no handler of errors has taken is raised, not only logged.
            data: More for handlers to ask for.

        Returns:
            What the handler returned, or UNHANDLED.
        """
        self._counts["updates"] += 1
        if self._signing_key is not None:
            current_signing_key.set(self._signing_key)
        given = {**self.data, "bot": bot, "raw_event": update, "update": update, "event_type": update.type}
        given.update(data)
        given["dispatcher"] = self
        # What middlewares send is known to the server when they run again after a crash, as what handlers send.
        token = current_run.set(HandlerRun(update.event_id, ""))
        try:
            if self.container is None and not self.update.outer_middleware:
                found = await self._dispatched(bot, update, given, raise_errors)
            else:
                found = await self._through(bot, update, given, raise_errors)
        finally:
            current_run.reset(token)
        self._counts["unhandled" if found is UNHANDLED else "handled"] += 1
        return found

    async def _through(self, bot: "Bot", update: Update, data: dict[str, Any], raise_errors: bool) -> Any:
        inside: list[Exception] = []  # what handlers of errors have seen already

        async def handle(update: Update, given: dict[str, Any]) -> Any:
            try:
                return await self._dispatched(bot, update, given, raise_errors)
            except Exception as error:
                inside.append(error)
                raise

        through = wrapped(list(self.update.outer_middleware), handle) if self.update.outer_middleware else handle

        async def offered() -> Any:
            try:
                return await through(update, data)
            except CancelHandler:
                return None
            except Exception as error:
                if error in inside:
                    raise
                return await self._failed(self, shown(bot, update), error, data, raise_errors)

        if self.container is None:
            return await offered()
        async with UpdateScope(self.container) as data[SCOPE]:
            return await offered()

    async def _failed(self, router: Router, event: Any, error: Exception, data: dict[str, Any], raises: bool) -> Any:
        self._counts["errors"] += 1
        if SCOPE in data:
            data[SCOPE].fault = error
        found = await handle_error(router, event, error, data)
        if found is UNHANDLED and raises:
            raise error
        return found

    async def _dispatched(self, bot: "Bot", update: Update, data: dict[str, Any], raise_errors: bool) -> Any:
        try:
            event = event_of(bot, update)
        except DecodeError as fault:
            await self._tell_malformed(Malformed(msgspec.json.encode(update.payload), fault, update.event_id))
            return UNHANDLED
        observer = platform_of(bot).observers.get(update.type)
        if event is None or observer is None:
            return await self._stranger(update, data)
        if isinstance(event, Message):
            if observer == "message" and not self.ghosts and is_ghost(event):
                return UNHANDLED
            if observer == "edited_message" and self.handle_edited_as_message:
                observer = "message"
        return await self._offered(observer, bot, event, data, raise_errors)

    async def _stranger(self, update: Update, data: dict[str, Any]) -> Any:
        if update.type not in self._known_strangers:
            self._known_strangers.add(update.type)
            logger.info("Events of the type %r are not known; handlers of unknown_event get them", update.type)
        return await self.propagate_event("unknown_event", update, **data)

    async def _offered(self, observer: str, bot: "Bot", event: Any, data: dict[str, Any], raise_errors: bool) -> Any:
        add_who(event, data)
        table = self.table(observer)
        await self._add_state(bot, event, data, is_read=table.reads_state)
        trail = data[TRAIL] = Trail()
        try:
            offered = table.offer(event, data)
            if self.handler_timeout is None:
                found = await offered
            else:
                async with asyncio.timeout(self.handler_timeout):
                    found = await offered
        except CancelHandler:
            found = None
        except Exception as error:  # noqa: BLE001 - told, and raised again if nobody takes it
            router = trail.entry.router if trail.entry is not None else self
            found = await self._failed(router, event, error, {**data, **(trail.data or {})}, raise_errors)
        if self.auto_answer and observer == "callback_query" and (found is not UNHANDLED or trail.entry is not None):
            await _answered(event)
        return found

    async def _add_state(self, bot: "Bot", event: Any, data: dict[str, Any], *, is_read: bool) -> None:
        storage = data.get(STORAGE) or self.storage
        key = storage_key(str(getattr(bot, "id", "")), event, self.fsm_strategy)
        if key is None or storage is None:
            data["state"] = data["current_state"] = data["raw_state"] = None
            return
        state = FSMContext(storage, key)
        data["state"] = state
        if self.session_timeout is None:
            if not is_read:
                return
            current = await storage.get_state(key=key)
        else:
            record = await storage.get(key)
            if not record.is_empty and record.updated_at and now() - record.updated_at > self.session_timeout:
                await state.clear()
                for callback in self._expired:
                    await _awaited(callback(key=key, record=record))
                record = Record()
            current = record.state
        data["current_state"] = data["raw_state"] = current

    async def _tell_malformed(self, bad: Malformed) -> None:
        self._counts["malformed"] += 1
        for callback in self._malformed:
            try:
                await _awaited(callback(bad))
            except Exception:
                logger.exception("What is told of malformed events has failed with event %s", bad.event_id)

    # --- many updates

    @property
    def is_running(self) -> bool:
        """Whether it is polling."""
        return self._polling is not None

    def run(self, *bots: "Bot", **options: Any) -> None:
        """`start_polling` as a whole program."""
        asyncio.run(self.start_polling(*bots, **options))

    async def stop(self, grace: float = 30.0) -> None:
        """Ends polling; handlers that run have so many seconds. Does nothing where nothing runs.

        What was fetched and not begun stays in the journal if there is one, else it is still handled in that time.
        """
        if self._polling is not None:
            self._polling.stopping.grace = grace
            self._polling.stopping.asked.set()

    async def start_polling(
        self,
        *bots: "Bot",
        skip_updates: bool = False,
        handle_signals: bool = True,
        close_bot_on_stop: bool = True,
        **data: Any,
    ) -> None:
        """Polls for all bots until `stop`, a signal, or cancellation.

        Args:
            bots: Whose updates.
            skip_updates: Whether what waits at the servers is dropped first.
            handle_signals: Whether SIGINT and SIGTERM end it: the first as `stop`, the second cancels handlers.
            close_bot_on_stop: Whether the bots' connections are closed at the end.
            data: More for handlers to ask for.

        Raises:
            InvalidToken: A server does not know the token of one bot at the start, or of the last one later.
            HandlerError: It is strict, and `check` finds faults.
            RuntimeError: It is polling already, or there are no bots.
        """
        if not bots:
            raise RuntimeError("start_polling needs at least one bot")
        if self._polling is not None:
            raise RuntimeError("this dispatcher is polling already")
        self._check_start(data)
        self._say_what_a_kill_loses()
        known = {**self.data, **data, "dispatcher": self, "bot": bots[0], "bots": bots}

        async def feed(bot: "Bot", update: Update, storage: BaseStorage | None) -> None:
            await self._handled(bot, update, data if storage is None else {**data, STORAGE: storage})

        lanes = Lanes(self._concurrency, self._queue_limit)
        kind = self.delivery or "at_least_once"
        self._polling = PollingRun(
            self,
            bots,
            Delivery(self.offsets, self.storage, kind, lanes, feed, self._lane),
            self.offsets,
            self._tell_malformed,
            known,
            skips=skip_updates,
            closing=self._closing(bots if close_bot_on_stop else ()),
        )
        try:
            async with contextlib.AsyncExitStack() as stack:
                if handle_signals:
                    stack.enter_context(self._polling.stopping.signals())
                if self.container is not None:
                    await stack.enter_async_context(running(self.container))
                    known[SCOPE] = UpdateScope(self.container)
                await self._polling.run()
        finally:
            self._polling = None
            self.is_open = True

    def _say_what_a_kill_loses(self) -> None:
        if self.delivery is None and not self.offsets.is_durable:
            logger.warning(
                "Updates that wait or are handled when the process is killed are lost, since %s keeps nothing: use "
                "storage='sqlite:bot.db', or say delivery='at_least_once' if that is as it should be",
                type(self.storage).__name__,
            )

    def _closing(self, bots: "tuple[Bot, ...]") -> list[Any]:
        stores = [self.storage] if self.offsets is self.storage else [self.storage, self.offsets]
        return [one.close for one in (*stores, *bots) if hasattr(one, "close")]

    def _state_key(self, bot: "Bot", update: Update) -> StorageKey | None:
        try:
            return storage_key(str(bot.id), event_of(bot, update), self.fsm_strategy)
        except DecodeError:
            return None

    def _lane(self, bot: "Bot", update: Update) -> Any:
        if self._lane_kind == "none":
            return None
        if self._lane_kind == "fsm":
            return self._state_key(bot, update)
        try:
            chat = getattr(event_of(bot, update), "chat", None)
        except DecodeError:
            return None
        return (bot.id, chat.chat_id) if chat is not None else None

    async def _handled(self, bot: "Bot", update: Update, data: dict[str, Any]) -> None:
        try:
            await self.feed_update(bot, update, **data)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            logger.warning("A handler has cancelled itself: event %s of %r", update.event_id, bot)
        except Exception:
            logger.exception("An update could not be handled: event %s of %r", update.event_id, bot)


async def _answered(query: Any) -> None:
    if query.is_answered or query.bot_or_none is None:
        return
    try:
        await query.answer()
    except Exception as fault:  # noqa: BLE001 - the handler's work is done, whatever this comes to
        logger.warning("The button of query %s could not be answered: %s", query.query_id, fault)


async def _awaited(found: Any) -> None:
    if hasattr(found, "__await__"):
        await found


__all__ = ["Dispatcher", "ErrorEvent", "LaneKind", "UpdateObserver"]
