"""Ours, echoing: a call for each message, and one for the whole connection."""

import sys

from spikard import Spikard, WebSocket
from spikard.config import ServerConfig

app = Spikard(ServerConfig(port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000))


@app.websocket("/messages", compression=False)
async def messages(message: bytes) -> bytes:
    return message


@app.websocket("/connection", compression=False)
async def connection(ws: WebSocket) -> None:
    await ws.accept()
    async for message in ws:
        await ws.send(message)


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"message": "Hello"}


if __name__ == "__main__":
    app.run()
