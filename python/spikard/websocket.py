"""Names for WebSockets."""

from spikard.errors import WebSocketDisconnect
from spikard.routing.decorators import websocket
from spikard.routing.websocket import WebSocket

__all__ = ["WebSocket", "WebSocketDisconnect", "websocket"]
