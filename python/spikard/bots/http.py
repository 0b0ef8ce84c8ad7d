"""A bot inside of a web application: its life, its health, and ways in for programs in other languages."""

import asyncio
import hmac
import ipaddress
import logging
from collections.abc import Awaitable, Callable
from time import monotonic, time
from typing import TYPE_CHECKING, Any

import msgspec

from spikard._spikard import Request
from spikard.bots.bot import Bot
from spikard.bots.dispatcher.dispatcher import Dispatcher
from spikard.bots.errors import BotError, DecodeError, RateLimited
from spikard.bots.middleware import BaseMiddleware, Handler
from spikard.bots.middlewares.metrics import MetricsMiddleware
from spikard.bots.outcomes import UNHANDLED
from spikard.bots.types.event import Update
from spikard.errors import ConfigError, HTTPException
from spikard.responses import JSONResponse, PlainTextResponse
from spikard.routing.router import Router as Routes

if TYPE_CHECKING:
    from spikard.app.application import Spikard

logger = logging.getLogger("spikard.bots.http")

_METRICS = "text/plain; version=0.0.4; charset=utf-8"
# How long the application waits for the bot at its start: a server that cannot be reached does not hold it up.
_PATIENCE = 5.0


class SendRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A message to be sent.

    Attributes:
        chat_id: Where to.
        text: What.
        parse_mode: HTML or MarkdownV2; by default the bot's.
        keyboard: Rows of buttons, as the platform has them: `text`, and `callbackData` or `url`.
        request_id: The server drops a second message with the same one.
        bot_id: Which of several bots; by default the first.
    """

    chat_id: str
    text: str
    parse_mode: str | None = None
    keyboard: list[list[dict[str, Any]]] | None = None
    request_id: str | None = None
    bot_id: str | None = None


class Progress(BaseMiddleware):
    """How far the updates have come.

    Attributes:
        done: How many were handled.
        lag: Seconds between the sending of a message and its handler; None before there was one.
    """

    injects = ()

    def __init__(self) -> None:
        self.done = 0
        self.lag: float | None = None

    async def __call__(self, handler: Handler, event: Update, data: dict[str, Any]) -> Any:
        """Goes on, and counts."""
        sent = event.payload.get("timestamp")
        if isinstance(sent, int | float):
            self.lag = max(0.0, time() - sent)
        try:
            return await handler(event, data)
        finally:
            self.done += 1


class MountedBot:
    """Bots that live with a web application. Made by `mount_bot`."""

    def __init__(
        self, app: "Spikard", dp: Dispatcher, bots: tuple[Bot, ...], api_key: str | None, secret: str | None
    ) -> None:
        self.app = app
        self.dp = dp
        self.bots = {str(bot.id): bot for bot in bots}
        self.metrics = MetricsMiddleware()
        self.options: dict[str, Any] = {}
        self._api_key = api_key
        self._secret = secret or api_key
        self._polling: asyncio.Task[None] | None = None
        # Of each bot the moment of the last poll that went well, by the monotonic clock.
        self._polled: dict[str, float] = {}
        self._began = 0.0
        self._fetched = 0
        self._progress = Progress()
        for bot in bots:
            bot.use(self._watch)
        self._begun = asyncio.Event()
        dp.on_startup(self._begun.set)
        dp.update.outer_middleware(self.metrics)
        dp.update.outer_middleware(self._progress)

    # --- its life

    async def start(self) -> None:
        """Begins to poll. What is wrong with the handlers or the token comes out here."""
        self._began = monotonic()
        polling = self.dp.start_polling(
            *self.bots.values(), handle_signals=False, **{"close_bot_on_stop": True, **self.options}
        )
        self._polling = asyncio.create_task(polling)
        self._polling.add_done_callback(_told)
        begun = asyncio.create_task(self._begun.wait())
        await asyncio.wait({self._polling, begun}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        if self._polling.done():
            self._polling.result()

    async def stop(self) -> None:
        """Ends polling, and waits for the handlers."""
        if self._polling is not None:
            await self.dp.stop()
            await asyncio.wait({self._polling})
            self._polling = None

    async def _watch(self, call: Callable[..., Awaitable[Any]], bot: Any, method: str, params: Any) -> Any:
        found = await call(bot, method, params)
        if method == "events/get":
            self._polled[str(bot.id)] = monotonic()
            self._fetched += len(found.get("events") or ()) if isinstance(found, dict) else 0
        return found

    # --- what is asked of it

    def health(self) -> tuple[bool, dict[str, Any]]:
        """Whether all bots have polled in time, and figures."""
        now = monotonic()
        is_running = self._polling is not None and not self._polling.done()
        bots = {}
        is_well = is_running
        standing_by = {str(poller.bot.id) for poller in self.dp.pollers if poller.stands_by}
        for name, bot in self.bots.items():
            age = now - self._polled.get(name, self._began)
            stands_by = str(bot.id) in standing_by
            is_well = is_well and (stands_by or age <= 3 * bot.poll_time)
            bots[name] = {"last_poll_age": round(age, 3), "polled": name in self._polled, "stands_by": stands_by}
        waiting = max(0, self._fetched - self._progress.done - self.dp.stats()["malformed"])
        lag = None if self._progress.lag is None else round(self._progress.lag, 3)
        return is_well, {"status": "ok" if is_well else "failing", "bots": bots, "queue": waiting, "lag": lag}

    def admit(self, request: Request, key: str | None) -> None:
        """Raises 401 without the key; where there is none, 403 to those who are not on this machine."""
        if key is None:
            if request.client is None or not _is_loopback(request.client[0]):
                raise HTTPException(403, "without api_key= only programs of the same machine may ask")
            # A page in a browser of this machine cannot send this type without being asked for leave first.
            if (request.content_type or "").partition(";")[0].strip().lower() != "application/json":
                raise HTTPException(415, "the body is to be application/json")
            return
        given = request.headers.get("x-api-key") or ""
        scheme, _, token = (request.headers.get("authorization") or "").partition(" ")
        if not given and scheme.lower() == "bearer":
            given = token.strip()
        if not hmac.compare_digest(given.encode(), key.encode()):
            raise HTTPException(401, "the key is wrong, or there is none: send it as X-Api-Key")

    def bot(self, name: str | None) -> Bot:
        """One of the bots; raises 404."""
        found = next(iter(self.bots.values())) if name is None else self.bots.get(name)
        if found is None:
            raise HTTPException(404, f"no bot has the id {name!r} here")
        return found

    def guard(self, request: Request) -> None:
        """Looks at the key before a body is read."""
        if request.method == "POST":
            self.admit(request, self._api_key if request.path.endswith("/send") else self._secret)

    async def send(self, order: SendRequest) -> dict[str, Any]:
        """Sends a message."""
        bot = self.bot(order.bot_id)
        options: dict[str, Any] = {} if order.parse_mode is None else {"parse_mode": order.parse_mode}
        if order.request_id is not None:
            options["request_id"] = order.request_id
        try:
            sent = await bot.send_text(order.chat_id, order.text, inline_keyboard_markup=order.keyboard, **options)
        except RateLimited as fault:
            seconds = str(int(fault.retry_after or 1))
            raise HTTPException(429, str(fault), headers={"retry-after": seconds}) from fault
        except ValueError as fault:
            raise HTTPException(422, str(fault)) from fault
        except BotError as fault:
            raise HTTPException(502, str(fault)) from fault
        return {"ok": True, "msg_id": sent.msg_id}

    async def feed(self, bot_id: str, event: dict[str, Any]) -> dict[str, Any]:
        """Takes an update over; answers when it has been handled."""
        bot = self.bot(bot_id)
        try:
            update = Update.from_dict(event)
        except DecodeError as fault:
            raise HTTPException(422, str(fault)) from fault
        lanes, polling = self.dp.lanes, self._polling
        if lanes is None or polling is None:
            raise HTTPException(503, "the bot is not running")
        handled: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        async def job() -> None:
            found: Any = UNHANDLED
            try:
                found = await self.dp.feed_update(bot, update, **self.options.get("data", {}))
            finally:
                if not handled.done():
                    handled.set_result(found is not UNHANDLED)

        self._fetched += 1
        # In line with what was polled: the two may be about one state.
        await lanes.put(self.dp._lane(bot, update), job, (f"{bot.id}, brought over HTTP", update.event_id))
        ends: set[asyncio.Future[Any]] = {handled, polling}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not handled.done():
            raise HTTPException(503, "the bot has stopped before this update: bring it again")
        return {"ok": True, "handled": handled.result()}


def mount_bot(
    app: "Spikard",
    dp: Dispatcher,
    *bots: Bot,
    prefix: str = "/bot",
    api_key: str | None = None,
    secret: str | None = None,
    **options: Any,
) -> MountedBot:
    """Lets bots live with a web application: they poll as long as it serves, and share its container.

    Adds `GET {prefix}/health` (503 when the last good poll is older than three times `poll_time`), `GET
    {prefix}/metrics` for Prometheus, `POST {prefix}/send` and `POST {prefix}/updates/{bot_id}`. Where there is one bot,
    routes can ask for `Bot`. Call it before the application starts, and before routes that ask for a bot are declared.

    Args:
        app: The application.
        dp: The dispatcher. Without a container of its own it is given the application's.
        bots: Whose updates.
        prefix: Where its routes are.
        api_key: What those who send must show, as `X-Api-Key` or as a bearer token.
        secret: What those who bring updates must show; by default the `api_key`.
        options: More for `start_polling`.

    Raises:
        ConfigError: There is no bot, or the application serves others than this machine and there is no key.
    """
    if not bots:
        raise ConfigError("mount_bot needs at least one bot")
    if api_key is None and not _is_loopback(app.config.host):
        raise ConfigError(f"the application listens at {app.config.host}: mount_bot needs an api_key=")
    if dp.container is None:
        dp.use_container(app.container)
    if dp.container is app.container and len(bots) == 1:
        app.container.add_instance(Bot, bots[0])
    mounted = MountedBot(app, dp, bots, api_key, secret)
    mounted.options = options
    routes = Routes(prefix.rstrip("/"), tags=["bot"])
    routes.pre_validation(mounted.guard)

    @routes.get("/health")
    async def health() -> JSONResponse:
        is_well, figures = mounted.health()
        return JSONResponse(figures, status_code=200 if is_well else 503)

    @routes.get("/metrics")
    async def metrics() -> PlainTextResponse:
        return PlainTextResponse(mounted.metrics.render(), headers={"content-type": _METRICS})

    @routes.post("/send")
    async def send(order: SendRequest) -> dict[str, Any]:
        return await mounted.send(order)

    @routes.post("/updates/{bot_id}")
    async def updates(bot_id: str, event: dict[str, Any]) -> dict[str, Any]:
        return await mounted.feed(bot_id, event)

    app.include_router(routes)

    app.on_startup(mounted.start)
    app.on_shutdown(mounted.stop)
    return mounted


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _told(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("The bot of the application has stopped", exc_info=task.exception())


__all__ = ["MountedBot", "SendRequest", "mount_bot"]
