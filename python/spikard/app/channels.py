"""Named groups of WebSockets: what is said in a channel reaches all of its members."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from spikard._spikard import encode_json
from spikard.errors import WebSocketDisconnect
from spikard.routing.websocket import WebSocket


class Channels:
    """The channels of an application in this process: `app.channels["room"]`."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}

    def __getitem__(self, name: str) -> "Channel":
        """The channel of that name, which begins to exist with its first member."""
        return self._channels.get(name) or Channel(name, self._channels)

    def __contains__(self, name: object) -> bool:
        return name in self._channels

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._channels))

    def __len__(self) -> int:
        return len(self._channels)


class Channel:
    """A group of WebSockets.

    async with app.channels["room"].joined(ws):
        async for text in ws.iter_text():
            await app.channels["room"].broadcast(text)
    """

    def __init__(self, name: str, registry: dict[str, "Channel"]) -> None:
        self.name = name
        self._registry = registry
        # In the order of joining.
        self._members: dict[WebSocket, None] = {}

    def join(self, ws: WebSocket) -> None:
        """Add a member; it leaves by itself when its client is gone."""
        current = self._registry.setdefault(self.name, self)
        current._members[ws] = None

    def leave(self, ws: WebSocket) -> None:
        """Remove a member, if it is one."""
        current = self._registry.get(self.name, self)
        current._members.pop(ws, None)
        if not current._members and self._registry.get(self.name) is current:
            del self._registry[self.name]

    @asynccontextmanager
    async def joined(self, ws: WebSocket) -> AsyncIterator["Channel"]:
        """Be a member for the length of a block."""
        self.join(ws)
        try:
            yield self
        finally:
            self.leave(ws)

    async def broadcast(self, message: Any, *, exclude: WebSocket | None = None) -> int:
        """Send to every member: text and bytes as they are, all else as JSON; gives how many it went to.

        Waits for members whose queue is full, unless their route says `overflow="close"`.
        """
        data = message if isinstance(message, str | bytes) else encode_json(message).decode()
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
        """Who is in it now."""
        return tuple(self._registry.get(self.name, self)._members)

    def __len__(self) -> int:
        return len(self.members)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, ws: object) -> bool:
        return ws in self.members

    async def _send(self, ws: WebSocket, data: str | bytes) -> bool:
        try:
            await ws.send(data)
        except WebSocketDisconnect:
            self.leave(ws)
            return False
        return True


__all__ = ["Channel", "Channels"]
