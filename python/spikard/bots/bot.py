"""The client: one bot, its settings, and the way to the server."""

import os
import re
import ssl
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

import httpx
from msgspec import UNSET, UnsetType

from spikard.bots._events import Batch, MalformedLog, decode_events
from spikard.bots.broadcast import BroadcastResult, DeliveryLog, broadcast
from spikard.bots.calls import POLL, Call, ClientMiddleware, Work, is_cut, perform
from spikard.bots.chat_handle import ChatHandle
from spikard.bots.errors import NetworkError, ServerError
from spikard.bots.limits import ChatPace, Limiter, RateLimiter
from spikard.bots.methods.files import FileMethods
from spikard.bots.methods.members import MemberMethods
from spikard.bots.methods.messages import MessageMethods
from spikard.bots.methods.people import PeopleMethods
from spikard.bots.methods.threads import ThreadMethods
from spikard.bots.redaction import guard
from spikard.bots.retry import Retry, as_retry
from spikard.bots.session import Session
from spikard.bots.types.event import Update
from spikard.bots.types.user import BotInfo
from spikard.errors import ConfigError

API_URL = "https://myteam.mail.ru/bot/v1"
API_PATH = "/bot/v1"
# What those who came from other frameworks compare with.
_UNSET = UNSET


class Bot(MessageMethods, PeopleMethods, MemberMethods, ThreadMethods, FileMethods):
    """A bot of the platform: its account, and all that it can do.

    Args:
        token: From the platform's Metabot; by default the environment's `VKTEAMS_TOKEN`.
        api_url: Of the server of your company; by default `VKTEAMS_API_URL`, else the public one.
        timeout: Seconds that the server has for an answer.
        poll_time: Seconds that the server may keep a poll open.
        rate_limit: Calls per second, or a limiter that bots share. Polls and downloads are not counted.
        proxy: Through which all calls go; by default `VKTEAMS_PROXY`.
        parse_mode: The markup of all texts that do not say another.
        burst: How many calls may start at once after a quiet time.
        per_chat: Messages per second to one chat.
        retry: How often failed calls are repeated; a number, or None for never.
        verify_ssl: False trusts everybody, a path is a bundle of authorities in place of the machine's.
        extra_ca: A PEM file with more authorities; by default `VKTEAMS_CA`.
        http: A client to use in place of an own one.
        connect_timeout: Seconds for connecting.
        max_connections: How many calls may be under way.
        auto_request_id: Whether every message gets an id by which the server drops a second one.
        text_limit: From how many characters on a text is long.
        on_long_text: What becomes of long texts.
        name: For logs.
        platform: Which platform it is.
        retry_on_5xx: Another name of `retry`.

    Raises:
        ConfigError: There is no token, or the address is none.
    """

    # From how many characters on a text is long, unless the bot says otherwise.
    TEXT_LENGTH_WARNING: ClassVar[int] = 4096

    def __init__(
        self,
        token: str | None = None,
        api_url: str | None = None,
        timeout: float = 30.0,
        poll_time: int = 60,
        rate_limit: float | Limiter | None = None,
        proxy: str | None = None,
        parse_mode: str | None = None,
        *,
        burst: float = 5,
        per_chat: float | None = None,
        retry: Retry | int | None = Retry(),  # noqa: B008 - frozen
        verify_ssl: bool | str | Path | ssl.SSLContext = True,
        extra_ca: str | Path | None = None,
        http: httpx.AsyncClient | None = None,
        connect_timeout: float = 10.0,
        max_connections: int = 100,
        auto_request_id: bool = True,
        text_limit: int = TEXT_LENGTH_WARNING,
        on_long_text: Literal["warn", "split", "error"] = "warn",
        name: str | None = None,
        platform: str = "vkteams",
        retry_on_5xx: Retry | int | UnsetType | None = UNSET,
    ) -> None:
        super().__init__()
        token = token or os.environ.get("VKTEAMS_TOKEN")
        if not token:
            raise ConfigError("A bot needs a token: pass token=... or set VKTEAMS_TOKEN")
        guard(self, token)
        if on_long_text not in ("warn", "split", "error"):
            raise ConfigError(f"on_long_text is warn, split or error, not {on_long_text!r}")
        self.token = token
        self.api_url = _address(api_url or os.environ.get("VKTEAMS_API_URL") or API_URL)
        self.timeout = timeout
        self.poll_time = poll_time
        self.rate_limit = rate_limit
        self.proxy = proxy or os.environ.get("VKTEAMS_PROXY") or None
        self.parse_mode = parse_mode
        self.retry = as_retry(retry if isinstance(retry_on_5xx, UnsetType) else retry_on_5xx)
        self.auto_request_id = auto_request_id
        self.text_limit = text_limit
        self.on_long_text = on_long_text
        self.id = _account(token)
        self.name = name
        self.platform = platform
        self.me: BotInfo | None = None
        self.last_event_id = 0
        self.limiter = _limiter(rate_limit, burst)
        is_paced = per_chat is not None or bool(rate_limit)
        self.chat_pace = ChatPace(per_chat) if is_paced else None
        # Methods that this server takes only in the address.
        self.methods_by_get: set[str] = set()
        self.session = Session(
            timeout=timeout,
            connect_timeout=connect_timeout,
            max_connections=max_connections,
            proxy=self.proxy,
            verify_ssl=verify_ssl,
            extra_ca=extra_ca,
            given=http,
        )
        self._middlewares: list[ClientMiddleware] = []
        self._malformed_log = MalformedLog()

    @property
    def http(self) -> httpx.AsyncClient:
        """The HTTP client, made at its first use and anew after `close`. One that is assigned serves polls too."""
        return self.session.http

    @http.setter
    def http(self, client: httpx.AsyncClient | None) -> None:
        self.session.http = client

    _session = http

    @property
    def _last_event_id(self) -> int:
        return self.last_event_id

    @_last_event_id.setter
    def _last_event_id(self, value: int) -> None:
        self.last_event_id = value

    async def get_session(self) -> httpx.AsyncClient:
        """`http`, by the name that those who came from other frameworks know."""
        return self.http

    async def close(self) -> None:
        """Closes the connections; more than once is once. A later call opens new ones."""
        await self.session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def use(self, middleware: ClientMiddleware) -> ClientMiddleware:
        """Puts `async (call, bot, method, params) -> dict` around every call, around limits and repetitions too.

        What was put first is outermost; `await call(bot, method, params)` goes on. Works as a decorator.
        """
        self._middlewares.append(middleware)
        return middleware

    async def request(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        *,
        retry: Retry | int | UnsetType | None = UNSET,
        timeout: float | UnsetType = UNSET,  # noqa: ASYNC109 - a setting of the HTTP client
        priority: int | None = None,
    ) -> dict[str, Any]:
        """Calls a method of the API: the way that all methods go, and the one to those that have no name here.

        Args:
            method: Like `chats/getInfo`.
            params: By their names on the wire; None is left out. The token is added.
            files: Files by field: `InputFile`, path, bytes, open file, or a tuple of name and file.
            retry: In place of the bot's own.
            timeout: Seconds for the answer, in place of the bot's own.
            priority: Who goes first when several wait for the limit; less is sooner.

        Returns:
            The server's answer.

        Raises:
            APIError: The server refuses.
            NetworkError: It was not reached, or did not answer in time.
            ServerError: It has a fault, or what answers is not the API.
        """
        work = Work(
            files=files,
            retry=self.retry if isinstance(retry, UnsetType) else as_retry(retry),
            timeout=self.timeout if isinstance(timeout, UnsetType) else timeout,
            priority=priority,
        )

        async def innermost(bot: "Bot", method: str, params: dict[str, Any]) -> dict[str, Any]:
            return await perform(bot, method, params, work)

        call: Call = innermost
        for middleware in reversed(self._middlewares):
            call = _around(middleware, call)
        return await call(self, method, {k: v for k, v in (params or {}).items() if v is not None})

    call = request

    def chat(self, chat_id: str) -> ChatHandle:
        """A chat with the bot's verbs: `await bot.chat("ann@corp").send("hi")`."""
        return ChatHandle(self, chat_id)

    async def broadcast(
        self,
        chat_ids: Iterable[str],
        text: Any,
        *,
        concurrency: int = 20,
        on_error: Literal["collect", "raise"] = "collect",
        job: str | None = None,
        log: DeliveryLog | None = None,
    ) -> BroadcastResult:
        """Sends a text to many chats, behind everything else that waits for the limit.

        Args:
            chat_ids: Where to; each once.
            text: What, or a function of the chat's id that gives it, or gives arguments of `send_text`.
            concurrency: How many are under way at once.
            on_error: Whether the first error ends it.
            job: A name. The same job after a crash sends nothing twice: the ids of its messages are determined by it.
            log: Where chats are noted that have their message, so that the job need not ask the server about them.
        """
        return await broadcast(self, chat_ids, text, concurrency, on_error, job, log)

    async def get_me(self) -> BotInfo:
        """The bot itself; also kept as `me`."""
        self.me = await self._ask(BotInfo, "self/get")
        return self.me

    async def get_events(self, last_event_id: int | None = None, poll_time: int | None = None) -> list[Update]:
        """Waits for events and gives them, each bound to this bot; none when nothing happened in `poll_time` seconds.

        Events up to `last_event_id`, by default the last that was seen, are dropped by the server for good. Those that
        cannot be read are logged and passed over.
        """
        try:
            batch = await self.poll(last_event_id, poll_time)
        except (NetworkError, ServerError) as fault:
            if is_cut(fault):
                return []
            raise
        return batch.updates

    async def poll(
        self,
        last_event_id: int | None = None,
        poll_time: int | None = None,
        *,
        retry: Retry | int | UnsetType | None = UNSET,
    ) -> Batch:
        """`get_events` for those who want to know about malformed events and cut polls as well."""
        seconds = self.poll_time if poll_time is None else poll_time
        last = self.last_event_id if last_event_id is None else last_event_id
        answer = await self.request(
            POLL, {"lastEventId": last, "pollTime": seconds}, retry=retry, timeout=self.timeout + seconds
        )
        events = answer.get("events") or []
        if not isinstance(events, list):
            raise ServerError(f"{POLL}: the events are a {type(events).__name__} in place of a list", httpx.codes.OK)
        batch = decode_events(events)
        self._malformed_log.tell(batch.malformed)
        if batch.last_id is not None:
            self.last_event_id = max(self.last_event_id, batch.last_id)
        for update in batch.updates:
            update.set_bot(self)
        return batch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bot) and (self.id, self.api_url) == (other.id, other.api_url)

    def __hash__(self) -> int:
        return hash((self.id, self.api_url))

    def __repr__(self) -> str:
        return f"<Bot {self.id} {self.api_url}>"

    def __reduce__(self) -> Any:
        # The token stays here: whoever unpickles has its own, in the environment.
        return _restored, (self.id, self.api_url)


def _restored(account: str, api_url: str) -> Bot:
    bot = Bot(api_url=api_url)
    if bot.id != account:
        raise ConfigError(f"VKTEAMS_TOKEN is that of the bot {bot.id}, not of {account}")
    return bot


def _around(middleware: ClientMiddleware, inner: Call) -> Call:
    async def call(bot: Bot, method: str, params: dict[str, Any]) -> dict[str, Any]:
        return await middleware(inner, bot, method, params)

    return call


def _address(url: str) -> str:
    url = url.strip().rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"api_url is an address like {API_URL}, not {url!r}")
    return url if parts.path else f"{url}{API_PATH}"


def _account(token: str) -> str:
    """What tells bots apart: the number of the account, which is no secret, else a hash."""
    found = re.search(r":(\d+)$", token)
    return found[1] if found else sha256(token.encode()).hexdigest()[:16]


def _limiter(limit: float | Limiter | None, burst: float) -> Limiter:
    if limit is None or limit == 0:
        # Nothing to wait for but pauses that the server asks for.
        return RateLimiter(float("inf"), 1)
    return RateLimiter(limit, burst) if isinstance(limit, int | float) else limit


__all__ = ["API_URL", "Bot", "RateLimiter"]
