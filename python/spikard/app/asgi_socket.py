"""Calling an ASGI application with a WebSocket."""

from typing import Any

from spikard._spikard import Response
from spikard.app.asgi_call import AsgiApp, Message, Scope, headers_of
from spikard.errors import WebSocketDisconnect
from spikard.routing.websocket import WebSocket


class AsgiSocket:
    """One call of an application; `receive` and `send` are its ends."""

    def __init__(self, ws: WebSocket) -> None:
        self._ws = ws
        self._is_connected = False
        # An answer in place of a socket, as far as it has come.
        self._head: Message | None = None
        self._body = bytearray()

    async def serve(self, app: AsgiApp, scope: Scope) -> Response | None:
        """Run the application; gives the answer of one that refuses with more than a 403."""
        await app(scope, self.receive, self.send)
        if self._head is None:
            return None
        return Response(bytes(self._body) or None, self._head["status"], headers_of(self._head.get("headers", ())))

    async def receive(self) -> Message:
        """That there is a client, its messages, and at last that it has gone."""
        if not self._is_connected:
            self._is_connected = True
            return {"type": "websocket.connect"}
        try:
            message = await self._ws.receive()
        except WebSocketDisconnect as gone:
            return {"type": "websocket.disconnect", "code": gone.code, "reason": gone.reason}
        return {"type": "websocket.receive", "text" if isinstance(message, str) else "bytes": message}

    async def send(self, message: Message) -> None:
        """Take what the application has to say; OSError once the client has gone."""
        match message["type"]:
            case "websocket.accept":
                await self._ws.accept(message.get("subprotocol"), headers_of(message.get("headers", ())))
            case "websocket.send":
                text = message.get("text")
                try:
                    await self._ws.send(bytes(message["bytes"]) if text is None else text)
                except WebSocketDisconnect as gone:
                    raise OSError("the client has gone") from gone
            case "websocket.close":
                await self._ws.close(message.get("code") or 1000, message.get("reason") or "")
            case "websocket.http.response.start" if self._head is None:
                self._head = message
            case "websocket.http.response.body" if self._head is not None:
                self._body += message.get("body", b"")
            case kind:
                raise RuntimeError(f"an ASGI application sent {kind!r} when it was not its turn")


def socket_scope(scope: dict[str, Any], ws: WebSocket) -> dict[str, Any]:
    """The scope of a socket, made of that of its handshake."""
    offered = ",".join(ws.headers.getlist("sec-websocket-protocol")).split(",")
    del scope["method"]
    return scope | {
        "type": "websocket",
        "scheme": "wss" if scope["scheme"] == "https" else "ws",
        "subprotocols": [name.strip() for name in offered if name.strip()],
        "extensions": {"websocket.http.response": {}},
    }


__all__ = ["AsgiSocket", "socket_scope"]
