"""Named groups of WebSockets: what is said in a channel reaches all of its members, on other workers too."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from spikard._spikard import encode_json
from spikard.errors import ConfigError, WebSocketDisconnect
from spikard.pubsub.protocol import Bus
from spikard.routing.websocket import WebSocket

TOPIC = "channel:"
# The first byte of a message on its way between processes.
TEXT, BYTES = b"t", b"b"
SLOW = ("close", "drop")


@dataclass(slots=True)
class ChannelCounts:
    """What has become of messages from other processes that did not reach a member."""

    unclaimed: int = 0
    """Came when the channel had no members here any more."""
    closed: int = 0
    """Found the queue of a member full, which has been closed for that."""
    dropped: int = 0
    """Found the queue of a member full, and were left out for it."""


class Channels:
    """The channels of an application: `app.channels["room"]`.

    They reach from process to process over a bus:

        app.channels.use(RedisBus("redis://localhost"))
    """

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}
        self._bus: Bus | None = None
        self._closes_slow = True
        self._users = 0
        self.counts = ChannelCounts()

    def use(self, bus: Bus, *, slow: Literal["close", "drop"] = "close") -> None:
        """Carry messages to other processes from the next start on.

        `slow` is what happens to a member whose queue is full when a message comes from another process, where nobody
        can wait for it: it is closed with 1013, or the message is left out for it; both are counted.
        """
        if slow not in SLOW:
            raise ConfigError(f"channels.use: slow must be one of {', '.join(SLOW)}, not {slow!r}")
        if self._users:
            raise ConfigError("channels.use: the application is running already; choose the bus before it starts")
        self._bus, self._closes_slow = bus, slow == "close"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the bus going for the length of a block; several servers of one application share it."""
        self._users += 1
        try:
            if self._bus is not None and self._users == 1:
                await self._bus.start()
            yield
        finally:
            self._users -= 1
            if self._bus is not None and self._users == 0:
                await self._bus.stop()

    def __getitem__(self, name: str) -> "Channel":
        """The channel of that name, which begins to exist with its first member."""
        return self._channels.get(name) or Channel(name, self)

    def __contains__(self, name: object) -> bool:
        return name in self._channels

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._channels))

    def __len__(self) -> int:
        return len(self._channels)

    def _open(self, channel: "Channel") -> "Channel":
        current = self._channels.setdefault(channel.name, channel)
        if current is channel and self._bus is not None and not channel._is_subscribed:
            channel._is_subscribed = True
            self._bus.subscribe(TOPIC + channel.name, channel._deliver)
        return current

    def _close(self, channel: "Channel") -> None:
        if self._channels.get(channel.name) is channel:
            del self._channels[channel.name]
            if self._bus is not None and channel._is_subscribed:
                channel._is_subscribed = False
                self._bus.unsubscribe(TOPIC + channel.name, channel._deliver)

    def _publish(self, name: str, data: str | bytes) -> None:
        if self._bus is not None:
            self._bus.publish(TOPIC + name, TEXT + data.encode() if isinstance(data, str) else BYTES + data)


class Channel:
    """A group of WebSockets.

    async with app.channels["room"].joined(ws):
        async for text in ws.iter_text():
            await app.channels["room"].broadcast(text)
    """

    def __init__(self, name: str, channels: Channels) -> None:
        self.name = name
        self._channels = channels
        # In the order of joining.
        self._members: dict[WebSocket, None] = {}
        self._is_subscribed = False

    def join(self, ws: WebSocket) -> None:
        """Add a member; it leaves by itself when its client is gone.

        What other processes say reaches it from the moment on that `settled` tells; `joined` waits for it.
        """
        self._channels._open(self._current)._members[ws] = None

    def leave(self, ws: WebSocket) -> None:
        """Remove a member, if it is one."""
        current = self._current
        current._members.pop(ws, None)
        if not current._members:
            self._channels._close(current)

    async def settled(self) -> None:
        """Wait until a member here hears other processes; returns also where there are none, or no way to them."""
        bus = self._channels._bus
        if bus is not None:
            await bus.settled(TOPIC + self.name)

    @asynccontextmanager
    async def joined(self, ws: WebSocket) -> AsyncIterator["Channel"]:
        """Be a member for the length of a block."""
        self.join(ws)
        try:
            await self.settled()
            yield self
        finally:
            self.leave(ws)

    async def broadcast(self, message: Any, *, exclude: WebSocket | None = None) -> int:
        """Send to every member: text and bytes as they are, all else as JSON; gives how many it went to here.

        Waits for members of this process whose queue is full, unless their route says `overflow="close"`. Those of
        others get it over the bus, if there is one, for which nobody waits.
        """
        data = message if isinstance(message, str | bytes) else encode_json(message).decode()
        self._channels._publish(self.name, data)
        reached, behind = 0, []
        for ws in self.members:
            if ws is exclude:
                continue
            try:
                if ws._link.send(data):
                    reached += 1
                else:
                    behind.append(ws)
            except WebSocketDisconnect:
                self.leave(ws)
        if behind:
            sent = await asyncio.gather(*(self._send(ws, data) for ws in behind))
            reached += sum(sent)
        return reached

    @property
    def members(self) -> tuple[WebSocket, ...]:
        """Who of this process is in it now."""
        return tuple(self._current._members)

    def __len__(self) -> int:
        return len(self.members)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, ws: object) -> bool:
        return ws in self.members

    @property
    def _current(self) -> "Channel":
        """The channel of this name that has the members: this one, or the one that was there before it."""
        return self._channels._channels.get(self.name, self)

    async def _send(self, ws: WebSocket, data: str | bytes) -> bool:
        try:
            await ws.send(data)
        except WebSocketDisconnect:
            self.leave(ws)
            return False
        return True

    def _deliver(self, message: bytes) -> None:
        """Take what another process has said."""
        counts, members = self._channels.counts, self.members
        counts.unclaimed += not members
        data = message[1:].decode() if message[:1] == TEXT else message[1:]
        for ws in members:
            try:
                if ws._link.send(data):
                    continue
            except WebSocketDisconnect:
                self.leave(ws)
                continue
            if self._channels._closes_slow:
                counts.closed += 1
                ws._link.give_up()
                self.leave(ws)
            else:
                counts.dropped += 1


__all__ = ["Channel", "ChannelCounts", "Channels"]
