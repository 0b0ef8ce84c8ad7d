"""What the platform does, as far as a bot sees it: calls answered, events kept until they are acknowledged, faults."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spikard.bots.bot import Bot
from spikard.bots.enums import EventType
from spikard.bots.testing import fake_methods
from spikard.bots.testing.fake_api import FakeApi, FakeChat, FakeMessage, FakeUser, Refusal
from spikard.bots.testing.fake_wire import FakeAnswer, FakeFile, FakeRequest
from spikard.bots.testing.people import Person
from spikard.bots.testing.samples import sample

TOKEN = "001.1234567890.0987654321:1000000001"  # noqa: S105 - of nobody
POLL = "events/get"

Fault = Literal["drop", "lost", "html"] | int | float | Mapping[str, Any]


@dataclass(slots=True)
class FakeCall:
    """A request that reached the server."""

    method: str
    params: dict[str, str]
    file: FakeFile | None
    token_in_url: bool
    verb: str
    at: float
    status: int = 200


class FakePlatform:
    """Methods, chats, events by long polling, files, limits and faults, for one bot; requests come by any transport.

    Attributes:
        calls: Requests of methods but polls, in order; `polls` counts those.
        sent: Messages of the bot.
        http_429: How many calls were refused for being too many.
        duplicates: How many messages came a second time, by their request ids.
        rate: So many calls in so many seconds; None for no limit.
        latency: Seconds that every call takes.
        batch: How many events a poll gets at most.
        disabled: Methods that this bot may not use.
    """

    def __init__(
        self,
        token: str = TOKEN,
        *,
        base_url: str = "http://teams.example",
        rate: tuple[int, float] | None = None,
        latency: float = 0.0,
        batch: int = 100,
        nick: str = "testbot",
    ) -> None:
        self.token = token
        self.rate = rate
        self.latency = latency
        self.batch = batch
        self.disabled: set[str] = set()
        self.get_only: set[str] = set()
        self.calls: list[FakeCall] = []
        self.polls = 0
        self.http_429 = 0
        self.base_url = base_url
        self.bots: list[Bot] = []
        self._people: dict[str, Person] = {}
        self.api = FakeApi(FakeUser(token.rpartition(":")[2], first_name="Test Bot", nick=nick), lambda: self.base_url)
        self._events: list[dict[str, Any]] = []
        self._next_event = 0
        self._arrived = asyncio.Event()
        # Counts what happened, on either side.
        self.revision = 0
        self._changed = asyncio.Event()
        self._faults: dict[str, deque[Fault]] = {}
        self._recent: deque[float] = deque()

    @property
    def url(self) -> str:
        """The `api_url` of its bots."""
        return f"{self.base_url}/bot/v1"

    @property
    def sent(self) -> list[FakeMessage]:
        """Messages of the bot, in the order of their arrival."""
        return self.api.sent

    @property
    def duplicates(self) -> int:
        """How many messages came a second time."""
        return self.api.duplicates

    @property
    def waiting(self) -> list[dict[str, Any]]:
        """Events that no poll has acknowledged."""
        return list(self._events)

    def bot(self, **options: Any) -> Bot:
        """A bot of this server; options are those of `Bot`."""
        options.setdefault("token", self.token)
        options.setdefault("api_url", self.url)
        bot = Bot(**options)
        self.bots.append(bot)
        return bot

    def user(self, user_id: str, **names: str) -> Person:
        """Somebody who writes to the bot; `names` are first_name, last_name and nick.

        What they do comes with the bot's next poll: `until` waits for what becomes of it.
        """
        self.api.user(user_id, **names)
        return self._people.setdefault(user_id, Person(self, user_id))

    async def until(self, condition: Callable[[], Any], seconds: float | None = 20.0) -> None:
        """Waits until something holds, looking at it whenever the bot has called or somebody has done something.

        Raises:
            TimeoutError: It did not within so many seconds.
        """
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def touch(self) -> None:
        """Lets those who wait look again."""
        self.revision += 1
        self._changed.set()

    @property
    def platform(self) -> "FakePlatform":
        """Itself, as people know it."""
        return self

    async def happen(self, push: Callable[[], Any]) -> Any:
        """Lets something happen."""
        return push()

    def fail_next(self, method: str, fault: Fault, times: int = 1) -> None:
        """Lets the next calls of a method fail.

        Args:
            method: Which, or `*` for all.
            fault: A status; `drop`, the connection breaks before anything is done; `lost`, it breaks after; `html`, a
                page in place of an answer; a mapping, which is the answer; a float, so many seconds of delay.
            times: How many calls.
        """
        self._faults.setdefault(method, deque()).extend([fault] * times)

    def push(self, kind: str, payload: Mapping[str, Any]) -> int:
        """Lets something happen; gives the event's id."""
        self._next_event += 1
        self._events.append({"eventId": self._next_event, "type": str(kind), "payload": dict(payload)})
        self._arrived.set()
        self.touch()
        return self._next_event

    def push_raw(self, event: Any) -> None:
        """Puts anything where an event should be."""
        if isinstance(event, dict) and isinstance(event.get("eventId"), int):
            self._next_event = max(self._next_event, event["eventId"])
        self._events.append(event)
        self._arrived.set()

    def push_message(
        self, text: str | None = None, user_id: str = "ann@corp.example", chat_id: str | None = None, **fields: Any
    ) -> FakeMessage:
        """Somebody writes, to the bot or in a group; more fields are those of `FakeMessage`."""
        self.api.user(user_id)
        chat = self.api.chat(chat_id or user_id)
        message = FakeMessage(
            self.api.new_message_id(), chat.chat_id, text, user_id=user_id, timestamp=fake_methods.now(), **fields
        )
        self.api.messages[message.msg_id] = message
        self.push(EventType.NEW_MESSAGE, self.api.event(message))
        return message

    def push_callback(self, data: str, message: FakeMessage | None = None, user_id: str = "ann@corp.example") -> str:
        """Somebody presses a button; gives the id of the query."""
        query = f"SVR:{user_id}:{self.api.bot.user_id}:{self._next_event + 1}"
        self.api.queries[query] = user_id
        shown = message or (self.sent[-1] if self.sent else None)
        payload: dict[str, Any] = {"queryId": query, "from": self.api.user(user_id).contact(), "callbackData": data}
        if shown is not None:
            payload["message"] = self.api.event(shown)
            payload["chat"] = payload["message"]["chat"]
        else:
            payload["chat"] = {"chatId": user_id, "type": "private"}
        self.push(EventType.CALLBACK_QUERY, payload)
        return query

    def push_sample(self, name: str) -> int:
        """Lets the event of a sample happen, like `new_message_private`; see `spikard.bots.testing.sample`."""
        event = sample(name)
        return self.push(event["type"], event["payload"])

    def group(self, title: str, members: list[str], *, admins: list[str] | None = None) -> FakeChat:
        """A new group with the bot in it."""
        return self.api.group(title, members, admins=admins)

    def add_file(self, content: bytes, filename: str = "file.bin", content_type: str = "application/pdf") -> str:
        """Puts a file on the file host; gives its id."""
        return self.api.store(FakeFile(filename, content, content_type))

    async def answer(self, request: FakeRequest) -> FakeAnswer:
        """What the server says to a request."""
        if request.path.startswith("/files/"):
            return self._download(request)
        if request.method == POLL:
            self.polls += 1
        call = FakeCall(
            request.method,
            {name: value for name, value in request.params.items() if name != "token"},
            request.files.get("file"),
            request.token_in_url,
            request.verb,
            time.monotonic(),
        )
        if request.method != POLL:
            self.calls.append(call)
        answer = await self._judged(request)
        call.status = answer.status
        self.touch()
        return answer

    async def _judged(self, request: FakeRequest) -> FakeAnswer:
        if request.params.get("token") != self.token:
            return FakeAnswer.json({"ok": False, "description": "Invalid token"})
        if request.method != POLL and (wait := self._too_many()):
            self.http_429 += 1
            refused = {"ok": False, "description": "Too many requests"}
            return FakeAnswer.json(refused, 429, {"retry-after": f"{wait:.3f}"})
        if request.method in self.get_only and request.verb != "GET":
            return FakeAnswer.json({"ok": False, "description": "Use GET"}, 405)
        if self.latency:
            await asyncio.sleep(self.latency)
        fault = self._fault(request.method)
        if isinstance(fault, float):
            await asyncio.sleep(fault)
        elif fault is not None and fault != "lost":
            return _failed(fault)
        answer = await self._done(request)
        return _failed(fault) if fault == "lost" else answer

    async def _done(self, request: FakeRequest) -> FakeAnswer:
        try:
            if request.method in self.disabled:
                raise Refusal("Method not allowed")
            if request.method == POLL:
                return FakeAnswer.json({"ok": True, "events": await self._poll(request.params)})
            return FakeAnswer.json(self.api.call(request))
        except Refusal as fault:
            return FakeAnswer.json({"ok": False, "description": str(fault)})

    async def _poll(self, params: dict[str, str]) -> list[dict[str, Any]]:
        last = int(params.get("lastEventId") or 0)
        # What is acknowledged is gone for good.
        self._events = [event for event in self._events if _number(event) > last]
        self.touch()
        until = time.monotonic() + float(params.get("pollTime") or 0)
        while not self._events and (left := until - time.monotonic()) > 0:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                break
        return self._events[: self.batch]

    def _too_many(self) -> float:
        """Seconds until there may be a call again; zero if there may be one now."""
        if self.rate is None:
            return 0.0
        most, seconds = self.rate
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - seconds:
            self._recent.popleft()
        if len(self._recent) >= most:
            return self._recent[0] + seconds - now
        self._recent.append(now)
        return 0.0

    def _fault(self, method: str) -> Fault | None:
        for name in (method, "*"):
            if self._faults.get(name):
                return self._faults[name].popleft()
        return None

    def _download(self, request: FakeRequest) -> FakeAnswer:
        # The host compares the text of the address: it does not understand an escaped colon.
        if f"token={self.token}" not in request.query.split("&"):
            return FakeAnswer(b"fault", 500 if "token=" in request.query else 403, "text/plain")
        fault = self._fault("files")
        if fault is not None and not isinstance(fault, float):
            return _failed(fault)
        file = self.api.files.get(request.path.removeprefix("/files/"))
        if file is None:
            return FakeAnswer(b"no such file", 404, "text/plain")
        return FakeAnswer(file.content, 200, file.content_type)


def _number(event: Any) -> float:
    number = event.get("eventId") if isinstance(event, dict) else None
    return number if isinstance(number, int) else float("inf")


def _failed(fault: Fault) -> FakeAnswer:
    if isinstance(fault, Mapping):
        return FakeAnswer.json(fault)
    if fault == "html":
        return FakeAnswer(b"<html><body>Please log in</body></html>", 200, "text/html")
    if isinstance(fault, int):
        return FakeAnswer(b"<html>fault</html>", fault, "text/html")
    return FakeAnswer(b"", dropped=True)


__all__ = ["POLL", "TOKEN", "FakeCall", "FakePlatform", "Fault"]
