"""Channels over Redis reach the sockets of all workers, and of other servers."""

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from secrets import token_hex

from process import Process
from websockets.asyncio.client import ClientConnection, connect

from tests.services import redis_url

__all__ = ["redis_url"]

APP = """
import os

from spikard import Spikard, WebSocket
from spikard.pubsub.redis import RedisBus

app = Spikard()
app.channels.use(RedisBus(os.environ["BUS_URL"], prefix=os.environ["BUS_PREFIX"]))


@app.websocket("/{room}")
async def talk(ws: WebSocket, room: str) -> None:
    await ws.accept()
    async with app.channels[room].joined(ws) as channel:
        await ws.send_text(str(os.getpid()))
        async for text in ws.iter_text():
            await channel.broadcast(text)
"""


async def converse(ports: list[int]) -> None:
    async with AsyncExitStack() as stack:

        async def member(port: int) -> tuple[ClientConnection, str]:
            ws = await stack.enter_async_context(connect(f"ws://127.0.0.1:{port}/tea", proxy=None))
            return ws, str(await ws.recv())

        members = [await member(port) for port in ports for _ in range(8)]
        # Until each worker of each server has somebody, so that nothing here depends on where connections go.
        while len({pid for _, pid in members}) < 2 * len(ports):
            members.extend([await member(port) for port in ports])
        for speaker, pid in members[:: len(members) // 4]:
            await speaker.send(f"from {pid}")
            assert [await ws.recv() for ws, _ in members] == [f"from {pid}"] * len(members)


def test_workers_and_servers_share_channels(server: str, tmp_path: Path, redis_url: str) -> None:
    (tmp_path / "chat.py").write_text(APP)
    env = {"BUS_URL": redis_url, "BUS_PREFIX": f"test-{token_hex(8)}:"}
    command = [server, "--python", sys.executable, "--port", "0", "--workers", "2", "chat:app"]
    with Process(command, cwd=tmp_path, env=env) as one, Process(command, cwd=tmp_path, env=env) as two:
        asyncio.run(asyncio.wait_for(converse([one.ready(), two.ready()]), 60))
